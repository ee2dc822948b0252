#pragma once

#include <memory>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/mediapipe_common/network.hpp"
#include "pipelines/mediapipe_hand/config.hpp"
#include "pipelines/mediapipe_hand/hand.hpp"
#include "runtime/session.hpp"

namespace slipway::pipelines::mediapipe_hand {

using mediapipe::Models;

/// Finds hands: palms with seven key points, hands with 21 landmarks, and which hand it is. MediaPipe's rules.
///
///   auto pipeline = MediapipeHand::load(environment, {"mediapipe_hand", {}}, {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
///
/// @thread one object belongs to one thread
/// @source HandLandmarkTrackingCpu's graph; python/reference/mediapipe_hand
class MediapipeHand {
 public:
  /// Without a landmark network (a bare detector, or a folder of one graph) only palms are found.
  /// @error as mediapipe::find_files, runtime::Session::load, and the signatures
  [[nodiscard]] static base::Result<std::unique_ptr<MediapipeHand>> load(
      std::shared_ptr<runtime::Environment> environment, const Models& models, const runtime::SessionOptions& options,
      const Config& config);
  ~MediapipeHand();

  /// A picture by itself. Allocates nothing once buffers have grown.
  /// @error kInvalidArgument: an empty picture; otherwise as runtime::BoundRun::run
  [[nodiscard]] base::Result<void> run(media::ImageView image, Detections& found);

  /// The next frame of a sequence: hands are followed by their landmarks, and the detector runs only when fewer hands
  /// are followed than wanted. Without landmarks each frame is taken by itself.
  /// @param time_s  of the frame, growing
  [[nodiscard]] base::Result<void> track(media::ImageView image, double time_s, Detections& found);

  /// The next frame belongs to another sequence.
  void reset();

  [[nodiscard]] runtime::Session& detector_session();
  [[nodiscard]] runtime::Session* landmark_session();  ///< null without a landmark network

 private:
  struct State;
  explicit MediapipeHand(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::mediapipe_hand
