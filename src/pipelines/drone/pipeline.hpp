#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/common/standby_run.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/drone/rate_control.hpp"
#include "pipelines/drone/sectors.hpp"
#include "pipelines/drone/temporal_filter.hpp"
#include "pipelines/segmentation/pipeline.hpp"
#include "pipelines/yolov8/pipeline.hpp"

namespace slipway::pipelines::drone {

/// The choices a user has.
struct Config {
  std::filesystem::path detector_model;
  StandbyOptions detector_run;
  yolov8::Config detector;
  std::filesystem::path segmenter_model;  ///< empty: no segmentation; surfaces and horizon stay unknown
  StandbyOptions segmenter_run;
  segmentation::Config segmenter;
  double budget_ms = 0;  ///< mean time of a frame; 0: none, both networks run on every frame
  int batch = 1;         ///< frames a run of each network, in the place of those of `detector` and `segmenter`
  double field_of_view_deg = kDefaultFieldOfView;
  int sectors = kDefaultSectors;
};

/// What one frame gave.
struct Scene {
  std::vector<SceneObject> objects;  ///< best first
  std::vector<yolov8::Mask> masks;   ///< one a detection, where the detector has masks; not filtered over time
  std::vector<Sector> sectors;
  std::optional<double> horizon;   ///< image row
  std::optional<Heading> heading;  ///< nothing: no free direction
  segmentation::LabelMap map;      ///< the newest there is; may be of an earlier frame
  int map_age = -1;                ///< frames since it was taken; -1: there is none yet
  bool did_detect = true;
  Rates rates;
  StageTimes detector;   ///< of this frame; 0 when it did not run
  StageTimes segmenter;  ///< of the map's frame
  double fusion_us = 0;
  double total_us = 0;
};

/// A provider that was replaced, as the report shows it.
struct Fallback {
  std::string network;  ///< "detector" or "segmenter"
  std::int64_t frame = 0;
  Replacement replacement;
};

/// Detection and segmentation of one stream of frames at once, fused: per object the surface under and around it, its
/// distance class and how free it is around it; an obstacle map in sectors with a free heading; steadied over time.
///
/// Without a budget each frame waits for both networks. With one, detection runs on every frame and a frame takes the
/// newest label map there is; when frames get late, segmentation runs less often, and only when detection alone is
/// over the budget, frames go without detection and carry their objects over.
/// @thread one object belongs to one thread; it has one of its own for segmentation
class Drone {
 public:
  /// @error as Yolov8::load and Segmenter::load; kInvalidArgument: a batch with a budget
  [[nodiscard]] static base::Result<std::unique_ptr<Drone>> load(std::shared_ptr<runtime::Environment> environment,
                                                                 const Config& config);
  ~Drone();

  /// @param is_stream  the image follows the last one; otherwise it stands for itself
  /// @error kInvalidArgument: an empty image; otherwise of a network that has no standby, or whose standby fails
  [[nodiscard]] base::Result<void> run(media::ImageView image, bool is_stream, Scene& scene);

  /// The same for 1 … config.batch frames of one stream (or images), in their order, in one run of each network; of
  /// each time they get an equal share.
  /// @param scenes  one a frame
  /// @error as above; kInvalidArgument: more frames than a batch, or another number of scenes
  [[nodiscard]] base::Result<void> run(std::span<const media::ImageView> images, bool is_stream,
                                       std::span<Scene> scenes);

  /// @error as Yolov8::choose_classes
  [[nodiscard]] base::Result<void> choose_classes(const std::vector<std::string>& names);

  /// Another stream begins.
  void reset();

  /// Providers that were replaced so far, in the order of frames.
  [[nodiscard]] const std::vector<Fallback>& fallbacks() const;

  [[nodiscard]] const yolov8::Yolov8& detector() const;
  [[nodiscard]] const segmentation::Segmenter* segmenter() const;  ///< null without one; not while it runs beside

 private:
  struct State;
  explicit Drone(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::pipelines::drone
