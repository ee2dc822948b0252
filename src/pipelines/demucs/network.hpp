#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/stft.hpp"
#include "pipelines/common/model_folder.hpp"
#include "runtime/session.hpp"

namespace slipway::pipelines::demucs {

/// What a model takes and gives. Axes: N batch, T samples of a segment, S stems.
///
/// `input` f32 [N, 2, T]; with accepts_spectrogram also `x` f32 [N, 4, 2048, ceil(T / 1024)]. `add_67` f32 [N, S, 2,
/// T]; with gives_spectrogram also `output` f32 [N, S, 4, 2048, ceil(T / 1024)], and a stem is add_67 + istft(output).
struct Form {
  int sample_rate = 44100;
  std::int64_t segment_samples = 0;
  double overlap = 0.25;
  std::vector<std::string> sources;
  bool accepts_spectrogram = false;
  bool gives_spectrogram = false;
  std::int64_t batch = 1;  ///< segments a run; -1: as many as wanted

  [[nodiscard]] std::int64_t frames() const { return (segment_samples + 1023) / 1024; }
};

inline constexpr std::size_t kMostDefaultSources = 6;

/// Names of the stems of models that do not tell: four or six. Empty for any other number.
[[nodiscard]] std::vector<std::string> default_sources(std::size_t count);

/// The form of a loaded graph, checked against what the folder says.
/// @error kInvalidArgument: another input, output or shape (expected and found are named)
[[nodiscard]] base::Result<Form> form_of(const ModelFolder& folder, const std::vector<tensor::TensorSpec>& inputs,
                                         const std::vector<tensor::TensorSpec>& outputs);

struct NetworkOptions {
  runtime::SessionOptions session;
  int threads = 0;            ///< of everything; 0: one a core
  int parallel_segments = 1;  ///< segments side by side, each with threads / parallel_segments
};

/// Where the time went, over all runs.
struct NetworkTimes {
  std::chrono::nanoseconds stft{};
  std::chrono::nanoseconds network{};
  std::chrono::nanoseconds istft{};
};

/// HTDemucs on ONNX Runtime: segments in, stems out. A bag of models is several graphs of one form.
/// @thread one object belongs to one thread; inside it uses its own. Results depend neither on batch nor on parallel
///         segments
class Network {
 public:
  /// @error as runtime::Session::load and form_of; kInvalidArgument: the graphs of a bag differ in form
  [[nodiscard]] static base::Result<std::unique_ptr<Network>> load(std::shared_ptr<runtime::Environment> environment,
                                                                   const ModelFolder& folder,
                                                                   const NetworkOptions& options);
  ~Network();

  [[nodiscard]] const Form& form() const { return form_; }
  [[nodiscard]] std::size_t graph_count() const { return graphs_.size(); }
  /// Weight of each stem in the bag's mean.
  [[nodiscard]] const std::vector<double>& stem_weights(std::size_t graph) const;
  [[nodiscard]] const runtime::PlacementReport& placement(std::size_t graph) const;

  /// Segments that one call may take: `batch` (1 when the model's own is fixed) times parallel segments.
  [[nodiscard]] std::size_t group_size(std::size_t batch) const;

  /// @param windows  [count][2][T], count <= group_size(batch)
  /// @param stems    [count][S][2][T], overwritten
  [[nodiscard]] base::Result<void> run(std::size_t graph, std::size_t batch, std::span<const float> windows,
                                       std::span<float> stems, runtime::CancelFlag* cancel = nullptr);

  [[nodiscard]] const NetworkTimes& times() const { return times_; }

 private:
  struct Graph;
  struct Lane;
  Network();
  [[nodiscard]] base::Result<void> run_lane(Graph& graph, Lane& lane, std::size_t count, const float* windows,
                                            float* stems, runtime::CancelFlag* cancel);

  Form form_;
  NetworkOptions options_;
  std::vector<std::unique_ptr<Graph>> graphs_;
  NetworkTimes times_;
};

}  // namespace slipway::pipelines::demucs
