#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "apps/cli/seekable_input.hpp"
#include "base/error.hpp"
#include "compile/onnx_graph/input_ranges.hpp"

namespace slipway::cli {

/// The model a verb works on, as the user names it: a bare file or a model folder.
struct ModelArgument {
  std::filesystem::path path;
  std::string graph;                                             ///< of a folder with several
  mutable std::shared_ptr<SeekableInput> read_stream = nullptr;  ///< what a stream held, once file() has read it

  /// Adds MODEL (or --model) and --graph.
  void add_to(CLI::App& verb);
  /// The same for a verb with inputs: with --model all plain words are inputs, without it the first one is the model.
  /// @param inputs  filled without the model, at least one; outlives the parsing
  void add_to(CLI::App& verb, std::vector<std::string>& inputs, const std::string& what_inputs_are);

  /// The file to load: the path itself, the graph's file that model.yaml names, the folder's only .onnx file, or the
  /// temporary file that a stream was read into.
  /// @error kNotFound: no such path or graph (the graphs are named); kInvalidArgument: an unclear folder or a bad
  /// model.yaml
  [[nodiscard]] base::Result<std::filesystem::path> file() const;

  /// What model.yaml says that the graph's inputs hold, by name (`range: [lowest, highest]` of an input).
  /// @error kInvalidArgument: a range that is no two numbers in order; as file()
  [[nodiscard]] base::Result<std::map<std::string, compile::onnx_graph::InputRange>> declared_ranges() const;
};

/// Adds the plain words of a verb with inputs: with --model all of them are inputs, without it the first one is the
/// model.
/// @param model, inputs  outlive the parsing
void add_inputs_after_model(CLI::App& verb, std::filesystem::path& model, std::vector<std::string>& inputs,
                            const std::string& what_inputs_are);

}  // namespace slipway::cli
