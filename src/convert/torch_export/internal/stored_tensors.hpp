#pragma once

#include <map>
#include <string>

#include "base/error.hpp"
#include "convert/archive/zip_archive.hpp"
#include "convert/aten/graph.hpp"

namespace slipway::convert::torch_export::internal {

/// The tensors that one of the archive's lists ("data/weights/model_weights_config.json") names, by their name; views
/// of where they lie.
/// @error kInvalidArgument: damaged, a file that is missing, sizes and strides that leave their file or read it over
///        and over; kUnimplemented: what is stored as a pickle
[[nodiscard]] base::Result<std::map<std::string, aten::StoredTensor>> read_stored_tensors(
    const archive::ZipArchive& archive, const std::string& folder, const std::string& list);

}  // namespace slipway::convert::torch_export::internal
