#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "media/image.hpp"
#include "pipelines/mediapipe_common/network.hpp"
#include "pipelines/mediapipe_common/ssd.hpp"

namespace slipway::pipelines::mediapipe {

/// Whose rules apply around the networks.
enum class Rules {
  kMediapipe,  ///< MediaPipe's graphs: weighted suppression, squares of 1.5 times the face, edges go on, tracking
  kQaiHub,     ///< the app of Qualcomm's package: whole pixels, plain suppression, boxes of 1.1 times, black edges
};

/// One SSD detector among those that a pipeline knows; they are told apart by their size.
struct DetectorKind {
  int size = 0;                     ///< of the input
  std::vector<AnchorLayer> layers;  ///< finest first
  std::pair<float, float> range;    ///< real values of pixels 0 and 255
  float score_min = 0.5F;           ///< MediaPipe's
};

/// What a pipeline looks for with its detector.
struct DetectorFamily {
  std::string_view noun;  ///< for messages: "face"
  std::size_t keypoint_count = 0;
  std::vector<DetectorKind> kinds;
};

/// Coordinates and logits of some of the anchors.
struct HeadPair {
  std::size_t coordinates = 0;  ///< indices among the model's outputs
  std::size_t logits = 0;
  std::size_t rows = 0;
};

struct DetectorSignature : NetworkSignature {
  std::size_t kind = 0;         ///< index in the family
  std::vector<HeadPair> heads;  ///< in the order of the anchors
};

/// Recognises a detector by its shapes, whatever names and axes: a known size in; its anchors' rows of 4 + 2·keypoints
/// coordinates and one logit out, whole or split by feature map.
/// @param batch  as in NetworkSignature::read
/// @error kInvalidArgument: the message names the tensor, what was expected and what was found
[[nodiscard]] base::Result<DetectorSignature> read_detector_signature(const DetectorFamily& family,
                                                                      const std::vector<tensor::TensorSpec>& inputs,
                                                                      const std::vector<tensor::TensorSpec>& outputs,
                                                                      const Quantizations& quantization, int batch = 1);

/// The choices a user has.
struct DetectorOptions {
  Rules rules = Rules::kMediapipe;
  std::optional<float> score_min;  ///< nothing: the kind's, and 0.8 with kQaiHub
  double iou_max = 0.3;            ///< above it two boxes are of one object
  int batch = 1;                   ///< images a run, at least 1
};

/// Finds boxes and key points of faces, palms or people in a whole image.
/// @thread one object belongs to one thread
/// @source model facts of both rules; python/reference/mediapipe_face/detector.py
class Detector {
 public:
  /// What one image gave.
  struct Output {
    std::vector<Detection> detections;  ///< best first, in pixels of the image; the memory is reused
    StageTimes times;                   ///< of a run for several images each gets an equal share
  };

  /// @error as runtime::Session::load and read_detector_signature, with the file's name
  [[nodiscard]] static base::Result<Detector> load(std::shared_ptr<runtime::Environment> environment,
                                                   const NetworkFile& file, const runtime::SessionOptions& session,
                                                   const DetectorFamily& family, const DetectorOptions& options);
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;

  /// Any number of images, as many at once as the batch allows. Allocates nothing once buffers have grown.
  /// @param outputs  one an image
  /// @error kInvalidArgument: an empty image; otherwise as runtime::BoundSession::run
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images, std::span<Output> outputs);

  [[nodiscard]] const DetectorSignature& signature() const;
  [[nodiscard]] runtime::Session& session();

 private:
  struct State;
  explicit Detector(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::mediapipe
