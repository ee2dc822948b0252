#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "tensor/shape.hpp"

namespace slipway::tensor {

/// What the header of a NumPy `.npy` says.
struct NpyHeader {
  Dtype dtype = Dtype::kFloat32;
  Shape shape;
};

/// Reads the dictionary of a `.npy` header, e.g. `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
/// @error kInvalidArgument: not such a dictionary, Fortran order, an object, big-endian or unknown dtype
[[nodiscard]] base::Result<NpyHeader> parse_npy_dictionary(std::string_view text);

/// Magic, version 1.0 and dictionary, padded so that the data starts at a multiple of 64 bytes.
/// @error kInvalidArgument: a dtype that NumPy lacks (bfloat16)
[[nodiscard]] base::Result<std::string> npy_header(const NpyHeader& header);

inline constexpr std::string_view kNpyMagic{"\x93NUMPY", 6};

}  // namespace slipway::tensor
