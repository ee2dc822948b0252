#include "apps/cli/mediapipe_run.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/mediapipe_face/face.hpp"

namespace slipway::cli {
namespace {

namespace face = pipelines::mediapipe_face;

struct FaceVerb {
  using Pipeline = face::MediapipeFace;
  struct Arguments : MediapipeArguments {
    std::string rules = "mediapipe";
    void add_to(CLI::App& verb, const Words& words) {
      MediapipeArguments::add_to(verb, words);
      verb.add_option("--rules", rules,
                      "Whose rules apply around the networks: MediaPipe's, or those of Qualcomm's package (qai_hub)")
          ->check(CLI::IsMember({"mediapipe", "qai_hub"}))
          ->capture_default_str();
    }
  };
  static constexpr const char* kName = "mediapipe-face";
  static constexpr const char* kSchema = "mediapipe-face/1";
  static constexpr const char* kSingular = "face";
  static constexpr const char* kPlural = "faces";

  static face::Config config_of(const Arguments& arguments) {
    face::Config config;
    config.rules = arguments.rules == "qai_hub" ? face::Rules::kQaiHub : face::Rules::kMediapipe;
    config.max_faces = arguments.most_wanted();
    return config;
  }
  static std::string rules(const Arguments& arguments) { return arguments.rules; }
  static void draw(media::Image& image, const std::vector<face::Face>& faces) { face::draw_faces(image, faces); }
  static void extend(ordered_json& /*json*/, const face::Face& /*found*/) {}
  static std::string text_before(const face::Face& /*found*/) { return ""; }
};

}  // namespace

void add_mediapipe_face(CLI::App& app, Context& context) {
  add_mediapipe<FaceVerb>(
      app, context, "Find faces with 468 landmarks in pictures, follow them in videos",
      {.noun = "face",
       .most_name = "--max-faces",
       .most_help = "all of a picture, one of a video, and one with qai_hub",
       .score_help = "0.5, full range 0.6, qai_hub 0.8",
       .keypoints = "Boxes and six key points",
       .smooth_help =
           "Videos: smooth landmarks (One-Euro), as MediaPipe's FaceLandmarker does and its FaceMesh does not"});
}

}  // namespace slipway::cli
