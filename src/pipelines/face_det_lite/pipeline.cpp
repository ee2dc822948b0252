#include "pipelines/face_det_lite/pipeline.hpp"

#include "media/labels.hpp"
#include "pipelines/common/image_network.hpp"
#include "pipelines/face_det_lite/preprocess.hpp"
#include "pipelines/face_det_lite/signature.hpp"

namespace slipway::pipelines::face_det_lite {

struct FaceDetLite::State {
  ImageNetwork network;
  Signature signature;
  Postprocess postprocess;
};

FaceDetLite::FaceDetLite(std::unique_ptr<State> state) : state_(std::move(state)) {}
FaceDetLite::~FaceDetLite() = default;

base::Result<std::unique_ptr<FaceDetLite>> FaceDetLite::load(std::shared_ptr<runtime::Environment> environment,
                                                             const std::filesystem::path& model,
                                                             const runtime::SessionOptions& options,
                                                             const Config& config) {
  SLIPWAY_ASSIGN(ImageNetwork network,
                 ImageNetwork::load(std::move(environment), model, {.primary = options, .standby = {}},
                                    config.quantization, config.batch));
  SLIPWAY_ASSIGN(Signature signature, network.signature(read_signature));
  SLIPWAY_ASSIGN(media::ImageToTensor preprocess, make_preprocess(signature, config));
  SLIPWAY_TRY(network.prepare(signature.input, std::move(preprocess)));
  Postprocess postprocess(signature, config);
  return std::unique_ptr<FaceDetLite>(new FaceDetLite(
      std::make_unique<State>(State{std::move(network), std::move(signature), std::move(postprocess)})));
}

base::Result<void> FaceDetLite::run(media::ImageView image, Detections& detections) {
  return run(std::span(&image, 1), std::span(&detections, 1));
}

base::Result<void> FaceDetLite::run(std::span<const media::ImageView> images, std::span<Detections> found) {
  const auto read = [&](std::size_t entry, const tensor::NamedTensors& outputs, const media::Placement& placement) {
    return state_->postprocess.run(outputs, entry, placement, images[entry].width, images[entry].height,
                                   found[entry].faces);
  };
  return state_->network.run(images, found, read);
}

const Signature& FaceDetLite::signature() const {
  return state_->signature;
}

const runtime::Session& FaceDetLite::session() const {
  return state_->network.network().session();
}

void draw_faces(media::Image& image, const std::vector<Face>& faces) {
  const int width = media::line_width_for(image.view());
  const media::Colour box_colour = media::colour_of_class(0);
  for (const Face& face : faces) {
    media::draw_box(image, face.box.x1, face.box.y1, face.box.x2, face.box.y2, box_colour, width);
    for (const media::Point& point : face.landmarks) media::draw_point(image, point, width, media::kYellow);
  }
  // Labels last, so that no box crosses them.
  media::Labels labels(image, media::text_size_for(image.view()));
  for (const Face& face : faces) labels.spare(face.box.x1, face.box.y1, face.box.x2, face.box.y2);
  for (const Face& face : faces) {
    labels.add(face.box.x1, face.box.y1, face.box.x2, face.box.y2, media::LabelText("{:.2f}", face.score).text(),
               box_colour);
  }
}

}  // namespace slipway::pipelines::face_det_lite
