#pragma once

#include <memory>
#include <span>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/mediapipe_common/network.hpp"
#include "pipelines/mediapipe_common/pipeline_config.hpp"
#include "runtime/session.hpp"

namespace slipway::pipelines::mediapipe {

/// A detector over whole pictures and a landmark network over the regions that it finds: faces, hands or a pose.
/// The members are compiled once a kind, in its pipeline.cpp.
/// @tparam Kind  gives Config, Detections and, there, Graph: the rules of the kind
/// @thread one object belongs to one thread
template <typename Kind>
class Pipeline {
 public:
  using Config = typename Kind::Config;
  using Detections = typename Kind::Detections;

  /// Without a landmark network (a bare detector, or a folder of one graph) only boxes and key points are found.
  /// @error as find_files, runtime::Session::load, and the signatures
  [[nodiscard]] static base::Result<std::unique_ptr<Pipeline>> load(std::shared_ptr<runtime::Environment> environment,
                                                                    const Models& models,
                                                                    const runtime::SessionOptions& options,
                                                                    const Config& config);
  ~Pipeline();

  /// A picture by itself. Allocates nothing once buffers have grown.
  /// @error kInvalidArgument: an empty picture; otherwise as runtime::BoundRun::run
  [[nodiscard]] base::Result<void> run(media::ImageView image, Detections& found) {
    return run(std::span(&image, 1), std::span(&found, 1));
  }

  /// The same for any number of pictures: the detector runs on config.batch of them at a time, the landmark network on
  /// so many regions of all of them.
  /// @param found  one a picture
  /// @error as above; kInvalidArgument: another number of `found`
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images, std::span<Detections> found);

  /// The next frame of a sequence: objects are followed by their landmarks, and the detector runs only when fewer are
  /// followed than wanted. Without landmarks, or under other rules than MediaPipe's, each frame is taken by itself.
  /// @param time_s  of the frame, growing
  [[nodiscard]] base::Result<void> track(media::ImageView image, double time_s, Detections& found);

  /// The next frame belongs to another sequence.
  void reset();

  [[nodiscard]] const DetectorSignature& detector_signature() const;
  [[nodiscard]] runtime::Session& detector_session();
  [[nodiscard]] runtime::Session* landmark_session();  ///< null without a landmark network

 private:
  struct State;
  explicit Pipeline(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::mediapipe
