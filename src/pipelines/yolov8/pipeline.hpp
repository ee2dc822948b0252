#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/common/standby_run.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/yolov8/config.hpp"
#include "pipelines/yolov8/postprocess.hpp"

namespace slipway::pipelines::yolov8 {

/// What one image gave.
struct Detections {
  std::vector<Object> objects;  ///< best first; the memory is reused from image to image
  std::vector<Mask> masks;      ///< one an object, or none where the network has no masks
  StageTimes times;
};

/// Finds objects with a network of the YOLOv8 family: one image in, boxes (and masks) with class and score out.
///
///   auto detector = Yolov8::load(environment, "yolov8n.onnx", {}, {});
///   Detections found;
///   auto done = (*detector)->run(image.view(), found);
///
/// @thread one object belongs to one thread
class Yolov8 {
 public:
  /// @param model  a bare `.onnx` or a model folder. Scales, zero points and labels come from the folder's model.yaml,
  ///               unless config says them; labels then from the file's metadata, and COCO's where 80 have no name
  /// @error as find_model, StandbyRun::load, read_signature; kInvalidArgument: the file says that it is for
  ///        another task, or there are more or fewer names than classes
  [[nodiscard]] static base::Result<std::unique_ptr<Yolov8>> load(std::shared_ptr<runtime::Environment> environment,
                                                                  const std::filesystem::path& model,
                                                                  const StandbyOptions& options, const Config& config);
  ~Yolov8();

  /// Pre-processing, one run of the network, post-processing. Allocates nothing once buffers have grown.
  /// @error kInvalidArgument: an empty image; otherwise as StandbyRun::run
  [[nodiscard]] base::Result<void> run(media::ImageView image, Detections& detections);

  /// The same for 1 … config.batch images in one run of the network; of each time they get an equal share.
  /// @param found  one an image
  /// @error as above; kInvalidArgument: more images than a batch, or another number of `found`
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images, std::span<Detections> found);

  /// From here on only objects of these classes are found, named by their labels or numbers; empty: all.
  /// @error kInvalidArgument: a class that the network lacks
  [[nodiscard]] base::Result<void> choose_classes(const std::vector<std::string>& names);

  [[nodiscard]] const Signature& signature() const;
  [[nodiscard]] const std::vector<std::string>& labels() const;
  [[nodiscard]] const StandbyRun& network() const;

 private:
  struct State;
  explicit Yolov8(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::yolov8
