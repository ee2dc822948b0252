#include <gtest/gtest.h>

#include "base/testing/allocations.hpp"
#include "media/region_to_tensor.hpp"
#include "pipelines/mediapipe_common/pipeline.hpp"

namespace slipway::pipelines::mediapipe {
namespace {

// Everything around the networks of one frame: crop, decode, suppress, follow, place, smooth.
TEST(Allocation, does_not_happen_in_a_frame_after_the_first) {
  constexpr std::size_t kRows = 896, kRowValues = 16, kLandmarks = 468;
  constexpr int kSize = 128;
  auto coordinates = *tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, kRows, kRowValues});
  auto logits = *tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, kRows, 1});
  auto points = *tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, kLandmarks, 3});
  for (std::size_t i = 0; i < kRows; ++i) {
    logits.values<float>()[i] = static_cast<float>(i % 7);
    coordinates.values<float>()[i * kRowValues + 2] = coordinates.values<float>()[i * kRowValues + 3] = 20;
  }
  for (std::size_t i = 0; i < kLandmarks; ++i) {
    points.values<float>()[3 * i] = static_cast<float>(i % 100);
    points.values<float>()[3 * i + 1] = static_cast<float>(i / 5);
  }
  const std::array<AnchorLayer, 2> layers = {AnchorLayer{8, 2}, AnchorLayer{16, 6}};
  const SsdDecoder decoder(kSize, layers, 6);
  const std::array<SsdRows, 1> rows = {SsdRows{*RealValues::over(coordinates, std::nullopt, "coordinates"),
                                               *RealValues::over(logits, std::nullopt, "logits"), kRows}};
  const RealValues values = *RealValues::over(points, std::nullopt, "points");
  media::ImageInput input;
  input.width = input.height = kSize;
  auto warp = *media::RegionToTensor::create(input, media::Border::kReplicate, media::WarpRounding::kWarpPerspective);
  const media::Image image = *media::Image::create(320, 240);
  std::vector<std::byte> crop(warp.size_bytes());
  std::vector<Detection> found, kept;
  std::vector<FoundObject<6, kLandmarks>> objects;
  Tracker tracker(1);

  for (int frame = 0; frame < 5; ++frame) {
    const std::uint64_t before = base::testing::allocations();
    decoder.decode(rows, 0.5F, found);
    ASSERT_GT(found.size(), 100U);
    suppress_weighted(found, 0.3, kept);
    suppress_greedily(found, 0.3, kept);
    tracker.propose(
        std::span(kept).first(1), [](const Detection& each) { return square_region(each.box, 0.1, 1.5); }, objects);
    ASSERT_EQ(objects.size(), 1U);
    const media::Affine map = crop_map(objects[0].region, kSize, kSize);
    ASSERT_TRUE(warp.convert(image.view(), map, crop));
    objects[0].has_landmarks = place_landmarks(values, 3, {map, 1, 1}, objects[0].landmarks);
    ASSERT_TRUE(objects[0].has_landmarks);
    tracker.update(
        [&](auto& object, Tracker::Track& track, bool is_new) {
          EXPECT_EQ(is_new, frame == 0);
          const Box around = box_of(object.landmarks);
          track.smooth(frame * 0.04, around, object.landmarks);
          return square_region(around, 0.1, 1.5);
        },
        objects);
    EXPECT_EQ(objects[0].track_id, 0);
    const std::uint64_t allocated = base::testing::allocations() - before;
    if (frame == 0) {
      EXPECT_GT(allocated, 0U);
    } else if (frame >= 2) {
      EXPECT_EQ(allocated, 0U) << "frame " << frame;
    }
  }
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe
