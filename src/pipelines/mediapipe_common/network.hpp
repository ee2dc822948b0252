#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "pipelines/common/image_signature.hpp"
#include "pipelines/common/model_folder.hpp"
#include "pipelines/common/real_values.hpp"
#include "pipelines/common/timing.hpp"
#include "runtime/bound_session.hpp"

namespace slipway::pipelines::mediapipe {

using Quantizations = std::map<std::string, tensor::Quantization>;

/// A network of images, run on several at once. One with a free batch axis takes a whole batch or one; one of a fixed
/// batch is also run when fewer wait, with the other entries as they were.
/// @thread one object belongs to one thread
class Network {
 public:
  /// @param input    static, the batch in front
  /// @param outputs  the session's, with their quantisation
  /// @error as runtime::BoundSession::bind
  [[nodiscard]] static base::Result<Network> bind(std::unique_ptr<runtime::Session> session, const ImageTensor& input,
                                                  std::vector<tensor::TensorSpec> outputs);

  /// Runs over `count` images, as many at once as the batch allows. Allocates nothing but what the provider does.
  /// @param times  StageTimes&(std::size_t image): what each took is added, of a run for several an equal share
  /// @param write  Result<void>(std::size_t image, std::size_t entry, std::span<std::byte> input)
  /// @param read   Result<void>(std::size_t image, std::size_t entry), which may ask for values()
  template <typename Times, typename Write, typename Read>
  [[nodiscard]] base::Result<void> run(std::size_t count, const Times& times, const Write& write, const Read& read);

  /// An output's real numbers of one entry, valid until the next run.
  /// @param count  of values an entry
  /// @error kInvalidArgument: another dtype or number of values than the signature's
  [[nodiscard]] base::Result<RealValues> values(std::size_t output, std::size_t entry, std::size_t count) const;

  [[nodiscard]] std::size_t batch() const { return batch_of(bindings_.front()); }
  [[nodiscard]] runtime::Session& session() const { return bindings_.front().session(); }

 private:
  [[nodiscard]] static std::size_t batch_of(const runtime::BoundSession& bound) {
    return static_cast<std::size_t>(bound.input(0).shape()[0]);
  }
  /// Chooses the binding for so many; how many of them its next run takes.
  [[nodiscard]] std::size_t begin(std::size_t waiting);
  [[nodiscard]] std::span<std::byte> input(std::size_t entry);
  [[nodiscard]] base::Result<void> run_entries();

  std::vector<tensor::TensorSpec> output_specs_;
  std::vector<runtime::BoundSession> bindings_;  // the whole batch and, where the axis is free, one
  std::size_t current_ = 0;
  const tensor::NamedTensors* outputs_ = nullptr;
};

template <typename Times, typename Write, typename Read>
base::Result<void> Network::run(std::size_t count, const Times& times, const Write& write, const Read& read) {
  for (std::size_t first = 0; first < count;) {
    Stopwatch watch;
    const std::size_t taken = begin(count - first);
    for (std::size_t i = 0; i < taken; ++i) {
      SLIPWAY_TRY(write(first + i, i, input(i)));
      times(first + i).pre_us += watch.lap_us();
    }
    SLIPWAY_TRY(run_entries());
    const double share_us = watch.lap_us() / static_cast<double>(taken);
    for (std::size_t i = 0; i < taken; ++i, ++first) {
      SLIPWAY_TRY(read(first, i));
      times(first).inference_us += share_us;
      times(first).post_us += watch.lap_us();
    }
  }
  return {};
}

/// Where a network comes from, and what its description says beyond the file.
struct NetworkFile {
  std::filesystem::path path;
  std::optional<std::pair<float, float>> input_range;  ///< real values of pixels 0 and 255, when the description says
  Quantizations quantization;                          ///< of integer inputs and outputs, by name
};

/// The networks of a pipeline.
struct Models {
  std::filesystem::path model;     ///< a model folder with the graphs `detector` and `landmark`, or a detector's file
  std::filesystem::path landmark;  ///< the landmark network's file or folder; empty: the model folder's
};

/// The files of both networks.
struct ModelFiles {
  NetworkFile detector;
  std::optional<NetworkFile> landmark;  ///< nothing: a bare detector, or a folder without that graph
};

/// @error as ModelFolder::open and graph; kInvalidArgument: `pre.range` is not [low, high]
[[nodiscard]] base::Result<ModelFiles> find_files(const Models& models);

/// How images are to be written for a network that sees 0 … 255 as low … high.
[[nodiscard]] media::ImageInput image_input_of(const ImageTensor& image, std::pair<float, float> range);

/// What a network of images takes and gives; kinds of networks add which output is which.
struct NetworkSignature {
  ImageTensor input;
  std::vector<tensor::TensorSpec> outputs;  ///< of one image, with their quantisation

  /// @param sizes  for the message: "192"
  /// @param batch  images a run, at least 1; a network with a static batch must have this one
  /// @error kInvalidArgument: another number of inputs or another shape than a square RGB image of 1 to 256 pixels,
  ///        another batch, a dtype that cannot be written or read, or integers without a scale
  [[nodiscard]] base::Result<void> read(const std::vector<tensor::TensorSpec>& inputs,
                                        const std::vector<tensor::TensorSpec>& outputs, std::string_view sizes,
                                        const Quantizations& quantization, int batch);
};

/// Elements of a shape; -1 when an axis is dynamic.
[[nodiscard]] std::int64_t values_of(const tensor::Shape& shape);

}  // namespace slipway::pipelines::mediapipe
