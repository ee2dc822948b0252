#pragma once

#include <filesystem>

#include "tensor/tensor.hpp"

namespace slipway::tensor {

/// Reads every array of a NumPy `.npz` (stored or deflated; C order; the dtypes of Dtype that NumPy has), in file
/// order.
/// @error kNotFound; kInvalidArgument: not a zip, not `.npy` inside, Fortran order, an object or big-endian dtype, or a
///        header whose shape does not fit the bytes (the message names the entry)
[[nodiscard]] base::Result<NamedTensors> read_npz(const std::filesystem::path& path);

/// Writes arrays as an uncompressed `.npz` that `numpy.load` opens. It appears when it is whole (base::OutputFile).
/// @error as base::errno_error
[[nodiscard]] base::Result<void> write_npz(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace slipway::tensor
