#include "pipelines/common/model_folder.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "base/files.hpp"

namespace slipway::pipelines {

using base::Code;
using base::fail;
using base::Result;

struct ModelFolder::Document {
  YAML::Node root;

  // The node of a dotted path, or an undefined one. Copies of yaml-cpp's nodes are references: never assign to one.
  [[nodiscard]] YAML::Node find(std::string_view key) const {
    YAML::Node node = YAML::Clone(root);
    while (!key.empty() && node.IsDefined()) {
      const std::size_t dot = key.find('.');
      const std::string part(key.substr(0, dot));
      if (!node.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
      node.reset(node[part]);
      key = dot == std::string_view::npos ? std::string_view() : key.substr(dot + 1);
    }
    return node;
  }
};

ModelFolder::ModelFolder() = default;
ModelFolder::ModelFolder(ModelFolder&&) noexcept = default;
ModelFolder& ModelFolder::operator=(ModelFolder&&) noexcept = default;
ModelFolder::~ModelFolder() = default;

namespace {

constexpr std::uint64_t kDescriptionLimit = std::uint64_t{4} << 20;

Result<tensor::TensorSpec> spec_of(const YAML::Node& node, std::string_view where) {
  tensor::TensorSpec spec;
  spec.name = node["name"].as<std::string>();
  const auto word = node["dtype"].as<std::string>("float32");
  const auto dtype = tensor::dtype_from_name(word);
  if (!dtype) return fail(Code::kInvalidArgument, "{}.{}: unknown dtype '{}'", where, spec.name, word);
  spec.dtype = *dtype;
  if (node["shape"].IsDefined()) spec.shape = node["shape"].as<std::vector<std::int64_t>>();
  if (node["scale"].IsDefined()) {
    spec.quantization = tensor::Quantization{node["scale"].as<float>(), 0};
    if (node["zero_point"].IsDefined()) spec.quantization->zero_point = node["zero_point"].as<std::int64_t>();
  }
  return spec;
}

Result<ModelGraph> graph_of(const std::string& name, const YAML::Node& node, const std::filesystem::path& folder) {
  ModelGraph graph;
  graph.name = name;
  if (!node.IsMap() || !node["file"].IsDefined()) {
    return fail(Code::kInvalidArgument, "graph '{}' names no file", name);
  }
  // The folder may come from elsewhere: its description names files in it, nothing beyond.
  const std::filesystem::path file = node["file"].as<std::string>();
  if (file.is_absolute() || file.lexically_normal().string().starts_with("..")) {
    return fail(Code::kInvalidArgument, "graphs.{}.file: '{}' is not a file of this folder", name, file.string());
  }
  graph.file = folder / file;
  for (const auto& [key, list] : {std::pair{"inputs", &graph.inputs}, std::pair{"outputs", &graph.outputs}}) {
    for (const YAML::Node& each : node[key]) {
      SLIPWAY_ASSIGN(auto spec, spec_of(each, fmt::format("graphs.{}.{}", name, key)));
      list->push_back(std::move(spec));
    }
  }
  return graph;
}

template <typename T>
Result<std::optional<T>> value_of(const YAML::Node& node, const std::filesystem::path& path, std::string_view key,
                                  std::string_view expected) {
  if (!node.IsDefined() || node.IsNull()) return std::optional<T>();
  try {
    return std::optional<T>(node.as<T>());
  } catch (const YAML::Exception&) {
    return fail(Code::kInvalidArgument, "{}/model.yaml: {}: expected {}", path.string(), key, expected);
  }
}

}  // namespace

Result<ModelFolder> ModelFolder::open(const std::filesystem::path& path) {
  ModelFolder folder;
  folder.path_ = path;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return fail(Code::kNotFound, "{}: no such model; expected a model folder or an .onnx file", path.string());
  }
  if (!std::filesystem::is_directory(path, ignored)) {
    folder.is_bare_ = true;
    folder.name_ = path.stem().string();
    folder.graphs_.push_back(ModelGraph{folder.name_, path, {}, {}});
    return folder;
  }
  auto text = base::read_file(path / "model.yaml", kDescriptionLimit);
  if (!text) return std::unexpected(text.error().with("a model folder needs its description"));
  try {
    folder.document_ = std::make_unique<Document>();
    folder.document_->root.reset(YAML::Load(*text));
    const YAML::Node& root = folder.document_->root;
    if (!root.IsMap() || !root["schema"].IsDefined() || root["schema"].as<int>() != 1 || !root["graphs"].IsMap()) {
      return fail(Code::kInvalidArgument, "{}/model.yaml: expected 'schema: 1' and a map of 'graphs'", path.string());
    }
    folder.name_ = root["name"].as<std::string>(path.filename().string());
    if (root["labels"].IsDefined()) folder.labels_ = root["labels"].as<std::vector<std::string>>();
    for (const auto& each : root["graphs"]) {
      auto graph = graph_of(each.first.as<std::string>(), each.second, path);
      if (!graph) return std::unexpected(graph.error().with((path / "model.yaml").string()));
      folder.graphs_.push_back(std::move(*graph));
    }
  } catch (const YAML::Exception& error) {
    return fail(Code::kInvalidArgument, "{}/model.yaml: {}", path.string(), error.what());
  }
  if (folder.graphs_.empty()) return fail(Code::kInvalidArgument, "{}/model.yaml: names no graphs", path.string());
  return folder;
}

Result<const ModelGraph*> ModelFolder::graph(std::string_view name) const {
  const auto found = std::ranges::find(graphs_, name, &ModelGraph::name);
  if (found != graphs_.end()) return &*found;
  std::vector<std::string> names;
  for (const ModelGraph& each : graphs_) names.push_back(each.name);
  return fail(Code::kNotFound, "{}: no graph '{}'; there are: {}", path_.string(), name, fmt::join(names, ", "));
}

Result<std::optional<double>> ModelFolder::number(std::string_view key) const {
  if (!document_) return std::optional<double>();
  return value_of<double>(document_->find(key), path_, key, "a number");
}
Result<std::optional<std::string>> ModelFolder::word(std::string_view key) const {
  if (!document_) return std::optional<std::string>();
  return value_of<std::string>(document_->find(key), path_, key, "a word");
}
Result<std::optional<std::vector<double>>> ModelFolder::numbers(std::string_view key) const {
  if (!document_) return std::optional<std::vector<double>>();
  return value_of<std::vector<double>>(document_->find(key), path_, key, "a list of numbers");
}
Result<std::optional<std::vector<std::string>>> ModelFolder::words(std::string_view key) const {
  if (!document_) return std::optional<std::vector<std::string>>();
  return value_of<std::vector<std::string>>(document_->find(key), path_, key, "a list of words");
}

Result<ModelFile> find_model(const std::filesystem::path& model, const std::string& graph) {
  SLIPWAY_ASSIGN(const ModelFolder folder, ModelFolder::open(model));
  const ModelGraph* chosen = &folder.graphs().front();
  if (!folder.is_bare_file() && (!graph.empty() || folder.graphs().size() > 1)) {
    SLIPWAY_ASSIGN(chosen, folder.graph(graph));
  }
  ModelFile file{chosen->file, {}};
  for (const auto* tensors : {&chosen->inputs, &chosen->outputs}) {
    for (const tensor::TensorSpec& spec : *tensors) {
      if (spec.quantization) file.quantization[spec.name] = *spec.quantization;
    }
  }
  return file;
}

}  // namespace slipway::pipelines
