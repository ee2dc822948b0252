#include "apps/cli/npu_probes_command.hpp"

#include <map>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "apps/cli/child_process.hpp"
#include "apps/cli/progress_bar.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/table.hpp"
#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "compile/npu_probes/behaviour_table.hpp"
#include "compile/soc.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
namespace npu_probes = compile::npu_probes;
using base::Code;
using base::Result;
using nlohmann::ordered_json;
using npu_probes::Verdict;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// The table of a chip that came along, in the source tree or beside the program.
fs::path own_table(const runtime::HtpTarget& chip) {
  const std::string name = fmt::format("htp_v{}.json", chip.htp_arch);
  const fs::path source = fs::path(SLIPWAY_SOURCE_NPU_TABLES) / name;
  std::error_code error;
  if (fs::exists(source, error)) return source;
  const fs::path executable = fs::read_symlink("/proc/self/exe", error);
  return executable.parent_path().parent_path() / "share" / "slipway" / "npu" / name;
}

struct Versions {
  std::string qairt, onnxruntime;
  bool is_emulated = true;
};

/// In a process of its own: what Qualcomm's library prints for each graph would bury what is found.
void silence_libraries() {
  const base::Descriptor nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!nowhere.is_open()) return;
  ::dup2(nowhere.get(), STDOUT_FILENO);
  ::dup2(nowhere.get(), STDERR_FILENO);
}

Result<Versions> versions_here() {
  const auto found = run_in_child(
      [](const LogLine&) -> Result<ordered_json> {
        silence_libraries();
        SLIPWAY_ASSIGN(const auto environment, open_environment(runtime::htp_provider().name));
        for (const auto& status : environment->providers()) {
          if (!status.row.accepts_htp) continue;
          if (!status.available) return base::fail(Code::kUnavailable, "no NPU compiler here: {}", status.detail);
          return ordered_json{{"qairt", environment->qairt_version().value_or("of an unknown version")},
                              {"onnxruntime", environment->onnxruntime_version()},
                              {"emulated", status.row.is_emulator}};
        }
        return base::fail(Code::kInternal, "no provider compiles for NPUs");
      },
      {}, seconds(60));
  if (!found) return std::unexpected(found.error());
  return Versions{
      .qairt = (*found)["qairt"], .onnxruntime = (*found)["onnxruntime"], .is_emulated = (*found)["emulated"]};
}

/// A crash and a time that is over are answers here.
npu_probes::Outcome outcome_of(const npu_probes::Probe& probe, const runtime::HtpTarget& chip,
                               const NpuProbesArguments& arguments) {
  const auto found = run_in_child(
      [&](const LogLine&) -> Result<ordered_json> {
        silence_libraries();
        SLIPWAY_ASSIGN(const auto environment, open_environment(runtime::htp_provider().name));
        const auto outcome = npu_probes::run_probe(environment, probe, chip, !arguments.integers_only);
        return ordered_json{{"verdict", npu_probes::verdict_name(outcome.verdict)},
                            // JSON has no infinity, the share of a peak that is 0.
                            {"difference", std::min(outcome.difference, 1e9)},
                            {"detail", outcome.detail}};
      },
      {}, seconds(arguments.seconds_for_a_probe));
  if (found) {
    return {.verdict = *npu_probes::verdict_from_name((*found)["verdict"].get<std::string>()),
            .difference = (*found)["difference"],
            .detail = (*found)["detail"]};
  }
  if (found.error().code == Code::kDeadlineExceeded) {
    return {.verdict = Verdict::kUnfinished, .detail = fmt::format("after {} s", arguments.seconds_for_a_probe)};
  }
  return {.verdict = Verdict::kCrashes, .detail = found.error().message};
}

void print_summary(Context& context, const npu_probes::BehaviourTable& now) {
  std::map<Verdict, int> counts;
  for (const auto& row : now.rows) ++counts[row.outcome.verdict];
  Table table({{"outcome"}, {"probes", Align::kRight}});
  for (const auto& [verdict, count] : counts) {
    table.add({std::string(npu_probes::verdict_name(verdict)), count_text(count)});
  }
  context.print(fmt::format("QAIRT {}, {}{}\n\n{}", now.qairt_version, now.chip,
                            now.is_emulated ? ", HTP emulator" : "", table.text()));
}

