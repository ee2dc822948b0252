#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/signalfd.h>

#include "apps/cli/context.hpp"
#include "apps/cli/supervised_program.hpp"
#include "apps/cli/verbs.hpp"
#include "base/descriptor.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kPatienceAtStart{60'000};
constexpr milliseconds kPatienceAtEnd{4'000};  // for each program
constexpr int kNotAvailableHere = 3;

struct ServeArguments {
  fs::path data;
  std::string listen = "127.0.0.1:8400";
  std::string public_url;
  std::vector<fs::path> devices;
  std::string log_level = "info";
};

/// A program that stands beside this one.
base::Result<std::string> program_beside(const char* name) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path() / name;
  if (::access(program.c_str(), X_OK) == 0) return program.string();
  return base::fail(Code::kUnavailable, "{} is missing: it belongs beside slipway; build it with `make build`",
                    program.string());
}

std::vector<std::string> hub_command(const std::string& program, const ServeArguments& arguments,
                                     const std::string& listen) {
  std::vector<std::string> command = {
      program, "serve", "--data", arguments.data, "--listen", listen, "--log-level", arguments.log_level, "--json"};
  if (!arguments.public_url.empty()) command.insert(command.end(), {"--public-url", arguments.public_url});
  for (const auto& file : arguments.devices) command.insert(command.end(), {"--devices", file});
  return command;
}

/// SIGTERM, SIGINT, SIGHUP and SIGCHLD as something to poll.
class Signals {
 public:
  Signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
      struct sigaction action {};
      ::sigaction(number, nullptr, &action);
      if (action.sa_handler != SIG_IGN) sigaddset(&signals, number);  // nohup stays nohup
    }
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    descriptor_ = base::Descriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  /// True when one of the pending signals asks us to end.
  [[nodiscard]] bool is_end_asked() {
    signalfd_siginfo about{};
    while (::read(descriptor_.get(), &about, sizeof(about)) == sizeof(about)) {
      is_end_asked_ = is_end_asked_ || about.ssi_signo != SIGCHLD;
    }
    return is_end_asked_;
  }

 private:
  base::Descriptor descriptor_;
  bool is_end_asked_ = false;
};

/// The hub and its local agent, started in this order and kept running.
class LocalHub {
 public:
  LocalHub(ServeArguments arguments, std::string hub_program, std::string worker_program)
      : arguments_(std::move(arguments)),
        hub_program_(std::move(hub_program)),
        worker_program_(std::move(worker_program)),
        hub_(hub_command(hub_program_, arguments_, arguments_.listen)),
        agent_({}) {}

  ~LocalHub() { end(); }
  LocalHub(const LocalHub&) = delete;
  LocalHub& operator=(const LocalHub&) = delete;

  /// Returns when the agent has registered, or was asked to end before.
  base::Result<bool> start() {
    SLIPWAY_TRY(hub_.start());
    const auto give_up = SteadyClock::now() + kPatienceAtStart;
    while (!is_ready_) {
      if (SteadyClock::now() >= give_up) {
        return base::fail(Code::kDeadlineExceeded, "{} did not get ready within {} s",
                          url_.empty() ? "the hub" : "the agent", kPatienceAtStart.count() / 1000);
      }
      if (wait(milliseconds(1000))) return false;
      SLIPWAY_TRY(read_output());
      for (auto* child : {&hub_, &agent_}) {
        const auto ended = child->reap();
        if (!ended) continue;
        // It has said why on standard error; at the first start there is nothing to wait for.
        const int status = child->last_status();
        const auto code = status == kNotAvailableHere ? Code::kUnavailable
                          : status == kWrongUse       ? Code::kInvalidArgument
                                                      : Code::kInternal;
        return base::fail(code, "{} ended with {}", child == &hub_ ? "slipway-hub" : "the local agent", *ended);
      }
    }
    return true;
  }

