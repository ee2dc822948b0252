#include <fmt/format.h>

#include "apps/cli/context.hpp"
#include "apps/cli/verbs.hpp"

namespace slipway::cli {
namespace {

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* verb) { return !verb->get_name().empty(); });
}

std::vector<std::string> names_of_verbs(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : verbs_of(app)) names.push_back(verb->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App& verb) {
  std::vector<std::string> options;
  for (const CLI::Option* option : verb.get_options()) {
    for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
  }
  return options;
}

/// The text inside single quotes of a shell.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char character : text) {
    out += character == '\'' ? std::string("'\\''") : std::string(1, character);
  }
  return out;
}

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  for (const CLI::App* verb : verbs_of(app)) {
    cases += fmt::format("    {}) verbs='{}' options='{}' ;;\n", verb->get_name(),
                         fmt::join(names_of_verbs(*verb), " "), fmt::join(options_of(*verb), " "));
  }
  return fmt::format(R"(# bash completion for slipway: source <(slipway completion bash)
_slipway() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} verbs='{}' options='{}'
  if [ "$COMP_CWORD" -gt 1 ]; then
    case ${{COMP_WORDS[1]}} in
{}    esac
  fi
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$verbs" -- "$current") $(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _slipway slipway
)",
                     fmt::join(names_of_verbs(app), " "), fmt::join(options_of(app), " "), cases);
}

std::string zsh_completion(const CLI::App& app) {
  std::string verbs, cases;
  for (const CLI::App* verb : verbs_of(app)) {
    verbs += fmt::format("    '{}:{}'\n", verb->get_name(), quoted(verb->get_description()));
    cases += fmt::format("    {}) nested=({}) options=({}) ;;\n", verb->get_name(),
                         fmt::join(names_of_verbs(*verb), " "), fmt::join(options_of(*verb), " "));
  }
  return fmt::format(R"(#compdef slipway
# zsh completion for slipway: source <(slipway completion zsh)
_slipway() {{
  local -a verbs nested options
  verbs=(
{}  )
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  case $words[2] in
{}  esac
  if [[ $PREFIX == -* ]]; then
    compadd -- $options
  else
    compadd -- $nested
    _files
  fi
}}
compdef _slipway slipway
)",
                     verbs, cases);
}

std::string fish_completion(const CLI::App& app) {
  std::string out = "# fish completion for slipway: slipway completion fish | source\n";
  for (const CLI::App* verb : verbs_of(app)) {
    out += fmt::format("complete -c slipway -n __fish_use_subcommand -f -a {} -d '{}'\n", verb->get_name(),
                       quoted(verb->get_description()));
    for (const CLI::App* nested : verbs_of(*verb)) {
      out += fmt::format("complete -c slipway -n '__fish_seen_subcommand_from {}' -f -a {} -d '{}'\n", verb->get_name(),
                         nested->get_name(), quoted(nested->get_description()));
    }
    for (const CLI::Option* option : verb->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        out +=
            fmt::format("complete -c slipway -n '__fish_seen_subcommand_from {}' -l {} -d '{}'{}\n", verb->get_name(),
                        name, quoted(option->get_description()), option->get_expected_max() > 0 ? " -r" : "");
      }
    }
  }
  return out;
}

}  // namespace

void add_completion(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("completion", "Print completion for a shell: bash, zsh or fish");
  auto shell = std::make_shared<std::string>();
  verb->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->callback([shell, &app, &context] {
    context.print(*shell == "bash"  ? bash_completion(app)
                  : *shell == "zsh" ? zsh_completion(app)
                                    : fish_completion(app));
  });
}

}  // namespace slipway::cli
