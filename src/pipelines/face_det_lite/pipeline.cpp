#include "pipelines/face_det_lite/pipeline.hpp"

#include "pipelines/common/model_folder.hpp"
#include "pipelines/face_det_lite/preprocess.hpp"
#include "pipelines/face_det_lite/signature.hpp"

namespace slipway::pipelines::face_det_lite {

struct FaceDetLite::State {
  Signature signature;
  std::unique_ptr<runtime::Session> session;
  tensor::NamedTensors inputs;
  std::unique_ptr<runtime::BoundRun> bound;  // holds references to inputs
  media::ImageToTensor preprocess;
  Postprocess postprocess;
  std::vector<media::Placement> placements;  // one an entry of the batch
};

FaceDetLite::FaceDetLite(std::unique_ptr<State> state) : state_(std::move(state)) {}
FaceDetLite::~FaceDetLite() = default;

base::Result<std::unique_ptr<FaceDetLite>> FaceDetLite::load(std::shared_ptr<runtime::Environment> environment,
                                                             const std::filesystem::path& model,
                                                             const runtime::SessionOptions& options,
                                                             const Config& config) {
  if (config.batch < 1)
    return base::fail(base::Code::kInvalidArgument, "a batch of {}: expected 1 or more", config.batch);
  SLIPWAY_ASSIGN(const ModelFile file, find_model(model, ""));
  SLIPWAY_ASSIGN(std::unique_ptr<runtime::Session> session,
                 runtime::Session::load(std::move(environment), file.path, options));
  auto quantization = config.quantization;
  quantization.insert(file.quantization.begin(), file.quantization.end());
  auto signature = read_signature(session->inputs(), session->outputs(), quantization, config.batch);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  SLIPWAY_ASSIGN(media::ImageToTensor preprocess, make_preprocess(*signature, config));

  tensor::NamedTensors inputs;
  SLIPWAY_ASSIGN(tensor::Tensor input, tensor::Tensor::zeros(signature->input.dtype, signature->input.shape));
  inputs.push_back({signature->input.name, std::move(input)});
  SLIPWAY_ASSIGN(std::unique_ptr<runtime::BoundRun> bound, runtime::BoundRun::bind(*session, inputs));
  Postprocess postprocess(*signature, config);
  std::vector<media::Placement> placements(static_cast<std::size_t>(config.batch));
  return std::unique_ptr<FaceDetLite>(new FaceDetLite(
      std::make_unique<State>(State{std::move(*signature), std::move(session), std::move(inputs), std::move(bound),
                                    std::move(preprocess), std::move(postprocess), std::move(placements)})));
}

base::Result<void> FaceDetLite::run(media::ImageView image, Detections& detections) {
  return run(std::span(&image, 1), std::span(&detections, 1));
}

base::Result<void> FaceDetLite::run(std::span<const media::ImageView> images, std::span<Detections> found) {
  State& state = *state_;
  if (images.empty() || images.size() > state.placements.size() || images.size() != found.size()) {
    return base::fail(base::Code::kInvalidArgument, "expected 1 to {} pictures and as many results, found {} and {}",
                      state.placements.size(), images.size(), found.size());
  }
  const auto count = static_cast<double>(images.size());
  const std::size_t size_bytes = state.preprocess.size_bytes();
  Stopwatch watch;
  // An incomplete batch leaves in the other entries what was there; nobody reads their results.
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto entry = state.inputs[0].tensor.bytes().subspan(i * size_bytes, size_bytes);
    SLIPWAY_ASSIGN(state.placements[i], state.preprocess.convert(images[i], entry));
  }
  const double pre_us = watch.lap_us();
  SLIPWAY_TRY(state.bound->run());
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, state.bound->outputs());
  const double inference_us = watch.lap_us();
  for (std::size_t i = 0; i < images.size(); ++i) {
    SLIPWAY_TRY(
        state.postprocess.run(*outputs, i, state.placements[i], images[i].width, images[i].height, found[i].faces));
  }
  const double post_us = watch.lap_us();
  for (Detections& one : found) one.times = {pre_us / count, inference_us / count, post_us / count};
  return {};
}

const Signature& FaceDetLite::signature() const {
  return state_->signature;
}

runtime::Session& FaceDetLite::session() {
  return *state_->session;
}

void draw_faces(media::Image& image, const std::vector<Face>& faces) {
  const int width = media::line_width_for(image.view());
  for (const Face& face : faces) {
    media::draw_box(image, face.box.x1, face.box.y1, face.box.x2, face.box.y2, media::kGreen, width);
    for (const media::Point& point : face.landmarks) media::draw_point(image, point, width, media::kYellow);
  }
  // Labels last, so that no box crosses them.
  for (const Face& face : faces) {
    const int scale = width;
    media::draw_text(image, static_cast<int>(face.box.x1), static_cast<int>(face.box.y1) - media::text_height(scale),
                     fmt::format("{:.2f}", face.score), media::kGreen, scale);
  }
}

}  // namespace slipway::pipelines::face_det_lite
