#include "pipelines/drone/pipeline.hpp"

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
  yolov8::Detections found;
  segmentation::Segments segments;
  std::int64_t segments_frame = -1;
  int last_width = 0, last_height = 0;  // of the last frame
  std::int64_t frame = 0;               // all frames, pictures too
  std::int64_t since_segment = 0;       // frames since segmentation last began
  std::int64_t since_detect = 0;
  bool has_shown_detector_fallback = false, has_shown_segmenter_fallback = false;
  std::vector<Fallback> fallbacks;

  void note_fallback(const char* network, const StandbyRun& run, bool& has_shown) {
    if (has_shown || !run.replacement()) return;
    has_shown = true;
    fallbacks.push_back({network, frame, *run.replacement()});
  }

  base::Result<bool> take_segments(double wait_us) {
    SLIPWAY_ASSIGN(const bool is_new, lane->take(wait_us, segments, segments_frame));
    if (is_new) note_fallback("segmenter", lane->segmenter().network(), has_shown_segmenter_fallback);
    return is_new;
  }

  void fuse(int width, int height, bool is_stream, Scene& scene);
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

void Drone::State::fuse(int width, int height, bool is_stream, Scene& scene) {
  std::optional<SurfaceView> view;
  scene.map_age = -1;
  if (!segments.map.empty() && segments_frame >= 0) {
    view.emplace(segments.map, surfaces, width, height);
    scene.map_age = static_cast<int>(frame - segments_frame);
  }
  scene.horizon = view ? find_horizon(*view) : std::nullopt;
  scene.objects.clear();
  if (!scene.did_detect) found.objects.clear();
  for (const yolov8::Object& object : found.objects) {
    // What the edge of the picture leaves nothing of cannot be followed.
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
  auto state = std::make_unique<State>();
  state->config = config;
  state->rates = RateControl(config.budget_ms);
  SLIPWAY_ASSIGN(state->detector,
                 yolov8::Yolov8::load(environment, config.detector_model, config.detector_run, config.detector));
  state->note_fallback("detector", state->detector->network(), state->has_shown_detector_fallback);
  if (!config.segmenter_model.empty()) {
    SLIPWAY_ASSIGN(auto segmenter, segmentation::Segmenter::load(environment, config.segmenter_model,
                                                                 config.segmenter_run, config.segmenter));
    state->note_fallback("segmenter", segmenter->network(), state->has_shown_segmenter_fallback);
    for (const std::string& label : segmenter->labels()) state->surfaces.push_back(surface_of_label(label));
    state->lane = std::make_unique<SegmentLane>(std::move(segmenter));
  }
  return std::unique_ptr<Drone>(new Drone(std::move(state)));
}

void Drone::reset() {
  // A map of another stream says nothing, nor does its error.
  if (state_->lane) static_cast<void>(state_->take_segments(-1));
  state_->filter.reset();
  state_->segments_frame = -1;
  state_->since_segment = state_->since_detect = 0;
}

base::Result<void> Drone::run(media::ImageView image, bool is_stream, Scene& scene) {
  if (image.empty()) return base::fail(base::Code::kInvalidArgument, "an empty picture has no objects");
  State& state = *state_;
  Stopwatch whole;
  ++state.frame;
  // Tracks are in pixels of their frame.
  const bool is_other_size = image.width != state.last_width || image.height != state.last_height;
  if (!is_stream || is_other_size) reset();
  state.last_width = image.width;
  state.last_height = image.height;
  const bool has_budget = is_stream && state.config.budget_ms > 0;
  scene.rates = has_budget ? state.rates.rates() : Rates{};
  bool is_beside = false, has_new_map = false;
  if (state.lane) {
    is_beside = state.lane->is_busy();
    SLIPWAY_ASSIGN(has_new_map, state.take_segments(has_budget ? 0 : -1));
    ++state.since_segment;
    const bool is_due = state.segments_frame < 0 || state.since_segment >= scene.rates.segment_every;
    if (!state.lane->is_busy() && is_due) {
      SLIPWAY_TRY(state.lane->start(image, state.frame, has_budget));
      state.since_segment = 0;
      is_beside = true;
    }
  }
  ++state.since_detect;
  scene.did_detect = state.since_detect >= scene.rates.detect_every;
  scene.detector = {};
  base::Result<void> detected;
  if (scene.did_detect) {
    state.since_detect = 0;
    detected = state.detector->run(image, state.found);
    scene.detector = state.found.times;
    state.note_fallback("detector", state.detector->network(), state.has_shown_detector_fallback);
  }
  if (state.lane && state.lane->is_busy()) {
    // Without a budget the picture must stay until the segmenter is done with it, even after an error.
    SLIPWAY_ASSIGN(const bool is_done, state.take_segments(has_budget ? 0 : -1));
    has_new_map = has_new_map || is_done;
  }
  SLIPWAY_TRY(std::move(detected));
  Stopwatch fusion;
  state.fuse(image.width, image.height, is_stream, scene);
  scene.fusion_us = fusion.lap_us();
  scene.segmenter = state.segments.times;
  scene.map.width = scene.map.height = 0;
  scene.map.labels.clear();
  if (scene.map_age >= 0) scene.map = state.segments.map;
  if (scene.did_detect) {
    scene.masks = state.found.masks;
  } else {
    scene.masks.clear();
  }
  scene.total_us = whole.lap_us();
  if (has_budget) {
    state.rates.add_frame(scene.total_us / 1000, scene.did_detect, is_beside, has_new_map);
  }
  return {};
}

const std::vector<Fallback>& Drone::fallbacks() const {
  return state_->fallbacks;
}
const yolov8::Yolov8& Drone::detector() const {
  return *state_->detector;
}
const segmentation::Segmenter* Drone::segmenter() const {
  return state_->lane ? &state_->lane->segmenter() : nullptr;
}

}  // namespace slipway::pipelines::drone
