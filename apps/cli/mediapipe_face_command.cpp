#include "apps/cli/mediapipe_run.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/mediapipe_face/draw.hpp"
#include "pipelines/mediapipe_face/pipeline.hpp"

namespace slipway::cli {
namespace {

namespace face = pipelines::mediapipe_face;

struct FaceVerb {
  using Pipeline = face::MediapipeFace;
  using Detections = face::Detections;
  using Config = face::Config;
  static constexpr const char* kSchema = "mediapipe-face/1";
  static constexpr const char* kPlural = "faces";

  static const std::vector<face::Face>& objects(const Detections& found) { return found.faces; }
  static void draw(media::Image& image, const std::vector<face::Face>& faces) { face::draw_faces(image, faces); }

  static ordered_json json_of(const face::Face& found) {
    ordered_json keypoints = ordered_json::array(), landmarks = ordered_json::array();
    if (found.has_keypoints) {
      for (const media::Point& point : found.keypoints) keypoints.push_back({point.x, point.y});
    }
    ordered_json json = {{"box", {found.box.x1, found.box.y1, found.box.x2, found.box.y2}}, {"score", found.score}};
    if (found.track_id >= 0) json["track"] = found.track_id;
    json["keypoints"] = keypoints;
    if (found.has_landmarks) {
      json["presence"] = found.presence;
      for (const face::Landmark& point : found.landmarks) landmarks.push_back({point.x, point.y, point.z});
    }
    json["landmarks"] = landmarks;
    return json;
  }

  static std::string text_of(const face::Face& found) {
    return fmt::format("  score {:.3f}  at ({:.1f}, {:.1f})  size {:.1f} x {:.1f}{}\n", found.score, found.box.x1,
                       found.box.y1, found.box.x2 - found.box.x1, found.box.y2 - found.box.y1,
                       found.has_landmarks ? fmt::format("  468 landmarks, presence {:.3f}", found.presence) : "");
  }
};

struct Arguments : MediapipeArguments {
  std::string rules = "mediapipe";
};

face::Config config_of(const Arguments& arguments) {
  face::Config config;
  config.rules = arguments.rules == "qai_hub" ? face::Rules::kQaiHub : face::Rules::kMediapipe;
  if (arguments.score->count() > 0) config.score_min = arguments.score_min;
  config.presence_min = arguments.presence_min;
  if (arguments.most_option->count() > 0) config.max_faces = arguments.most;
  config.find_landmarks = !arguments.detector_only;
  config.smooth = arguments.smooth;
  config.detector_quantization = arguments.detector_scales();
  config.landmark_quantization = arguments.landmark_scales();
  return config;
}

}  // namespace

void add_mediapipe_face(CLI::App& app, Context& context) {
  CLI::App* verb =
      app.add_subcommand("mediapipe-face", "Find faces with 468 landmarks in pictures, follow them in videos");
  auto arguments = std::make_shared<Arguments>();
  arguments->add_to(
      *verb, {.noun = "face",
              .most_name = "--max-faces",
              .most_help = "all of a picture, one of a video, and one with qai_hub",
              .score_help = "0.5, full range 0.6, qai_hub 0.8",
              .keypoints = "Boxes and six key points",
              .smooth_help =
                  "Videos: smooth landmarks (One-Euro), as MediaPipe's FaceLandmarker does and its FaceMesh does not"});
  verb->add_option("--rules", arguments->rules,
                   "Whose rules apply around the networks: MediaPipe's, or those of Qualcomm's package (qai_hub)")
      ->check(CLI::IsMember({"mediapipe", "qai_hub"}))
      ->capture_default_str();
  context.add_output_options(*verb);
  verb->callback([arguments, &context] {
    const auto options = arguments->session.session_options();
    if (!options) return context.finish_wrong_use(options.error());
    context.finish(run_mediapipe<FaceVerb>(*arguments, *options, config_of(*arguments), arguments->rules, context));
  });
}

}  // namespace slipway::cli
