#include <cmath>

#include <nlohmann/json.hpp>

#include "apps/cli/compile_command.hpp"
#include "apps/cli/table.hpp"

namespace slipway::cli {
namespace {

using nlohmann::ordered_json;

ordered_json tensors(const std::vector<tensor::TensorSpec>& specs) {
  auto list = ordered_json::array();
  for (const auto& spec : specs) {
    const ordered_json shape = spec.has_rank ? ordered_json(spec.shape) : ordered_json(nullptr);  // null: unknown
    ordered_json entry = {{"name", spec.name}, {"dtype", tensor::dtype_name(spec.dtype)}, {"shape", shape}};
    if (spec.quantization) {
      entry["scale"] = spec.quantization->scale;
      entry["zero_point"] = spec.quantization->zero_point;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

std::string lines_of_tensors(const char* title, const ordered_json& list) {
  std::string text;
  for (const auto& entry : list) {
    const auto dtype = tensor::dtype_from_name(entry["dtype"].get<std::string>()).value_or(tensor::Dtype::kFloat32);
    tensor::TensorSpec spec{.name = entry["name"], .dtype = dtype, .shape = {}, .quantization = std::nullopt};
    spec.has_rank = !entry["shape"].is_null();
    if (spec.has_rank) spec.shape = entry["shape"].get<tensor::Shape>();
    text += fmt::format("{:<10}{}: {}\n", title, spec.name, tensor::to_string(spec));
    title = "";
  }
  return text;
}

/// What could not be compared comes first: it is in none of the figures that follow.
std::string agreement_table(const ordered_json& list) {
  Table table({{.title = "output"},
               {.title = "not comparable", .align = Align::kRight},
               {.title = "equal", .align = Align::kRight},
               {.title = "largest difference", .align = Align::kRight},
               {.title = "of the peak", .align = Align::kRight},
               {.title = "signal to noise", .align = Align::kRight},
               {.title = "cosine", .align = Align::kRight},
               {.title = ""}});
  for (const auto& entry : list) {
    const auto elements = entry["elements"].get<std::int64_t>();
    const auto own = entry["source_nan"].get<std::int64_t>();
    const bool is_exact = entry["is_exact"].get<bool>();
    const auto figure = [&](const char* key, const char* form) {
      const bool has_figure = !is_exact && entry[key].is_number() && entry["equal_share"].get<double>() < 1;
      return has_figure ? fmt::format(fmt::runtime(form), entry[key].get<double>()) : std::string("-");
    };
    table.add({entry["output"].get<std::string>(),
               fmt::format("{} of {}{}", entry["not_comparable"].get<std::int64_t>(), elements,
                           own > 0 ? fmt::format(" ({} NaN in the source)", own) : ""),
               fmt::format("{:.1f} %", 100 * entry["equal_share"].get<double>()), figure("max_abs", "{:.3g}"),
               figure("relative_max", "{:.2g}"), figure("snr_db", "{:.1f} dB"), figure("cosine", "{:.6f}"),
               entry.contains("alarm") ? "ALARM" : "agrees"});
  }
  return table.text();
}

/// JSON knows no infinity: what is not finite is null there.
ordered_json number(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

}  // namespace

ordered_json report_of(const compile::CompileResult& result, compile::Target target) {
  ordered_json report = {{"standing", compile::standing_name(result.standing)},
                         {"warnings", result.warnings},
                         {"target", compile::target_name(target)},
                         {"artifact", result.artifact.string()},
                         {"artifact_is_folder", result.artifact_is_folder}};
  if (!result.wrapper.empty()) report["wrapper"] = result.wrapper.string();
  report["inputs"] = tensors(result.inputs);
  report["outputs"] = tensors(result.outputs);
  report["placement"] = {{"summary", result.placement.summary()},
                         {"nodes_per_provider", result.placement.nodes_per_provider},
                         {"partitions", result.placement.partitions},
                         {"is_emulated", result.placement.is_emulated}};
  auto agreement = ordered_json::array();
  for (const compile::OutputAgreement& output : result.agreement) {
    const tensor::Agreement& found = output.agreement;
    agreement.push_back({{"output", output.output},
                         {"elements", found.count},
                         {"not_comparable", found.not_comparable},
                         {"source_nan", found.reference_nan},
                         {"equal_share", found.equal_share()},
                         {"is_exact", output.is_exact},
                         {"max_abs", found.max_abs},
                         {"relative_max", number(found.relative_max)},
                         {"snr_db", number(found.snr_db)},
                         {"cosine", found.cosine},
                         {"psnr_db", found.psnr_db}});
    if (!output.alarm.empty()) agreement.back()["alarm"] = output.alarm;
  }
  report["agreement"] = std::move(agreement);
  report["agreement_note"] = result.agreement_note;
  report["agreement_remarks"] = result.agreement_remarks;
  if (result.estimate) {
    report["compiler_estimate"] = {{"nominal_us", result.estimate->nominal_us},
                                   {"lower_us", result.estimate->lower_us},
                                   {"upper_us", result.estimate->upper_us},
                                   {"is_measurement", false}};
  }
  if (result.traffic) {
    report["compiler_traffic_bytes"] = {{"input_fill", result.traffic->input_fill},
                                        {"intermediate_fill", result.traffic->intermediate_fill},
                                        {"intermediate_spill", result.traffic->intermediate_spill},
                                        {"output_spill", result.traffic->output_spill}};
  }
  report["metadata"] = result.metadata;
  return report;
}

bool is_alarm(const ordered_json& report) {
  const auto standing = report["standing"].get<std::string>();
  return standing == compile::standing_name(compile::Standing::kDiffers) ||
         standing == compile::standing_name(compile::Standing::kNotCompared);
}

std::string text_of(const ordered_json& report) {
  const bool is_emulated = report["placement"]["is_emulated"].get<bool>();
  std::string text;
  for (const auto& warning : report["warnings"]) text += fmt::format("WARNING: {}\n", warning.get<std::string>());
  if (!text.empty()) text += "\n";
  text += fmt::format("{:<10}{}\n", "artifact", report["artifact"].get<std::string>());
  if (report.contains("wrapper")) {
    text += fmt::format("{:<10}{} (ONNX that loads it)\n", "wrapper", report["wrapper"].get<std::string>());
  }
  text += lines_of_tensors("inputs", report["inputs"]);
  text += lines_of_tensors("outputs", report["outputs"]);
  text += fmt::format("{:<10}{}\n", "placement", report["placement"]["summary"].get<std::string>());
  text += "\n" + heading(is_emulated ? "Agreement with the source (HTP emulator)" : "Agreement with the source") + "\n";
  text += report["agreement_note"].get<std::string>() + "\n";
  if (!report["agreement"].empty()) text += agreement_table(report["agreement"]);
  for (const auto& remark : report["agreement_remarks"]) text += remark.get<std::string>() + "\n";
  if (report.contains("compiler_estimate")) {
    const auto& estimate = report["compiler_estimate"];
    const auto title = fmt::format("Qualcomm's compiler estimate ({} class), not a measurement",
                                   report["metadata"]["chip"].get<std::string>());
    text += fmt::format("\n{}\n{} ({} to {})\n", heading(title), compiler_estimate_text(estimate["nominal_us"]),
                        compiler_estimate_text(estimate["lower_us"]), compiler_estimate_text(estimate["upper_us"]));
  }
  if (report.contains("compiler_traffic_bytes")) {
    const auto& traffic = report["compiler_traffic_bytes"];
    text += fmt::format("memory traffic as the compiler counts it: {} in, {} refilled, {} spilled, {} out\n",
                        bytes_text(traffic["input_fill"]), bytes_text(traffic["intermediate_fill"]),
                        bytes_text(traffic["intermediate_spill"]), bytes_text(traffic["output_spill"]));
  }
  return text;
}

}  // namespace slipway::cli
