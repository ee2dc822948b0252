#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

/// The model type that an inspection's format stands for; nothing for data sets and formats that are no model.
[[nodiscard]] std::optional<ModelType> type_of_format(std::string_view format);

/// Keeps what the inspection found, and types the model by its content: users misname files. An ONNX folder declared as
/// AIMET stays AIMET.
void apply_inspection(Model& model, const Inspection& inspection);

/// Whether jobs may take the content: inspected, or produced here. A finding that says "unusable" counts: the job then
/// ends with it.
[[nodiscard]] bool is_available(const Model& model);
[[nodiscard]] bool is_available(const Dataset& dataset);

/// The fact that says that an ONNX model holds a context binary, which only the NPU runs that it was made for.
inline constexpr const char* kHoldsFact = "holds";
inline constexpr const char* kHoldsContextBinary = "a QNN context binary";
[[nodiscard]] bool holds_context_binary(const Inspection& inspection);
/// The fact that says that an ONNX model is quantised.
inline constexpr const char* kQuantizedFact = "quantised";

/// "ONNX", "TorchScript", "QNN DLC" … for messages.
[[nodiscard]] std::string_view model_type_text(ModelType type);

/// ".onnx", ".onnx.zip", ".dlc" …
[[nodiscard]] std::string_view model_extension(ModelType type, bool is_directory);

/// A name for a local copy: `stem` without its own extension of that kind, no folder, no control character and no dot
/// except the extension's, because the client appends everything from the first dot on. Never empty.
[[nodiscard]] std::string download_name(std::string_view stem, std::string_view extension);

}  // namespace slipway::hub::domain
