#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "pipelines/common/model_folder.hpp"
#include "pipelines/common/standby_run.hpp"
#include "pipelines/common/timing.hpp"

namespace slipway::pipelines {

/// A network of one image input: 1 … batch images in, their outputs in one run.
///
///   auto network = ImageNetwork::load(environment, model, options, config.quantization, config.batch);
///   auto signature = network->signature(read_signature);
///   auto ready = network->prepare(signature->input, preprocess);
///
/// @thread one object belongs to one thread
class ImageNetwork {
 public:
  /// @param model         a bare `.onnx` or a model folder
  /// @param quantization  of integer inputs and outputs, by name; what it lacks comes from the folder's model.yaml
  /// @param batch         images a run
  /// @error kInvalidArgument: a batch below 1; as find_model, StandbyRun::load
  [[nodiscard]] static base::Result<ImageNetwork> load(std::shared_ptr<runtime::Environment> environment,
                                                       const std::filesystem::path& model,
                                                       const StandbyOptions& options,
                                                       std::map<std::string, tensor::Quantization> quantization,
                                                       int batch);

  /// What a pipeline's read_signature says of the model.
  /// @error of `read`, with the model's file in front
  template <typename Read>
  [[nodiscard]] auto signature(const Read& read) const {
    auto found = read(run_->inputs(), run_->outputs(), quantization_, batch_);
    return found ? std::move(found) : decltype(found)(std::unexpected(found.error().with(file_)));
  }

  /// @param input       of the signature: static, the batch in front
  /// @param preprocess  makes one entry of it
  /// @pre once, before run()
  [[nodiscard]] base::Result<void> prepare(const tensor::TensorSpec& input, media::ImageToTensor preprocess);

  /// Pre-processing, one run, and `read(entry, outputs, placement)`, a base::Result<void>, for each image. Allocates
  /// nothing once buffers have grown.
  /// @param found  one an image; its `times` become an equal share of the stages
  /// @error kInvalidArgument: no image, an empty one, more than a batch, or another number of `found`; of StandbyRun
  ///        and `read`
  template <typename Found, typename Read>
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images, std::span<Found> found,
                                       const Read& read) {
    StageTimes times;
    SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, infer(images, found.size(), times));
    Stopwatch watch;
    for (std::size_t i = 0; i < images.size(); ++i) SLIPWAY_TRY(read(i, *outputs, placements_[i]));
    const auto count = static_cast<double>(images.size());
    times = {times.pre_us / count, times.inference_us / count, watch.lap_us() / count};
    for (Found& one : found) one.times = times;
    return {};
  }

  [[nodiscard]] const ModelFolder& folder() const { return folder_; }
  [[nodiscard]] const StandbyRun& network() const { return *run_; }

 private:
  explicit ImageNetwork(ModelFolder folder) : folder_(std::move(folder)) {}
  [[nodiscard]] base::Result<const tensor::NamedTensors*> infer(std::span<const media::ImageView> images,
                                                                std::size_t results, StageTimes& times);

  ModelFolder folder_;
  std::string file_;
  std::map<std::string, tensor::Quantization> quantization_;
  int batch_ = 1;
  std::unique_ptr<StandbyRun> run_;
  std::optional<media::ImageToTensor> preprocess_;
  std::vector<media::Placement> placements_;  // one an entry of the batch
};

}  // namespace slipway::pipelines
