#pragma once

#include <filesystem>

#include "hub/domain/types.hpp"

namespace slipway::hub::executor {

/// What an uploaded model is, by its content: format, signature, facts. What makes it unusable goes into `error`, in
/// words that name what was declared and what was found. A usable model of another type than declared is no error: it
/// is what it is, and the facts say so.
/// @param declared  decides only where bytes carry no mark: a QNN context binary is taken as declared
/// @param scratch   an existing folder for what is unpacked
[[nodiscard]] domain::Inspection inspect_model(const std::filesystem::path& file, domain::ModelType declared,
                                               const std::filesystem::path& scratch);

/// The same for a dataset: its entries with type, shapes and number of samples.
[[nodiscard]] domain::Inspection inspect_dataset(const std::filesystem::path& file);

}  // namespace slipway::hub::executor
