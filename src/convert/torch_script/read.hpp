#pragma once

#include <optional>
#include <vector>

#include "base/error.hpp"
#include "convert/archive/zip_archive.hpp"
#include "convert/aten/graph.hpp"
#include "tensor/shape.hpp"

namespace slipway::convert::torch_script {

/// Whether the archive is one of torch.jit.save: data.pkl and code are there.
[[nodiscard]] bool is_torch_script(const archive::ZipArchive& archive);

/// Reads what torch.jit.trace(…).save() or torch.jit.script(…).save() wrote, without running any of it: pickles are
/// read as data, the code is followed line by line (ADR 24). In-place operators and views stay as they are written.
/// @param inputs  name, dtype and sizes of each tensor that `forward` takes, in order: TorchScript declares none. When
///                empty: as the example inputs of torch.jit.trace were, under the parameters' names
/// @error kInvalidArgument: damaged, or other inputs than the model takes (they are named); kNotFound: an entry is
///        missing; kUnimplemented: a branch or loop that depends on data, a class or a call that is not followed (the
///        module and the line are named); kResourceExhausted: code that does not end
[[nodiscard]] base::Result<aten::Graph> read(const archive::ZipArchive& archive,
                                             const std::vector<tensor::TensorSpec>& inputs);

}  // namespace slipway::convert::torch_script
