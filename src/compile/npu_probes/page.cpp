#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compile/npu_probes/behaviour_table.hpp"
#include "compile/npu_probes/element_kind.hpp"

namespace slipway::compile::npu_probes {
namespace {

std::string escaped(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  return text;
}

/// "right", "refused", or "4 of 7 right" with what the others are.
std::string cell(const std::vector<const Behaviour*>& rows) {
  std::map<Verdict, int> counts;
  for (const Behaviour* row : rows) {
    if (row->outcome.verdict != Verdict::kNoReference) ++counts[row->outcome.verdict];
  }
  if (counts.empty()) return "";
  if (counts.size() == 1) return std::string(verdict_name(counts.begin()->first));
  std::vector<std::string> parts;
  for (const auto& [verdict, count] : counts) parts.push_back(fmt::format("{} {}", count, verdict_name(verdict)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

using ByKind = std::map<std::string, std::vector<const Behaviour*>>;

std::string operators(const BehaviourTable& table) {
  std::vector<std::string> order;
  std::map<std::string, ByKind> by_operator;
  for (const Behaviour& row : table.rows) {
    if (row.operator_name.starts_with("fault ")) continue;
    if (!by_operator.contains(row.operator_name)) order.push_back(row.operator_name);
    by_operator[row.operator_name][row.kind].push_back(&row);
  }
  std::ranges::sort(order);
  std::string text = "| operator |";
  std::string rule = "|---|";
  for (const auto& kind : kElementKinds) {
    text += fmt::format(" {} |", kind.name);
    rule += "---|";
  }
  text += '\n' + rule + '\n';
  for (const auto& name : order) {
    text += fmt::format("| {} |", name);
    for (const auto& kind : kElementKinds) {
      text += fmt::format(" {} |", cell(by_operator[name][std::string(kind.name)]));
    }
    text += '\n';
  }
  return text;
}

std::string exceptions(const BehaviourTable& table, std::initializer_list<Verdict> verdicts) {
  std::string text = "| operator | elements | shape | | |\n|---|---|---|---|---|\n";
  for (const Verdict verdict : verdicts) {
    for (const Behaviour& row : table.rows) {
      if (row.outcome.verdict != verdict || row.operator_name.starts_with("fault ")) continue;
      const std::string detail = verdict == Verdict::kWrong && row.outcome.detail.empty()
                                     ? fmt::format("by {:.1g} of the peak", row.outcome.difference)
                                     : escaped(row.outcome.detail);
      text += fmt::format("| {} | {} | {} | {} | {} |\n", row.operator_name, row.kind, row.shape, verdict_name(verdict),
                          detail);
    }
  }
  return text;
}

std::string refusals(const BehaviourTable& table) {
  std::vector<std::string> order;
  std::map<std::string, std::map<std::string, std::vector<std::string>>> shapes;
  for (const Behaviour& row : table.rows) {
    if (row.outcome.verdict != Verdict::kRefused || row.operator_name.starts_with("fault ")) continue;
    if (!shapes.contains(row.operator_name)) order.push_back(row.operator_name);
    shapes[row.operator_name][row.kind].push_back(row.shape);
  }
  std::string text = "| operator | elements: shapes |\n|---|---|\n";
  for (const auto& name : order) {
    std::vector<std::string> kinds;
    for (const auto& [kind, each] : shapes[name]) kinds.push_back(fmt::format("{}: {}", kind, fmt::join(each, ", ")));
    text += fmt::format("| {} | {} |\n", name, fmt::join(kinds, "; "));
  }
  return text;
}

std::string faults(const BehaviourTable& table) {
  std::string text =
      "| fault | what happens | in its place is written | the graph as it is | rewritten |\n|---|---|---|---|---|\n";
  for (const auto& fault : npu_faults::known_faults()) {
    std::map<std::string, std::string> found;
    for (const Behaviour& row : table.rows) {
      if (row.operator_name == fmt::format("fault {}", fault.id)) found[row.shape] = verdict_name(row.outcome.verdict);
    }
    text += fmt::format("| {} | {} (seen with QAIRT {}; HTP v{} to v{}{}) | {} | {} | {} |\n", fault.id, fault.effect,
                        fault.observed_in_qairt, fault.oldest_htp, fault.newest_htp,
                        fault.only_with_fp16 ? ", at FP16" : "", fault.remedy, found["as it is"], found["rewritten"]);
  }
  return text;
}

}  // namespace

std::string page(const BehaviourTable& table) {
  std::map<Verdict, int> counts;
  for (const Behaviour& row : table.rows) ++counts[row.outcome.verdict];
  std::vector<std::string> parts;
  for (const auto& [verdict, count] : counts) parts.push_back(fmt::format("{} {}", count, verdict_name(verdict)));
  return fmt::format(
      R"(# Operators as the NPU's compiler takes them

Written by `slipway doctor --npu-probes --npu-page docs/npu-operators.md`; do not edit. QAIRT {}, {}, {}; reference: ONNX
Runtime {} on the CPU. {} probes, each a graph of one operator (a few for the quantised kinds) with seeded data, compiled with the
CPU forbidden, in a process of its own: {}.

`float32` is computed in FP16. "QDQ" stands between QuantizeLinear and DequantizeLinear. *Right* is within 0.01 of the
largest value for float32, 0.02 for the quantised kinds, and equal for integers and truth values. A cell with several shapes
counts them. Sizes that are open are refused before the compiler sees them.

## Known faults, and what is done about them
{}
## Wrong, crashing or not finishing
{}
## Refused
{}
## All operators
{})",
      table.qairt_version, table.chip,
      table.is_emulated ? "on Qualcomm's HTP emulator, not on a device" : "on the device", table.onnxruntime_version,
      table.rows.size(), fmt::join(parts, ", "), faults(table),
      exceptions(table, {Verdict::kCrashes, Verdict::kUnfinished, Verdict::kWrong}), refusals(table), operators(table));
}

}  // namespace slipway::compile::npu_probes
