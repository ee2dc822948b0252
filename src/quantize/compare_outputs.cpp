#include "quantize/compare_outputs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "quantize/calibrate.hpp"
#include "quantize/encoding.hpp"

#include "runtime/session.hpp"

namespace slipway::quantize {
namespace {

using base::Code;
using base::fail;
using base::Result;
using tensor::Dtype;
using tensor::NamedTensors;
using tensor::Tensor;
using tensor::TensorSpec;

constexpr double kDecibelsOfEqual = 999;
/// This part of an output's elements clipped, each by more than a fiftieth of the peak, is a range that was chosen
/// wrong.
constexpr double kMostClippedShare = 0.05, kClippedBy = 0.02;

/// An element of any type as the real number that it stands for.
template <typename T>
void append_reals(const Tensor& tensor, const tensor::Quantization& grid, std::vector<double>& reals) {
  for (const T stored : tensor.values<T>()) {
    reals.push_back((static_cast<double>(stored) - static_cast<double>(grid.zero_point)) *
                    static_cast<double>(grid.scale));
  }
}

Result<std::vector<double>> reals_of(const Tensor& tensor, const tensor::Quantization& grid) {
  std::vector<double> reals;
  reals.reserve(tensor.size_bytes() / tensor::dtype_size_bytes(tensor.dtype()));
  switch (tensor.dtype()) {
    case Dtype::kFloat32:
      append_reals<float>(tensor, grid, reals);
      return reals;
    case Dtype::kFloat64:
      append_reals<double>(tensor, grid, reals);
      return reals;
    case Dtype::kUint8:
    case Dtype::kBool:
      append_reals<std::uint8_t>(tensor, grid, reals);
      return reals;
    case Dtype::kInt8:
      append_reals<std::int8_t>(tensor, grid, reals);
      return reals;
    case Dtype::kUint16:
      append_reals<std::uint16_t>(tensor, grid, reals);
      return reals;
    case Dtype::kInt16:
      append_reals<std::int16_t>(tensor, grid, reals);
      return reals;
    case Dtype::kInt32:
      append_reals<std::int32_t>(tensor, grid, reals);
      return reals;
    case Dtype::kInt64:
      append_reals<std::int64_t>(tensor, grid, reals);
      return reals;
    default:
      return fail(Code::kUnimplemented, "outputs of {} are not compared", tensor::dtype_name(tensor.dtype()));
  }
}

template <typename T>
void write_stored(std::span<const float> numbers, const tensor::Quantization& grid, Tensor& stored) {
  const auto places = stored.values<T>();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double steps = std::nearbyint(static_cast<double>(numbers[i]) / static_cast<double>(grid.scale)) +
                         static_cast<double>(grid.zero_point);
    places[i] = static_cast<T>(std::clamp(steps, static_cast<double>(std::numeric_limits<T>::lowest()),
                                          static_cast<double>(std::numeric_limits<T>::max())));
  }
}

/// A float input as the integers that a model with quantised inputs takes.
Result<Tensor> stored_as(const TensorSpec& spec, const Tensor& real) {
  if (!spec.quantization || real.dtype() != Dtype::kFloat32) {
    return Tensor::copy_of(real.dtype(), real.shape(), real.bytes());
  }
  SLIPWAY_ASSIGN(Tensor stored, Tensor::zeros(spec.dtype, real.shape()));
  const auto numbers = real.values<float>();
  switch (spec.dtype) {
    case Dtype::kUint8:
      write_stored<std::uint8_t>(numbers, *spec.quantization, stored);
      break;
    case Dtype::kInt8:
      write_stored<std::int8_t>(numbers, *spec.quantization, stored);
      break;
    case Dtype::kUint16:
      write_stored<std::uint16_t>(numbers, *spec.quantization, stored);
      break;
    default:
      write_stored<std::int16_t>(numbers, *spec.quantization, stored);
  }
  return stored;
}

/// Sums over the samples for one output.
class Sums {
 public:
  void add(std::span<const double> source, std::span<const double> quantized) {
    for (std::size_t i = 0; i < source.size(); ++i) {
      const double a = source[i], b = quantized[i];
      if (!std::isfinite(a) || !std::isfinite(b)) {
        not_comparable_ += a == b || (std::isnan(a) && std::isnan(b)) ? 0 : 1;
        continue;
      }
      ++count_;
      equal_ += a == b ? 1 : 0;
      signal_ += a * a;
      stored_ += b * b;
      product_ += a * b;
      error_ += (a - b) * (a - b);
      largest_ = std::max(largest_, std::abs(a - b));
      peak_ = std::max(peak_, std::abs(a));
      source_range_ = count_ == 1 ? Range{a, a} : united(source_range_, {a, a});
      note_extreme(b - a, b < quantized_range_.lowest, b == quantized_range_.lowest, below_);
      note_extreme(a - b, b > quantized_range_.highest, b == quantized_range_.highest, above_);
      quantized_range_ = count_ == 1 ? Range{b, b} : united(quantized_range_, {b, b});
    }
  }

