#include "apps/cli/mediapipe_run.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/mediapipe_pose/draw.hpp"
#include "pipelines/mediapipe_pose/pipeline.hpp"

namespace slipway::cli {
namespace {

namespace pose = pipelines::mediapipe_pose;

ordered_json json_of_points(const std::array<pose::Landmark, pose::kLandmarkCount>& points) {
  ordered_json json = ordered_json::array();
  for (const pose::Landmark& point : points) json.push_back({point.x, point.y, point.z});
  return json;
}

struct PoseVerb {
  using Pipeline = pose::MediapipePose;
  using Detections = pose::Detections;
  using Config = pose::Config;
  static constexpr const char* kSchema = "mediapipe-pose/1";
  static constexpr const char* kPlural = "poses";

  static const std::vector<pose::Pose>& objects(const Detections& found) { return found.poses; }
  static void draw(media::Image& image, const std::vector<pose::Pose>& poses) { pose::draw_poses(image, poses); }

  static ordered_json json_of(const pose::Pose& found) {
    ordered_json keypoints = ordered_json::array();
    if (found.has_keypoints) {
      for (const media::Point& point : found.keypoints) keypoints.push_back({point.x, point.y});
    }
    ordered_json json = {{"box", {found.box.x1, found.box.y1, found.box.x2, found.box.y2}}, {"score", found.score}};
    if (found.track_id >= 0) json["track"] = found.track_id;
    json["keypoints"] = keypoints;
    if (found.has_landmarks) {
      json["presence"] = found.presence;
      json["landmarks"] = json_of_points(found.landmarks);
      json["visibility"] = found.visibility;
      json["world_landmarks"] = json_of_points(found.world_landmarks);
    } else {
      json["landmarks"] = ordered_json::array();
    }
    return json;
  }

  static std::string text_of(const pose::Pose& found) {
    return fmt::format("  score {:.3f}  at ({:.1f}, {:.1f})  size {:.1f} x {:.1f}{}\n", found.score, found.box.x1,
                       found.box.y1, found.box.x2 - found.box.x1, found.box.y2 - found.box.y1,
                       found.has_landmarks ? fmt::format("  33 landmarks, presence {:.3f}", found.presence) : "");
  }
};

pose::Config config_of(const MediapipeArguments& arguments) {
  pose::Config config;
  if (arguments.score->count() > 0) config.score_min = arguments.score_min;
  config.presence_min = arguments.presence_min;
  config.find_landmarks = !arguments.detector_only;
  config.smooth = arguments.smooth;
  config.detector_quantization = arguments.detector_scales();
  config.landmark_quantization = arguments.landmark_scales();
  return config;
}

}  // namespace

void add_mediapipe_pose(CLI::App& app, Context& context) {
  CLI::App* verb =
      app.add_subcommand("mediapipe-pose", "Find a person's pose with 33 landmarks in pictures, follow it in videos");
  auto arguments = std::make_shared<MediapipeArguments>();
  arguments->add_to(
      *verb,
      {.noun = "person",
       .most_name = "",
       .most_help = "",
       .score_help = "0.5",
       .keypoints = "Boxes and four key points of everyone",
       .smooth_help = "Videos: show landmarks as the network finds them; without it they are smoothed (One-Euro), as "
                      "MediaPipe's Pose does",
       .smooths_by_itself = true});
  context.add_output_options(*verb);
  verb->footer("One person is found: the one the detector is surest of.");
  verb->callback([arguments, &context] {
    const auto options = arguments->session.session_options();
    if (!options) return context.finish_wrong_use(options.error());
    context.finish(run_mediapipe<PoseVerb>(*arguments, *options, config_of(*arguments), "mediapipe", context));
  });
}

}  // namespace slipway::cli
