#include "apps/cli/loadable_model.hpp"

#include <nlohmann/json.hpp>

#include "apps/cli/notes.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "convert/convert.hpp"

namespace slipway::cli {

base::Result<LoadableModel> LoadableModel::of(const std::filesystem::path& file,
                                              const std::vector<compile::InputSpec>& specs) {
  LoadableModel loadable;
  loadable.onnx_ = file;
  SLIPWAY_ASSIGN(const auto format, convert::format_of(file));
  if (!format) return loadable;
  convert::ConvertOptions options;
  for (const auto& spec : specs) options.input_specs.push_back({spec.name, spec.dtype, spec.shape, {}});
  SLIPWAY_ASSIGN(const auto converted, convert::convert(file, options));
  SLIPWAY_ASSIGN(loadable.folder_, base::TemporaryFolder::create("slipway-converted"));
  loadable.onnx_ = loadable.folder_->path() / "model.onnx";
  SLIPWAY_TRY(compile::onnx_graph::write_with_one_data_file(converted.model, loadable.onnx_));
  int nodes = 0;
  for (const auto& [name, count] : converted.model.summary().op_counts) nodes += count;
  loadable.remark_ = fmt::format("converted from a {} ({}) to ONNX, {} nodes", convert::source_format_name(*format),
                                 converted.producer, nodes);
  for (const std::string& remark : converted.remarks) loadable.remark_ += "\n" + remark;
  return loadable;
}

void LoadableModel::add_to(nlohmann::ordered_json& result) const {
  if (remark_.empty()) return;
  note(remark_);
  result["conversion"] = remark_;
}

}  // namespace slipway::cli
