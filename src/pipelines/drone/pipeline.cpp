#include "pipelines/drone/pipeline.hpp"

#include <algorithm>

#include "pipelines/drone/segment_lane.hpp"
#include "pipelines/yolov8/labels.hpp"

namespace slipway::pipelines::drone {

struct Drone::State {
  Config config;
  std::unique_ptr<yolov8::Yolov8> detector;
  std::unique_ptr<SegmentLane> lane;
  std::vector<Surface> surfaces;  // of the segmenter's classes
  RateControl rates{0};
  TemporalFilter filter;
  std::vector<Obstacle> obstacles;
  std::vector<yolov8::Detections> found;         // one a frame of the batch
  std::vector<segmentation::Segments> segments;  // the same, or of one earlier frame
  std::int64_t segments_frame = -1;              // of the first
  int last_width = 0, last_height = 0;           // of the last frame
  std::int64_t frame = 0;                        // all frames, images too
  std::int64_t since_segment = 0;                // frames since segmentation last began
  std::int64_t since_detect = 0;
  bool has_shown_detector_fallback = false, has_shown_segmenter_fallback = false;
  std::vector<Fallback> fallbacks;

  void note_fallback(const char* network, const StandbyRun& run, bool& has_shown) {
    if (has_shown || !run.replacement()) return;
    has_shown = true;
    fallbacks.push_back({network, frame, *run.replacement()});
  }

  base::Result<bool> receive_segments(double wait_us) {
    SLIPWAY_ASSIGN(const bool is_new, lane->wait(wait_us, segments, segments_frame));
    if (is_new) note_fallback("segmenter", lane->segmenter().network(), has_shown_segmenter_fallback);
    return is_new;
  }

  base::Result<void> run_all(std::span<const media::ImageView> images, bool is_stream, std::span<Scene> scenes);
  base::Result<void> run_in_time(media::ImageView image, Scene& scene);
  void begin_frame(media::ImageView image, bool is_stream);
  void forget_stream();
  void fuse(std::size_t entry, media::ImageView image, bool is_stream, Scene& scene);
  void describe_surroundings(const SurfaceView* view, int width, int height, Scene& scene) const;
};

void Drone::State::describe_surroundings(const SurfaceView* view, int width, int height, Scene& scene) const {
  const double focal = focal_length_px(width, config.field_of_view_deg);
  for (SceneObject& object : scene.objects) {
    if (view != nullptr) {
      object.under = view->shares(strip_under(object.box, height), nullptr);
      object.around = view->shares(area_around(object.box), &object.box);
      object.free_space = free_space_score(object.around);
    }
    if (const auto size = usual_height_m(yolov8::label_of(detector->labels(), object.class_id))) {
      object.distance.by_size_m = distance_by_size(object.box, *size, focal, height);
    }
    object.distance.below_horizon = share_below_horizon(object.box, scene.horizon, height);
    object.distance.distance = classify_distance(object.distance.by_size_m, object.distance.below_horizon);
  }
}

void Drone::State::fuse(std::size_t entry, media::ImageView image, bool is_stream, Scene& scene) {
  Stopwatch watch;
  const int width = image.width, height = image.height;
  std::optional<SurfaceView> view;
  scene.map_age = -1;
  scene.segmenter = {};
  scene.map.width = scene.map.height = 0;
  scene.map.labels.clear();
  if (segments_frame >= 0 && !segments[entry].map.empty()) {
    scene.map = segments[entry].map;
    scene.segmenter = segments[entry].times;
    scene.map_age = static_cast<int>(frame - segments_frame - static_cast<std::int64_t>(entry));
    view.emplace(segments[entry].map, surfaces, width, height);
  }
  scene.horizon = view ? find_horizon(*view) : std::nullopt;
  scene.objects.clear();
  scene.masks.clear();
  scene.detector = {};
  if (scene.did_detect) {
    scene.masks = found[entry].masks;
    scene.detector = found[entry].times;
  } else {
    found[entry].objects.clear();
  }
  for (const yolov8::Object& object : found[entry].objects) {
    // What the edge of the image leaves nothing of cannot be followed.
    const bool has_area = object.box.x2 > object.box.x1 && object.box.y2 > object.box.y1;
    if (is_stream && !has_area) continue;
    SceneObject made;
    made.class_id = object.class_id;
    made.score = object.score;
    made.box = object.box;
    scene.objects.push_back(made);
  }
  describe_surroundings(view ? &*view : nullptr, width, height, scene);
  if (is_stream) filter.steady(scene.objects, scene.did_detect);

  obstacles.clear();
  for (const SceneObject& object : scene.objects) obstacles.push_back({object.box, object.distance.distance});
  build_sectors(view ? &*view : nullptr, obstacles, scene.horizon, width, config.sectors, scene.sectors);
  if (is_stream) filter.steady(scene.sectors);
  scene.heading = free_heading(scene.sectors, width, config.field_of_view_deg);
  scene.fusion_us = watch.lap_us();
}

Drone::Drone(std::unique_ptr<State> state) : state_(std::move(state)) {}
Drone::~Drone() = default;

base::Result<std::unique_ptr<Drone>> Drone::load(std::shared_ptr<runtime::Environment> environment,
                                                 const Config& config) {
  if (config.sectors < 1 || config.sectors > 360) {
    return base::fail(base::Code::kInvalidArgument, "the view has 1 … 360 sectors, got {}", config.sectors);
  }
  if (!(config.field_of_view_deg > 1) || !(config.field_of_view_deg < 179)) {
    return base::fail(base::Code::kInvalidArgument, "a field of view is between 1 and 179 degrees, got {}",
                      config.field_of_view_deg);
  }
  if (config.batch > 1 && config.budget_ms > 0) {
    return base::fail(base::Code::kInvalidArgument,
                      "a batch of {} with a budget of {} ms a frame: the first frame of a batch waits for the last; "
                      "give one of the two",
                      config.batch, config.budget_ms);
  }
  auto state = std::make_unique<State>();
  state->config = config;
  state->config.detector.batch = state->config.segmenter.batch = config.batch;
  state->rates = RateControl(config.budget_ms);
  SLIPWAY_ASSIGN(state->detector,
                 yolov8::Yolov8::load(environment, config.detector_model, config.detector_run, state->config.detector));
  state->note_fallback("detector", state->detector->network(), state->has_shown_detector_fallback);
  if (!config.segmenter_model.empty()) {
    SLIPWAY_ASSIGN(auto segmenter, segmentation::Segmenter::load(environment, config.segmenter_model,
                                                                 config.segmenter_run, state->config.segmenter));
    state->note_fallback("segmenter", segmenter->network(), state->has_shown_segmenter_fallback);
    for (const std::string& label : segmenter->labels()) state->surfaces.push_back(surface_of_label(label));
    state->lane = std::make_unique<SegmentLane>(std::move(segmenter));
  }
  state->found.resize(static_cast<std::size_t>(config.batch));
  return std::unique_ptr<Drone>(new Drone(std::move(state)));
}

void Drone::State::forget_stream() {
  // A map of another stream says nothing, nor does its error.
  if (lane) static_cast<void>(receive_segments(-1));
  filter.reset();
  segments_frame = -1;
  since_segment = since_detect = 0;
}

void Drone::State::begin_frame(media::ImageView image, bool is_stream) {
  // Tracks are in pixels of their frame.
  if (!is_stream || image.width != last_width || image.height != last_height) filter.reset();
  last_width = image.width;
  last_height = image.height;
}

/// Both networks on every frame.
base::Result<void> Drone::State::run_all(std::span<const media::ImageView> images, bool is_stream,
                                         std::span<Scene> scenes) {
  Stopwatch whole;
  if (!is_stream) forget_stream();
  ++frame;
  if (lane) lane->start(images, frame);
  base::Result<void> detected = detector->run(images, std::span(found).first(images.size()));
  note_fallback("detector", detector->network(), has_shown_detector_fallback);
  // The images must stay until the segmenter is done with them, even after an error.
  if (lane) SLIPWAY_TRY(receive_segments(-1));
  SLIPWAY_TRY(std::move(detected));
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (i > 0) ++frame;
    begin_frame(images[i], is_stream);
    scenes[i].rates = Rates{};
    scenes[i].did_detect = true;
    fuse(i, images[i], is_stream, scenes[i]);
  }
  const double share_us = whole.lap_us() / static_cast<double>(images.size());
  for (Scene& scene : scenes) scene.total_us = share_us;
  return {};
}

