#pragma once

#include <memory>

#include "media/image.hpp"
#include "pipelines/mediapipe_face/face.hpp"
#include "pipelines/mediapipe_face/network.hpp"
#include "pipelines/mediapipe_face/signature.hpp"

namespace slipway::pipelines::mediapipe_face {

/// The region of a face that the landmark network is to see, by the key points and the box of a detector.
[[nodiscard]] mediapipe::Region region_of(const mediapipe::Detection& detection, Rules rules);

/// The same by the landmarks of the frame before: the box around them, turned until the outer corners of the eyes are
/// level.
[[nodiscard]] mediapipe::Region region_of(const std::array<Landmark, kLandmarkCount>& landmarks);

/// The smallest box around the landmarks.
[[nodiscard]] Box box_of(const std::array<Landmark, kLandmarkCount>& landmarks);

/// Finds 468 points in a region of a picture.
/// @thread one object belongs to one thread
/// @source model facts of both rules; python/reference/mediapipe_face/landmark.py
class Landmarker {
 public:
  /// @error as runtime::Session::load and read_landmark_signature, with the file's name
  [[nodiscard]] static base::Result<Landmarker> load(std::shared_ptr<runtime::Environment> environment,
                                                     const NetworkFile& file, const runtime::SessionOptions& options,
                                                     const Config& config);
  ~Landmarker();
  Landmarker(Landmarker&&) noexcept;
  Landmarker& operator=(Landmarker&&) noexcept;

  /// Fills landmarks, presence and has_landmarks (presence at least Config::presence_min) of a face from face.region.
  /// Adds to `times`; allocates nothing.
  [[nodiscard]] base::Result<void> run(media::ImageView image, Face& face, StageTimes& times);

  [[nodiscard]] const LandmarkSignature& signature() const;
  [[nodiscard]] runtime::Session& session();

 private:
  struct State;
  explicit Landmarker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::mediapipe_face
