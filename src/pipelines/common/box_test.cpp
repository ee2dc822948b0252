#include "pipelines/common/box.hpp"

#include <gtest/gtest.h>

#include "tensor/npz.hpp"
#include "tensor/testing/golden.hpp"

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

/// Random boxes, and what torchvision makes of them.
class BoxesOfTorchvision : public ::testing::Test {
 protected:
  BoxesOfTorchvision() : arrays_(*tensor::read_npz("tests/golden/boxes/torchvision.npz")) {}

  const tensor::Tensor& named(const std::string& name) const { return tensor::testing::named(arrays_, name); }

  std::vector<Box> boxes_of(const std::string& name) const {
    const auto corners = named(name + ".boxes").values<double>();
    std::vector<Box> boxes;
    for (std::size_t i = 0; i < corners.size(); i += 4) {
      boxes.push_back({corners[i], corners[i + 1], corners[i + 2], corners[i + 3]});
    }
    return boxes;
  }

  const tensor::NamedTensors arrays_;
};

TEST_F(BoxesOfTorchvision, overlap_as_there) {
  for (const std::string name : {"sparse", "crowded", "grid"}) {
    const std::vector<Box> boxes = boxes_of(name);
    std::vector<double> overlaps;
    for (const Box& one : boxes) {
      for (const Box& other : boxes) overlaps.push_back(box_iou(one, other));
    }
    EXPECT_LT(tensor::testing::largest_difference(overlaps, named(name + ".iou").values<double>()), 1e-15) << name;
  }
}

TEST_F(BoxesOfTorchvision, are_suppressed_as_there) {
  std::size_t dropped = 0;
  for (const std::string name : {"sparse", "crowded", "grid"}) {
    const std::vector<Box> boxes = boxes_of(name);
    const auto classes = named(name + ".classes").values<std::int32_t>();
    for (const std::string limit : {"0.0", "0.2", "0.25", "0.5", "0.7"}) {
      for (const bool by_class : {false, true}) {
        std::vector<std::size_t> kept;
        suppress(boxes, by_class ? classes : std::span<const std::int32_t>(), std::stod(limit), kept);
        const auto expected = named(name + (by_class ? ".kept_by_class." : ".kept.") + limit).values<std::int64_t>();
        EXPECT_TRUE(std::ranges::equal(
            kept, expected,
            [](std::size_t ours, std::int64_t theirs) { return static_cast<std::int64_t>(ours) == theirs; }))
            << name << " " << limit << " " << by_class;
        dropped += boxes.size() - expected.size();
      }
    }
  }
  EXPECT_GT(dropped, 100U);
}

}  // namespace
}  // namespace slipway::pipelines
