#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/mediapipe_face/config.hpp"
#include "pipelines/mediapipe_face/face.hpp"
#include "pipelines/mediapipe_face/signature.hpp"
#include "runtime/session.hpp"

namespace slipway::pipelines::mediapipe_face {

/// The networks of a pipeline.
struct Models {
  std::filesystem::path model;     ///< a model folder with the graphs `detector` and `landmark`, or a detector's file
  std::filesystem::path landmark;  ///< the landmark network's file or folder; empty: the model folder's
};

/// Finds faces with six key points and 468 landmarks.
///
///   auto pipeline = MediapipeFace::load(environment, {"mediapipe_face", {}}, {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
///
/// @thread one object belongs to one thread
class MediapipeFace {
 public:
  /// Without a landmark network (a bare detector, or a folder of one graph) only boxes and key points are found.
  /// @error as find_model, runtime::Session::load, read_detector_signature, read_landmark_signature
  [[nodiscard]] static base::Result<std::unique_ptr<MediapipeFace>> load(
      std::shared_ptr<runtime::Environment> environment, const Models& models, const runtime::SessionOptions& options,
      const Config& config);
  ~MediapipeFace();

  /// A picture by itself. Allocates nothing once buffers have grown.
  /// @error kInvalidArgument: an empty picture; otherwise as runtime::BoundRun::run
  [[nodiscard]] base::Result<void> run(media::ImageView image, Detections& found);

  /// The next frame of a sequence: faces are followed by their landmarks, and the detector runs only when fewer faces
  /// are followed than wanted. With Rules::kQaiHub, or without landmarks, each frame is taken by itself.
  /// @param time_s  of the frame, growing
  [[nodiscard]] base::Result<void> track(media::ImageView image, double time_s, Detections& found);

  /// The next frame belongs to another sequence.
  void reset();

  [[nodiscard]] Variant variant() const;
  [[nodiscard]] runtime::Session& detector_session();
  [[nodiscard]] runtime::Session* landmark_session();  ///< null without a landmark network

 private:
  struct State;
  explicit MediapipeFace(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::mediapipe_face
