#pragma once

#include <filesystem>
#include <string>

#include "quantize/compare_outputs.hpp"
#include "quantize/quantize.hpp"
#include <nlohmann/json_fwd.hpp>

namespace slipway::cli {

/// What a quantisation did and what it cost: enough to do it again.
struct QuantizeReport {
  std::filesystem::path model, output, calibration;
  const quantize::Options& options;
  const quantize::Quantized& quantized;
  const quantize::ModelComparison& comparison;
  std::string onnxruntime_version;
  double seconds = 0;
};

/// For people: outputs with their SQNR, sizes, what stays in float.
[[nodiscard]] std::string quantize_text(const QuantizeReport& report);
/// The same for machines, with the encoding of every tensor.
[[nodiscard]] nlohmann::ordered_json quantize_json(const QuantizeReport& report);
/// On standard error: worthless outputs, tensors without an encoding, numbers that are none. Also with --quiet.
void tell_warnings(const QuantizeReport& report);

}  // namespace slipway::cli
