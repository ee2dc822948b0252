#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "convert/torch_script/internal/object.hpp"

namespace slipway::convert::torch_script::internal {

/// The result of a call over numbers, texts, lists and dictionaries ("add" of two integers, "len" of a list), which the
/// code of a scripted function computes beside its tensors. Nothing when the call is another one, or when an argument
/// is computed by the graph: then it belongs there.
/// @error kInvalidArgument: division by zero, an index outside; kResourceExhausted: a list longer than any model's
[[nodiscard]] base::Result<std::optional<Object*>> call_of_constants(std::string_view name,
                                                                     std::span<Object* const> arguments, Heap& heap);

/// What Python takes for true. Nothing where the graph computes it.
[[nodiscard]] std::optional<bool> truth_of(const Object& object);

}  // namespace slipway::convert::torch_script::internal
