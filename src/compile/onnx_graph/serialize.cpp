#include "compile/onnx_graph/serialize.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <onnx.pb.h>

#include "compile/onnx_graph/external_file.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using google::protobuf::io::CodedOutputStream;

/// The tag of a field whose value is led by its length.
constexpr std::uint32_t tag_of(int field) {
  return static_cast<std::uint32_t>(field) << 3U | 2U;
}

std::uint64_t field_size(int field, std::uint64_t length) {
  return CodedOutputStream::VarintSize32(tag_of(field)) + CodedOutputStream::VarintSize64(length) + length;
}

void begin_field(CodedOutputStream& out, int field, std::uint64_t length) {
  out.WriteVarint32(tag_of(field));
  out.WriteVarint64(length);
}

std::optional<std::span<const std::byte>> view_of(const Model& model, const onnx::TensorProto& tensor) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return std::nullopt;
  const auto location = external_location(tensor);
  return location ? model.view_at(location->file) : std::nullopt;
}

/// A tensor whose elements a view holds: its message without them, and the elements.
struct TensorOfView {
  onnx::TensorProto head;
  std::span<const std::byte> elements;

  [[nodiscard]] std::uint64_t size_bytes() const {
    return head.ByteSizeLong() + field_size(onnx::TensorProto::kRawDataFieldNumber, elements.size());
  }
};

/// A model taken apart into what protobuf writes by itself and what is written by hand.
struct Parts {
  onnx::ModelProto around;  ///< without its graph
  onnx::GraphProto graph;   ///< without the tensors of views
  std::vector<TensorOfView> tensors;

  explicit Parts(const Model& model) {
    for (const auto& tensor : model.proto().graph().initializer()) {
      const auto view = view_of(model, tensor);
      if (!view) continue;
      auto& made = tensors.emplace_back(tensor, *view);
      made.head.clear_external_data();
      made.head.clear_data_location();
    }
    if (tensors.empty()) return;
    around = model.proto();
    graph.Swap(around.mutable_graph());
    around.clear_graph();
    auto& initializers = *graph.mutable_initializer();
    for (int i = initializers.size() - 1; i >= 0; --i) {
      if (view_of(model, initializers.Get(i))) initializers.DeleteSubrange(i, 1);
    }
  }

  [[nodiscard]] std::uint64_t graph_size_bytes() const {
    std::uint64_t bytes = graph.ByteSizeLong();
    for (const auto& tensor : tensors) {
      bytes += field_size(onnx::GraphProto::kInitializerFieldNumber, tensor.size_bytes());
    }
    return bytes;
  }
};

}  // namespace

std::uint64_t serialized_size_bytes(const Model& model) {
  const Parts parts(model);
  if (parts.tensors.empty()) return model.proto().ByteSizeLong();
  return parts.around.ByteSizeLong() + field_size(onnx::ModelProto::kGraphFieldNumber, parts.graph_size_bytes());
}

bool serialize(const Model& model, google::protobuf::io::ZeroCopyOutputStream& stream) {
  const Parts parts(model);
  if (parts.tensors.empty()) return model.proto().SerializeToZeroCopyStream(&stream);
  CodedOutputStream out(&stream);
  bool is_written = parts.around.SerializeToCodedStream(&out);
  begin_field(out, onnx::ModelProto::kGraphFieldNumber, parts.graph_size_bytes());
  is_written = is_written && parts.graph.SerializeToCodedStream(&out);
  for (const auto& tensor : parts.tensors) {
    begin_field(out, onnx::GraphProto::kInitializerFieldNumber, tensor.size_bytes());
    is_written = is_written && tensor.head.SerializeToCodedStream(&out);
    begin_field(out, onnx::TensorProto::kRawDataFieldNumber, tensor.elements.size());
    out.WriteRaw(tensor.elements.data(), static_cast<int>(tensor.elements.size()));
  }
  return is_written && !out.HadError();
}

}  // namespace slipway::compile::onnx_graph
