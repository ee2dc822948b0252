#include "pipelines/common/model_folder.hpp"

#include <yaml-cpp/yaml.h>

#include "base/files.hpp"

namespace slipway::pipelines {
namespace {

constexpr std::uint64_t kLargestDescriptionBytes = 4 << 20;

std::string names_of(const YAML::Node& graphs) {
  std::string names;
  for (const auto& graph : graphs) names += (names.empty() ? "" : ", ") + graph.first.as<std::string>();
  return names.empty() ? "none" : names;
}

void read_quantization(const YAML::Node& tensors, ModelFile& model) {
  for (const YAML::Node& tensor : tensors) {
    if (!tensor["scale"]) continue;
    const auto zero_point = tensor["zero_point"] ? tensor["zero_point"].as<std::int64_t>() : 0;
    model.quantization[tensor["name"].as<std::string>()] = {tensor["scale"].as<float>(), zero_point};
  }
}

base::Result<ModelFile> read_description(const YAML::Node& root, const std::filesystem::path& folder,
                                         const std::string& graph) {
  const std::string where = (folder / "model.yaml").string();
  if (!root.IsMap() || !root["schema"] || root["schema"].as<int>() != 1 || !root["graphs"] || !root["graphs"].IsMap()) {
    return base::fail(base::Code::kInvalidArgument, "{}: expected 'schema: 1' and a map of 'graphs'", where);
  }
  const YAML::Node graphs = root["graphs"];
  const YAML::Node chosen = graph.empty() && graphs.size() == 1 ? graphs.begin()->second : graphs[graph];
  if (!chosen || !chosen.IsMap()) {
    return base::fail(base::Code::kNotFound, "{}: no graph '{}'; there are: {}", where, graph, names_of(graphs));
  }
  if (!chosen["file"]) return base::fail(base::Code::kInvalidArgument, "{}: graph '{}' names no file", where, graph);
  // The folder may come from elsewhere: its description names files in it, nothing beyond.
  const std::filesystem::path file = chosen["file"].as<std::string>();
  if (file.is_absolute() || file.lexically_normal().string().starts_with("..")) {
    return base::fail(base::Code::kInvalidArgument, "{}: '{}' is not a file of this folder", where, file.string());
  }
  ModelFile model{folder / file, {}};
  read_quantization(chosen["inputs"], model);
  read_quantization(chosen["outputs"], model);
  return model;
}

}  // namespace

base::Result<ModelFile> find_model(const std::filesystem::path& model, const std::string& graph) {
  std::error_code error;
  if (!std::filesystem::exists(model, error)) {
    return base::fail(base::Code::kNotFound, "{}: no such model file or folder", model.string());
  }
  if (!std::filesystem::is_directory(model, error)) return ModelFile{model, {}};
  const auto description = base::read_file(model / "model.yaml", kLargestDescriptionBytes);
  if (!description) return std::unexpected(description.error().with("a model folder needs its description"));
  try {
    return read_description(YAML::Load(*description), model, graph);
  } catch (const std::exception& exception) {
    return base::fail(base::Code::kInvalidArgument, "{}: {}", (model / "model.yaml").string(), exception.what());
  }
}

}  // namespace slipway::pipelines
