#include "apps/cli/mediapipe_run.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/mediapipe_hand/draw.hpp"
#include "pipelines/mediapipe_hand/pipeline.hpp"

namespace slipway::cli {
namespace {

namespace hand = pipelines::mediapipe_hand;

ordered_json json_of_points(const std::array<hand::Landmark, hand::kLandmarkCount>& points) {
  ordered_json json = ordered_json::array();
  for (const hand::Landmark& point : points) json.push_back({point.x, point.y, point.z});
  return json;
}

struct HandVerb {
  using Pipeline = hand::MediapipeHand;
  using Detections = hand::Detections;
  using Config = hand::Config;
  static constexpr const char* kSchema = "mediapipe-hand/1";
  static constexpr const char* kPlural = "hands";

  static const std::vector<hand::Hand>& objects(const Detections& found) { return found.hands; }
  static void draw(media::Image& image, const std::vector<hand::Hand>& hands) { hand::draw_hands(image, hands); }

  static ordered_json json_of(const hand::Hand& found) {
    ordered_json keypoints = ordered_json::array();
    if (found.has_keypoints) {
      for (const media::Point& point : found.keypoints) keypoints.push_back({point.x, point.y});
    }
    ordered_json json = {{"box", {found.box.x1, found.box.y1, found.box.x2, found.box.y2}}, {"score", found.score}};
    if (found.track_id >= 0) json["track"] = found.track_id;
    json["keypoints"] = keypoints;
    if (found.has_landmarks) {
      json["presence"] = found.presence;
      json["handedness"] = found.is_right() ? "right" : "left";
      json["handedness_score"] = found.is_right() ? 1 - found.left_hand : found.left_hand;
      json["landmarks"] = json_of_points(found.landmarks);
      json["world_landmarks"] = json_of_points(found.world_landmarks);
    } else {
      json["landmarks"] = ordered_json::array();
    }
    return json;
  }

  static std::string text_of(const hand::Hand& found) {
    return fmt::format("  score {:.3f}  at ({:.1f}, {:.1f})  size {:.1f} x {:.1f}{}\n", found.score, found.box.x1,
                       found.box.y1, found.box.x2 - found.box.x1, found.box.y2 - found.box.y1,
                       found.has_landmarks ? fmt::format("  {} hand, 21 landmarks, presence {:.3f}",
                                                         found.is_right() ? "right" : "left", found.presence)
                                           : "");
  }
};

hand::Config config_of(const MediapipeArguments& arguments) {
  hand::Config config;
  if (arguments.score->count() > 0) config.score_min = arguments.score_min;
  config.presence_min = arguments.presence_min;
  if (arguments.most_option->count() > 0) config.max_hands = arguments.most;
  config.find_landmarks = !arguments.detector_only;
  config.smooth = arguments.smooth;
  config.detector_quantization = arguments.detector_scales();
  config.landmark_quantization = arguments.landmark_scales();
  return config;
}

}  // namespace

void add_mediapipe_hand(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("mediapipe-hand",
                                      "Find hands with 21 landmarks and tell left from right, follow them in videos");
  auto arguments = std::make_shared<MediapipeArguments>();
  arguments->add_to(*verb, {.noun = "hand",
                            .most_name = "--max-hands",
                            .most_help = "all of a picture, two of a video",
                            .score_help = "0.5",
                            .keypoints = "Boxes and seven key points of palms",
                            .smooth_help = "Videos: smooth landmarks (One-Euro), which MediaPipe's Hands does not"});
  context.add_output_options(*verb);
  verb->footer("Left and right are MediaPipe's, which takes the picture as mirrored (a selfie).");
  verb->callback([arguments, &context] {
    const auto options = arguments->session.session_options();
    if (!options) return context.finish_wrong_use(options.error());
    context.finish(run_mediapipe<HandVerb>(*arguments, *options, config_of(*arguments), "mediapipe", context));
  });
}

}  // namespace slipway::cli
