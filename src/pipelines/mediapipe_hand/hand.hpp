#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "media/draw.hpp"
#include "pipelines/mediapipe_common/pipeline.hpp"
#include "pipelines/mediapipe_hand/signature.hpp"

namespace slipway::pipelines::mediapipe_hand {

using mediapipe::Landmark;
using mediapipe::Models;

/// The choices a user has. Without score_min: 0.5. MediaPipe's Hands does not smooth.
struct Config : mediapipe::PipelineConfig {
  std::optional<int> max_hands;  ///< nothing: every hand of a single image, two of a sequence
};

/// One hand, in pixels of the image; the detector's box is the palm's.
struct Hand : mediapipe::FoundObject<kKeypointCount, kLandmarkCount> {
  float left_hand = 0;  ///< with landmarks: MediaPipe's probability of "Left", which takes the image as mirrored
  std::array<Landmark, kLandmarkCount> world_landmarks{};  ///< metres, about the hand's middle, turned as the image is

  /// As MediaPipe names it, which takes the image as mirrored (a selfie): in an ordinary image it is the other one.
  [[nodiscard]] bool is_right() const { return left_hand < 0.5F; }
};
using Detections = mediapipe::Detections<Hand>;

/// What the landmark network is to see of a hand, by its palm: the fingers point up, half a palm further up, 2.6 times
/// as large.
/// @source PalmDetectionDetectionToRoi's graph; python/reference/mediapipe_hand/landmark.py::palm_region
[[nodiscard]] mediapipe::Region palm_region(const mediapipe::Detection& palm);

/// The same by the landmarks of the frame before: around the wrist and the inner joints, which keep still, turned with
/// the hand, twice as large.
/// @source HandLandmarkLandmarksToRoi's graph; python/reference/mediapipe_hand/landmark.py::next_region
[[nodiscard]] mediapipe::Region next_hand_region(const Hand& hand);

/// Finds hands with 21 landmarks, and which hand it is.
///
///   auto pipeline = MediapipeHand::load(environment, {"mediapipe_hand", {}}, {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
/// @source HandLandmarkTrackingCpu's graph; python/reference/mediapipe_hand
class MediapipeHand final : public mediapipe::Pipeline<Hand> {
 public:
  using Config = mediapipe_hand::Config;

  /// @error as Pipeline::load_networks; kInvalidArgument: less than one hand is wanted
  [[nodiscard]] static base::Result<std::unique_ptr<MediapipeHand>> load(
      const std::shared_ptr<runtime::Environment>& environment, const Models& models,
      const runtime::SessionOptions& options, const Config& config);

 private:
  explicit MediapipeHand(const Config& config);
  base::Result<mediapipe::NetworkSignature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                           const std::vector<tensor::TensorSpec>& outputs,
                                                           const mediapipe::Quantizations& quantization,
                                                           int batch) override;
  mediapipe::Region region_of(const mediapipe::Detection& palm) const override { return palm_region(palm); }
  mediapipe::Region next_region(const Hand& hand) const override { return next_hand_region(hand); }
  base::Result<bool> read(const mediapipe::Landmarker::Output& output, Hand& hand) const override;

  LandmarkSignature signature_;
};

/// Draws boxes, bones and joints, and which hand it is.
void draw_hands(media::Image& image, const std::vector<Hand>& hands);

}  // namespace slipway::pipelines::mediapipe_hand
