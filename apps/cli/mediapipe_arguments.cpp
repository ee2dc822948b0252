#include "apps/cli/mediapipe_arguments.hpp"

#include <fmt/format.h>

#include "apps/cli/border_quantization.hpp"
#include "apps/cli/model_argument.hpp"
#include "pipelines/common/model_folder.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;

pipelines::mediapipe::Quantizations scales_in(const fs::path& model, const std::string& graph) {
  const auto file = pipelines::find_model(model, graph);
  return file ? border_quantization(file->path) : pipelines::mediapipe::Quantizations();
}

}  // namespace

void MediapipeArguments::add_to(CLI::App& verb, const Words& words) {
  verb.add_option("-m,--model", model,
                  "A model folder with the graphs detector and landmark, or a detector's .onnx file; in place of the "
                  "first plain word");
  verb.add_option("--landmark-model", landmark_model, "The landmark network, when it is not in the folder");
  add_inputs_after_model(verb, model, inputs,
                         "pictures, folders of them, videos, cameras, or - for a stream on standard input");
  verb.add_option("-o,--output", output, "Where drawn-over pictures and videos go: a folder, or a file for one input");
  score = verb.add_option("--score-min", score_min,
                          fmt::format("Lowest score of the detector; without it {}", words.score_help))
              ->check(CLI::Range(0.0, 1.0));
  verb.add_option("--presence-min", presence_min,
                  fmt::format("Lowest probability, by the landmark network, that it sees a {}", words.noun))
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  if (!words.most_name.empty()) {
    most_option = verb.add_option(words.most_name, most,
                                  fmt::format("Most {}s of a frame; without it {}", words.noun, words.most_help))
                      ->check(CLI::Range(1, 10'000));
  }
  verb.add_flag("--detector-only", detector_only, fmt::format("{}, no landmarks", words.keypoints));
  verb.add_flag("--still", is_still, "Videos: take each frame by itself, with the detector");
  smooth = words.smooths_by_itself;
  if (words.smooths_by_itself) {
    verb.add_flag("--no-smooth{false}", smooth, words.smooth_help);
  } else {
    verb.add_flag("--smooth", smooth, words.smooth_help);
  }
  verb.add_option("--batch", batch,
                  "Pictures (of videos: frames, with --still) a run of the detector, regions a run of the landmark "
                  "network; times are a picture's share")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  bench = verb.add_option("--bench", bench_runs, "Run each picture so often after one warm-up, and show percentiles")
              ->check(CLI::Range(1, 1'000'000))
              ->expected(0, 1)
              ->default_str("10");
  source.add_to(verb);
  session.add_to(verb);
  if (!words.footer.empty()) verb.footer(words.footer);
}

void MediapipeArguments::fill(pipelines::mediapipe::PipelineConfig& config) const {
  if (score->count() > 0) config.score_min = score_min;
  config.presence_min = presence_min;
  config.find_landmarks = !detector_only;
  config.smooth = smooth;
  config.batch = batch;
  config.detector_quantization = scales_in(model, "detector");
  config.landmark_quantization = scales_in(landmark_model.empty() ? model : landmark_model, "landmark");
}

std::optional<int> MediapipeArguments::measured_runs() const {
  return bench->count() > 0 ? std::optional(bench_runs) : std::nullopt;
}

std::optional<int> MediapipeArguments::most_wanted() const {
  return most_option != nullptr && most_option->count() > 0 ? std::optional(most) : std::nullopt;
}

}  // namespace slipway::cli
