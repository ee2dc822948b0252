#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/draw.hpp"
#include "media/image.hpp"
#include "pipelines/common/standby_run.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/segmentation/label_map.hpp"
#include "pipelines/segmentation/signature.hpp"

namespace slipway::pipelines::segmentation {

/// The choices a user has.
struct Config {
  /// What the network wants whose graph does not normalise; nothing: what the model folder says, else 0 … 1 as it is.
  std::optional<std::array<float, 3>> mean, deviation;
  int batch = 1;                                             ///< images a run of the network
  std::vector<std::string> labels;                           ///< empty: the model folder's, or Cityscapes'
  std::map<std::string, tensor::Quantization> quantization;  ///< of integer inputs and outputs, by name
};

/// What one image gave.
struct Segments {
  LabelMap map;  ///< its memory is reused from image to image
  StageTimes times;
};

/// Gives every place of an image a class: FFNet and other networks that score classes on a grid.
///
/// The image is letterboxed (black); mean and deviation come from the model folder's `pre.mean` and `pre.deviation`.
/// @thread one object belongs to one thread
class Segmenter {
 public:
  /// @param model  a bare `.onnx` or a model folder
  /// @error as find_model, StandbyRun::load, read_signature; kInvalidArgument: a `pre` that is not three numbers
  [[nodiscard]] static base::Result<std::unique_ptr<Segmenter>> load(std::shared_ptr<runtime::Environment> environment,
                                                                     const std::filesystem::path& model,
                                                                     const StandbyOptions& options,
                                                                     const Config& config);
  ~Segmenter();

  /// Pre-processing, one run of the network, argmax. Allocates nothing once buffers have grown.
  /// @error kInvalidArgument: an empty image; otherwise as StandbyRun::run
  [[nodiscard]] base::Result<void> run(media::ImageView image, Segments& segments);

  /// The same for 1 … config.batch images in one run of the network; of each time they get an equal share.
  /// @param segments  one an image
  /// @error as above; kInvalidArgument: more images than a batch, or another number of `segments`
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images, std::span<Segments> segments);

  [[nodiscard]] const Signature& signature() const;
  [[nodiscard]] const std::vector<std::string>& labels() const;  ///< one a class
  [[nodiscard]] const StandbyRun& network() const;

 private:
  struct State;
  explicit Segmenter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Mixes the colours of the classes into the image, a third of each pixel.
/// @param colours  one a class
void draw_segments(media::Image& image, const LabelMap& map, const std::vector<media::Colour>& colours);

}  // namespace slipway::pipelines::segmentation
