#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "apps/cli/session_arguments.hpp"
#include "apps/cli/source_arguments.hpp"
#include "pipelines/mediapipe_common/pipeline.hpp"

namespace slipway::cli {

/// What `slipway mediapipe-face`, `-hand` and `-pose` ask for alike.
struct MediapipeArguments {
  std::filesystem::path model, landmark_model;
  SessionArguments session;
  std::vector<std::string> inputs;
  std::filesystem::path output;
  float score_min = 0.5F;
  CLI::Option* score = nullptr;
  float presence_min = 0.5F;
  int most = 1;
  CLI::Option* most_option = nullptr;
  bool detector_only = false, is_still = false, smooth = false;
  int batch = 1;
  int bench_runs = 10;
  CLI::Option* bench = nullptr;
  SourceArguments source;

  /// Words of one verb's help.
  struct Words {
    std::string noun;        ///< "face"
    std::string most_name;   ///< "--max-faces"; empty: the pipeline finds one
    std::string most_help;   ///< what holds without it
    std::string score_help;  ///< what holds without --score-min
    std::string keypoints;   ///< what the detector alone gives
    std::string smooth_help;
    bool smooths_by_itself = false;  ///< then the flag is --no-smooth
    std::string footer = "";
  };
  void add_to(CLI::App& verb, const Words& words);

  [[nodiscard]] pipelines::mediapipe::Models models() const { return {model, landmark_model}; }
  /// What all pipelines are told alike; scales are those that the files say in their own nodes (what cannot be read
  /// here, the session will refuse).
  void fill(pipelines::mediapipe::PipelineConfig& config) const;
  /// How often to run a batch for --bench; nothing: once, unmeasured.
  [[nodiscard]] std::optional<int> measured_runs() const;
  /// Nothing: as many as there are.
  [[nodiscard]] std::optional<int> most_wanted() const;
};

}  // namespace slipway::cli