  [[nodiscard]] OutputComparison comparison(const std::string& name, double lowest_sqnr_db) const {
    OutputComparison found{.output = name};
    found.elements = count_;
    found.equal = equal_;
    found.not_comparable = not_comparable_;
    found.largest_difference = largest_;
    found.peak = peak_;
    found.sqnr_db = error_ == 0    ? kDecibelsOfEqual
                    : signal_ == 0 ? -std::numeric_limits<double>::infinity()
                                   : 10 * std::log10(signal_ / error_);
    const double width = source_range_.width();
    found.psnr_db = error_ == 0  ? kDecibelsOfEqual
                    : width == 0 ? 0
                                 : 10 * std::log10(width * width * static_cast<double>(count_) / error_);
    found.cosine = signal_ > 0 && stored_ > 0 ? product_ / std::sqrt(signal_ * stored_) : (signal_ == stored_ ? 1 : 0);
    found.alarm = alarm(found, lowest_sqnr_db);
    return found;
  }

 private:
  /// Counts the elements at the outermost number that the quantised output has, whose float lies further out.
  void note_extreme(double beyond, bool is_new, bool is_same, std::uint64_t& clipped) const {
    if (is_new) clipped = 0;
    if ((is_new || is_same || count_ == 1) && beyond > kClippedBy * peak_) ++clipped;
  }

  [[nodiscard]] std::string alarm(const OutputComparison& found, double lowest_sqnr_db) const {
    if (count_ == 0) return "no element could be compared";
    std::vector<std::string> reasons;
    if (not_comparable_ > 0) {
      reasons.push_back(fmt::format("{} elements are NaN or infinite on one side only", not_comparable_));
    }
    if (quantized_range_.width() == 0 && source_range_.width() > 0) {
      reasons.push_back(fmt::format("it is {:g} everywhere, where the float model gives {:g} to {:g}",
                                    quantized_range_.lowest, source_range_.lowest, source_range_.highest));
    }
    const double share = static_cast<double>(below_ + above_) / static_cast<double>(count_);
    if (share > kMostClippedShare) {
      reasons.push_back(fmt::format("{:.0f} % of it is clipped to its range of {:g} to {:g}", 100 * share,
                                    quantized_range_.lowest, quantized_range_.highest));
    }
    if (found.sqnr_db < lowest_sqnr_db) {
      reasons.push_back(fmt::format("SQNR is {:.1f} dB (alarm under {:g} dB)", found.sqnr_db, lowest_sqnr_db));
    }
    return fmt::format("{}", fmt::join(reasons, "; "));
  }

