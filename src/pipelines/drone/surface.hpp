#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "pipelines/common/box.hpp"
#include "pipelines/segmentation/label_map.hpp"

namespace slipway::pipelines::drone {

/// What a place of the view is, as far as a flight cares.
enum class Surface {
  kRoad,
  kWalkway,
  kTerrain,  ///< grass, sand, soil
  kVegetation,
  kBuilding,
  kStructure,  ///< poles, signs, fences, walls
  kWater,
  kSky,
  kMovable,  ///< people and vehicles: what stands on a surface
  kUnknown,
};
inline constexpr int kSurfaceCount = 10;
[[nodiscard]] std::string_view surface_name(Surface surface);  ///< "road", …

/// The surface of a segmentation label: Cityscapes' names, and "water", "sea", "river", "lake", "grass", "sand".
[[nodiscard]] Surface surface_of_label(std::string_view label);

/// True for what one can stand or land on.
[[nodiscard]] bool is_ground(Surface surface);

/// Shares of surfaces in an area, by Surface; they add up to 1, or are all 0 for an empty area.
using SurfaceShares = std::array<double, kSurfaceCount>;

/// The surface with the largest share that is neither movable nor unknown (the first of equal ones), or kUnknown.
[[nodiscard]] Surface main_surface(const SurfaceShares& shares);

/// Reads areas of an image from the label map that covers it.
/// @pre map and surfaces outlive it
class SurfaceView {
 public:
  /// @param surfaces  of each class of the map
  SurfaceView(const segmentation::LabelMap& map, const std::vector<Surface>& surfaces, int image_width,
              int image_height)
      : map_(map), surfaces_(surfaces), image_width_(image_width), image_height_(image_height) {}

  [[nodiscard]] int columns() const { return map_.width; }
  [[nodiscard]] int rows() const { return map_.height; }
  [[nodiscard]] int image_width() const { return image_width_; }
  [[nodiscard]] int image_height() const { return image_height_; }

  /// Of a cell of the map.
  [[nodiscard]] Surface at(int column, int row) const {
    const std::uint8_t label = map_.at(column, row);
    return label < surfaces_.size() ? surfaces_[label] : Surface::kUnknown;
  }
  [[nodiscard]] double to_column(double x) const { return x * map_.width / image_width_; }
  [[nodiscard]] double to_row(double y) const { return y * map_.height / image_height_; }

  /// Shares inside `area` (image pixels), without what lies in `hole`. At most about 10,000 cells are read.
  [[nodiscard]] SurfaceShares shares(const Box& area, const Box* hole) const;

 private:
  const segmentation::LabelMap& map_;
  const std::vector<Surface>& surfaces_;
  int image_width_;
  int image_height_;
};

/// The strip under an object: its width, from its lower edge down by 15 % of its height (at least 2 % of the
/// image's). An object that touches the image's lower edge has an empty one there; then its lowest 15 % count.
[[nodiscard]] Box strip_under(const Box& object, int image_height);

/// The object's box grown by a quarter of its sides on each side.
[[nodiscard]] Box area_around(const Box& object);

/// How free it is around an object: the share of ground in the area around it, without the object itself.
[[nodiscard]] double free_space_score(const SurfaceShares& around);

/// The image row of the horizon: between the sky's lowest rows (its 95th percentile) and the ground's highest (its
/// 5th); one of them when there is only one. Nothing when neither is there, or when ground reaches the upper 5 % of the
/// view and there is no sky: the camera looks down.
[[nodiscard]] std::optional<double> find_horizon(const SurfaceView& view);

}  // namespace slipway::pipelines::drone
