#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_common/detector.hpp"
#include "pipelines/mediapipe_common/landmark.hpp"
#include "pipelines/mediapipe_common/landmarker.hpp"
#include "pipelines/mediapipe_common/tracker.hpp"

namespace slipway::pipelines::mediapipe {

/// The choices a user has with each of MediaPipe's graphs.
struct PipelineConfig {
  std::optional<float> score_min;  ///< lowest score of the detector, in [0, 1]; nothing: the network's own
  float presence_min = 0.5F;       ///< lowest probability of the landmark network that it sees something, in [0, 1]
  double iou_max = 0.3;            ///< above it two boxes are of one object
  bool find_landmarks = true;      ///< false: the detector alone
  bool smooth = false;             ///< sequences: One-Euro smoothing of landmarks
  /// Images a run of the detector, regions a run of the landmark network: at least 1, and what networks of a fixed
  /// batch have.
  int batch = 1;
  Quantizations detector_quantization;  ///< of integer inputs and outputs, by name
  Quantizations landmark_quantization;
};

/// What all of MediaPipe's graphs find of a face, a hand or a person, in pixels of the image.
template <std::size_t keypoint_count, std::size_t landmark_count>
struct FoundObject {
  Box box;                     ///< the detector's; of a tracked object the smallest box around its landmarks
  float score = 0;             ///< the detector's; of a tracked object the landmark network's
  int track_id = -1;           ///< the same from frame to frame of a sequence; -1 in single images
  bool has_keypoints = false;  ///< false: it was tracked, the detector did not see it
  bool has_landmarks = false;
  float presence = 0;  ///< with landmarks: the probability that it is there
  std::array<media::Point, keypoint_count> keypoints{};
  Region region;  ///< with landmarks: what the landmark network saw
  std::array<Landmark, landmark_count> landmarks{};
};

/// What one image gave, and what it took.
template <typename Object>
struct Detections {
  std::vector<Object> objects;  ///< tracked ones first, then best first; the memory is reused
  bool detector_ran = false;
  int landmark_runs = 0;      ///< regions that the landmark network was asked about
  StageTimes times;           ///< of both networks together; of a run for several images an equal share
  StageTimes detector_times;  ///< the detector's part

  void clear() {
    objects.clear();
    detector_ran = false;
    landmark_runs = 0;
    times = detector_times = {};
  }
};

/// Box and score of a followed object, where the detector did not see it.
template <typename Object>
void show_followed(Object& object, const Box& around) {
  if (object.has_keypoints) return;
  object.box = around;
  object.score = object.presence;
}

/// The same by its landmarks, which are smoothed on request after that.
template <typename Object>
void show_followed(Object& object, double time_s, bool smooth, Tracker::Track& track) {
  const Box around = box_of(object.landmarks);
  if (smooth) track.smooth(time_s, around, object.landmarks);
  show_followed(object, around);
}

inline constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

/// What a kind of pipeline is, beside the members that it overrides.
struct Kind {
  const DetectorFamily& detector;
  std::size_t most_of_image = kNoLimit;  ///< objects of a single image
  std::size_t most_boxes = kNoLimit;     ///< the same without landmarks
  std::size_t most_tracked = 1;          ///< objects of a sequence
  Rules rules = Rules::kMediapipe;
  CropRules crop = {};
};

/// A detector over whole images and a landmark network over the regions that it finds. MediapipeFace, MediapipeHand
/// and MediapipePose are what it is of.
/// @thread one object belongs to one thread
template <typename Object>
class Pipeline {
 public:
  using Detections = mediapipe::Detections<Object>;

  virtual ~Pipeline() = default;

  /// An image by itself. Allocates nothing once buffers have grown.
  /// @error kInvalidArgument: an empty image; otherwise as runtime::BoundSession::run
  [[nodiscard]] base::Result<void> run(media::ImageView image, Detections& found) {
    return run(std::span(&image, 1), std::span(&found, 1));
  }

