#include "apps/cli/drone_report.hpp"

#include <nlohmann/json.hpp>

#include "pipelines/yolov8/labels.hpp"

namespace slipway::cli {
namespace {

namespace drone = pipelines::drone;
using nlohmann::ordered_json;

ordered_json json_of_shares(const drone::SurfaceShares& shares) {
  ordered_json json = ordered_json::object();
  for (int i = 0; i < drone::kSurfaceCount; ++i) {
    const double share = shares[static_cast<std::size_t>(i)];
    if (share > 0) json[std::string(drone::surface_name(static_cast<drone::Surface>(i)))] = share;
  }
  return json;
}

template <typename T>
ordered_json json_or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json json_of_object(const drone::SceneObject& object, const std::vector<std::string>& labels, bool has_map) {
  ordered_json json = {{"class", pipelines::yolov8::label_of(labels, object.class_id)},
                       {"class_id", object.class_id},
                       {"score", object.score},
                       {"box", {object.box.x1, object.box.y1, object.box.x2, object.box.y2}},
                       {"detected", object.is_detected},
                       {"track", object.track > 0 ? ordered_json(object.track) : ordered_json(nullptr)},
                       {"distance",
                        {{"class", drone::distance_name(object.distance.distance)},
                         {"estimate_m", json_or_null(object.distance.by_size_m)},
                         {"below_horizon", json_or_null(object.distance.below_horizon)}}}};
  if (has_map) {
    json["under"] = {{"surface", drone::surface_name(drone::main_surface(object.under))},
                     {"shares", json_of_shares(object.under)}};
    json["around"] = {{"surface", drone::surface_name(drone::main_surface(object.around))},
                      {"shares", json_of_shares(object.around)}};
    json["free_space"] = object.free_space;
  }
  return json;
}

ordered_json json_of_mask(const pipelines::yolov8::Mask& mask) {
  // Runs of outside, inside, outside … row by row within the mask's rectangle.
  ordered_json runs = ordered_json::array();
  std::uint8_t value = 0;
  std::int64_t length = 0;
  for (const std::uint8_t each : mask.inside) {
    if (each != value) {
      runs.push_back(length);
      length = 0;
      value = each;
    }
    ++length;
  }
  runs.push_back(length);
  return {{"x", mask.x}, {"y", mask.y}, {"width", mask.width}, {"height", mask.height}, {"runs", runs}};
}

ordered_json json_ms(const runtime::MeasuredTime& time) {
  return json_or_null(time.value().transform([](double us) { return us / 1000; }));
}

ordered_json json_of_times(const pipelines::StageTimes& times, const runtime::TimeOrigin& network) {
  return {{"pre", times.pre_us / 1000},
          {"inference", json_ms({times.inference_us, network})},
          {"post", times.post_us / 1000}};
}

}  // namespace

ordered_json json_of(const drone::Scene& scene, const std::vector<std::string>& labels,
                     const runtime::TimeOrigin& detector, const runtime::TimeOrigin& segmenter) {
  const bool has_map = scene.map_age >= 0;
  ordered_json json = {{"detected", scene.did_detect}, {"objects", ordered_json::array()}};
  for (const drone::SceneObject& object : scene.objects) {
    json["objects"].push_back(json_of_object(object, labels, has_map));
  }
  if (!scene.masks.empty()) {
    json["masks"] = ordered_json::array();
    for (const pipelines::yolov8::Mask& mask : scene.masks) json["masks"].push_back(json_of_mask(mask));
  }
  json["horizon"] = json_or_null(scene.horizon);
  json["sectors"] = ordered_json::array();
  for (const drone::Sector& sector : scene.sectors) {
    json["sectors"].push_back({{"x", {sector.x1, sector.x2}},
                               {"free", sector.free},
                               {"objects", sector.objects},
                               {"nearest", drone::distance_name(sector.nearest)}});
  }
  json["free_heading"] = nullptr;
  if (scene.heading) {
    json["free_heading"] = {{"degrees", scene.heading->degrees},
                            {"sectors", {scene.heading->first_sector, scene.heading->last_sector}},
                            {"free", scene.heading->free}};
  }
  json["segmentation_age_frames"] = has_map ? ordered_json(scene.map_age) : ordered_json(nullptr);
  json["rates"] = {{"segment_every", scene.rates.segment_every}, {"detect_every", scene.rates.detect_every}};
  json["timing_ms"] = {{"detector", scene.did_detect ? json_of_times(scene.detector, detector) : ordered_json()},
                       {"segmenter", has_map ? json_of_times(scene.segmenter, segmenter) : ordered_json()},
                       {"fusion", scene.fusion_us / 1000},
                       {"total", json_ms({scene.total_us, detector.with(segmenter)})}};
  return json;
}

ordered_json json_of(const drone::Fallback& fallback) {
  return {{"network", fallback.network},
          {"frame", fallback.frame},
          {"cause", pipelines::cause_name(fallback.replacement.cause)},
          {"from", fallback.replacement.from},
          {"to", fallback.replacement.to},
          {"reason", fallback.replacement.reason},
          {"lost_ms", fallback.replacement.lost ? json_ms(*fallback.replacement.lost) : ordered_json()}};
}

std::string text_of(const drone::Fallback& fallback) {
  const std::string when = fallback.frame == 0 ? "while it was loaded" : fmt::format("in frame {}", fallback.frame);
  return fmt::format("the {} went over from {} to {} {} ({}): {}", fallback.network, fallback.replacement.from,
                     fallback.replacement.to, when, pipelines::cause_name(fallback.replacement.cause),
                     fallback.replacement.reason);
}

std::string text_of(const drone::Scene& scene, const std::vector<std::string>& labels) {
  std::string text;
  for (const drone::SceneObject& object : scene.objects) {
    text += fmt::format("  {} {:.2f}  at ({:.0f}, {:.0f}) to ({:.0f}, {:.0f})  {}",
                        pipelines::yolov8::label_of(labels, object.class_id), object.score, object.box.x1,
                        object.box.y1, object.box.x2, object.box.y2, drone::distance_name(object.distance.distance));
    if (scene.map_age >= 0) {
      text += fmt::format(", on {}, around it {}, free {:.2f}", drone::surface_name(drone::main_surface(object.under)),
                          drone::surface_name(drone::main_surface(object.around)), object.free_space);
    }
    text += "\n";
  }
  return text;
}

}  // namespace slipway::cli
