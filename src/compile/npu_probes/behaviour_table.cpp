#include "compile/npu_probes/behaviour_table.hpp"

#include <algorithm>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/text.hpp"

namespace slipway::compile::npu_probes {
namespace {

using base::Code;
using base::Result;
using nlohmann::ordered_json;

base::Error no_table(const std::filesystem::path& path, std::string_view why) {
  return {Code::kInvalidArgument, fmt::format("{} is no table of an NPU compiler's behaviour: {}", path.string(), why)};
}

ordered_json to_json(const Behaviour& row) {
  // Rounded up to two figures: a difference is no measurement of anybody's interest beyond its size.
  ordered_json json = {row.operator_name, row.kind, row.shape, verdict_name(row.outcome.verdict)};
  if (row.outcome.verdict == Verdict::kWrong) json.push_back(fmt::format("{:.1g}", row.outcome.difference));
  if (!row.outcome.detail.empty()) json.push_back(row.outcome.detail);
  return json;
}

}  // namespace

std::string Behaviour::id() const {
  return fmt::format("{}, {}, {}", operator_name, kind, shape);
}

Result<BehaviourTable> read_table(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return base::fail(Code::kNotFound, "there is no {}", path.string());
  const auto json = ordered_json::parse(file, nullptr, false);
  if (!json.is_object() || json.value("schema", "") != "npu-behaviour/1" || !json.contains("probes")) {
    return std::unexpected(no_table(path, "expected \"schema\": \"npu-behaviour/1\" and \"probes\""));
  }
  BehaviourTable table{.qairt_version = json.value("qairt", ""),
                       .onnxruntime_version = json.value("onnxruntime", ""),
                       .chip = json.value("chip", ""),
                       .is_emulated = json.value("emulated", true),
                       .rows = {}};
  for (const auto& each : json["probes"]) {
    const bool is_row = each.is_array() && each.size() >= 4 &&
                        std::ranges::all_of(each, [](const auto& cell) { return cell.is_string(); });
    const auto verdict = is_row ? verdict_from_name(each[3].get<std::string>()) : std::nullopt;
    if (!verdict) return std::unexpected(no_table(path, fmt::format("this row is not understood: {}", each.dump())));
    Behaviour row{.operator_name = each[0], .kind = each[1], .shape = each[2], .outcome = {.verdict = *verdict}};
    std::size_t next = 4;
    if (*verdict == Verdict::kWrong && each.size() > next) {
      row.outcome.difference = base::parse_number<double>(each[next].get<std::string>()).value_or(0);
      ++next;
    }
    if (each.size() > next) row.outcome.detail = each[next];
    table.rows.push_back(std::move(row));
  }
  return table;
}

Result<void> write_table(const BehaviourTable& table, const std::filesystem::path& path) {
  const ordered_json head = {{"schema", "npu-behaviour/1"},
                             {"qairt", table.qairt_version},
                             {"onnxruntime", table.onnxruntime_version},
                             {"chip", table.chip},
                             {"emulated", table.is_emulated}};
  std::string text = head.dump(0);
  text.resize(text.size() - 2);  // its closing brace, and the line break before it
  text += ",\n\"probes\": [\n";
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    text += to_json(table.rows[i]).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    text += i + 1 < table.rows.size() ? ",\n" : "\n";
  }
  text += "]}\n";
  return base::write_file_durably(path, text);
}

std::vector<Change> changes(const BehaviourTable& before, const BehaviourTable& now) {
  std::map<std::string, Verdict> known;
  for (const Behaviour& row : before.rows) known[row.id()] = row.outcome.verdict;
  std::vector<Change> found;
  for (const Behaviour& row : now.rows) {
    const auto old = known.find(row.id());
    if (old == known.end() || old->second == row.outcome.verdict) continue;
    found.push_back({.id = row.id(),
                     .before = std::string(verdict_name(old->second)),
                     .now = std::string(verdict_name(row.outcome.verdict))});
  }
  return found;
}

}  // namespace slipway::compile::npu_probes
