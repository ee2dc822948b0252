#include "quantize/encoding.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace slipway::quantize {
namespace {

struct Row {
  ActivationType type;
  std::string_view name;
  tensor::Dtype dtype;
  int bits;
  std::int64_t lowest, highest;
};

constexpr std::array kRows = {Row{ActivationType::kUint8, "uint8", tensor::Dtype::kUint8, 8, 0, 255},
                              Row{ActivationType::kInt8, "int8", tensor::Dtype::kInt8, 8, -128, 127},
                              Row{ActivationType::kUint16, "uint16", tensor::Dtype::kUint16, 16, 0, 65535},
                              Row{ActivationType::kInt16, "int16", tensor::Dtype::kInt16, 16, -32768, 32767}};

/// Below it the product with a weight's scale leaves what a float divides well.
constexpr double kSmallestScale = 1e-12;

const Row& row_of(ActivationType type) {
  return *std::ranges::find(kRows, type, &Row::type);
}

}  // namespace

std::string_view type_name(ActivationType type) {
  return row_of(type).name;
}

std::optional<ActivationType> activation_type_of_name(std::string_view name) {
  const auto* const row = std::ranges::find(kRows, name, &Row::name);
  return row == kRows.end() ? std::nullopt : std::optional(row->type);
}

tensor::Dtype dtype_of(ActivationType type) {
  return row_of(type).dtype;
}

int bits_of(ActivationType type) {
  return row_of(type).bits;
}

Range united(const Range& one, const Range& other) {
  return {std::min(one.lowest, other.lowest), std::max(one.highest, other.highest)};
}

Range Encoding::range() const {
  const Row& row = row_of(type);
  return {static_cast<double>(row.lowest - zero_point) * static_cast<double>(scale),
          static_cast<double>(row.highest - zero_point) * static_cast<double>(scale)};
}

Encoding encoding_of(const Range& range, ActivationType type) {
  const Row& row = row_of(type);
  const double lowest = std::min(range.lowest, 0.0), highest = std::max(range.highest, 0.0);
  Encoding encoding{.type = type};
  if (lowest == highest) {
    encoding.zero_point = type == ActivationType::kInt16 ? 0 : row.lowest;
    return encoding;
  }
  if (type == ActivationType::kInt16) {
    const double peak = std::max(-lowest, highest);
    encoding.scale = static_cast<float>(std::max(peak / static_cast<double>(row.highest), kSmallestScale));
    return encoding;
  }
  const double scale = std::max((highest - lowest) / static_cast<double>(row.highest - row.lowest), kSmallestScale);
  encoding.scale = static_cast<float>(scale);
  const double zero = std::nearbyint(static_cast<double>(row.lowest) - lowest / static_cast<double>(encoding.scale));
  encoding.zero_point = std::clamp(static_cast<std::int64_t>(zero), row.lowest, row.highest);
  return encoding;
}

}  // namespace slipway::quantize
