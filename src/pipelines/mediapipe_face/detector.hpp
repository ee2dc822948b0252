#pragma once

#include <memory>
#include <vector>

#include "media/image.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_common/detection.hpp"
#include "pipelines/mediapipe_face/config.hpp"
#include "pipelines/mediapipe_face/network.hpp"
#include "pipelines/mediapipe_face/signature.hpp"

namespace slipway::pipelines::mediapipe_face {

/// Finds boxes and six key points of faces in a whole picture.
/// @thread one object belongs to one thread
/// @source model facts of both rules; python/reference/mediapipe_face/detector.py
class Detector {
 public:
  /// @error as runtime::Session::load and read_detector_signature, with the file's name
  [[nodiscard]] static base::Result<Detector> load(std::shared_ptr<runtime::Environment> environment,
                                                   const NetworkFile& file, const runtime::SessionOptions& options,
                                                   const Config& config);
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;

  /// Best first, in pixels of the picture. Adds to `times`; allocates nothing once buffers have grown.
  [[nodiscard]] base::Result<const std::vector<mediapipe::Detection>*> run(media::ImageView image, StageTimes& times);

  [[nodiscard]] const DetectorSignature& signature() const;
  [[nodiscard]] runtime::Session& session();

 private:
  struct State;
  explicit Detector(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::mediapipe_face
