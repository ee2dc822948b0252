// slipway-worker: executes one job (`job FOLDER`), or serves a hub as an agent (`agent`).
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "apps/hub_worker/agent.hpp"
#include "apps/hub_worker/job_process.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "runtime/profiling.hpp"

namespace {

constexpr int kFailed = 1, kWrongUse = 2, kNotAvailable = 3;

int exit_status_of(const slipway::base::Error& error) {
  using slipway::base::Code;
  std::fprintf(stderr, "slipway-worker: %s\n", error.message.c_str());
  if (error.code == Code::kUnavailable || error.code == Code::kNotFound) return kNotAvailable;
  return error.code == Code::kInvalidArgument ? kWrongUse : kFailed;
}

/// The agent until SIGTERM or SIGINT; signals are waited for by a thread of their own.
int serve(slipway::worker::AgentSettings settings, const std::string& token_file) {
  const auto token = slipway::base::read_file(token_file, 4096);
  if (!token) return exit_status_of(token.error().with("the agent's token"));
  settings.token = slipway::base::trimmed(*token);
  std::error_code error;
  settings.program = std::filesystem::read_symlink("/proc/self/exe", error);

  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::stop_source stop;
  std::thread([ends, stop]() mutable {
    int number = 0;
    sigwait(&ends, &number);
    stop.request_stop();
  }).detach();
  const auto outcome = slipway::worker::run_agent(settings, stop.get_token());
  return outcome ? 0 : exit_status_of(outcome.error());
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto status = slipway::runtime::run_phase_if_asked(argc, argv)) return *status;
  CLI::App app{"Carries out jobs of a Slipway hub.", "slipway-worker"};
  app.set_version_flag("--version", SLIPWAY_VERSION);
  app.require_subcommand(1);

  std::filesystem::path folder;
  auto* job = app.add_subcommand("job", "Carry out the job in a folder (started by the agent in the sandbox)");
  job->add_option("FOLDER", folder, "Job folder with spec.json and in/")->required();
  auto* describe = app.add_subcommand("describe", "Print this machine and its libraries as JSON");

  slipway::worker::AgentSettings settings;
  std::string token_file;
  std::uint64_t memory_mb = 0;
  std::int64_t job_minutes = 30;
  auto* agent = app.add_subcommand("agent", "Offer this machine to a hub until told to stop");
  agent->add_option("--hub", settings.hub_url, "The hub's URL, e.g. http://127.0.0.1:8400")->required();
  agent->add_option("--token-file", token_file, "File that holds the agent's token")->required();
  agent->add_option("--work", settings.work_folder, "Folder for job folders, of this agent alone")->required();
  agent->add_option("--name", settings.name, "Name shown by the hub (default: the host's name)");
  agent->add_option("--job-minutes", job_minutes, "Time limit of a job, of whatever kind")
      ->check(CLI::Range(1, 7 * 24 * 60));
  agent->add_option("--job-memory-mb", memory_mb,
                    "Memory limit of a job (default: nine sixteenths of the machine's; three are for inspections)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUse;
  }

  if (job->parsed()) return slipway::worker::run_job_process(folder);
  if (describe->parsed()) return slipway::worker::run_describe();
  spdlog::set_default_logger(spdlog::stderr_logger_mt("agent"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e agent %l: %v");
  settings.job_time = std::chrono::minutes(job_minutes);
  settings.job_memory_bytes = memory_mb << 20;
  return serve(std::move(settings), token_file);
}