Result<void> report_changes(Context& context, const NpuProbesArguments& arguments, const runtime::HtpTarget& chip,
                            const npu_probes::BehaviourTable& now, std::size_t left_out) {
  ordered_json result = {{"qairt", now.qairt_version},
                         {"chip", now.chip},
                         {"emulated", now.is_emulated},
                         {"probes", now.rows.size()},
                         {"not_run", left_out}};
  const fs::path path = arguments.table.empty() ? own_table(chip) : arguments.table;
  const auto before = npu_probes::read_table(path);
  if (!before && before.error().code != Code::kNotFound) return std::unexpected(before.error());
  if (!before) {
    context.print(fmt::format("\nnothing to compare with: {}\n", before.error().message));
    result["compared_with"] = nullptr;
  } else {
    const auto changed = npu_probes::changes(*before, now);
    ordered_json list = ordered_json::array();
    Table table({{"probe"}, {"in the table"}, {"now"}});
    for (const auto& change : changed) {
      table.add({change.id, change.before, change.now});
      list.push_back({{"probe", change.id}, {"before", change.before}, {"now", change.now}});
    }
    context.print(fmt::format("\ncompared with QAIRT {} ({}): {}\n{}", before->qairt_version, path.string(),
                              changed.empty() ? "nothing changed" : fmt::format("{} changed", changed.size()),
                              changed.empty() ? "" : '\n' + table.text()));
    result["compared_with"] = before->qairt_version;
    result["changed"] = list;
    if (!changed.empty()) context.set_exit_status(kFailed);
  }
  if (left_out > 0) {
    context.print(fmt::format("{} probe(s) were not run: the {} s were over (--npu-time-limit)\n", left_out,
                              arguments.seconds_in_all));
  }
  ordered_json rows = ordered_json::array();
  for (const auto& row : now.rows) {
    rows.push_back({{"probe", row.id()},
                    {"outcome", npu_probes::verdict_name(row.outcome.verdict)},
                    {"difference", row.outcome.difference},
                    {"detail", row.outcome.detail}});
  }
  result["outcomes"] = rows;
  return context.emit("npu-probes/1", result);
}

struct Probed {
  npu_probes::BehaviourTable table;
  std::size_t left_out = 0;
};

Result<Probed> probe_all(const NpuProbesArguments& arguments, const runtime::HtpTarget& chip) {
  SLIPWAY_ASSIGN(const Versions versions, versions_here());
  Probed probed{.table = {.qairt_version = versions.qairt,
                          .onnxruntime_version = versions.onnxruntime,
                          .chip = compile::chip_name(chip),
                          .is_emulated = versions.is_emulated,
                          .rows = {}}};
  if (arguments.integers_only) probed.table.chip += ", integers only";
  auto probes = npu_probes::all_probes();
  std::erase_if(probes, [&](const auto& probe) { return !probe.id().contains(arguments.only); });
  const auto end = steady_clock::now() + seconds(arguments.seconds_in_all);
  auto& rows = probed.table.rows;
  ProgressBar progress;
  for (const auto& probe : probes) {
    if (steady_clock::now() > end) break;
    progress.update(fmt::format("probing the NPU's compiler: {}", probe.operator_name),
                    static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(probes.size()));
    rows.push_back({.operator_name = probe.operator_name,
                    .kind = std::string(npu_probes::row_of(probe.kind).name),
                    .shape = probe.shape,
                    .outcome = outcome_of(probe, chip, arguments)});
  }
  probed.left_out = probes.size() - rows.size();
  return probed;
}

}  // namespace

Result<void> run_npu_probes(Context& context, const NpuProbesArguments& arguments) {
  SLIPWAY_TRY(context.check_outputs(
      {arguments.table, arguments.from},
      {{.option = "--npu-write", .path = arguments.write_to}, {.option = "--npu-page", .path = arguments.page}}));
  const runtime::HtpTarget chip{.soc_model = arguments.soc, .htp_arch = arguments.htp_arch};
  Probed probed;
  if (arguments.from.empty()) {
    SLIPWAY_ASSIGN(probed, probe_all(arguments, chip));
  } else {
    SLIPWAY_ASSIGN(probed.table, npu_probes::read_table(arguments.from));
  }
  print_summary(context, probed.table);
  SLIPWAY_TRY(report_changes(context, arguments, chip, probed.table, probed.left_out));
  if (!arguments.write_to.empty()) SLIPWAY_TRY(npu_probes::write_table(probed.table, arguments.write_to));
  if (!arguments.page.empty()) {
    SLIPWAY_TRY(base::write_file_durably(arguments.page, npu_probes::page(probed.table)));
  }
  return {};
}

}  // namespace slipway::cli
