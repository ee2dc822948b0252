#include "pipelines/common/box.hpp"

#include <gtest/gtest.h>

namespace slipway::pipelines {
namespace {

TEST(BoxIou, is_the_shared_part_without_an_extra_pixel) {
  EXPECT_DOUBLE_EQ(box_iou({0, 0, 10, 10}, {0, 0, 10, 10}), 1);
  EXPECT_DOUBLE_EQ(box_iou({0, 0, 10, 10}, {5, 0, 15, 10}), 50.0 / 150.0);
  EXPECT_DOUBLE_EQ(box_iou({0, 0, 10, 10}, {10, 0, 20, 10}), 0);
  EXPECT_DOUBLE_EQ(box_iou({3, 3, 3, 3}, {3, 3, 3, 3}), 0);
}

std::vector<std::size_t> kept_of(std::vector<Box> boxes, std::vector<std::int32_t> classes, double iou_max) {
  std::vector<std::size_t> kept;
  suppress(boxes, classes, iou_max, kept);
  return kept;
}

TEST(Suppress, drops_what_overlaps_a_better_box_by_more_than_the_limit) {
  const std::vector<Box> boxes = {{0, 0, 10, 10}, {5, 0, 15, 10}, {20, 0, 30, 10}};
  EXPECT_EQ(kept_of(boxes, {}, 0.3), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(kept_of(boxes, {}, 50.0 / 150.0), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Suppress, a_dropped_box_drops_nothing_itself) {
  const std::vector<Box> chain = {{0, 0, 10, 10}, {4, 0, 14, 10}, {8, 0, 18, 10}};
  EXPECT_EQ(kept_of(chain, {}, 0.3), (std::vector<std::size_t>{0, 2}));
}

TEST(Suppress, looks_at_boxes_of_the_same_class_only) {
  const std::vector<Box> boxes = {{0, 0, 10, 10}, {1, 0, 11, 10}, {0, 1, 10, 11}};
  EXPECT_EQ(kept_of(boxes, {1, 2, 1}, 0.5), (std::vector<std::size_t>{0, 1}));
}

}  // namespace
}  // namespace slipway::pipelines
