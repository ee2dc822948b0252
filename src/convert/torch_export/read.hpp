#pragma once

#include "base/error.hpp"
#include "convert/archive/zip_archive.hpp"
#include "convert/aten/graph.hpp"

namespace slipway::convert::torch_export {

/// Whether an archive holds a program of torch.export, of whatever version.
[[nodiscard]] bool is_torch_export(const archive::ZipArchive& archive);

/// Reads a program of torch.export (.pt2, schema major 8) as it is, in-place calls and views included; the files of
/// weights stay where they lie. Fields that are not known are passed over. Assertions are left out, and the calls that
/// only switch gradients or autocasting off are replaced by what they wrap. Nothing is run, and no pickle is opened.
/// @error kInvalidArgument: not such an archive, damaged, a tensor whose bytes do not hold its sizes and strides;
///        kUnimplemented: another major of the schema, several programs, control flow (cond, map, scan …), buffers or
///        inputs that the program changes, objects that are no tensors. Messages name what, where
[[nodiscard]] base::Result<aten::Graph> read(const archive::ZipArchive& archive);

}  // namespace slipway::convert::torch_export
