#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include <fmt/format.h>

#include "apps/cli/context.hpp"
#include "apps/cli/interrupt.hpp"
#include "apps/cli/old_spellings.hpp"
#include "apps/cli/option_effects.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "runtime/profiling.hpp"

namespace slipway::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  slipway doctor                                     what this machine can do
  slipway inspect face.onnx                          inputs, outputs, operators
  slipway infer face.onnx --inputs in.npz -o out.npz
  slipway profile face.onnx --trace trace.json       load, inference, memory, slowest layers
  slipway compile face.onnx --target qnn_dlc --device "Samsung Galaxy S24" -o face.dlc
  slipway bench face.onnx --threads 2 --json         statistics only, for scripts
  slipway demucs song.mp3 -m htdemucs -o stems
  slipway drone flight.mp4 -m yolov8n.onnx --segmenter ffnet_40s -o seen.mp4
  slipway samurai video.mp4 -m sam2.1-tiny --box 120,80,60,140 -o tracked.mp4
  slipway serve --data hub                           a hub for the qai-hub client
  source <(slipway completion bash)                  completion for this shell

Exit status: 0 done, 1 failed, in part, or done with an alarm, 2 wrong use, 3 not available on this machine,
130 or 143 stopped.
`slipway VERB --help` says what a verb takes.)";

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

/// Says which verb was probably meant. True when the first word is no verb.
bool is_unknown_verb(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.front().starts_with('-')) return false;
  const std::vector<std::string> names = verb_names(app);
  if (std::ranges::find(names, words.front()) != names.end()) return false;
  const auto meant = base::nearest(words.front(), names);
  fmt::print(stderr, "slipway: there is no verb '{}'{}\nThe verbs are {}.\n", words.front(),
             meant ? fmt::format("; did you mean '{}'?", *meant) : ".", fmt::join(names, ", "));
  return true;
}

/// The options of the verb that was being parsed, without their dashes.
std::string meant_option(const CLI::App& app, const std::string& message) {
  const auto dashes = message.find("--");
  if (dashes == std::string::npos || app.get_subcommands().empty()) return {};
  const std::string typed = message.substr(dashes + 2, message.find_first_of(" =\n", dashes) - dashes - 2);
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_subcommands().back()->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  return base::nearest(typed, names).value_or("");
}

/// Before a verb works, it says which of its options change nothing.
void tell_options_without_effect(const CLI::App& app) {
  for (const CLI::App* verb : app.get_subcommands()) {
    for (const std::string& words : options_without_effect(*verb)) fmt::print(stderr, "note: {}\n", words);
    tell_options_without_effect(*verb);
  }
}

/// The exit status, once what was printed has reached standard output.
int when_written(int status) {
  errno = 0;
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (status != kDone || is_written) return status;
  if (errno == EPIPE) return 128 + SIGPIPE;
  fmt::print(stderr, "slipway: {}\n", base::errno_error(errno != 0 ? errno : ENOSPC, "standard output").message);
  return kFailed;
}

int run(int argc, char** argv) {
  Context context;
  CLI::App app("Slipway: run, measure and compile models on ONNX Runtime, and serve them as a hub", "slipway");
  app.set_version_flag("--version", "slipway " SLIPWAY_VERSION);
  app.require_subcommand(1);
  add_verbs(app, context);
  app.footer(kExamples);  // behind the verbs, which would take it for theirs
  Respelled typed = in_todays_words({argv + std::min(argc, 1), argv + argc});
  app.parse_complete_callback([&] {
    if (!context.is_quiet()) {
      for (const std::string& note : typed.notes) fmt::print(stderr, "note: {}\n", note);
      tell_options_without_effect(app);
    }
    // A hub waits for its signals itself.
    if (!app.got_subcommand("serve") && !app.got_subcommand("token")) watch_for_interrupts();
  });
  if (argc < 2) {
    fmt::print("{}", app.help());
    return kWrongUse;
  }
  if (is_unknown_verb(app, typed.words)) return kWrongUse;
  std::ranges::reverse(typed.words);  // as CLI11 takes them
  try {
    app.parse(std::move(typed.words));
  } catch (const CLI::Success& success) {
    return when_written(app.exit(success));
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "slipway: {}\n", error.what());
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
      const std::string meant = meant_option(app, error.what());
      if (!meant.empty()) fmt::print(stderr, "Did you mean --{}?\n", meant);
    }
    const std::string verb = app.get_subcommands().empty() ? "" : app.get_subcommands().back()->get_name() + " ";
    fmt::print(stderr, "`slipway {}--help` shows how it is used.\n", verb);
    return kWrongUse;
  }
  return when_written(context.exit_status());
}

}  // namespace
}  // namespace slipway::cli

int main(int argc, char** argv) {
  if (const auto status = slipway::runtime::run_phase_if_asked(argc, argv)) return *status;
  return slipway::cli::run(argc, argv);
}
