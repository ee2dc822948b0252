#include "pipelines/yolov8/pipeline.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"
#include "pipelines/common/testing/golden.hpp"
#include "pipelines/yolov8/labels.hpp"
#include "tensor/npz.hpp"

namespace slipway::pipelines::yolov8 {
namespace {

using base::testing::value_of;
using namespace pipelines::testing;  // NOLINT(google-build-using-namespace): one test
const std::filesystem::path kFolder = "tests/golden/yolov8";
// As python/reference/yolov8/golden.py gave them to the quantised network.
const std::map<std::string, tensor::Quantization> kScales = {
    {"image", {1.0F / 255, 0}}, {"boxes", {0.4F, 5}}, {"scores", {1.0F / 255, 0}}};

// A small network, run by ONNX Runtime's Python package between the NumPy reading's two halves, float and with integers
// at its border, with black and with grey padding.
TEST(Yolov8, finds_the_objects_that_the_reference_finds) {
  const auto arrays = value_of(tensor::read_npz(kFolder / "pipeline.npz"));
  const media::ImageView view = view_of(named(arrays, "picture"));
  for (const std::string name : {"tiny", "tiny_quantised"}) {
    for (const int padding : {0, 114}) {
      Config config;
      config.padding = static_cast<std::uint8_t>(padding);
      if (name == "tiny_quantised") config.quantization = kScales;
      auto detector = value_of(Yolov8::load(environment(), kFolder / (name + ".onnx"), {}, config));
      Detections found;
      for (int again = 0; again < 2; ++again) {
        const auto done = detector->run(view, found);
        ASSERT_TRUE(done) << done.error().message;
      }
      const std::string key = name + "." + std::to_string(padding);
      const auto boxes = named(arrays, key + ".boxes").values<double>();
      const auto scores = named(arrays, key + ".scores").values<float>();
      const auto classes = named(arrays, key + ".classes").values<std::int64_t>();
      ASSERT_EQ(found.objects.size(), scores.size()) << key;
      for (std::size_t i = 0; i < scores.size(); ++i) {
        EXPECT_NEAR(found.objects[i].score, scores[i], 1e-5) << key;
        EXPECT_EQ(found.objects[i].class_id, classes[i]) << key;
        EXPECT_NEAR(found.objects[i].box.x1, boxes[4 * i], 1e-3) << key;
        EXPECT_NEAR(found.objects[i].box.y2, boxes[4 * i + 3], 1e-3) << key;
      }
    }
  }
}

// One run over several images gives what a run each gives; the last batch may be incomplete.
TEST(Yolov8, finds_in_a_batch_what_it_finds_one_by_one) {
  const auto arrays = value_of(tensor::read_npz(kFolder / "pipeline.npz"));
  const media::ImageView whole = view_of(named(arrays, "picture"));
  const std::vector<media::ImageView> images = {
      whole, {whole.data, 100, 60, whole.stride_bytes}, {whole.row(30), 150, 70, whole.stride_bytes}};
  for (const auto& [one_by_one, in_batches] :
       {std::pair("tiny.onnx", "tiny_batch.onnx"), std::pair("tiny_quantised.onnx", "tiny_quantised_3.onnx")}) {
    Config config;
    config.quantization = kScales;
    auto single = value_of(Yolov8::load(environment(), kFolder / one_by_one, {}, config));
    config.batch = 3;
    auto batched = value_of(Yolov8::load(environment(), kFolder / in_batches, {}, config));
    std::vector<Detections> found(3);
    for (const std::size_t count : {3U, 2U, 1U}) {
      const auto done = batched->run(std::span(images).first(count), std::span(found).first(count));
      ASSERT_TRUE(done) << done.error().message;
      for (std::size_t i = 0; i < count; ++i) {
        Detections alone;
        ASSERT_TRUE(single->run(images[i], alone));
        EXPECT_FALSE(alone.objects.empty());
        ASSERT_EQ(found[i].objects.size(), alone.objects.size()) << in_batches << i;
        for (std::size_t n = 0; n < alone.objects.size(); ++n) {
          EXPECT_EQ(found[i].objects[n].score, alone.objects[n].score) << in_batches << i;
          EXPECT_EQ(found[i].objects[n].class_id, alone.objects[n].class_id) << in_batches << i;
          EXPECT_EQ(found[i].objects[n].box.x1, alone.objects[n].box.x1) << in_batches << i;
          EXPECT_EQ(found[i].objects[n].box.y2, alone.objects[n].box.y2) << in_batches << i;
        }
      }
    }
    EXPECT_FALSE(batched->run(images, std::span(found).first(2)));
    EXPECT_FALSE(batched->run({}, std::span(found).first(0)));
  }
}

TEST(Yolov8, names_the_batch_of_a_model_that_has_another) {
  Config config;
  config.quantization = kScales;
  config.batch = 2;
  for (const char* model : {"tiny.onnx", "tiny_quantised_3.onnx"}) {
    const auto detector = Yolov8::load(environment(), kFolder / model, {}, config);
    ASSERT_FALSE(detector);
    EXPECT_NE(detector.error().message.find(model), std::string::npos) << detector.error().message;
    EXPECT_NE(detector.error().message.find("expected a batch of 2 or a dynamic one, found"), std::string::npos)
        << detector.error().message;
  }
  config.batch = 0;
  EXPECT_FALSE(Yolov8::load(environment(), kFolder / "tiny.onnx", {}, config));
}

TEST(Yolov8, names_the_model_and_the_tensor_when_the_signature_does_not_fit) {
  const auto detector = Yolov8::load(environment(), "tests/golden/face_det_lite/tiny.onnx", {}, {});
  ASSERT_FALSE(detector);
  EXPECT_NE(detector.error().message.find("tiny.onnx"), std::string::npos) << detector.error().message;
  EXPECT_NE(detector.error().message.find("[1, 3, H, W]"), std::string::npos) << detector.error().message;
}

TEST(LabelOf, names_classes_of_coco_and_numbers_others) {
  EXPECT_EQ(coco_labels().size(), 80U);
  EXPECT_EQ(label_of(coco_labels(), 0), "person");
  EXPECT_EQ(label_of(coco_labels(), 79), "toothbrush");
  EXPECT_EQ(label_of(coco_labels(), 80), "class 80");
}

}  // namespace
}  // namespace slipway::pipelines::yolov8
