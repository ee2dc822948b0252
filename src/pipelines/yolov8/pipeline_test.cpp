#include "pipelines/yolov8/pipeline.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "pipelines/yolov8/labels.hpp"
#include "tensor/npz.hpp"

namespace slipway::pipelines::yolov8 {
namespace {

const std::filesystem::path kFolder = "tests/golden/yolov8";
// As python/reference/yolov8/golden.py gave them to the quantised network.
const std::map<std::string, tensor::Quantization> kScales = {
    {"image", {1.0F / 255, 0}}, {"boxes", {0.4F, 5}}, {"scores", {1.0F / 255, 0}}};

std::shared_ptr<runtime::Environment> environment() {
  static const std::shared_ptr<runtime::Environment> kOpened = [] {
    const auto paths = runtime::locate_libraries();
    SLIPWAY_CHECK(paths.has_value(), "ONNX Runtime was set up");
    return std::move(runtime::Environment::open(*paths)).value();
  }();
  return kOpened;
}

const tensor::Tensor& named(const tensor::NamedTensors& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &tensor::NamedTensor::name);
  SLIPWAY_CHECK(found != tensors.end(), "the golden has this array");
  return found->tensor;
}

// A small network, run by ONNX Runtime's Python package between the NumPy reading's two halves, float and with integers
// at its border, with black and with grey padding.
TEST(Yolov8, FindsTheObjectsThatTheReferenceFinds) {
  const auto arrays = tensor::read_npz(kFolder / "pipeline.npz");
  ASSERT_TRUE(arrays) << arrays.error().message;
  const tensor::Tensor& pixels = named(*arrays, "picture");
  const auto width = static_cast<int>(pixels.shape()[1]), height = static_cast<int>(pixels.shape()[0]);
  const media::ImageView view{pixels.values<std::uint8_t>().data(), width, height, std::ptrdiff_t{3} * width};
  for (const std::string name : {"tiny", "tiny_quantised"}) {
    for (const int padding : {0, 114}) {
      Config config;
      config.padding = static_cast<std::uint8_t>(padding);
      if (name == "tiny_quantised") config.quantization = kScales;
      auto detector = Yolov8::load(environment(), kFolder / (name + ".onnx"), {}, config);
      ASSERT_TRUE(detector) << detector.error().message;
      Detections found;
      for (int again = 0; again < 2; ++again) {
        const auto done = (*detector)->run(view, found);
        ASSERT_TRUE(done) << done.error().message;
      }
      const std::string key = name + "." + std::to_string(padding);
      const auto boxes = named(*arrays, key + ".boxes").values<double>();
      const auto scores = named(*arrays, key + ".scores").values<float>();
      const auto classes = named(*arrays, key + ".classes").values<std::int64_t>();
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

TEST(Yolov8, NamesTheModelAndTheTensorWhenTheSignatureDoesNotFit) {
  const auto detector = Yolov8::load(environment(), "tests/golden/face_det_lite/tiny.onnx", {}, {});
  ASSERT_FALSE(detector);
  EXPECT_NE(detector.error().message.find("tiny.onnx"), std::string::npos) << detector.error().message;
  EXPECT_NE(detector.error().message.find("[1, 3, H, W]"), std::string::npos) << detector.error().message;
}

TEST(LabelOf, NamesClassesOfCocoAndNumbersOthers) {
  EXPECT_EQ(coco_labels().size(), 80U);
  EXPECT_EQ(label_of(coco_labels(), 0), "person");
  EXPECT_EQ(label_of(coco_labels(), 79), "toothbrush");
  EXPECT_EQ(label_of(coco_labels(), 80), "class 80");
}

}  // namespace
}  // namespace slipway::pipelines::yolov8
