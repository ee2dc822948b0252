#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "runtime/session.hpp"
#include "tensor/float16.hpp"

namespace slipway::runtime {
namespace {

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every platform.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }

  /// Uniform in [0, 1) with as many bits as a float holds exactly.
  float unit(unsigned bits) { return static_cast<float>(next() >> (64U - bits)) / static_cast<float>(1U << bits); }

 private:
  std::uint64_t state_;
};

float between(const ValueRange& range, float unit) {
  return static_cast<float>(range.lowest + static_cast<double>(unit) * (range.highest - range.lowest));
}

template <typename T>
void fill_integers(std::span<T> values, const ValueRange& range, SplitMix64& random) {
  const double lowest = std::max(std::ceil(range.lowest), static_cast<double>(std::numeric_limits<T>::min()));
  const double highest = std::min(std::floor(range.highest), static_cast<double>(std::numeric_limits<T>::max()));
  const double steps = std::clamp(highest - lowest, 0.0, 0x1p62);
  const std::uint64_t count = static_cast<std::uint64_t>(steps) + 1;
  for (T& value : values) {
    const auto step = static_cast<std::uint64_t>((static_cast<unsigned __int128>(random.next()) * count) >> 64U);
    value = static_cast<T>(static_cast<std::int64_t>(lowest) + static_cast<std::int64_t>(step));
  }
}

void fill(tensor::Tensor& tensor, const ValueRange& range, SplitMix64& random) {
  using tensor::Dtype;
  switch (tensor.dtype()) {
    case Dtype::kFloat32:
      for (float& value : tensor.values<float>()) value = between(range, random.unit(24));
      return;
    case Dtype::kFloat64:
      for (double& value : tensor.values<double>()) value = static_cast<double>(between(range, random.unit(24)));
      return;
    case Dtype::kFloat16:
      for (std::uint16_t& value : tensor.values<std::uint16_t>()) {
        value = tensor::half_from_float(between(range, random.unit(11)));
      }
      return;
    case Dtype::kBfloat16:
      for (std::uint16_t& value : tensor.values<std::uint16_t>()) {
        // Between 0 and 1, eight bits: exact, so its upper half is all of it. Elsewhere the rest is cut off.
        value = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(between(range, random.unit(8))) >> 16U);
      }
      return;
    case Dtype::kBool:
      return fill_integers(tensor.values<std::uint8_t>(), {.lowest = 0, .highest = 1}, random);
    case Dtype::kInt8:
      return fill_integers(tensor.values<std::int8_t>(), range, random);
    case Dtype::kUint8:
      return fill_integers(tensor.values<std::uint8_t>(), range, random);
    case Dtype::kInt16:
      return fill_integers(tensor.values<std::int16_t>(), range, random);
    case Dtype::kUint16:
      return fill_integers(tensor.values<std::uint16_t>(), range, random);
    case Dtype::kInt32:
      return fill_integers(tensor.values<std::int32_t>(), range, random);
    case Dtype::kUint32:
      return fill_integers(tensor.values<std::uint32_t>(), range, random);
    case Dtype::kInt64:
      return fill_integers(tensor.values<std::int64_t>(), range, random);
    case Dtype::kUint64:
      return fill_integers(tensor.values<std::uint64_t>(), range, random);
  }
}

}  // namespace

base::Result<tensor::NamedTensors> random_inputs(const std::vector<tensor::TensorSpec>& specs, std::uint64_t seed,
                                                 const std::vector<ValueRange>& ranges) {
  tensor::NamedTensors inputs;
  SplitMix64 random(seed);
  for (const tensor::TensorSpec& spec : specs) {
    if (!spec.has_rank) {
      return base::fail(base::Code::kFailedPrecondition,
                        "input '{}' is {}: no random data can be made for it; give data, or fix its shape by an input "
                        "spec (compile --input-spec {}=1x3x224x224)",
                        spec.name, tensor::to_string(spec), spec.name);
    }
    tensor::Shape shape = spec.shape;
    for (std::int64_t& size : shape) size = size < 0 ? 1 : size;
    auto made = tensor::Tensor::zeros(spec.dtype, std::move(shape));
    if (!made) return std::unexpected(made.error().with(fmt::format("input '{}'", spec.name)));
    fill(*made, inputs.size() < ranges.size() ? ranges[inputs.size()] : ValueRange{}, random);
    inputs.push_back({spec.name, std::move(*made)});
  }
  return inputs;
}

}  // namespace slipway::runtime