/// One frame of a stream within its budget.
base::Result<void> Drone::State::run_in_time(media::ImageView image, Scene& scene) {
  Stopwatch whole;
  ++frame;
  if (image.width != last_width || image.height != last_height) forget_stream();
  begin_frame(image, true);
  scene.rates = rates.rates();
  bool is_beside = false, has_new_map = false;
  if (lane) {
    is_beside = lane->is_busy();
    SLIPWAY_ASSIGN(has_new_map, receive_segments(0));
    ++since_segment;
    const bool is_due = segments_frame < 0 || since_segment >= scene.rates.segment_every;
    if (!lane->is_busy() && is_due) {
      SLIPWAY_TRY(lane->start_with_copy(image, frame));
      since_segment = 0;
      is_beside = true;
    }
  }
  ++since_detect;
  scene.did_detect = since_detect >= scene.rates.detect_every;
  if (scene.did_detect) {
    since_detect = 0;
    base::Result<void> detected = detector->run(image, found.front());
    note_fallback("detector", detector->network(), has_shown_detector_fallback);
    SLIPWAY_TRY(std::move(detected));
  }
  if (lane && lane->is_busy()) {
    SLIPWAY_ASSIGN(const bool is_done, receive_segments(0));
    has_new_map = has_new_map || is_done;
  }
  fuse(0, image, true, scene);
  scene.total_us = whole.lap_us();
  rates.add_frame(scene.total_us / 1000, scene.did_detect, is_beside, has_new_map);
  return {};
}

void Drone::reset() {
  state_->forget_stream();
}

base::Result<void> Drone::run(media::ImageView image, bool is_stream, Scene& scene) {
  return run(std::span(&image, 1), is_stream, std::span(&scene, 1));
}

base::Result<void> Drone::run(std::span<const media::ImageView> images, bool is_stream, std::span<Scene> scenes) {
  State& state = *state_;
  if (images.empty() || images.size() > state.found.size() || images.size() != scenes.size()) {
    return base::fail(base::Code::kInvalidArgument, "expected 1 to {} frames and as many scenes, found {} and {}",
                      state.found.size(), images.size(), scenes.size());
  }
  if (std::ranges::any_of(images, &media::ImageView::empty)) {
    return base::fail(base::Code::kInvalidArgument, "an empty picture has no objects");
  }
  const bool has_budget = is_stream && state.config.budget_ms > 0;
  return has_budget ? state.run_in_time(images.front(), scenes.front()) : state.run_all(images, is_stream, scenes);
}

const std::vector<Fallback>& Drone::fallbacks() const {
  return state_->fallbacks;
}
base::Result<void> Drone::choose_classes(const std::vector<std::string>& names) {
  return state_->detector->choose_classes(names);
}

const yolov8::Yolov8& Drone::detector() const {
  return *state_->detector;
}
const segmentation::Segmenter* Drone::segmenter() const {
  return state_->lane ? &state_->lane->segmenter() : nullptr;
}

}  // namespace slipway::pipelines::drone
