#include "tensor/compare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/float16.hpp"

namespace slipway::tensor {
namespace {

constexpr double kDecibelsOfEqual = 999.0;

template <typename T>
double element(const std::byte* data, std::size_t index) {
  return static_cast<double>(reinterpret_cast<const T*>(data)[index]);
}
double half_element(const std::byte* data, std::size_t index) {
  return static_cast<double>(float_from_half(reinterpret_cast<const std::uint16_t*>(data)[index]));
}
double bfloat16_element(const std::byte* data, std::size_t index) {
  return static_cast<double>(float_from_bfloat16(reinterpret_cast<const std::uint16_t*>(data)[index]));
}

using Reader = double (*)(const std::byte*, std::size_t);

Reader reader_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat16:
      return half_element;
    case Dtype::kFloat32:
      return element<float>;
    case Dtype::kBool:
      return element<std::uint8_t>;
    case Dtype::kInt8:
      return element<std::int8_t>;
    case Dtype::kInt16:
      return element<std::int16_t>;
    case Dtype::kInt32:
      return element<std::int32_t>;
    case Dtype::kInt64:
      return element<std::int64_t>;
    case Dtype::kUint8:
      return element<std::uint8_t>;
    case Dtype::kUint16:
      return element<std::uint16_t>;
    case Dtype::kFloat64:
      return element<double>;
    case Dtype::kUint32:
      return element<std::uint32_t>;
    case Dtype::kUint64:
      return element<std::uint64_t>;
    case Dtype::kBfloat16:
      return bfloat16_element;
  }
  return element<float>;
}

bool is_same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || a == b;
}

}  // namespace

base::Result<Agreement> compare(const Tensor& reference, const Tensor& other) {
  if (reference.shape() != other.shape()) {
    return base::fail(base::Code::kInvalidArgument,
                      "tensors of different shapes cannot be compared: reference {}, other {}",
                      to_string(reference.dtype(), reference.shape()), to_string(other.dtype(), other.shape()));
  }
  const Reader read_a = reader_of(reference.dtype());
  const Reader read_b = reader_of(other.dtype());
  const std::size_t count = reference.size_bytes() / dtype_size_bytes(reference.dtype());

  Agreement result;
  result.count = static_cast<std::int64_t>(count);
  double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
  double sum_abs = 0, sum_squares = 0, dot = 0, norm_a = 0, norm_b = 0, peak = 0;
  std::size_t finite = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double a = read_a(reference.bytes().data(), i);
    const double b = read_b(other.bytes().data(), i);
    if (is_same(a, b)) ++result.equal;
    if (std::isnan(a)) {
      ++result.reference_nan;
      continue;
    }
    if (!std::isfinite(a) || !std::isfinite(b)) {
      if (!is_same(a, b)) ++result.not_comparable;
      continue;
    }
    ++finite;
    const double difference = std::abs(a - b);
    if (difference > result.max_abs) {
      result.max_abs = difference;
      result.worst_index = static_cast<std::int64_t>(i);
    }
    sum_abs += difference;
    sum_squares += difference * difference;
    dot += a * b;
    norm_a += a * a;
    norm_b += b * b;
    peak = std::max(peak, std::abs(a));
    lowest = std::min(lowest, a);
    highest = std::max(highest, a);
  }
  if (finite == 0) {
    result.psnr_db = result.snr_db = result.not_comparable == 0 ? kDecibelsOfEqual : 0;
    return result;
  }
  const auto n = static_cast<double>(finite);
  result.mean_abs = sum_abs / n;
  result.range = highest - lowest;
  if (result.max_abs > 0) {
    result.relative_max = peak > 0 ? result.max_abs / peak : std::numeric_limits<double>::infinity();
  }
  if (norm_a > 0 && norm_b > 0) {
    result.cosine = std::clamp(dot / (std::sqrt(norm_a) * std::sqrt(norm_b)), -1.0, 1.0);
  } else {
    result.cosine = norm_a == norm_b ? 1.0 : 0.0;
  }
  if (sum_squares == 0) {
    result.psnr_db = result.snr_db = kDecibelsOfEqual;
    return result;
  }
  if (result.range > 0) result.psnr_db = 10.0 * std::log10(result.range * result.range / (sum_squares / n));
  result.snr_db = 10.0 * std::log10(norm_a / sum_squares);  // minus infinity against a reference of zeros
  return result;
}

}  // namespace slipway::tensor