  std::uint64_t count_ = 0, equal_ = 0, not_comparable_ = 0;
  std::uint64_t below_ = 0, above_ = 0;
  double signal_ = 0, stored_ = 0, product_ = 0, error_ = 0, largest_ = 0, peak_ = 0;
  Range source_range_, quantized_range_;
};

Result<std::unique_ptr<runtime::Session>> load(const std::shared_ptr<runtime::Environment>& environment,
                                               const std::filesystem::path& model) {
  runtime::SessionOptions options;
  options.record_placement = false;
  options.config_entries.emplace_back("session.x64quantprecision", "1");
  return runtime::Session::load(environment, model, options);
}

Result<NamedTensors> inputs_for(const std::vector<TensorSpec>& specs, const NamedTensors& sample) {
  NamedTensors inputs;
  for (const auto& input : sample) {
    const auto spec = std::ranges::find(specs, input.name, &TensorSpec::name);
    if (spec == specs.end()) return fail(Code::kInvalidArgument, "the quantised model has no input '{}'", input.name);
    SLIPWAY_ASSIGN(Tensor stored, stored_as(*spec, input.tensor));
    inputs.push_back({input.name, std::move(stored)});
  }
  return inputs;
}

}  // namespace

bool ModelComparison::has_alarm() const {
  return std::ranges::any_of(outputs, [](const OutputComparison& output) { return !output.alarm.empty(); });
}

Result<ModelComparison> compare_outputs(const std::shared_ptr<runtime::Environment>& environment,
                                        const std::filesystem::path& source, const std::filesystem::path& quantized,
                                        const compile::onnx_graph::ModelSummary& summary, const Samples& samples,
                                        std::int64_t most_samples, double lowest_sqnr_db, const Progress& progress) {
  SLIPWAY_ASSIGN(const auto float_session, load(environment, source));
  SLIPWAY_ASSIGN(const auto quantized_session, load(environment, quantized));
  const std::int64_t count = most_samples > 0 ? std::min(most_samples, samples.count) : samples.count;
  std::map<std::string, Sums> sums;
  ModelComparison comparison;
  for (std::int64_t i = 0; i < count; ++i) {
    SLIPWAY_ASSIGN(const NamedTensors sample, samples.read(i));
    if (!objection_to(sample).empty()) continue;
    SLIPWAY_ASSIGN(const NamedTensors expected, float_session->run(sample));
    SLIPWAY_ASSIGN(const NamedTensors inputs, inputs_for(summary.inputs, sample));
    SLIPWAY_ASSIGN(const NamedTensors found, quantized_session->run(inputs));
    for (const auto& output : expected) {
      const auto same = std::ranges::find(found, output.name, &tensor::NamedTensor::name);
      if (same == found.end() || same->tensor.shape() != output.tensor.shape()) {
        return fail(Code::kInvalidArgument, "output '{}' is {} in the float model, and in the quantised one {}",
                    output.name, tensor::to_string(output.tensor.dtype(), output.tensor.shape()),
                    same == found.end() ? "missing" : tensor::to_string(same->tensor.dtype(), same->tensor.shape()));
      }
      const auto spec = std::ranges::find(summary.outputs, output.name, &TensorSpec::name);
      const bool is_stored = spec != summary.outputs.end() && spec->quantization &&
                             output.tensor.dtype() == Dtype::kFloat32 && same->tensor.dtype() != Dtype::kFloat32;
      SLIPWAY_ASSIGN(const auto float_reals, reals_of(output.tensor, {}));
      SLIPWAY_ASSIGN(const auto quantized_reals,
                     reals_of(same->tensor, is_stored ? *spec->quantization : tensor::Quantization{}));
      sums[output.name].add(float_reals, quantized_reals);
    }
    ++comparison.samples;
    if (progress) progress("comparing", i + 1, count);
  }
  for (const TensorSpec& output : float_session->outputs()) {
    comparison.outputs.push_back(sums[output.name].comparison(output.name, lowest_sqnr_db));
  }
  return comparison;
}

}  // namespace slipway::quantize