  /// The same for any number of images: the detector runs on config.batch of them at a time, the landmark network on
  /// so many regions of all of them.
  /// @param found  one an image
  /// @error as above; kInvalidArgument: another number of `found`
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images, std::span<Detections> found);

  /// The next frame of a sequence: objects are followed by their landmarks, and the detector runs only when fewer are
  /// followed than wanted. Without landmarks, or under other rules than MediaPipe's, each frame is taken by itself.
  /// @param time_s  of the frame, growing
  [[nodiscard]] base::Result<void> track(media::ImageView image, double time_s, Detections& found);

  /// The next frame belongs to another sequence.
  void reset() { tracker_.reset(); }

  [[nodiscard]] const DetectorSignature& detector_signature() const { return detector_->signature(); }
  [[nodiscard]] runtime::Session& detector_session() { return detector_->session(); }
  /// Null without a landmark network.
  [[nodiscard]] runtime::Session* landmark_session() { return landmarker_ ? &landmarker_->session() : nullptr; }

 protected:
  explicit Pipeline(const Kind& kind) : kind_(kind), tracker_(kind.most_tracked) {}

  /// Once, before all else. Without a landmark network (a bare detector, or a folder of one graph) only boxes and key
  /// points are found.
  /// @error as find_files, Detector::load and Landmarker::load
  [[nodiscard]] base::Result<void> load_networks(const std::shared_ptr<runtime::Environment>& environment,
                                                 const Models& models, const runtime::SessionOptions& options,
                                                 const PipelineConfig& config);

  /// Recognises the landmark network and remembers which output is which.
  virtual base::Result<NetworkSignature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                        const Quantizations& quantization, int batch) = 0;
  /// What the landmark network is to see, by the key points and the box of a detector.
  [[nodiscard]] virtual Region region_of(const Detection& detection) const = 0;
  /// The same in the next frame, by the landmarks of this one.
  [[nodiscard]] virtual Region next_region(const Object& object) const = 0;
  /// Fills presence and landmarks; says whether all are finite.
  [[nodiscard]] virtual base::Result<bool> read(const Landmarker::Output& output, Object& object) const = 0;
  /// Smooths a followed object as the configuration says, and fills box and score of one that the detector did not see.
  /// @return where the next frame is to be looked at
  virtual Region follow(double time_s, Object& object, Tracker::Track& track, bool is_new);

  [[nodiscard]] const PipelineConfig& config() const { return config_; }

 private:
  base::Result<void> detect(std::span<const media::ImageView> images, std::span<Detections> found);
  base::Result<void> find_landmarks(std::span<const media::ImageView> images, std::span<Detections> found);

  Kind kind_;
  PipelineConfig config_;
  std::optional<Detector> detector_;
  std::optional<Landmarker> landmarker_;
  Tracker tracker_;
  // Reused from image to image.
  std::vector<Detector::Output> detected_;
  std::vector<Landmarker::Input> regions_;
  std::vector<Object*> objects_;  // of the regions
};

/// @error kInvalidArgument: less than one is wanted
[[nodiscard]] inline base::Result<void> check_most(const std::optional<int>& most, std::string_view plural) {
  if (!most || *most >= 1) return {};
  return base::fail(base::Code::kInvalidArgument, "the most {}: expected 1 or more, found {}", plural, *most);
}

template <typename Object>
base::Result<void> Pipeline<Object>::load_networks(const std::shared_ptr<runtime::Environment>& environment,
                                                   const Models& models, const runtime::SessionOptions& options,
                                                   const PipelineConfig& config) {
  if (config.batch < 1) {
    return base::fail(base::Code::kInvalidArgument, "a batch of {}: expected 1 or more", config.batch);
  }
  config_ = config;
  SLIPWAY_ASSIGN(ModelFiles files, find_files(models));
  const bool finds_landmarks = config.find_landmarks && files.landmark;
  // Two networks in turns: the one that has run must not hold the cores that the other one wants.
  runtime::SessionOptions session_options = options;
  session_options.spin_between_runs = options.spin_between_runs && !finds_landmarks;
  // What the configuration says wins.
  for (const auto& [name, scale] : config.detector_quantization) files.detector.quantization[name] = scale;
  SLIPWAY_ASSIGN(detector_, Detector::load(environment, files.detector, session_options, kind_.detector,
                                           {kind_.rules, config.score_min, config.iou_max, config.batch}));
  if (!finds_landmarks) return {};
  for (const auto& [name, scale] : config.landmark_quantization) files.landmark->quantization[name] = scale;
  SLIPWAY_ASSIGN(landmarker_, Landmarker::load(environment, *files.landmark, session_options, config.batch, kind_.crop,
                                               [this](const auto&... tensors) { return read_signature(tensors...); }));
  return {};
}

