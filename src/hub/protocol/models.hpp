#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/contents.hpp"

namespace slipway::hub::protocol {

/// A model with the user it belongs to, as the wire shows it.
struct ModelView {
  domain::Model model;
  domain::User owner;
};

/// A Model message. Tensors whose element type the wire cannot express are left out.
[[nodiscard]] std::string encode_model(const ModelView& view);

/// A ModelList message; `total` counts all, regardless of paging.
[[nodiscard]] std::string encode_models(const std::vector<ModelView>& views, std::uint64_t total);

/// A Model message that asks for a new model.
/// @error kInvalidArgument: not such a message, or a model type this hub does not take (it is named)
[[nodiscard]] base::Result<domain::NewModel> decode_new_model(std::string_view bytes);

/// The new name in a Model message that changes one, if it holds a name.
/// @error kInvalidArgument: not such a message
[[nodiscard]] base::Result<std::optional<std::string>> decode_model_name(std::string_view bytes);

}  // namespace slipway::hub::protocol
