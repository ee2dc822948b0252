#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace slipway::pipelines {

/// A rectangle in pixels, x right, y down.
struct Box {
  double x1 = 0;
  double y1 = 0;
  double x2 = 0;
  double y2 = 0;
  friend bool operator==(const Box&, const Box&) = default;
};

/// Intersection over union, without an extra pixel; 0 where the union is empty.
[[nodiscard]] double box_iou(const Box& a, const Box& b);

/// Greedy suppression: keeps a box unless it overlaps a kept one (of its class) by more than `iou_max`.
///
/// @param boxes    best first
/// @param classes  one a box, or empty: all of one class
/// @param kept     receives the indices kept, best first; its memory is reused
/// @thread pure function
/// @cost   pairs of boxes kept × boxes, at worst quadratic
/// @source python/reference/face_det_lite/postprocess.py::suppress
void suppress(std::span<const Box> boxes, std::span<const std::int32_t> classes, double iou_max,
              std::vector<std::size_t>& kept);

}  // namespace slipway::pipelines
