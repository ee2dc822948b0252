// Times the hand or pose pipeline on frames held in memory, a pass at a time, so that a peer in another process can
// take turns:
//
//   mediapipe_body_bench hand|pose MODEL_FOLDER THREADS FRAME.png …
//
// Each line of standard input names a mode (still, track); each line of standard output is the JSON of that pass:
// milliseconds and objects of every frame. benchmarks/mediapipe_body.py drives it.

#include <algorithm>
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
#include "pipelines/mediapipe_hand/hand.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"

namespace {

using namespace slipway;  // NOLINT(google-build-using-namespace): one program
using pipelines::mediapipe_hand::MediapipeHand;
using pipelines::mediapipe_pose::MediapipePose;

template <typename Pipeline>
base::Result<void> serve(char** argv, const std::vector<media::Image>& frames,
                         const typename Pipeline::Config& config) {
  SLIPWAY_ASSIGN(const auto paths, runtime::locate_libraries());
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, runtime::Environment::open(paths));
  runtime::SessionOptions options;
  options.intra_op_threads = base::parse_number<int>(argv[3]).value_or(0);
  SLIPWAY_ASSIGN(const auto pipeline, Pipeline::load(environment, {argv[2], {}}, options, config));
  for (std::string mode; std::getline(std::cin, mode);) {
    std::vector<double> times;
    std::vector<std::size_t> objects;
    typename Pipeline::Detections found;
    pipeline->reset();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      SLIPWAY_TRY(mode == "track" ? pipeline->track(frames[i].view(), 0.04 * static_cast<double>(i), found)
                                  : pipeline->run(frames[i].view(), found));
      times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
      objects.push_back(static_cast<std::size_t>(
          std::ranges::count_if(found.objects, [](const auto& object) { return object.has_landmarks; })));
    }
    fmt::print("{{\"times_ms\": [{:.4f}], \"faces\": [{}]}}\n", fmt::join(times, ", "), fmt::join(objects, ", "));
    std::fflush(stdout);
  }
  return {};
}

base::Result<void> run(int argc, char** argv) {
  if (argc < 5) return base::fail(base::Code::kInvalidArgument, "expected hand|pose MODEL THREADS FRAME…");
  std::vector<media::Image> frames;
  for (int i = 4; i < argc; ++i) {
    SLIPWAY_ASSIGN(media::Image frame, media::read_image(argv[i], {}));
    frames.push_back(std::move(frame));
  }
  if (std::string(argv[1]) == "pose") {
    return serve<MediapipePose>(argv, frames, {});
  }
  pipelines::mediapipe_hand::Config hands;
  hands.max_hands = 2;
  return serve<MediapipeHand>(argv, frames, hands);
}

}  // namespace

int main(int argc, char** argv) {
  const auto done = run(argc, argv);
  if (!done) fmt::print(stderr, "mediapipe_body_bench: {}\n", done.error().message);
  return done ? 0 : 1;
}
