#include "compile/rewrite_for_npu.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "compile/npu_faults/known_faults.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/node_names.hpp"
#include "compile/onnx_graph/one_data_file.hpp"

namespace slipway::compile {

base::Result<std::filesystem::path> rewrite_for_npu(const std::filesystem::path& model, const runtime::HtpTarget& htp,
                                                    bool chip_supports_fp16, const std::filesystem::path& folder,
                                                    const Log& log) {
  SLIPWAY_ASSIGN(auto graph, onnx_graph::Model::read(model));
  static_cast<void>(onnx_graph::name_nodes(graph));
  SLIPWAY_ASSIGN(const auto avoided, npu_faults::avoid_known_faults(graph, htp.htp_arch, chip_supports_fp16));
  for (const auto& fault : avoided) log(npu_faults::to_string(fault));
  if (std::ranges::none_of(avoided, [](const auto& fault) { return fault.places > 0; })) return model;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("make {}", folder.string())));
  SLIPWAY_TRY(onnx_graph::write_with_one_data_file(graph, folder / "model.onnx"));
  return folder / "model.onnx";
}

}  // namespace slipway::compile
