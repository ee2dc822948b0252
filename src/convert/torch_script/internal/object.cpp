#include "convert/torch_script/internal/object.hpp"

#include <array>

namespace slipway::convert::torch_script::internal {

std::string_view kind_of(const Object& object) {
  constexpr auto kKinds = std::to_array<std::string_view>(
      {"None", "a truth value", "an integer", "a number", "a text", "a device", "a tensor", "a list", "a dictionary",
       "a module", "a name", "a storage", "a computed value", "a computed list", "the sizes of a tensor"});
  static_assert(kKinds.size() == std::variant_size_v<Object::Held>);
  const auto* const sequence = object.get<Sequence>();
  return sequence != nullptr && sequence->is_tuple ? "a tuple" : kKinds[object.held.index()];
}

std::optional<std::int64_t> integer_of(const Object& object) {
  const auto* const integer = object.get<std::int64_t>();
  return integer == nullptr ? std::nullopt : std::optional(*integer);
}

std::optional<std::size_t> place_of(std::int64_t index, std::size_t count) {
  const auto size = static_cast<std::int64_t>(count);
  if (index < -size || index >= size) return std::nullopt;
  return static_cast<std::size_t>(index < 0 ? index + size : index);
}

}  // namespace slipway::convert::torch_script::internal
