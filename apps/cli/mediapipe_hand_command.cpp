#include "apps/cli/mediapipe_run.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/mediapipe_hand/hand.hpp"

namespace slipway::cli {
namespace {

namespace hand = pipelines::mediapipe_hand;

struct HandVerb {
  using Pipeline = hand::MediapipeHand;
  using Arguments = MediapipeArguments;
  static constexpr const char* kName = "mediapipe-hand";
  static constexpr const char* kSchema = "mediapipe-hand/1";
  static constexpr const char* kSingular = "hand";
  static constexpr const char* kPlural = "hands";

  static hand::Config config_of(const Arguments& arguments) {
    hand::Config config;
    config.max_hands = arguments.most_wanted();
    return config;
  }
  static std::string rules(const Arguments& /*arguments*/) { return "mediapipe"; }
  static void draw(media::Image& image, const std::vector<hand::Hand>& hands) { hand::draw_hands(image, hands); }
  static void extend(ordered_json& json, const hand::Hand& found) {
    json["handedness"] = found.is_right() ? "right" : "left";
    json["handedness_score"] = found.is_right() ? 1 - found.left_hand : found.left_hand;
    json["world_landmarks"] = json_of_points(found.world_landmarks);
  }
  static std::string text_before(const hand::Hand& found) { return found.is_right() ? "right hand, " : "left hand, "; }
};

}  // namespace

void add_mediapipe_hand(CLI::App& app, Context& context) {
  add_mediapipe<HandVerb>(
      app, context, "Find hands with 21 landmarks and tell left from right, follow them in videos",
      {.noun = "hand",
       .most_name = "--max-hands",
       .most_help = "all of a picture, two of a video",
       .score_help = "0.5",
       .keypoints = "Boxes and seven key points of palms",
       .smooth_help = "Videos: smooth landmarks (One-Euro), which MediaPipe's Hands does not",
       .footer = "Left and right are MediaPipe's, which takes the picture as mirrored (a selfie)."});
}

}  // namespace slipway::cli
