// Times the face pipeline on frames held in memory, a pass at a time, so that a peer in another process can take turns:
//
//   mediapipe_face_bench SHORT_RANGE_FOLDER FULL_RANGE_FOLDER float32|bf16 THREADS FRAME.png …
//
// float32 is ONNX Runtime's CPU provider, bf16 OpenVINO's.
// Each line of standard input names a mode (short, full, still, track); each line of standard output is the JSON of
// that pass: milliseconds and faces of every frame. benchmarks/mediapipe_face.py drives it.

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "media/image_file.hpp"
#include "pipelines/mediapipe_face/face.hpp"

namespace {

using namespace slipway;  // NOLINT(google-build-using-namespace): one program
namespace face = pipelines::mediapipe_face;

struct Mode {
  const char* name;
  bool is_full_range, find_landmarks, is_sequence;
};
// "still" looks for one face, as the peer's FaceMesh does unless told otherwise.
constexpr std::array kModes = {Mode{"short", false, false, false}, Mode{"full", true, false, false},
                               Mode{"still", false, true, false}, Mode{"track", false, true, true}};

base::Result<void> run(int argc, char** argv) {
  if (argc < 6) return base::fail(base::Code::kInvalidArgument, "expected SHORT FULL PRECISION THREADS FRAME…");
  runtime::SessionOptions options;
  if (std::string(argv[3]) == "bf16") {
    options.provider.name =
        std::ranges::find_if(runtime::provider_table(), &runtime::ProviderRow::accepts_bfloat16)->name;
    options.provider.precision = runtime::Precision::kBfloat16;
  }
  options.intra_op_threads = base::parse_number<int>(argv[4]).value_or(0);
  SLIPWAY_ASSIGN(const auto paths, runtime::locate_libraries(options.provider.name));
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, runtime::Environment::open(paths));
  std::vector<media::Image> frames;
  for (int i = 5; i < argc; ++i) {
    SLIPWAY_ASSIGN(media::Image frame, media::read_image(argv[i], {}));
    frames.push_back(std::move(frame));
  }
  std::map<std::string, std::unique_ptr<face::MediapipeFace>> pipelines;
  for (std::string line; std::getline(std::cin, line);) {
    const auto* mode = std::ranges::find(kModes, line, &Mode::name);
    if (mode == kModes.end()) return base::fail(base::Code::kInvalidArgument, "unknown mode '{}'", line);
    auto& pipeline = pipelines[line];
    if (!pipeline) {
      face::Config config;
      config.find_landmarks = mode->find_landmarks;
      if (mode->find_landmarks) config.max_faces = 1;
      SLIPWAY_ASSIGN(
          pipeline,
          face::MediapipeFace::load(
              environment, face::Models{.model = argv[mode->is_full_range ? 2 : 1], .landmark = {}}, options, config));
    }
    std::vector<double> times;
    std::vector<std::size_t> faces;
    face::Detections found;
    pipeline->reset();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      SLIPWAY_TRY(mode->is_sequence ? pipeline->track(frames[i].view(), 0.04 * static_cast<double>(i), found)
                                    : pipeline->run(frames[i].view(), found));
      times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
      faces.push_back(static_cast<std::size_t>(std::ranges::count_if(
          found.objects, [&](const face::Face& each) { return each.has_landmarks || !mode->find_landmarks; })));
    }
    fmt::print("{{\"times_ms\": [{:.4f}], \"faces\": [{}]}}\n", fmt::join(times, ", "), fmt::join(faces, ", "));
    std::fflush(stdout);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto done = run(argc, argv);
  if (!done) fmt::print(stderr, "mediapipe_face_bench: {}\n", done.error().message);
  return done ? 0 : 1;
}
