#pragma once

#include <memory>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/mediapipe_common/network.hpp"
#include "pipelines/mediapipe_pose/config.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"
#include "runtime/session.hpp"

namespace slipway::pipelines::mediapipe_pose {

using mediapipe::Models;

/// Finds people with four key points, and one person's pose with 33 landmarks. MediaPipe's rules.
///
///   auto pipeline = MediapipePose::load(environment, {"mediapipe_pose", {}}, {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
///
/// @thread one object belongs to one thread
/// @source PoseLandmarkCpu's graph; python/reference/mediapipe_pose
class MediapipePose {
 public:
  /// Without a landmark network (a bare detector, or a folder of one graph) only people are found.
  /// @error as mediapipe::find_files, runtime::Session::load, and the signatures
  [[nodiscard]] static base::Result<std::unique_ptr<MediapipePose>> load(
      std::shared_ptr<runtime::Environment> environment, const Models& models, const runtime::SessionOptions& options,
      const Config& config);
  ~MediapipePose();

  /// A picture by itself. Allocates nothing once buffers have grown.
  /// @error kInvalidArgument: an empty picture; otherwise as runtime::BoundRun::run
  [[nodiscard]] base::Result<void> run(media::ImageView image, Detections& found);

  /// The next frame of a sequence: the person is followed by the landmarks, and the detector runs only when no one
  /// is followed. Without landmarks each frame is taken by itself.
  /// @param time_s  of the frame, growing
  [[nodiscard]] base::Result<void> track(media::ImageView image, double time_s, Detections& found);

  /// The next frame belongs to another sequence.
  void reset();

  [[nodiscard]] runtime::Session& detector_session();
  [[nodiscard]] runtime::Session* landmark_session();  ///< null without a landmark network

 private:
  struct State;
  explicit MediapipePose(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::mediapipe_pose
