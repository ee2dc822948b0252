#include "pipelines/face_det_lite/postprocess.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/testing/value_of.hpp"
#include "pipelines/common/testing/golden.hpp"
#include "tensor/float16.hpp"
#include "tensor/npz.hpp"

namespace slipway::pipelines::face_det_lite {
namespace {

using base::testing::value_of;
using namespace pipelines::testing;  // NOLINT(google-build-using-namespace): one test
using tensor::Dtype;

tensor::Tensor copy_as_float(const tensor::Tensor& stored) {
  if (stored.dtype() != Dtype::kFloat16)
    return std::move(tensor::Tensor::copy_of(stored.dtype(), stored.shape(), stored.bytes())).value();
  tensor::Tensor copy = std::move(tensor::Tensor::zeros(Dtype::kFloat32, stored.shape())).value();
  const auto halves = stored.values<std::uint16_t>();
  for (std::size_t i = 0; i < halves.size(); ++i) copy.values<float>()[i] = tensor::float_from_half(halves[i]);
  return copy;
}

// Every case was decoded by the NumPy reading of the rules.
TEST(Postprocess, finds_what_the_numpy_reading_finds) {
  const auto arrays = value_of(tensor::read_npz("tests/golden/face_det_lite/postprocess.npz"));
  const auto description =
      nlohmann::json::parse(*base::read_file("tests/golden/face_det_lite/postprocess.json", 1 << 20));
  ASSERT_GE(description["cases"].size(), 8U);
  for (const auto& entry : description["cases"]) {
    const std::string name = entry["name"], heads = entry["heads"];
    const int width = entry["input"][0], height = entry["input"][1];
    const int image_width = entry["picture"][0], image_height = entry["picture"][1];
    tensor::NamedTensors outputs;
    std::vector<tensor::TensorSpec> specs;
    std::map<std::string, tensor::Quantization> quantization;
    for (const char* key : {"heatmap", "bbox", "landmark"}) {
      outputs.push_back({key, copy_as_float(named(arrays, heads + "." + key))});
      specs.push_back({key, outputs.back().tensor.dtype(), outputs.back().tensor.shape(), std::nullopt});
      if (entry["quantization"].contains(key)) {
        quantization[key] = {entry["quantization"][key][0], entry["quantization"][key][1]};
      }
    }
    auto signature =
        read_signature({{"input", Dtype::kFloat32, {1, 1, height, width}, std::nullopt}}, specs, quantization);
    ASSERT_TRUE(signature) << name << ": " << signature.error().message;
    Config config;
    if (!entry["iou_max"].is_null()) config.iou_max = entry["iou_max"];
    const auto placement = media::place(image_width, image_height, width, height,
                                        entry["fit"] == "stretch" ? media::Fit::kStretch : media::Fit::kLetterbox);
    Postprocess postprocess(*signature, config);
    std::vector<Face> faces;
    for (int again = 0; again < 2; ++again) {
      const auto done = postprocess.run(outputs, 0, placement, image_width, image_height, faces);
      ASSERT_TRUE(done) << done.error().message;
    }
    const auto boxes = named(arrays, name + ".boxes").values<double>();
    const auto scores = named(arrays, name + ".scores").values<float>();
    const auto landmarks = named(arrays, name + ".landmarks").values<double>();
    const auto pixels = named(arrays, name + ".pixels").values<std::int64_t>();
    ASSERT_EQ(faces.size(), scores.size()) << name;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const Face& face = faces[i];
      EXPECT_NEAR(face.score, scores[i], 2e-7) << name << " " << i;
      const std::array<double, 4> corners = {face.box.x1, face.box.y1, face.box.x2, face.box.y2};
      for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(corners[k], boxes[4 * i + k], 1e-9) << name << " " << i;
      for (std::size_t k = 0; k < 5; ++k) {
        EXPECT_NEAR(face.landmarks[k].x, landmarks[10 * i + 2 * k], 1e-9) << name << " " << i;
        EXPECT_NEAR(face.landmarks[k].y, landmarks[10 * i + 2 * k + 1], 1e-9) << name << " " << i;
      }
      EXPECT_EQ(face.pixels, (PixelBox{static_cast<int>(pixels[4 * i]), static_cast<int>(pixels[4 * i + 1]),
                                       static_cast<int>(pixels[4 * i + 2]), static_cast<int>(pixels[4 * i + 3])}))
          << name << " " << i;
    }
  }
}

class Heads {
 public:
  Heads() {
    for (const auto& [name, channels] : {std::pair{"heatmap", 1}, std::pair{"bbox", 4}, std::pair{"landmark", 10}}) {
      outputs.push_back({name, std::move(tensor::Tensor::zeros(Dtype::kFloat32, {1, channels, 60, 80})).value()});
      specs.push_back({name, Dtype::kFloat32, {1, channels, 60, 80}, std::nullopt});
    }
    std::ranges::fill(heatmap(), -8.0F);
  }
  std::span<float> heatmap() { return outputs[0].tensor.values<float>(); }
  std::vector<Face> faces(const Config& config = {}) {
    std::vector<Face> found;
    EXPECT_TRUE(run(found, config));
    return found;
  }
  base::Result<void> run(std::vector<Face>& found, const Config& config = {}) {
    auto signature = read_signature({{"input", Dtype::kFloat32, {1, 1, 480, 640}, std::nullopt}}, specs, {});
    Postprocess postprocess(*signature, config);
    return postprocess.run(outputs, 0, media::place(640, 480, 640, 480, media::Fit::kLetterbox), 640, 480, found);
  }
  tensor::NamedTensors outputs;
  std::vector<tensor::TensorSpec> specs;
};

TEST(Postprocess, keeps_at_most_two_thousand_peaks) {
  Heads heads;
  std::ranges::fill(heads.heatmap(), 3.0F);
  EXPECT_EQ(heads.faces().size(), 2000U);
}

TEST(Postprocess, takes_no_face_from_heads_that_are_not_numbers) {
  Heads heads;
  heads.heatmap()[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(heads.faces().empty());
  heads.heatmap()[100] = 5;
  heads.outputs[1].tensor.values<float>()[100] = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(heads.faces().empty());
}

TEST(Postprocess, refuses_a_network_that_gives_no_number_at_all) {
  Heads heads;
  std::vector<Face> found;
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::ranges::fill(heads.heatmap(), value);
    EXPECT_EQ(heads.run(found).error().code, base::Code::kInvalidArgument);
  }
}

TEST(Postprocess, the_threshold_is_the_callers) {
  Heads heads;
  heads.heatmap()[100] = 0;  // score 0.5
  EXPECT_TRUE(heads.faces().empty());
  Config config;
  config.score_min = 0.5F;
  EXPECT_EQ(heads.faces(config).size(), 1U);
}

TEST(Postprocess, names_an_output_of_another_shape) {
  Heads heads;
  auto signature = read_signature({{"input", Dtype::kFloat32, {1, 1, 480, 640}, std::nullopt}}, heads.specs, {});
  Postprocess postprocess(*signature, {});
  heads.outputs[1].tensor = std::move(tensor::Tensor::zeros(Dtype::kFloat32, {1, 4, 30, 40})).value();
  std::vector<Face> faces;
  const auto done = postprocess.run(heads.outputs, 0, {}, 640, 480, faces);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("'bbox'"), std::string::npos);
}

// By hand from the app's rule: sides are one longer than the corners' difference, growth is int(0.05 · side).
TEST(AppBox, grows_inside_and_clips_at_the_border) {
  EXPECT_EQ(app_box({100, 100, 159, 179}, 640, 480), (PixelBox{97, 96, 66, 88}));
  EXPECT_EQ(app_box({-5.5, 10, 54.5, 90}, 640, 480), (PixelBox{0, 10, 61, 81}));
  EXPECT_EQ(app_box({600, 400, 660, 470}, 640, 480), (PixelBox{600, 400, 61, 71}));
  EXPECT_EQ(app_box({0, 0, 1e300, 1e300}, 640, 480).x, 0);
}

}  // namespace
}  // namespace slipway::pipelines::face_det_lite
