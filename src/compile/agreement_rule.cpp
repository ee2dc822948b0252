#include "compile/agreement_rule.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::compile {
namespace {

using base::Result;
using tensor::Dtype;
using tensor::Tensor;

template <typename T>
Result<Tensor> real_numbers(const Tensor& stored, const tensor::Quantization& quantization) {
  SLIPWAY_ASSIGN(Tensor real, Tensor::zeros(Dtype::kFloat64, stored.shape()));
  const auto numbers = stored.values<T>();
  const auto zero_point = static_cast<double>(quantization.zero_point);
  std::ranges::transform(numbers, real.values<double>().begin(), [&](T number) {
    return (static_cast<double>(number) - zero_point) * static_cast<double>(quantization.scale);
  });
  return real;
}

/// What a quantised tensor stands for.
Result<Tensor> dequantized(const Tensor& stored, const tensor::Quantization& quantization) {
  switch (stored.dtype()) {
    case Dtype::kInt8:
      return real_numbers<std::int8_t>(stored, quantization);
    case Dtype::kUint8:
      return real_numbers<std::uint8_t>(stored, quantization);
    case Dtype::kInt16:
      return real_numbers<std::int16_t>(stored, quantization);
    default:
      return real_numbers<std::uint16_t>(stored, quantization);
  }
}

std::string decibels(double value) {
  return std::isinf(value) ? "minus infinite" : fmt::format("{:.1f} dB", value);
}

std::string alarm_of(const tensor::Agreement& found, bool is_exact) {
  if (found.count == 0) return "it had no elements, so nothing was compared";
  if (found.reference_nan == found.count) return "it is NaN in every element of the source, so nothing was compared";
  std::vector<std::string> reasons;
  if (found.not_comparable > 0) {
    reasons.push_back(fmt::format("{} of {} elements cannot be compared (NaN or infinite on one side only)",
                                  found.not_comparable, found.count));
  }
  if (is_exact) {
    if (found.equal_share() < kLowestEqualShare) {
      reasons.push_back(fmt::format("{} of {} elements are equal (alarm under {:.0f} %)", found.equal, found.count,
                                    100 * kLowestEqualShare));
    }
    return fmt::format("{}", fmt::join(reasons, "; "));
  }
  if (found.snr_db < kLowestSnrDb) {
    reasons.push_back(
        fmt::format("signal to noise is {} (alarm under {:.0f} dB)", decibels(found.snr_db), kLowestSnrDb));
  }
  if (found.relative_max > kLargestRelativeDifference) {
    reasons.push_back(fmt::format("the largest difference is {:.2g} of the peak (alarm over {:.2g})",
                                  found.relative_max, kLargestRelativeDifference));
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

}  // namespace

Result<OutputAgreement> judge_output(const tensor::TensorSpec& output, const Tensor& source, const Tensor& result) {
  OutputAgreement judged;
  judged.output = output.name;
  judged.is_exact = !tensor::is_floating_point(output.dtype) && !output.quantization;
  if (output.quantization && source.dtype() == result.dtype()) {
    SLIPWAY_ASSIGN(const Tensor expected, dequantized(source, *output.quantization));
    SLIPWAY_ASSIGN(const Tensor found, dequantized(result, *output.quantization));
    SLIPWAY_ASSIGN(judged.agreement, tensor::compare(expected, found));
  } else {
    SLIPWAY_ASSIGN(judged.agreement, tensor::compare(source, result));
  }
  judged.alarm = alarm_of(judged.agreement, judged.is_exact);
  return judged;
}

}  // namespace slipway::compile
