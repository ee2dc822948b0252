#include <exception>
#include <string>
#include <vector>

#include <malloc.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "apps/hub_server/collect_command.hpp"
#include "apps/hub_server/serve_command.hpp"
#include "apps/hub_server/token_command.hpp"

namespace slipway::apps::hub_server {
namespace {

constexpr int kDone = 0, kFailed = 1, kWrongUse = 2, kNotAvailable = 3;

int exit_status(const base::Result<void>& outcome) {
  if (outcome) return kDone;
  fmt::print(stderr, "slipway-hub: {}\n", outcome.error().message);
  switch (outcome.error().code) {
    case base::Code::kInvalidArgument:
      return kWrongUse;
    case base::Code::kUnavailable:
    case base::Code::kUnimplemented:
      return kNotAvailable;
    default:
      return kFailed;
  }
}

void add_token_commands(CLI::App& app, TokenSettings& settings, base::Result<void>& outcome) {
  CLI::App* token = app.add_subcommand("token", "Make, list and revoke tokens (also beside a running hub)");
  token->require_subcommand(1);
  token->footer(
      "Examples:\n"
      "  # for a colleague's client\n"
      "  slipway token create --data hub --name laptop --user ada@example.org\n"
      "  # for another machine's agent\n"
      "  slipway token create --data hub --name bench-2 --agent > bench-2.token\n"
      "  # which there are, and the end of one\n"
      "  slipway token list --data hub && slipway token revoke --data hub laptop");
  const auto add = [&](const char* name, const char* about) {
    CLI::App* command = token->add_subcommand(name, about);
    command->add_option("--data", settings.data, "The hub's data folder")->required()->type_name("DIR");
    command->add_flag("--json", settings.json, "One JSON object a line");
    return command;
  };
  CLI::App* create = add("create", "Make a token and print it: it is shown only once");
  create->add_option("--name", settings.name, "What it is for; shown in lists");
  create->add_option("--user", settings.user, "Whose it is; a new address makes a new user")->type_name("EMAIL");
  create->add_flag("--agent", settings.for_agent, "For an agent instead of a user");
  create->callback([&] { outcome = create_token(settings); });
  CLI::App* list = add("list", "Show all tokens, without their text");
  list->add_option("--user", settings.user, "Only this user's")->type_name("EMAIL");
  list->callback([&] { outcome = list_tokens(settings); });
  CLI::App* revoke = add("revoke", "End a token and its web sessions at once");
  revoke->add_option("token", settings.id, "The token's id, or its name")->required();
  revoke->callback([&] { outcome = revoke_token(settings); });
}

/// What was wrong, with what may stand in its place.
std::string words_of(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* innermost = &app;
  std::string verbs;
  while (!innermost->get_subcommands().empty()) {
    innermost = innermost->get_subcommands().back();
    verbs += innermost->get_name() + " ";
  }
  std::vector<std::string> expected;
  for (const CLI::App* verb : innermost->get_subcommands([](const CLI::App*) { return true; })) {
    expected.push_back(verb->get_name());
  }
  const std::string said = expected.empty() ? std::string(error.what())
                                            : fmt::format("{}expected one of {}",
                                                          verbs.empty() ? "" : verbs.substr(0, verbs.size() - 1) + ": ",
                                                          fmt::join(expected, ", "));
  return fmt::format("{}\n`slipway-hub {}--help` shows how it is used.\n", said, verbs);
}

int run(int argc, char** argv) {
  CLI::App app("A hub for the qai-hub client: devices, models, datasets and jobs over HTTP");
  app.name("slipway-hub");
  app.set_version_flag("--version", SLIPWAY_VERSION);
  app.require_subcommand(1);
  base::Result<void> outcome;

  std::string log_level = "info";
  ServeSettings serve_settings;
  CLI::App* serve_command = app.add_subcommand("serve", "Serve a data folder until it is told to stop");
  serve_command->add_option("--data", serve_settings.data, "The hub's data folder; made when new")
      ->required()
      ->type_name("DIR");
  serve_command->add_option("--listen", serve_settings.listen, "Where to listen; port 0 takes a free one")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  serve_command->add_option("--public-url", serve_settings.public_url, "How others reach the hub, behind a proxy")
      ->type_name("URL");
  serve_command->add_option("--devices", serve_settings.devices, "A CSV file of further devices")->type_name("FILE");
  serve_command->add_option("--log-level", log_level, "On standard error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  serve_command->add_flag("--json", serve_settings.json, "Say that it is ready as a JSON object");
  serve_command->callback([&] {
    spdlog::set_level(spdlog::level::from_str(log_level));
    outcome = serve(serve_settings);
  });

  CollectSettings collect_settings;
  CLI::App* collect_command =
      app.add_subcommand("collect", "Remove files that nothing refers to any more (also beside a running hub)");
  collect_command->add_option("--data", collect_settings.data, "The hub's data folder")->required()->type_name("DIR");
  collect_command->add_flag("--dry-run", collect_settings.dry_run, "Say how much it is, and remove nothing");
  collect_command->add_flag("--json", collect_settings.json, "One JSON object a line");
  collect_command->callback([&] { outcome = collect(collect_settings); });

  TokenSettings token_settings;
  add_token_commands(app, token_settings, outcome);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    app.exit(success);
    return kDone;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "slipway-hub: {}", words_of(app, error));
    return kWrongUse;
  }
  return exit_status(outcome);
}

}  // namespace
}  // namespace slipway::apps::hub_server

int main(int argc, char** argv) {
  // A few threads that serve many short requests need no memory pool each.
  ::mallopt(M_ARENA_MAX, 2);
  // Hashes are all that is asked of OpenSSL here: its table of messages, half a megabyte, would be read by nobody.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, nullptr);
  spdlog::set_default_logger(spdlog::stderr_color_mt("hub"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  try {
    return slipway::apps::hub_server::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "slipway-hub: {}\n", error.what());
    return 1;
  }
}
