#pragma once

#include <string_view>

#include "base/error.hpp"
#include "convert/archive/zip_archive.hpp"
#include "convert/torch_script/internal/object.hpp"

namespace slipway::convert::torch_script::internal {

/// Reads "NAME.pkl" of an archive, whose tensors lie in "NAME/". It knows the opcodes and classes that PyTorch writes
/// into TorchScript archives and refuses all others by name; no name is looked up and nothing is called.
/// @param without_data  tensors keep their dtype and shape and have no bytes: the example inputs of a trace
/// @error kNotFound: no such entry; kUnimplemented: another opcode or class; kResourceExhausted: more objects than any
///        model has; kInvalidArgument: damaged, or a tensor that does not fit its storage (the place is named)
[[nodiscard]] base::Result<Object*> read_pickle(const archive::ZipArchive& archive, std::string_view name, Heap& heap,
                                                bool without_data = false);

/// The same of an entry by its whole name, in which there are no tensors.
[[nodiscard]] base::Result<Object*> read_pickle_entry(const archive::ZipArchive& archive, const std::string& entry,
                                                      Heap& heap);

}  // namespace slipway::convert::torch_script::internal
