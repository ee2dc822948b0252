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

}  // namespace slipway::convert::torch_script::internal
