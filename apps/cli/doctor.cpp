#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/child_process.hpp"
#include "apps/cli/context.hpp"
#include "apps/cli/npu_probes_command.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "runtime/profiling.hpp"
#include "sandbox/run.hpp"

namespace slipway::cli {
namespace {

using nlohmann::ordered_json;

/// Instruction sets that change how fast a model runs, as /proc/cpuinfo names them (x86, then ARM).
constexpr std::array kTellingFlags = {"avx2",     "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8",
                                      "amx_bf16", "asimd",   "asimddp",     "i8mm",     "bf16",        "sve"};

std::vector<std::string> cpu_flags() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  std::set<std::string> present;
  while (std::getline(cpuinfo, line)) {
    if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::string word; words >> word;) present.insert(word);
    break;
  }
  std::vector<std::string> telling;
  for (const char* flag : kTellingFlags) {
    if (present.contains(flag)) telling.emplace_back(flag);
  }
  return telling;
}

struct Memory {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;
};

Memory memory() {
  Memory found;
  std::ifstream meminfo("/proc/meminfo");
  std::string key;
  std::uint64_t kilobytes = 0;
  while (meminfo >> key >> kilobytes) {
    if (key == "MemTotal:") found.total_bytes = kilobytes * 1024;
    if (key == "MemAvailable:") found.available_bytes = kilobytes * 1024;
    meminfo.ignore(64, '\n');
  }
  return found;
}

std::string state_of(const runtime::ProviderStatus& status) {
  if (!status.available) return "missing";
  return status.row.is_emulator ? "emulator" : "ready";
}

/// What a child finds that opens a provider's own build of ONNX Runtime: this process opens another one.
runtime::ProviderStatus status_in_child(const runtime::ProviderRow& row) {
  runtime::ProviderStatus status{.row = row, .available = false, .detail = {}};
  const auto found = run_in_child(
      [&](const LogLine&) -> base::Result<ordered_json> {
        SLIPWAY_ASSIGN(const auto environment, open_environment(row.name));
        for (const runtime::ProviderStatus& each : environment->providers()) {
          if (each.row.name != row.name) continue;
          return ordered_json{{"available", each.available},
                              {"version", environment->onnxruntime_version()},
                              {"library", environment->paths().onnxruntime.string()}};
        }
        return base::fail(base::Code::kInternal, "the table of providers has no {}", row.name);
      },
      [](std::string_view) {}, std::chrono::seconds(30));
  if (!found) {
    // Not here, or broken: the reason tells which.
    if (found.error().code != base::Code::kUnavailable) status.detail = found.error().message;
    return status;
  }
  status.available = found->at("available").get<bool>();
  if (status.available) {
    status.detail = fmt::format("ONNX Runtime {}, a build of its own ({})", found->at("version").get<std::string>(),
                                found->at("library").get<std::string>());
  }
  return status;
}

