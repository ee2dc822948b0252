#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/samurai/mask_geometry.hpp"
#include "pipelines/samurai/network.hpp"
#include "pipelines/samurai/prompt.hpp"
#include "pipelines/samurai/trace.hpp"

namespace slipway::pipelines::samurai {

/// One object on one frame.
struct ObjectResult {
  Mask mask;                  ///< at the frame's size, with its box
  bool is_visible = false;    ///< object score above the model's minimum (SAMURAI: -1); otherwise the mask is empty
  double predicted_iou = 0;   ///< of the chosen mask
  TraceFrame trace;           ///< what the rules were given
  Decision decision;          ///< what they decided
  std::vector<float> logits;  ///< q × q of the chosen mask
};

/// One frame. Its memory is reused from frame to frame.
struct FrameResult {
  std::int64_t frame = 0;  ///< counted from the prompt's, 0
  std::vector<ObjectResult> objects;

  /// Microseconds; attention, decode, remember and finish are sums over the objects.
  struct Times {
    double prepare = 0, encode = 0, load = 0, attention = 0, decode = 0, remember = 0, finish = 0;
    /// Everything after the encoder.
    double track = 0;
  } times;
};

/// Follows objects through a video: the first frame comes with prompts, the others alone.
///
///   auto tracker = SamuraiTracker::load(environment, "sam2.1-tiny", {});
///   (*tracker)->start({{.box = Box{120, 80, 180, 220}}});
///   FrameResult result;
///   while (…) (*tracker)->track(frame.view(), result);
///
/// SAM 2.1's networks with SAMURAI's motion and memory rules, one set of rules and one memory bank an object; the image
/// encoder runs once a frame, the rest once an object. Memory does not grow with the video.
/// @thread one object belongs to one thread, but encode(), which may run in another one for the next frame meanwhile
class SamuraiTracker {
 public:
  /// @param in_float32  components that stay in float32, as Network::load
  /// @error as Network::load
  [[nodiscard]] static base::Result<std::unique_ptr<SamuraiTracker>> load(
      std::shared_ptr<runtime::Environment> environment, const std::filesystem::path& model,
      const runtime::SessionOptions& options, const std::set<std::string>& in_float32 = {});
  ~SamuraiTracker();

  /// Forgets everything; the next frame is the first, with one object a prompt.
  /// @param video_frames  of the whole video, where known: below 16 the original spreads the distances of object
  ///                      pointers; left out, the video counts as long
  /// @error kInvalidArgument: no prompts
  [[nodiscard]] base::Result<void> start(std::vector<Prompt> prompts, std::optional<std::int64_t> video_frames = {});

  /// The next frame, whatever its size.
  /// @error kFailedPrecondition: start() was not called; kInvalidArgument: an empty image, or on the first frame a
  ///        prompt that does not fit it (as checked_prompt); otherwise as runtime::BoundRun::run
  [[nodiscard]] base::Result<void> track(media::ImageView frame, FrameResult& result);

  /// The two halves of it, for encoding the next frame while this one is tracked.
  [[nodiscard]] base::Result<std::unique_ptr<Features>> make_features();
  [[nodiscard]] base::Result<void> encode(media::ImageView frame, Features& features);
  /// For a frame of width × height pixels that was stretched to the network's square already.
  [[nodiscard]] base::Result<void> encode(media::ImageView stretched, int width, int height, Features& features);
  [[nodiscard]] base::Result<void> track(const Features& features, FrameResult& result);

  [[nodiscard]] const Network& network() const;

 private:
  struct State;
  explicit SamuraiTracker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::samurai
