#include "pipelines/yolov8/postprocess.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "tensor/npz.hpp"

namespace slipway::pipelines::yolov8 {
namespace {

const std::filesystem::path kGoldenFolder = "tests/golden/yolov8";

tensor::Tensor extract(tensor::NamedTensors& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &tensor::NamedTensor::name);
  SLIPWAY_CHECK(found != tensors.end(), "the golden has this array");
  return std::move(found->tensor);
}

struct Case {
  Signature signature;
  Config config;
  tensor::NamedTensors outputs;
};

/// The signature and the outputs of one form of the golden.
Case case_of(const nlohmann::json& entry, tensor::NamedTensors& arrays) {
  Case made;
  const std::string form = entry["form"];
  std::vector<tensor::TensorSpec> specs;
  for (const std::string name : entry["outputs"]) {
    tensor::Tensor tensor = extract(arrays, form + "." + name);
    specs.push_back({.name = name, .dtype = tensor.dtype(), .shape = tensor.shape(), .quantization = std::nullopt});
    made.outputs.push_back({name, std::move(tensor)});
  }
  for (const auto& [name, scale] : entry["quantization"].items()) made.config.quantization[name] = {scale[0], scale[1]};
  made.config.iou_max = entry["iou_max"];
  const tensor::TensorSpec input{
      .name = "image", .dtype = tensor::Dtype::kFloat32, .shape = {1, 3, 64, 96}, .quantization = std::nullopt};
  auto signature = read_signature({input}, specs, made.config.quantization);
  EXPECT_TRUE(signature) << form << ": " << (signature ? "" : signature.error().message);
  made.signature = std::move(signature).value();
  return made;
}

// python/reference/yolov8/ultralytics_golden.py: its own suppression and its own way back to the image.
TEST(Postprocess, finds_what_ultralytics_itself_finds_in_the_same_outputs) {
  auto arrays = *tensor::read_npz(kGoldenFolder / "postprocess.npz");
  auto ultralytics = *tensor::read_npz(kGoldenFolder / "ultralytics.npz");
  const auto description = nlohmann::json::parse(*base::read_file(kGoldenFolder / "postprocess.json", 1 << 20));
  std::size_t compared = 0;
  for (const auto& entry : description["cases"]) {
    const std::string form = entry["form"];
    if (form == "chosen") continue;  // no form of its
    Case made = case_of(entry, arrays);
    const int width = entry["picture"][0], height = entry["picture"][1];
    std::vector<Object> objects;
    Postprocess postprocess(made.signature, made.config);
    const media::Placement placement = media::place(width, height, 96, 64, media::Fit::kLetterbox);
    ASSERT_TRUE(postprocess.run(made.outputs, 0, placement, width, height, objects)) << form;
    const tensor::Tensor expected = extract(ultralytics, form + ".objects");
    const auto values = expected.values<float>();
    ASSERT_EQ(objects.size(), values.size() / 6) << form;
    using Row = std::array<double, 6>;
    std::vector<Row> ours, theirs;
    for (std::size_t i = 0; i < objects.size(); ++i) {
      const Box& box = objects[i].box;
      ours.push_back({box.x1, box.y1, box.x2, box.y2, objects[i].score, static_cast<double>(objects[i].class_id)});
      theirs.emplace_back();
      std::ranges::copy(values.subspan(6 * i, 6), theirs.back().begin());
    }
    // Of equal scores, which quantised ones often are, it tells no order.
    const auto by_score_and_place = [](const Row& a, const Row& b) {
      return a[4] != b[4] ? a[4] > b[4] : a[0] != b[0] ? a[0] < b[0] : a[1] < b[1];
    };
    std::ranges::sort(ours, by_score_and_place);
    std::ranges::sort(theirs, by_score_and_place);
    for (std::size_t i = 0; i < ours.size(); ++i, ++compared) {
      for (std::size_t k = 0; k < ours[i].size(); ++k) EXPECT_NEAR(ours[i][k], theirs[i][k], 1e-4) << form << i << k;
    }
  }
  EXPECT_GT(compared, 60U);
}

TEST(Postprocess, equals_the_numpy_reading_on_every_form) {
  auto arrays = tensor::read_npz(kGoldenFolder / "postprocess.npz");
  ASSERT_TRUE(arrays) << arrays.error().message;
  const auto description = nlohmann::json::parse(*base::read_file(kGoldenFolder / "postprocess.json", 1 << 20));
  ASSERT_GE(description["cases"].size(), 7U);
  int masked = 0;
  for (const auto& entry : description["cases"]) {
    const std::string form = entry["form"];
    Case made = case_of(entry, *arrays);
    const int width = entry["picture"][0], height = entry["picture"][1];
    const media::Placement placement = media::place(width, height, 96, 64, media::Fit::kLetterbox);
    Postprocess postprocess(made.signature, made.config);
    std::vector<Object> objects;
    std::vector<Mask> masks;
    for (int again = 0; again < 2; ++again) {
      ASSERT_TRUE(postprocess.run(made.outputs, 0, placement, width, height, objects)) << form;
      ASSERT_TRUE(postprocess.read_masks(made.outputs, 0, placement, width, height, objects, masks)) << form;
    }
    const tensor::Tensor boxes = extract(*arrays, form + ".expected.boxes");
    const tensor::Tensor scores = extract(*arrays, form + ".expected.scores");
    const tensor::Tensor classes = extract(*arrays, form + ".expected.classes");
    ASSERT_EQ(objects.size(), scores.values<float>().size()) << form;
    for (std::size_t i = 0; i < objects.size(); ++i) {
      const Box& box = objects[i].box;
      const auto expected = boxes.values<double>().subspan(4 * i, 4);
      EXPECT_NEAR(box.x1, expected[0], 1e-4) << form << i;
      EXPECT_NEAR(box.y1, expected[1], 1e-4) << form << i;
      EXPECT_NEAR(box.x2, expected[2], 1e-4) << form << i;
      EXPECT_NEAR(box.y2, expected[3], 1e-4) << form << i;
      EXPECT_EQ(objects[i].score, scores.values<float>()[i]) << form << i;
      EXPECT_EQ(objects[i].class_id, classes.values<std::int64_t>()[i]) << form << i;
    }
    if (form.find("masks") == std::string::npos) {
      EXPECT_TRUE(masks.empty());
      continue;
    }
    ++masked;
    const tensor::Tensor expected = extract(*arrays, form + ".expected.masks");
    const auto pixels = expected.values<std::uint8_t>();
    int inside = 0, wrong = 0;
    for (std::size_t i = 0; i < masks.size(); ++i) {
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          const auto at =
              (i * static_cast<std::size_t>(height) + static_cast<std::size_t>(y)) * static_cast<std::size_t>(width) +
              static_cast<std::size_t>(x);
          inside += pixels[at];
          wrong += (pixels[at] != 0) != masks[i].at(x, y) ? 1 : 0;
        }
      }
    }
    EXPECT_GT(inside, 1000) << form;
    EXPECT_LE(wrong, inside / 1000) << form;  // logits that round to either side of zero
  }
  EXPECT_EQ(masked, 2);
}