template <typename Object>
base::Result<void> Pipeline<Object>::run(std::span<const media::ImageView> images, std::span<Detections> found) {
  if (images.size() != found.size()) {
    return base::fail(base::Code::kInvalidArgument, "expected as many results as pictures, {}, found {}", images.size(),
                      found.size());
  }
  for (Detections& each : found) each.clear();
  SLIPWAY_TRY(detect(images, found));
  const std::size_t most = landmarker_ ? kind_.most_of_image : kind_.most_boxes;
  const bool drop_same = landmarker_ && kind_.rules == Rules::kMediapipe;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::span<const Detection> all = detected_[i].detections;
    append_detected(
        all.first(std::min(all.size(), most)), [this](const Detection& each) { return region_of(each); }, drop_same,
        found[i].objects);
  }
  return find_landmarks(images, found);
}

template <typename Object>
base::Result<void> Pipeline<Object>::track(media::ImageView image, double time_s, Detections& found) {
  if (!landmarker_ || kind_.rules != Rules::kMediapipe) return run(image, found);
  found.clear();
  std::span<const Detection> detections;
  if (tracker_.needs_detector()) {
    SLIPWAY_TRY(detect(std::span(&image, 1), std::span(&found, 1)));
    detections = detected_[0].detections;
  }
  tracker_.propose(
      detections, [this](const Detection& each) { return region_of(each); }, found.objects);
  SLIPWAY_TRY(find_landmarks(std::span(&image, 1), std::span(&found, 1)));
  tracker_.update(
      [&](Object& object, Tracker::Track& track, bool is_new) { return follow(time_s, object, track, is_new); },
      found.objects);
  return {};
}

template <typename Object>
base::Result<void> Pipeline<Object>::detect(std::span<const media::ImageView> images, std::span<Detections> found) {
  detected_.resize(std::max(detected_.size(), images.size()));
  SLIPWAY_TRY(detector_->run(images, std::span(detected_).first(images.size())));
  for (std::size_t i = 0; i < images.size(); ++i) {
    found[i].detector_ran = true;
    found[i].times = found[i].detector_times = detected_[i].times;
  }
  return {};
}

template <typename Object>
base::Result<void> Pipeline<Object>::find_landmarks(std::span<const media::ImageView> images,
                                                    std::span<Detections> found) {
  if (!landmarker_) return {};
  regions_.clear();
  objects_.clear();
  for (std::size_t i = 0; i < images.size(); ++i) {
    for (Object& object : found[i].objects) {
      ++found[i].landmark_runs;
      if (!has_area(object.region)) continue;
      regions_.push_back({images[i], object.region, &found[i].times});
      objects_.push_back(&object);
    }
  }
  return landmarker_->run(regions_, [&](std::size_t i, const Landmarker::Output& output) -> base::Result<void> {
    Object& object = *objects_[i];
    SLIPWAY_ASSIGN(const bool is_finite, read(output, object));
    object.has_landmarks = is_finite && object.presence >= config_.presence_min;
    return {};
  });
}

template <typename Object>
Region Pipeline<Object>::follow(double time_s, Object& object, Tracker::Track& track, bool /*is_new*/) {
  const Region next = next_region(object);
  show_followed(object, time_s, config_.smooth, track);
  return next;
}

}  // namespace slipway::pipelines::mediapipe
