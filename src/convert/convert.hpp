#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/model.hpp"
#include "convert/aten/graph.hpp"
#include "convert/operators/lower.hpp"

namespace slipway::convert {

enum class SourceFormat { kTorchExport, kTorchScript };

/// For people: "torch.export archive".
[[nodiscard]] std::string_view source_format_name(SourceFormat format);

/// Which of the formats a file is in, by what is in it; nothing for files of other formats, ONNX among them.
/// @error kNotFound; kUnimplemented: a checkpoint of torch.save, which no format of a model is; as errno
[[nodiscard]] base::Result<std::optional<SourceFormat>> format_of(const std::filesystem::path& path);

/// What an archive tells of its model, as it is written: with in-place calls and views, and nothing checked yet that
/// only lowering knows.
struct ReadModel {
  SourceFormat format = SourceFormat::kTorchExport;
  aten::Graph graph;
};
/// @param input_specs  names, types and sizes of the inputs, which TorchScript does not declare
/// @error as the readers (torch_export/read.hpp, torch_script/read.hpp); kUnimplemented: neither format
[[nodiscard]] base::Result<ReadModel> read(const std::filesystem::path& path,
                                           const std::vector<tensor::TensorSpec>& input_specs = {});

using ConvertOptions = operators::LoweringOptions;

struct Converted {
  SourceFormat format = SourceFormat::kTorchExport;
  std::string producer;
  /// What a user should know and that is no error, in sentences: weights that are not numbers.
  std::vector<std::string> remarks;
  compile::onnx_graph::Model model;  ///< its weights are views of the archive, which stays mapped as long as it lives
};

/// Makes an ONNX model of a PyTorch archive (ADR 23). Nothing of the file is executed, no Python runs.
/// @error as read(), aten::functionalize(), operators::lower()
/// @cost  a pass over the program and one over the weights, which are mapped
[[nodiscard]] base::Result<Converted> convert(const std::filesystem::path& path, const ConvertOptions& options = {});

}  // namespace slipway::convert
