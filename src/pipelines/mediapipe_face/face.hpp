#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "media/draw.hpp"
#include "pipelines/mediapipe_common/pipeline.hpp"
#include "pipelines/mediapipe_face/signature.hpp"

namespace slipway::pipelines::mediapipe_face {

using mediapipe::Landmark;
using mediapipe::Models;
using mediapipe::Rules;

/// The choices a user has. Without score_min: 0.5, for the full range 0.6, for kQaiHub 0.8. FaceLandmarker smooths,
/// FaceMesh does not.
struct Config : mediapipe::PipelineConfig {
  Rules rules = Rules::kMediapipe;
  /// Nothing: every face of a single image, one of a sequence; with kQaiHub always one.
  std::optional<int> max_faces;
};

/// One face, in pixels of the image.
using Face = mediapipe::FoundObject<kKeypointCount, kLandmarkCount>;
using Detections = mediapipe::Detections<Face>;

/// What the landmark network is to see of a face, by the key points and the box of a detector.
/// @source model facts of both rules; python/reference/mediapipe_face/landmark.py
[[nodiscard]] mediapipe::Region face_region(const mediapipe::Detection& detection, Rules rules);

/// The same by the landmarks of the frame before: the box around them, turned until the outer corners of the eyes are
/// level.
[[nodiscard]] mediapipe::Region next_face_region(const Face& face);

/// Finds faces with six key points and 468 landmarks.
///
///   auto pipeline = MediapipeFace::load(environment, {"mediapipe_face", {}}, {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
class MediapipeFace final : public mediapipe::Pipeline<Face> {
 public:
  using Config = mediapipe_face::Config;

  /// @error as Pipeline::load_networks; kInvalidArgument: less than one face is wanted
  [[nodiscard]] static base::Result<std::unique_ptr<MediapipeFace>> load(
      const std::shared_ptr<runtime::Environment>& environment, const Models& models,
      const runtime::SessionOptions& options, const Config& config);

 private:
  explicit MediapipeFace(const Config& config);
  base::Result<mediapipe::NetworkSignature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                           const std::vector<tensor::TensorSpec>& outputs,
                                                           const Quantizations& quantization, int batch) override;
  mediapipe::Region region_of(const mediapipe::Detection& face) const override { return face_region(face, rules_); }
  mediapipe::Region next_region(const Face& face) const override { return next_face_region(face); }
  base::Result<bool> read(const mediapipe::Landmarker::Output& output, Face& face) const override;

  Rules rules_;
  LandmarkSignature signature_;
};

/// Draws boxes, key points, landmarks with the lines of lips, eyes, brows and outline (MediaPipe's contours), and
/// scores.
void draw_faces(media::Image& image, const std::vector<Face>& faces);

}  // namespace slipway::pipelines::mediapipe_face
