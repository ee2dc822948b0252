#pragma once

#include <filesystem>
#include <vector>

#include "quantize/options.hpp"

#include "base/error.hpp"
#include "tensor/shape.hpp"

namespace slipway::cli {

/// Opens calibration data: a data set as the hub's client writes it (.h5), an .npz, or a folder of .npz files in the
/// order of their names. An array of an .npz holds one sample when it has the input's shape, and many when it has a
/// further dimension in front, or more rows than an input whose first size is 1.
/// @param inputs  of the model; every sample has an array for each
/// @error kNotFound: no such file; kInvalidArgument: names, shapes or types that are not the model's (the input, what
/// was
///        expected and found are named), no sample, inputs with different numbers of samples
[[nodiscard]] base::Result<quantize::Samples> open_calibration_data(const std::filesystem::path& path,
                                                                    const std::vector<tensor::TensorSpec>& inputs);

}  // namespace slipway::cli
