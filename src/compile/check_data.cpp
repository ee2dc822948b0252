#include "compile/check_data.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::compile {
namespace {

using runtime::ValueRange;
using tensor::Dtype;
using tensor::TensorSpec;

constexpr std::size_t kMostInputsNamed = 6;

ValueRange range_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat16:
    case Dtype::kFloat32:
    case Dtype::kFloat64:
    case Dtype::kBfloat16:
      return {.lowest = -1, .highest = 1};
    case Dtype::kBool:
      return {.lowest = 0, .highest = 1};
    case Dtype::kInt8:
    case Dtype::kInt32:
    case Dtype::kInt64:
      return {.lowest = -128, .highest = 127};
    case Dtype::kInt16:
      return {.lowest = -32768, .highest = 32767};
    case Dtype::kUint16:
      return {.lowest = 0, .highest = 65535};
    case Dtype::kUint8:
    case Dtype::kUint32:
    case Dtype::kUint64:
      break;
  }
  return {.lowest = 0, .highest = 255};
}

/// Changes what is free and of one kind. @return whether anything was
template <typename Change>
bool change_free(const std::vector<TensorSpec>& inputs, std::vector<CheckRange>& ranges, bool floats, Change change) {
  bool is_changed = false;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (!ranges[i].is_free || tensor::is_floating_point(inputs[i].dtype) != floats) continue;
    const ValueRange before = ranges[i].values;
    change(ranges[i].values);
    is_changed |= before.lowest != ranges[i].values.lowest || before.highest != ranges[i].values.highest;
  }
  return is_changed;
}

}  // namespace

std::vector<CheckRange> check_ranges(const Prepared& prepared) {
  std::vector<CheckRange> ranges;
  for (std::size_t i = 0; i < prepared.summary.inputs.size(); ++i) {
    const auto allowed = i < prepared.input_ranges.size() ? prepared.input_ranges[i] : std::nullopt;
    if (allowed) {
      ranges.push_back({.values = {.lowest = allowed->lowest, .highest = allowed->highest}, .is_free = false});
    } else {
      ranges.push_back({.values = range_of(prepared.summary.inputs[i].dtype), .is_free = true});
    }
  }
  return ranges;
}

bool narrow(const std::vector<TensorSpec>& inputs, std::vector<CheckRange>& ranges) {
  return change_free(inputs, ranges, false, [](ValueRange& range) {
    range.highest = std::max(1.0, std::floor(range.highest / 2));
    range.lowest = range.highest <= 1 ? 0 : std::ceil(range.lowest / 2);
  });
}

bool without_negatives(const std::vector<TensorSpec>& inputs, std::vector<CheckRange>& ranges) {
  return change_free(inputs, ranges, true, [](ValueRange& range) { range.lowest = std::max(range.lowest, 0.0); });
}

bool widen(const std::vector<TensorSpec>& inputs, std::vector<CheckRange>& ranges, double factor) {
  return change_free(inputs, ranges, true, [&](ValueRange& range) {
    range.lowest *= factor;
    range.highest *= factor;
  });
}

base::Result<tensor::NamedTensors> check_data(const std::vector<TensorSpec>& inputs,
                                              const std::vector<CheckRange>& ranges, std::uint64_t seed) {
  std::vector<ValueRange> values;
  for (const CheckRange& range : ranges) values.push_back(range.values);
  return runtime::random_inputs(inputs, seed, values);
}

std::string in_words(const std::vector<TensorSpec>& inputs, const std::vector<CheckRange>& ranges) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min(ranges.size(), kMostInputsNamed); ++i) {
    words.push_back(fmt::format("{} {:g} to {:g}", inputs[i].name, ranges[i].values.lowest, ranges[i].values.highest));
  }
  if (ranges.size() > kMostInputsNamed) words.push_back(fmt::format("{} more", ranges.size() - kMostInputsNamed));
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace slipway::compile
