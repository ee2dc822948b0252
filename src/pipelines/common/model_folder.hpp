#pragma once

#include <filesystem>
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
  std::filesystem::path file;  ///< absolute or relative as the folder was given; exists
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
  /// @error kNotFound: no such path, no model.yaml in it, or a graph's file is missing;
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

}  // namespace slipway::pipelines
