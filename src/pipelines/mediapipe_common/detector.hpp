#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "media/image.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_common/detection.hpp"
#include "pipelines/mediapipe_common/network.hpp"
#include "pipelines/mediapipe_common/rules.hpp"
#include "pipelines/mediapipe_common/signature.hpp"

namespace slipway::pipelines::mediapipe {

/// The choices a user has.
struct DetectorOptions {
  Rules rules = Rules::kMediapipe;
  std::optional<float> score_min;  ///< nothing: the kind's, and 0.8 with kQaiHub
  double iou_max = 0.3;            ///< above it two boxes are of one object
  int batch = 1;                   ///< pictures a run, at least 1
};

/// What the detector saw in one picture.
struct Seen {
  std::vector<Detection> detections;  ///< best first, in pixels of the picture; the memory is reused
  StageTimes times;                   ///< of a run for several pictures each gets an equal share
};

/// Finds boxes and key points of faces, palms or people in a whole picture.
/// @thread one object belongs to one thread
/// @source model facts of both rules; python/reference/mediapipe_face/detector.py
class Detector {
 public:
  /// @error as runtime::Session::load and read_detector_signature, with the file's name
  [[nodiscard]] static base::Result<Detector> load(std::shared_ptr<runtime::Environment> environment,
                                                   const NetworkFile& file, const runtime::SessionOptions& session,
                                                   const DetectorFamily& family, const DetectorOptions& options);
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;

  /// Any number of pictures, as many at once as the batch allows. Allocates nothing once buffers have grown.
  /// @param seen  one a picture
  /// @error kInvalidArgument: an empty picture; otherwise as runtime::BoundRun::run
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images, std::span<Seen> seen);

  [[nodiscard]] const DetectorSignature& signature() const;
  [[nodiscard]] runtime::Session& session();

 private:
  struct State;
  explicit Detector(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::mediapipe
