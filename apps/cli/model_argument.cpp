#include "apps/cli/model_argument.hpp"

#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "media/input_stream.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;

/// Graph name -> file, from model.yaml.
base::Result<std::map<std::string, fs::path>> graphs_of(const fs::path& description) {
  std::map<std::string, fs::path> graphs;
  try {
    const YAML::Node root = YAML::LoadFile(description.string());
    for (const auto& graph : root["graphs"]) {
      const fs::path file = graph.second["file"].as<std::string>();
      if (file.is_absolute() || file.lexically_normal().string().starts_with("..")) {
        return base::fail(Code::kInvalidArgument, "{}: graph '{}' names '{}', which is outside the model folder",
                          description.string(), graph.first.as<std::string>(), file.string());
      }
      graphs[graph.first.as<std::string>()] = description.parent_path() / file;
    }
  } catch (const YAML::Exception& exception) {
    return base::fail(Code::kInvalidArgument, "{}: cannot be read: {}", description.string(), exception.what());
  }
  if (graphs.empty()) {
    return base::fail(Code::kInvalidArgument, "{}: names no graph; expected graphs: NAME: {{file: NAME.onnx}}",
                      description.string());
  }
  return graphs;
}

using Ranges = std::map<std::string, compile::onnx_graph::InputRange>;

base::Result<Ranges> ranges_of(const fs::path& description, const YAML::Node& inputs) {
  Ranges ranges;
  for (const auto& input : inputs) {
    if (!input["range"]) continue;
    const auto name = input["name"].as<std::string>();
    const auto numbers = input["range"].as<std::vector<double>>();
    if (numbers.size() != 2 || !(numbers[0] <= numbers[1]) || !std::isfinite(numbers[1] - numbers[0])) {
      return base::fail(Code::kInvalidArgument,
                        "{}: the range of input '{}' must be two numbers, the lowest and the highest, found [{}]",
                        description.string(), name, fmt::join(numbers, ", "));
    }
    ranges[name] = {.lowest = numbers[0], .highest = numbers[1]};
  }
  return ranges;
}

base::Result<fs::path> choose(const fs::path& folder, const std::map<std::string, fs::path>& graphs,
                              const std::string& wanted) {
  std::vector<std::string> names;
  for (const auto& [name, file] : graphs) names.push_back(name);
  if (wanted.empty()) {
    if (graphs.size() == 1) return graphs.begin()->second;
    return base::fail(Code::kInvalidArgument, "{} holds several graphs: say --graph {}", folder.string(),
                      fmt::join(names, " or --graph "));
  }
  const auto found = graphs.find(wanted);
  if (found != graphs.end()) return found->second;
  return base::fail(Code::kNotFound, "{} has no graph '{}'; its graphs are {}", folder.string(), wanted,
                    fmt::join(names, ", "));
}

}  // namespace

void ModelArgument::add_to(CLI::App& verb) {
  verb.add_option("model,-m,--model", path,
                  "An .onnx file, an archive of PyTorch (.pt, .pt2), or a model folder (model.yaml + .onnx)")
      ->required();
  verb.add_option("--graph", graph, "Which graph of a model folder with several");
}

void ModelArgument::add_to(CLI::App& verb, std::vector<std::string>& inputs, const std::string& what_inputs_are) {
  verb.add_option("-m,--model", path,
                  "An .onnx file, or a model folder (model.yaml + .onnx); in place of the first plain word");
  verb.add_option("--graph", graph, "Which graph of a model folder with several");
  add_inputs_after_model(verb, path, inputs, what_inputs_are);
}

void add_inputs_after_model(CLI::App& verb, fs::path& model, std::vector<std::string>& inputs,
                            const std::string& what_inputs_are) {
  verb.add_option("inputs", inputs, "The model, unless --model names it; then: " + what_inputs_are)->required();
  verb.parse_complete_callback([&model, &inputs] {
    if (!model.empty()) return;
    model = inputs.front();
    inputs.erase(inputs.begin());
    if (inputs.empty())
      throw CLI::ValidationError("inputs", "expected a model and at least one input, found the model alone");
  });
}

base::Result<Ranges> ModelArgument::declared_ranges() const {
  SLIPWAY_ASSIGN(const fs::path chosen, file());
  const fs::path description = path / "model.yaml";
  std::error_code error;
  if (!fs::exists(description, error)) return Ranges{};
  try {
    for (const auto& entry : YAML::LoadFile(description.string())["graphs"]) {
      const bool is_chosen = description.parent_path() / entry.second["file"].as<std::string>() == chosen;
      if (is_chosen) return ranges_of(description, entry.second["inputs"]);
    }
  } catch (const YAML::Exception& exception) {
    return base::fail(Code::kInvalidArgument, "{}: cannot be read: {}", description.string(), exception.what());
  }
  return Ranges{};
}

base::Result<fs::path> ModelArgument::file() const {
  std::error_code error;
  if (media::is_stream(path) && graph.empty()) {
    if (!read_stream) {
      SLIPWAY_ASSIGN(auto stream, SeekableInput::of(path, ".onnx"));
      read_stream = std::make_shared<SeekableInput>(std::move(stream));
    }
    return read_stream->path();
  }
  if (!fs::exists(path, error)) return base::fail(Code::kNotFound, "{}: no such file or folder", path.string());
  if (!fs::is_directory(path, error)) {
    if (graph.empty()) return path;
    return base::fail(Code::kInvalidArgument, "--graph chooses in a model folder, but {} is a file", path.string());
  }
  if (fs::exists(path / "model.yaml", error)) {
    SLIPWAY_ASSIGN(const auto graphs, graphs_of(path / "model.yaml"));
    return choose(path, graphs, graph);
  }
  std::map<std::string, fs::path> graphs;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
    if (entry.path().extension() == ".onnx") graphs[entry.path().stem().string()] = entry.path();
  }
  if (graphs.empty()) {
    return base::fail(Code::kInvalidArgument,
                      "{}: a model folder holds model.yaml or an .onnx file; this one holds neither", path.string());
  }
  return choose(path, graphs, graph);
}

}  // namespace slipway::cli