/// One joined output with room for scores of two classes, all zero.
struct Blank {
  Blank() {
    const tensor::TensorSpec input{
        .name = "image", .dtype = tensor::Dtype::kFloat32, .shape = {1, 3, 64, 96}, .quantization = std::nullopt};
    const tensor::TensorSpec output{
        .name = "output0", .dtype = tensor::Dtype::kFloat32, .shape = {1, 6, 126}, .quantization = std::nullopt};
    signature = read_signature({input}, {output}, {}).value();
    outputs.push_back({"output0", tensor::Tensor::zeros(output.dtype, output.shape).value()});
  }
  void put(std::size_t anchor, std::array<float, 6> values) {
    for (std::size_t c = 0; c < 6; ++c) outputs[0].tensor.values<float>()[c * 126 + anchor] = values[c];
  }
  std::vector<Object> run(const Config& config) {
    std::vector<Object> objects;
    EXPECT_TRUE(Postprocess(signature, config)
                    .run(outputs, 0, media::place(96, 64, 96, 64, media::Fit::kLetterbox), 96, 64, objects));
    return objects;
  }
  Signature signature;
  tensor::NamedTensors outputs;
};

TEST(Postprocess, suppresses_within_a_class_only) {
  Blank blank;
  blank.put(3, {40, 30, 20, 20, 0.9F, 0});
  blank.put(7, {41, 30, 20, 20, 0.8F, 0});
  blank.put(9, {41, 31, 20, 20, 0, 0.7F});
  const auto objects = blank.run({});
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0].class_id, 0);
  EXPECT_EQ(objects[1].class_id, 1);
}

TEST(Postprocess, keeps_only_the_classes_asked_for) {
  Blank blank;
  blank.put(3, {40, 30, 20, 20, 0.9F, 0});
  blank.put(9, {41, 31, 20, 20, 0, 0.7F});
  Config config;
  config.only_classes = {1};
  const auto objects = blank.run(config);
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].class_id, 1);
}

TEST(Postprocess, counts_the_threshold_itself_and_clips_to_the_image) {
  Blank blank;
  blank.put(3, {2, 2, 20, 20, 0.45F, 0});
  const auto objects = blank.run({});
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].box, (Box{0, 0, 12, 12}));
}

TEST(Postprocess, gives_no_object_where_the_network_gives_no_numbers) {
  Blank blank;
  blank.put(3, {NAN, 30, 20, 20, 0.9F, 0});
  blank.put(4, {40, 30, 20, INFINITY, 0.9F, 0});
  blank.put(5, {40, 30, 20, 20, NAN, NAN});
  EXPECT_TRUE(blank.run({}).empty());
}

TEST(Postprocess, names_an_output_of_another_size) {
  Blank blank;
  blank.outputs[0].tensor = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 6, 125}).value();
  std::vector<Object> objects;
  const auto done = Postprocess(blank.signature, {})
                        .run(blank.outputs, 0, media::place(96, 64, 96, 64, media::Fit::kLetterbox), 96, 64, objects);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("output0"), std::string::npos) << done.error().message;
}

}  // namespace
}  // namespace slipway::pipelines::yolov8
