#include <cstring>

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

template <typename T>
void fill_bits(std::span<T> values, SplitMix64& random) {
  for (T& value : values) value = static_cast<T>(random.next() >> 63U);
}

void fill(tensor::Tensor& tensor, SplitMix64& random) {
  using tensor::Dtype;
  switch (tensor.dtype()) {
    case Dtype::kFloat32:
      for (float& value : tensor.values<float>()) value = random.unit(24);
      return;
    case Dtype::kFloat64:
      for (double& value : tensor.values<double>()) value = static_cast<double>(random.unit(24));
      return;
    case Dtype::kFloat16:
      for (std::uint16_t& value : tensor.values<std::uint16_t>()) value = tensor::half_from_float(random.unit(11));
      return;
    case Dtype::kBfloat16:
      for (std::uint16_t& value : tensor.values<std::uint16_t>()) {
        const float number = random.unit(8);  // eight bits: exact, so its upper half is all of it
        std::uint32_t bits = 0;
        std::memcpy(&bits, &number, sizeof(bits));
        value = static_cast<std::uint16_t>(bits >> 16U);
      }
      return;
    case Dtype::kBool:
    case Dtype::kInt8:
    case Dtype::kUint8:
      fill_bits(tensor.values<std::uint8_t>(), random);
      return;
    case Dtype::kInt16:
    case Dtype::kUint16:
      fill_bits(tensor.values<std::uint16_t>(), random);
      return;
    case Dtype::kInt32:
    case Dtype::kUint32:
      fill_bits(tensor.values<std::uint32_t>(), random);
      return;
    case Dtype::kInt64:
    case Dtype::kUint64:
      fill_bits(tensor.values<std::uint64_t>(), random);
      return;
  }
}

}  // namespace

base::Result<tensor::NamedTensors> random_inputs(const std::vector<tensor::TensorSpec>& specs, std::uint64_t seed) {
  tensor::NamedTensors inputs;
  SplitMix64 random(seed);
  for (const tensor::TensorSpec& spec : specs) {
    tensor::Shape shape = spec.shape;
    for (std::int64_t& size : shape) size = size < 0 ? 1 : size;
    auto made = tensor::Tensor::zeros(spec.dtype, std::move(shape));
    if (!made) return std::unexpected(made.error().with(fmt::format("input '{}'", spec.name)));
    fill(*made, random);
    inputs.push_back({spec.name, std::move(*made)});
  }
  return inputs;
}

}  // namespace slipway::runtime