  /// Keeps both running until asked to end.
  base::Result<void> supervise() {
    while (true) {
      if (wait(until_restart())) return {};
      SLIPWAY_TRY(read_output());
      for (auto* child : {&hub_, &agent_}) {
        if (const auto ended = child->reap()) {
          fmt::print(stderr, "slipway: {} ended with {}; starting it again\n",
                     child == &hub_ ? "slipway-hub" : "the local agent", *ended);
        }
        if (child->is_running() || SteadyClock::now() < child->restart_due()) continue;
        SLIPWAY_TRY(child->start());
      }
    }
  }

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] const std::string& client_ini() const { return client_ini_; }
  [[nodiscard]] const std::string& device() const { return device_; }

 private:
  /// Polls for signals and output. @return true when asked to end
  bool wait(milliseconds patience) {
    std::array<pollfd, 3> waits{pollfd{signals_.descriptor(), POLLIN, 0}, pollfd{hub_.output(), POLLIN, 0},
                                pollfd{agent_.output(), POLLIN, 0}};
    ::poll(waits.data(), waits.size(), static_cast<int>(patience.count()));
    return signals_.is_end_asked();
  }

  [[nodiscard]] milliseconds until_restart() const {
    milliseconds patience{3'600'000};
    for (const auto* child : {&hub_, &agent_}) {
      if (child->is_running()) continue;
      const auto left = std::chrono::duration_cast<milliseconds>(child->restart_due() - SteadyClock::now());
      patience = std::clamp(left, milliseconds(1), patience);
    }
    return patience;
  }

  base::Result<void> read_output() {
    if (hub_.output() >= 0) {
      for (const auto& line : hub_.read_lines()) SLIPWAY_TRY(hear_hub(line));
    }
    if (agent_.output() >= 0) {
      for (const auto& line : agent_.read_lines()) hear_agent(line);
    }
    return {};
  }

  base::Result<void> hear_hub(const std::string& line) {
    const auto said = nlohmann::json::parse(line, nullptr, false);
    if (!said.is_object() || said.value("schema", "") != "slipway-ready/1" || !url_.empty()) return {};
    url_ = said.value("url", "");
    client_ini_ = said.value("client_ini", "");
    // Started again it must be where its clients look for it, also when the system chose the port.
    hub_.set_arguments(hub_command(hub_program_, arguments_, url_.substr(url_.find("://") + 3)));
    if (arguments_.listen.starts_with("0.0.0.0:") || arguments_.listen.starts_with("[::]:")) {
      const auto host = arguments_.listen.substr(0, arguments_.listen.rfind(':'));
      hub_.set_arguments(hub_command(hub_program_, arguments_, host + url_.substr(url_.rfind(':'))));
    }
    agent_.set_arguments({worker_program_, "agent", "--hub", url_, "--token-file", said.value("agent_token", ""),
                          "--work", (arguments_.data / "work").string(), "--name", "local"});
    return agent_.start();
  }

  void hear_agent(const std::string& line) {
    constexpr std::string_view kRegistered = "Slipway agent registered: ";
    if (!line.starts_with(kRegistered)) return;
    device_ = line.substr(kRegistered.size());
    is_ready_ = true;
  }

  /// The agent first: it returns the job that it holds, so that the next one need not wait for the lease's end.
  void end() {
    for (auto* child : {&agent_, &hub_}) {
      child->signal(SIGTERM);
      const auto give_up = SteadyClock::now() + kPatienceAtEnd;
      while (child->is_running() && SteadyClock::now() < give_up) {
        static_cast<void>(wait(milliseconds(50)));
        static_cast<void>(child->reap());
      }
      child->signal(SIGKILL);
    }
  }

  const ServeArguments arguments_;
  const std::string hub_program_, worker_program_;
  Signals signals_;
  SupervisedProgram hub_, agent_;
  std::string url_, client_ini_, device_;
  bool is_ready_ = false;
};

base::Result<void> serve(const ServeArguments& arguments, Context& context) {
  SLIPWAY_TRY(
      context.check_outputs(arguments.devices, {{.option = "--data", .path = arguments.data, .is_folder = true}}));
  SLIPWAY_ASSIGN(auto hub_program, program_beside("slipway-hub"));
  SLIPWAY_ASSIGN(auto worker_program, program_beside("slipway-worker"));
  std::error_code error;
  ServeArguments absolute = arguments;
  absolute.data = fs::absolute(arguments.data, error).lexically_normal();
  LocalHub hub(absolute, std::move(hub_program), std::move(worker_program));
  const auto is_ready = hub.start();
  if (!is_ready && is_ready.error().code == Code::kInvalidArgument) return context.wrong_use(is_ready.error());
  if (!is_ready) return std::unexpected(is_ready.error());
  if (!*is_ready) return {};
  context.print(
      fmt::format("Slipway hub ready at {}\n"
                  "  this machine's device: {}\n"
                  "  try: QAIHUB_CLIENT_INI={} qai-hub list-devices\n"
                  "  stop: Ctrl-C\n",
                  hub.url(), hub.device(), hub.client_ini()));
  SLIPWAY_TRY(context.emit("slipway-ready/1",
                           {{"url", hub.url()}, {"client_ini", hub.client_ini()}, {"device", hub.device()}}));
  return hub.supervise();
}

/// Becomes `slipway-hub token …` with the same words.
base::Result<void> become_hub(const std::string& verb, const std::vector<std::string>& words) {
  SLIPWAY_ASSIGN(std::string program, program_beside("slipway-hub"));
  std::vector<std::string> texts = {program, verb};
  texts.insert(texts.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (auto& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  return base::fail(Code::kUnavailable, "{} cannot be started", program);
}

}  // namespace

void add_serve(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<ServeArguments>();
  CLI::App* verb = app.add_subcommand("serve", "Serve a hub with this machine as its first device");
  verb->add_option("--data", arguments->data, "The hub's data folder; made when new")->required()->type_name("DIR");
  verb->add_option("--listen", arguments->listen, "Where to listen; port 0 takes a free one")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  verb->add_option("--public-url", arguments->public_url, "How others reach the hub, behind a proxy")->type_name("URL");
  verb->add_option("--devices", arguments->devices, "A CSV file of further devices")->type_name("FILE");
  verb->add_option("--log-level", arguments->log_level, "Of the hub, on standard error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  context.add_output_options(*verb);
  verb->callback([arguments, &context] { context.finish(serve(*arguments, context)); });
}

void add_token(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("token", "Make, list and revoke tokens of a hub (slipway-hub token)");
  verb->set_help_flag();  // its help is the other program's
  verb->prefix_command();
  verb->callback([verb, &context] { context.finish(become_hub("token", verb->remaining())); });
}

}  // namespace slipway::cli
