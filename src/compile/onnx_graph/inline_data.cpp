#include "compile/onnx_graph/inline_data.hpp"

#include <map>

#include <onnx.pb.h>

#include "compile/onnx_graph/external_file.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "compile/onnx_graph/tensors.hpp"

namespace slipway::compile::onnx_graph {

base::Result<void> bring_data_inline(Model& model) {
  std::map<std::string, ExternalFile> files;
  std::uint64_t total_bytes = 0;
  for (onnx::TensorProto* tensor : all_tensors(model.mutable_proto())) {
    if (tensor->data_location() != onnx::TensorProto::EXTERNAL) continue;
    SLIPWAY_ASSIGN(const ExternalLocation location, external_location(*tensor));
    total_bytes += location.length;
    if (total_bytes > kLargestFileBytes) {
      return base::fail(base::Code::kResourceExhausted,
                        "the model's weights are more than {} bytes, too many to be held in one message",
                        kLargestFileBytes);
    }
    std::string bytes(location.length, '\0');
    if (const auto view = model.view_at(location.file)) {
      bytes.assign(reinterpret_cast<const char*>(view->data()), view->size());
    } else {
      auto file = files.find(location.file);
      if (file == files.end()) {
        SLIPWAY_ASSIGN(ExternalFile opened, ExternalFile::open(model.folder(), location.file));
        file = files.emplace(location.file, std::move(opened)).first;
      }
      SLIPWAY_TRY(file->second.read(std::as_writable_bytes(std::span(bytes)), location.offset));
    }
    tensor->set_raw_data(std::move(bytes));
    tensor->clear_external_data();
    tensor->clear_data_location();
  }
  return {};
}

}  // namespace slipway::compile::onnx_graph