base::Result<void> doctor(Context& context) {
  context.reserve_standard_output();
  SLIPWAY_TRY(context.check_outputs({}, {}));
  const std::vector<std::string> flags = cpu_flags();
  const Memory ram = memory();
  const sandbox::NamespaceSupport& namespaces = sandbox::probe_namespaces();
  ordered_json result = {{"version", SLIPWAY_VERSION},
                         {"machine", runtime::machine_name()},
                         {"cpu_flags", flags},
                         {"memory_bytes", ram.total_bytes},
                         {"memory_available_bytes", ram.available_bytes},
                         {"sandbox", {{"bubblewrap", namespaces.bubblewrap}, {"detail", namespaces.detail}}}};
  Table facts({{"this machine"}, {""}});
  facts.add({"slipway", SLIPWAY_VERSION});
  facts.add({"processor", runtime::machine_name()});
  facts.add({"instructions", flags.empty() ? "none of those that matter" : fmt::format("{}", fmt::join(flags, " "))});
  facts.add({"memory", fmt::format("{}, {} available", bytes_text(ram.total_bytes), bytes_text(ram.available_bytes))});
  facts.add(
      {"job sandbox", fmt::format("{}: {}", namespaces.bubblewrap ? "bubblewrap" : "limits and seccomp, no namespaces",
                                  namespaces.detail)});

  // Before a library starts threads here.
  std::map<std::string_view, runtime::ProviderStatus> elsewhere;
  for (const runtime::ProviderRow& row : runtime::provider_table()) {
    if (row.has_own_build) elsewhere.emplace(row.name, status_in_child(row));
  }
  const auto environment = open_environment();
  if (!environment) {
    facts.add({"ONNX Runtime", "missing"});
    context.print(facts.text());
    result["onnxruntime"] = nullptr;
    SLIPWAY_TRY(context.emit("doctor/1", result));
    return std::unexpected(environment.error());
  }
  const runtime::Environment& runtime = **environment;
  facts.add(
      {"ONNX Runtime", fmt::format("{} ({})", runtime.onnxruntime_version(), runtime.paths().onnxruntime.string())});
  facts.add({"QAIRT", runtime.qairt_version()
                          ? fmt::format("{} ({})", *runtime.qairt_version(), runtime.paths().qnn_folder.string())
                          : "missing"});
  result["onnxruntime"] = {{"version", runtime.onnxruntime_version()},
                           {"library", runtime.paths().onnxruntime.string()}};
  result["qairt_version"] = runtime.qairt_version() ? ordered_json(*runtime.qairt_version()) : ordered_json(nullptr);

  Table providers({{"provider"}, {"runs on"}, {"state"}, {"detail"}});
  ordered_json list = ordered_json::array();
  for (const runtime::ProviderStatus& listed : runtime.providers()) {
    const auto own = elsewhere.find(listed.row.name);
    const runtime::ProviderStatus& status = own != elsewhere.end() && own->second.available ? own->second : listed;
    const std::string unit(runtime::compute_unit_name(status.row.unit));
    providers.add({std::string(status.row.name), unit, state_of(status), status.detail});
    list.push_back({{"name", status.row.name},
                    {"unit", unit},
                    {"available", status.available},
                    {"is_emulator", status.row.is_emulator},
                    {"detail", status.detail}});
  }
  result["providers"] = list;
  context.print(facts.text() + '\n' + providers.text());
  return context.emit("doctor/1", result);
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("doctor", "Say what this machine can do and what is missing");
  context.add_output_options(*verb);
  const auto probes = std::make_shared<bool>(false);
  const auto arguments = std::make_shared<NpuProbesArguments>();
  constexpr const char* kGroup = "NPU probes";
  const auto flag = [&](const char* name, auto& value, const char* help) {
    return verb->add_option(name, value, help)->group(kGroup)->needs("--npu-probes");
  };
  verb->add_flag("--npu-probes", *probes,
                 "Compile a graph of each operator, element type and shape for an NPU, run it, and say what behaves "
                 "otherwise than in the table of this release; exit status 1 when something does")
      ->group(kGroup);
  flag("--npu-soc", arguments->soc, "Qualcomm's id of the chip (57: SM8650)")->capture_default_str();
  flag("--npu-htp-arch", arguments->htp_arch, "Its Hexagon version")->capture_default_str();
  verb->add_flag("--npu-integers-only", arguments->integers_only, "The chip has no FP16")
      ->group(kGroup)
      ->needs("--npu-probes");
  flag("--npu-only", arguments->only, "Only probes whose name holds this, e.g. \"Cast, uint8\"");
  flag("--npu-table", arguments->table, "The table to compare with")->type_name("FILE");
  flag("--npu-from", arguments->from, "Take the outcomes from this table in place of running the probes")
      ->type_name("FILE");
  flag("--npu-write", arguments->write_to, "Write what was found as such a table")->type_name("FILE");
  flag("--npu-page", arguments->page, "Write what was found as a page (docs/npu-operators.md)")->type_name("FILE");
  flag("--npu-probe-limit", arguments->seconds_for_a_probe, "Seconds that a probe may take")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  flag("--npu-time-limit", arguments->seconds_in_all, "Seconds after which no further probe is begun")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  verb->callback([&context, probes, arguments] {
    if (!*probes) return context.finish(doctor(context));
    context.reserve_standard_output();
    context.finish(run_npu_probes(context, *arguments));
  });
}

}  // namespace slipway::cli
