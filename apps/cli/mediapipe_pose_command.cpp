#include "apps/cli/mediapipe_run.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"

namespace slipway::cli {
namespace {

namespace pose = pipelines::mediapipe_pose;

struct PoseVerb {
  using Pipeline = pose::MediapipePose;
  using Arguments = MediapipeArguments;
  static constexpr const char* kName = "mediapipe-pose";
  static constexpr const char* kSchema = "mediapipe-pose/1";
  static constexpr const char* kSingular = "pose";
  static constexpr const char* kPlural = "poses";

  static pose::Config config_of(const Arguments& /*arguments*/) { return {}; }
  static std::string rules(const Arguments& /*arguments*/) { return "mediapipe"; }
  static void draw(media::Image& image, const std::vector<pose::Pose>& poses) { pose::draw_poses(image, poses); }
  static void extend(ordered_json& json, const pose::Pose& found) {
    json["visibility"] = found.visibility;
    json["world_landmarks"] = json_of_points(found.world_landmarks);
  }
  static std::string text_before(const pose::Pose& /*found*/) { return ""; }
};

}  // namespace

void add_mediapipe_pose(CLI::App& app, Context& context) {
  add_mediapipe<PoseVerb>(
      app, context, "Find a person's pose with 33 landmarks in pictures, follow it in videos",
      {.noun = "person",
       .most_name = "",
       .most_help = "",
       .score_help = "0.5",
       .keypoints = "Boxes and four key points of everyone",
       .smooth_help = "Videos: show landmarks as the network finds them; without it they are smoothed (One-Euro), as "
                      "MediaPipe's Pose does",
       .smooths_by_itself = true,
       .footer = "One person is found: the one the detector is surest of."});
}

}  // namespace slipway::cli
