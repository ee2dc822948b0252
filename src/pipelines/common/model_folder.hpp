#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines {

/// One ONNX file of a model folder.
struct ModelGraph {
  std::string name;
  std::filesystem::path file;  ///< below the folder as it was given
  std::vector<tensor::TensorSpec> inputs;
  std::vector<tensor::TensorSpec> outputs;
};

/// A model with what model.yaml (schema 1) says of it, or a bare ONNX file of which nothing is said.
///
/// Values that only one pipeline knows are read by a dotted path, e.g. number("constants.overlap").
/// @thread immutable after open(); safe to read from any thread
class ModelFolder {
 public:
  /// @param path  a folder with model.yaml, or a `.onnx` file (one graph named after it, without inputs and outputs)
  /// @error kNotFound: no such path, or no model.yaml in it;
  ///        kInvalidArgument: not YAML, another schema, or a graph that leaves the folder (the message names the key)
  [[nodiscard]] static base::Result<ModelFolder> open(const std::filesystem::path& path);
  ModelFolder(ModelFolder&&) noexcept;
  ModelFolder& operator=(ModelFolder&&) noexcept;
  ~ModelFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] bool is_bare_file() const { return is_bare_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<std::string>& labels() const { return labels_; }
  [[nodiscard]] const std::vector<ModelGraph>& graphs() const { return graphs_; }

  /// A graph by name. @error kNotFound: names the graphs there are
  [[nodiscard]] base::Result<const ModelGraph*> graph(std::string_view name) const;

  /// Values by dotted path; nothing when the key is absent.
  /// @error kInvalidArgument: the key holds something else
  [[nodiscard]] base::Result<std::optional<double>> number(std::string_view key) const;
  [[nodiscard]] base::Result<std::optional<std::string>> word(std::string_view key) const;
  [[nodiscard]] base::Result<std::optional<std::vector<double>>> numbers(std::string_view key) const;
  [[nodiscard]] base::Result<std::optional<std::vector<std::string>>> words(std::string_view key) const;

 private:
  struct Document;
  ModelFolder();

  std::filesystem::path path_;
  bool is_bare_ = false;
  std::string name_;
  std::vector<std::string> labels_;
  std::vector<ModelGraph> graphs_;
  std::unique_ptr<Document> document_;
};

/// One network of a model: its file, and what the file itself does not say.
struct ModelFile {
  std::filesystem::path path;
  std::map<std::string, tensor::Quantization> quantization;  ///< by name of the input or output
};

/// Finds a model's network: a bare file stands for itself; a folder is read through its `model.yaml` (schema 1).
///
/// @param graph  the graph's name in model.yaml; may be empty when there is only one
/// @error kNotFound: no such file, folder, model.yaml or graph (the message lists the graphs there are);
///        kInvalidArgument: model.yaml is not YAML, has another schema, or lacks the file's name
[[nodiscard]] base::Result<ModelFile> find_model(const std::filesystem::path& model, const std::string& graph);

}  // namespace slipway::pipelines
