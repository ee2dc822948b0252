#include <nlohmann/json.hpp>

#include "apps/cli/compile_command.hpp"
#include "apps/cli/table.hpp"

namespace slipway::cli {
namespace {

using nlohmann::ordered_json;

ordered_json tensors(const std::vector<tensor::TensorSpec>& specs) {
  auto list = ordered_json::array();
  for (const auto& spec : specs) {
    ordered_json entry = {{"name", spec.name}, {"dtype", tensor::dtype_name(spec.dtype)}, {"shape", spec.shape}};
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
    text += fmt::format("{:<10}{}: {}\n", title, entry["name"].get<std::string>(),
                        tensor::to_string(dtype, entry["shape"].get<tensor::Shape>()));
    title = "";
  }
  return text;
}

std::string agreement_table(const ordered_json& list) {
  Table table({{.title = "output"},
               {.title = "largest difference", .align = Align::kRight},
               {.title = "of the peak", .align = Align::kRight},
               {.title = "cosine", .align = Align::kRight},
               {.title = "PSNR", .align = Align::kRight}});
  for (const auto& entry : list) {
    table.add({entry["output"].get<std::string>(), fmt::format("{:.3g}", entry["max_abs"].get<double>()),
               fmt::format("{:.2g}", entry["relative_max"].get<double>()),
               fmt::format("{:.6f}", entry["cosine"].get<double>()),
               fmt::format("{:.1f} dB", entry["psnr_db"].get<double>())});
  }
  return table.text();
}

}  // namespace

ordered_json report_of(const compile::CompileResult& result, compile::Target target) {
  ordered_json report = {{"target", compile::target_name(target)},
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
  for (const auto& [output, found] : result.agreement) {
    agreement.push_back({{"output", output},
                         {"max_abs", found.max_abs},
                         {"relative_max", found.relative_max},
                         {"cosine", found.cosine},
                         {"psnr_db", found.psnr_db},
                         {"not_finite", found.not_finite}});
  }
  report["agreement"] = std::move(agreement);
  report["agreement_note"] = result.agreement_note;
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

std::string text_of(const ordered_json& report) {
  const bool is_emulated = report["placement"]["is_emulated"].get<bool>();
  std::string text = fmt::format("{:<10}{}\n", "artifact", report["artifact"].get<std::string>());
  if (report.contains("wrapper")) {
    text += fmt::format("{:<10}{} (ONNX that loads it)\n", "wrapper", report["wrapper"].get<std::string>());
  }
  text += lines_of_tensors("inputs", report["inputs"]);
  text += lines_of_tensors("outputs", report["outputs"]);
  text += fmt::format("{:<10}{}\n", "placement", report["placement"]["summary"].get<std::string>());
  text += "\n" + heading(is_emulated ? "Agreement with the source (HTP emulator)" : "Agreement with the source") + "\n";
  text += report["agreement_note"].get<std::string>() + "\n";
  if (!report["agreement"].empty()) text += agreement_table(report["agreement"]);
  if (report.contains("compiler_estimate")) {
    const auto& estimate = report["compiler_estimate"];
    const auto title = fmt::format("Qualcomm's compiler estimate ({} class), not a measurement",
                                   report["metadata"]["chip"].get<std::string>());
    text += fmt::format("\n{}\n{} ({} to {})\n", heading(title), time_text(estimate["nominal_us"]),
                        time_text(estimate["lower_us"]), time_text(estimate["upper_us"]));
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
