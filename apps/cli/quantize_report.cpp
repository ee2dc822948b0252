#include "apps/cli/quantize_report.hpp"

#include <cstdio>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/table.hpp"

namespace slipway::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostNamed = 8;

std::string decibels(double value) {
  return std::isinf(value) ? "-inf" : fmt::format("{:.1f}", value);
}

/// The first few of many.
std::string some_of(const std::vector<std::string>& all) {
  const std::vector<std::string> some(all.begin(),
                                      all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kMostNamed)));
  return fmt::format("{}{}", fmt::join(some, ", "),
                     all.size() > kMostNamed ? fmt::format(" and {} more", all.size() - kMostNamed) : "");
}

struct Sizes {
  std::uint64_t before = 0, after = 0;
};

Sizes sizes_of(const quantize::Quantized& quantized) {
  Sizes sizes;
  for (const auto& parameter : quantized.parameters) {
    sizes.before += parameter.bytes_before;
    sizes.after += parameter.bytes_after;
  }
  return sizes;
}

/// Operators that stay in float: "3 Erf (no rule for this operator)".
std::string float_nodes_text(const quantize::Quantized& quantized) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const auto& node : quantized.float_nodes) ++counts[{node.op_type, node.reason}];
  std::vector<std::string> parts;
  for (const auto& [what, count] : counts) parts.push_back(fmt::format("{} {} ({})", count, what.first, what.second));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::string quantize_text(const QuantizeReport& report) {
  const auto& quantized = report.quantized;
  Table table({{"output"},
               {"SQNR dB", Align::kRight},
               {"cosine", Align::kRight},
               {"largest", Align::kRight},
               {"peak", Align::kRight},
               {"", Align::kLeft}});
  for (const auto& output : report.comparison.outputs) {
    table.add({output.output, decibels(output.sqnr_db), fmt::format("{:.6f}", output.cosine),
               fmt::format("{:.3g}", output.largest_difference), fmt::format("{:.3g}", output.peak),
               output.alarm.empty() ? "" : "ALARM: " + output.alarm});
  }
  const Sizes sizes = sizes_of(quantized);
  std::string text = table.text();
  text += fmt::format("\nAgainst the float model, both on the CPU of this machine (ONNX Runtime {}), {}.\n",
                      report.onnxruntime_version, counted(report.comparison.samples, "sample"));
  text +=
      fmt::format("{} quantised: {} with {} encodings ({}, {}), weights int8 by channel; parameters {} -> {}\n",
                  counted(quantized.quantized_nodes, "node"),
                  counted(static_cast<std::int64_t>(quantized.tensors.size()), "tensor"),
                  quantize::type_name(report.options.activations), quantize::scheme_name(report.options.scheme),
                  counted(quantized.samples, "calibration sample"), bytes_text(sizes.before), bytes_text(sizes.after));
  if (quantized.folded_normalizations > 0) {
    text += fmt::format("{} folded into the weights before.\n",
                        counted(quantized.folded_normalizations, "BatchNormalization", "BatchNormalizations"));
  }
  if (!quantized.float_nodes.empty()) text += fmt::format("In float: {}.\n", float_nodes_text(quantized));
  if (!quantized.parted_joins.empty()) {
    text += fmt::format("Concat whose inputs keep encodings of their own: {}.\n", some_of(quantized.parted_joins));
  }
  return text + fmt::format("written to {}\n", report.output.string());
}

ordered_json quantize_json(const QuantizeReport& report) {
  const auto& quantized = report.quantized;
  ordered_json outputs = ordered_json::array();
  for (const auto& output : report.comparison.outputs) {
    outputs.push_back({{"name", output.output},
                       {"sqnr_db", std::isinf(output.sqnr_db) ? ordered_json() : ordered_json(output.sqnr_db)},
                       {"cosine", output.cosine},
                       {"largest_difference", output.largest_difference},
                       {"peak", output.peak},
                       {"elements", output.elements},
                       {"not_comparable", output.not_comparable},
                       {"alarm", output.alarm}});
  }
  ordered_json tensors = ordered_json::array();
  for (const auto& tensor : quantized.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"type", quantize::type_name(tensor.encoding.type)},
                       {"scale", tensor.encoding.scale},
                       {"zero_point", tensor.encoding.zero_point},
                       {"observed", {tensor.observed.lowest, tensor.observed.highest}},
                       {"range_scheme", quantize::scheme_name(tensor.scheme)},
                       {"group", tensor.group}});
  }
  ordered_json without = ordered_json::array(), float_nodes = ordered_json::array();
  for (const auto& tensor : quantized.without) without.push_back({{"name", tensor.name}, {"reason", tensor.reason}});
  for (const auto& node : quantized.float_nodes) {
    float_nodes.push_back({{"name", node.name}, {"type", node.op_type}, {"reason", node.reason}});
  }
  const Sizes sizes = sizes_of(quantized);
  return {{"input", report.model.string()},
          {"model", report.model.string()},
          {"output", report.output.string()},
          {"calibration", report.calibration.string()},
          {"recipe",
           {{"weights", "int8"},
            {"activations", quantize::type_name(report.options.activations)},
            {"range_scheme", quantize::scheme_name(report.options.scheme)},
            {"samples", quantized.samples},
            {"exclude", report.options.excluded_nodes},
            {"exclude_operators", report.options.excluded_operators},
            {"quantize_io", report.options.quantizes_io},
            {"equalize", report.options.equalizes_layers},
            {"bias_correction", report.options.corrects_biases},
            {"fold_batch_norm", report.options.folds_batch_normalization}}},
          {"onnxruntime_version", report.onnxruntime_version},
          {"seconds", report.seconds},
          {"outputs", outputs},
          {"compared_samples", report.comparison.samples},
          {"has_alarm", report.comparison.has_alarm()},
          {"parameter_bytes", {{"before", sizes.before}, {"after", sizes.after}}},
          {"quantized_nodes", quantized.quantized_nodes},
          {"needless_clips", quantized.needless_clips},
          {"folded_batch_norms", quantized.folded_normalizations},
          {"equalized_pairs", quantized.equalized_pairs},
          {"tensors", tensors},
          {"tensors_without_encoding", without},
          {"float_nodes", float_nodes},
          {"parted_joins", quantized.parted_joins},
          {"not_finite", quantized.not_finite},
          {"left_out_samples", quantized.left_out_samples}};
}

void tell_warnings(const QuantizeReport& report) {
  for (const auto& output : report.comparison.outputs) {
    if (!output.alarm.empty()) fmt::print(stderr, "WARNING: output '{}': {}\n", output.output, output.alarm);
  }
  if (report.comparison.has_alarm()) {
    fmt::print(stderr, "WARNING: {} was written, and what it gives is of no use as it is.\n", report.output.string());
  }
  for (const auto& tensor : report.quantized.without) {
    fmt::print(stderr, "warning: tensor '{}' has no encoding and stays in float: {}\n", tensor.name, tensor.reason);
  }
  if (!report.quantized.not_finite.empty()) {
    fmt::print(stderr, "warning: calibration saw NaN or infinities, which count for no range, in {}\n",
               some_of(report.quantized.not_finite));
  }
  if (!report.quantized.left_out_samples.empty()) {
    fmt::print(stderr, "warning: {} left out, for NaN or infinities in an input: {}\n",
               counted(static_cast<std::int64_t>(report.quantized.left_out_samples.size()), "sample"),
               some_of(report.quantized.left_out_samples));
  }
}

}  // namespace slipway::cli
