#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "tensor/shape.hpp"

namespace onnx {
class ModelProto;
}

namespace slipway::compile::onnx_graph {

/// Bytes that live outside of the model, such as a mapped file, and what keeps them alive.
struct MemoryView {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// What an ONNX file says of itself, without running anything.
struct ModelSummary {
  std::int64_t ir_version = 0;
  std::vector<std::pair<std::string, std::int64_t>> opsets;  ///< domain, version
  std::string producer;
  std::string graph_name;
  std::vector<tensor::TensorSpec> inputs, outputs;   ///< without initialisers; -1 where dynamic
  std::vector<std::string> outputs_of_unknown_type;  ///< names: the file leaves their type to inference
  std::vector<std::string> inputs_of_other_types;    ///< sequences, strings …: named "name: type"
  std::vector<std::string> outputs_of_other_types;
  std::vector<std::pair<std::string, int>> op_counts;  ///< most frequent first
  std::int64_t parameter_count = 0;
  std::uint64_t weight_bytes = 0;
  std::vector<std::string> external_files;  ///< relative names, checked to stay inside the folder
  bool has_qdq = false;
  bool has_ep_context = false;
};

/// An ONNX model in memory; weights in external files stay there.
class Model {
 public:
  /// Reads and checks an ONNX file: size limit 2 GiB for the protobuf itself, external data named by relative paths
  /// that stay inside the model's folder, exist, are plain files (no links) and hold the bytes asked for.
  /// @error kInvalidArgument: truncated, empty, random bytes, no graph, a path that climbs out (it is named);
  ///        kNotFound: a missing external file (it is named)
  [[nodiscard]] static base::Result<Model> read(const std::filesystem::path& path);

  /// The same for bytes already in memory; external data is looked for in `folder`.
  [[nodiscard]] static base::Result<Model> parse(std::string_view bytes, const std::filesystem::path& folder);

  /// An empty model to build on.
  /// @param ir_version  of the file format: 8 goes with opset 13 to 18, 10 with 21
  [[nodiscard]] static Model create(std::int64_t opset, std::int64_t ir_version, const std::string& graph_name,
                                    const std::string& producer);

  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  [[nodiscard]] ModelSummary summary() const;
  [[nodiscard]] const onnx::ModelProto& proto() const { return *proto_; }
  /// For the rewriter and for what moves the bytes of tensors (cmake/layers.json lists who may); graphs are written by
  /// the rewriter alone.
  [[nodiscard]] onnx::ModelProto& mutable_proto() { return *proto_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// Retains a view until the model is written or ends. @return  its location, for the tensor that is stored there
  [[nodiscard]] std::string retain_view(MemoryView view);
  /// The bytes behind such a location; nothing for names of files.
  [[nodiscard]] std::optional<std::span<const std::byte>> view_at(std::string_view location) const;

  /// Writes the model; external data is copied beside it, under the same relative names. Views become part of the file.
  /// @error kResourceExhausted: the protobuf would be larger than 2 GiB, or the disk is full; as read()
  [[nodiscard]] base::Result<void> write(const std::filesystem::path& path) const;

  /// The file's bytes, views included. @pre  they are below 2 GiB
  [[nodiscard]] std::string bytes() const;

  /// The same model as if it lay in another folder, where its external data must be or must be put before it is
  /// written.
  [[nodiscard]] Model copy_for_folder(const std::filesystem::path& folder) const;

 private:
  Model();
  std::unique_ptr<onnx::ModelProto> proto_;
  std::filesystem::path folder_;
  std::vector<MemoryView> views_;
};

}  // namespace slipway::compile::onnx_graph
