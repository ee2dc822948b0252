#pragma once

#include <memory>

#include "media/image.hpp"
#include "pipelines/mediapipe_common/detection.hpp"
#include "pipelines/mediapipe_common/region_network.hpp"
#include "pipelines/mediapipe_hand/hand.hpp"
#include "pipelines/mediapipe_hand/signature.hpp"

namespace slipway::pipelines::mediapipe_hand {

/// The region of a hand by its palm: the fingers point up, half a palm further up, 2.6 times as large.
/// @source PalmDetectionDetectionToRoi's graph; python/reference/mediapipe_hand/landmark.py::palm_region
[[nodiscard]] mediapipe::Region region_of(const mediapipe::Detection& palm);

/// The same by the landmarks of the frame before: around the wrist and the inner joints, which keep still, turned with
/// the hand, twice as large.
/// @source HandLandmarkLandmarksToRoi's graph; python/reference/mediapipe_hand/landmark.py::next_region
[[nodiscard]] mediapipe::Region region_of(const std::array<Landmark, kLandmarkCount>& landmarks);

/// Finds 21 points in a region of a picture.
/// @thread one object belongs to one thread
class Landmarker {
 public:
  /// @error as runtime::Session::load and read_landmark_signature, with the file's name
  [[nodiscard]] static base::Result<Landmarker> load(std::shared_ptr<runtime::Environment> environment,
                                                     const mediapipe::NetworkFile& file,
                                                     const runtime::SessionOptions& options, float presence_min);

  /// Fills landmarks, handedness, presence and has_landmarks (presence at least presence_min) of a hand from
  /// hand.region. Adds to `times`; allocates nothing.
  [[nodiscard]] base::Result<void> run(media::ImageView image, Hand& hand, StageTimes& times);

  [[nodiscard]] runtime::Session& session() const { return network_.session(); }

 private:
  Landmarker(float presence_min, LandmarkSignature signature, mediapipe::RegionNetwork network)
      : presence_min_(presence_min), signature_(std::move(signature)), network_(std::move(network)) {}

  float presence_min_;
  LandmarkSignature signature_;
  mediapipe::RegionNetwork network_;
};

}  // namespace slipway::pipelines::mediapipe_hand
