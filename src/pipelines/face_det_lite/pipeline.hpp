#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/face_det_lite/config.hpp"
#include "pipelines/face_det_lite/postprocess.hpp"
#include "runtime/session.hpp"

namespace slipway::pipelines::face_det_lite {

/// What one image gave.
struct Detections {
  std::vector<Face> faces;  ///< best first; the memory is reused from image to image
  StageTimes times;
};

/// Finds faces: images in, boxes and five landmarks a face out.
///
///   auto pipeline = FaceDetLite::load(environment, "face_det_lite.onnx", {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
///
/// @thread one object belongs to one thread
class FaceDetLite {
 public:
  /// @param model  a bare `.onnx` or a model folder. Scales and zero points of integer tensors come from the folder's
  ///               model.yaml, unless config.quantization says them
  /// @error as find_model, runtime::Session::load, read_signature
  [[nodiscard]] static base::Result<std::unique_ptr<FaceDetLite>> load(
      std::shared_ptr<runtime::Environment> environment, const std::filesystem::path& model,
      const runtime::SessionOptions& options, const Config& config);
  ~FaceDetLite();

  /// Pre-processing, one run of the session, post-processing. Allocates nothing once buffers have grown.
  /// @error kInvalidArgument: an empty image; otherwise as runtime::BoundRun::run
  [[nodiscard]] base::Result<void> run(media::ImageView image, Detections& detections);

  /// The same for 1 … config.batch images in one run of the session; of each time they get an equal share.
  /// @param found  one an image
  /// @error as above; kInvalidArgument: more images than a batch, or another number of `found`
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images, std::span<Detections> found);

  [[nodiscard]] const Signature& signature() const;
  [[nodiscard]] const runtime::Session& session() const;

 private:
  struct State;
  explicit FaceDetLite(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Draws boxes, landmarks and scores.
void draw_faces(media::Image& image, const std::vector<Face>& faces);

}  // namespace slipway::pipelines::face_det_lite
