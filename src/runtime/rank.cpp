#include "runtime/rank.hpp"

#include <cstring>

#include "runtime/assignment.hpp"

namespace slipway::runtime {
namespace {

constexpr std::uint32_t kApiVersion = 24;

using HasShape = bool(ORT_API_CALL*)(const OrtTensorTypeAndShapeInfo*) NO_EXCEPTION;

// The first row that API 24 added; see assignment.cpp for why it can be reached by its number.
HasShape has_shape_of(const OrtApi& api) {
#if ORT_API_VERSION < 24
  constexpr std::size_t kRow = 390;
  HasShape call = nullptr;
  std::memcpy(&call, reinterpret_cast<const std::byte*>(&api) + kRow * sizeof(void*), sizeof(call));
  return call;
#else
  return api.TensorTypeAndShape_HasShape;
#endif
}

}  // namespace

bool has_rank(const OrtApiBase& base, const Ort::ConstTensorTypeAndShapeInfo& info) {
  const OrtApi* const api = can_read_assignment(base) ? base.GetApi(kApiVersion) : nullptr;
  return api == nullptr || has_shape_of(*api)(info);
}

}  // namespace slipway::runtime
