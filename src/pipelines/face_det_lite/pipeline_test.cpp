#include "pipelines/face_det_lite/pipeline.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/testing/allocations.hpp"
#include "base/testing/value_of.hpp"
#include "media/labels.hpp"
#include "pipelines/common/testing/golden.hpp"
#include "pipelines/face_det_lite/preprocess.hpp"
#include "tensor/npz.hpp"

namespace slipway::pipelines::face_det_lite {
namespace {

using base::testing::value_of;
using namespace pipelines::testing;  // NOLINT(google-build-using-namespace): one test
const std::filesystem::path kFolder = "tests/golden/face_det_lite";
// As python/reference/face_det_lite/golden.py gave them to the quantised network.
const std::map<std::string, tensor::Quantization> kScales = {
    {"input", {1.0F / 255, 0}}, {"heatmap", {0.06F, 200}}, {"bbox", {0.03F, 40}}, {"landmark", {0.05F, 128}}};

// A small network, run by ONNX Runtime's Python package between the NumPy reading's two halves, float and with integers
// at its border.
TEST(FaceDetLite, finds_the_faces_that_the_reference_finds) {
  const auto arrays = value_of(tensor::read_npz(kFolder / "pipeline.npz"));
  for (const std::string name : {"tiny", "tiny_quantised", "tiny_half"}) {
    for (const std::string channel : {"luma", "blue"}) {
      Config config;
      config.channels = channel == "luma" ? media::Channels::kLuma : media::Channels::kBlue;
      if (name == "tiny_quantised") config.quantization = kScales;
      auto pipeline = value_of(FaceDetLite::load(environment(), kFolder / (name + ".onnx"), {}, config));
      Detections found;
      for (int again = 0; again < 2; ++again) {
        const auto done = pipeline->run(view_of(named(arrays, "picture")), found);
        ASSERT_TRUE(done) << done.error().message;
      }
      const auto pixels = named(arrays, name + "." + channel + ".pixels").values<std::int64_t>();
      const auto scores = named(arrays, name + "." + channel + ".scores").values<float>();
      ASSERT_EQ(found.faces.size(), scores.size()) << name << " " << channel;
      for (std::size_t i = 0; i < scores.size(); ++i) {
        EXPECT_NEAR(found.faces[i].score, scores[i], 1e-5) << name << " " << channel;
        const PixelBox box = found.faces[i].pixels;
        const std::array<std::int64_t, 4> sides = {box.x, box.y, box.w, box.h};
        EXPECT_TRUE(std::ranges::equal(sides, pixels.subspan(4 * i, 4))) << name << " " << channel << " " << i;
      }
      EXPECT_GT(found.times.inference_us, 0);
    }
  }
}

// One run over several images gives what a run each gives; the last batch may be incomplete.
TEST(FaceDetLite, finds_in_a_batch_what_it_finds_one_by_one) {
  const auto arrays = value_of(tensor::read_npz(kFolder / "pipeline.npz"));
  const media::ImageView whole = view_of(named(arrays, "picture"));
  const std::vector<media::ImageView> images = {
      whole, {whole.data, 100, 60, whole.stride_bytes}, {whole.row(30), 150, 100, whole.stride_bytes}};
  auto single = value_of(FaceDetLite::load(environment(), kFolder / "tiny_half.onnx", {}, {}));
  Config config;
  config.batch = 3;
  auto batched = value_of(FaceDetLite::load(environment(), kFolder / "tiny_half.onnx", {}, config));
  std::vector<Detections> found(3);
  for (const std::size_t count : {3U, 2U}) {
    const auto done = batched->run(std::span(images).first(count), std::span(found).first(count));
    ASSERT_TRUE(done) << done.error().message;
    for (std::size_t i = 0; i < count; ++i) {
      Detections alone;
      ASSERT_TRUE(single->run(images[i], alone));
      ASSERT_EQ(found[i].faces.size(), alone.faces.size()) << i;
      EXPECT_FALSE(alone.faces.empty());
      for (std::size_t n = 0; n < alone.faces.size(); ++n) {
        EXPECT_EQ(found[i].faces[n].pixels, alone.faces[n].pixels) << i;
        EXPECT_EQ(found[i].faces[n].score, alone.faces[n].score) << i;
      }
    }
  }
  std::vector<media::ImageView> four(4, whole);
  std::vector<Detections> room(4);
  EXPECT_FALSE(batched->run(four, room));
  EXPECT_FALSE(batched->run(images, std::span(found).first(2)));
  const auto fixed = FaceDetLite::load(environment(), kFolder / "tiny.onnx", {}, config);
  ASSERT_FALSE(fixed);
  EXPECT_NE(fixed.error().message.find("a batch of 3"), std::string::npos) << fixed.error().message;
}

TEST(FaceDetLite, takes_no_memory_a_frame_before_and_after_the_network) {
  const auto arrays = value_of(tensor::read_npz(kFolder / "pipeline.npz"));
  const media::ImageView image = view_of(named(arrays, "picture"));
  for (const std::string name : {"tiny", "tiny_quantised", "tiny_half"}) {
    Config config;
    config.iou_max = kEvaluatorIouMax;
    if (name == "tiny_quantised") config.quantization = kScales;
    auto session = value_of(runtime::Session::load(environment(), kFolder / (name + ".onnx"), {}));
    const auto signature = value_of(read_signature(session->inputs(), session->outputs(), config.quantization));
    auto preprocess = value_of(make_preprocess(signature, config));
    Postprocess postprocess(signature, config);
    tensor::NamedTensors inputs;
    inputs.push_back({"input", tensor::Tensor::zeros(signature.input.dtype, signature.input.shape).value()});
    auto bound = value_of(runtime::BoundRun::bind(*session, inputs));
    std::vector<Face> faces;
    for (int frame = 0; frame < 4; ++frame) {
      std::uint64_t before = base::testing::allocations();
      const auto placement = preprocess.convert(image, inputs[0].tensor.bytes());
      std::uint64_t allocated = base::testing::allocations() - before;
      ASSERT_TRUE(placement && bound->run());
      const tensor::NamedTensors* const outputs = bound->outputs().value();
      before = base::testing::allocations();
      ASSERT_TRUE(postprocess.run(*outputs, 0, *placement, image.width, image.height, faces));
      allocated += base::testing::allocations() - before;
      EXPECT_GT(faces.size(), 3U);
      if (frame == 0) {
        EXPECT_GT(allocated, 0U) << "the first frame makes the buffers: the count works";
      } else {
        EXPECT_EQ(allocated, 0U) << name << " frame " << frame;
      }
    }
  }
}

TEST(FaceDetLite, names_the_model_and_the_tensor_when_the_signature_does_not_fit) {
  const auto pipeline = FaceDetLite::load(environment(), "tests/golden/models/conv.onnx", {}, {});
  ASSERT_FALSE(pipeline);
  EXPECT_EQ(pipeline.error().code, base::Code::kInvalidArgument);
  EXPECT_NE(pipeline.error().message.find("conv.onnx"), std::string::npos) << pipeline.error().message;
  EXPECT_NE(pipeline.error().message.find("expected"), std::string::npos) << pipeline.error().message;
}

TEST(FaceDetLite, asks_for_the_scales_of_a_quantised_model) {
  const auto pipeline = FaceDetLite::load(environment(), kFolder / "tiny_quantised.onnx", {}, {});
  ASSERT_FALSE(pipeline);
  EXPECT_NE(pipeline.error().message.find("scale"), std::string::npos) << pipeline.error().message;
}

TEST(FaceDetLite, refuses_an_empty_image) {
  auto pipeline = value_of(FaceDetLite::load(environment(), kFolder / "tiny.onnx", {}, {}));
  Detections found;
  EXPECT_FALSE(pipeline->run({}, found));
}

TEST(DrawFaces, marks_the_face_and_survives_boxes_outside) {
  auto image = media::Image::create(100, 80);
  ASSERT_TRUE(image);
  Face inside{.box = {20, 30, 60, 70}, .pixels = {}, .score = 0.9F, .landmarks = {}};
  Face outside{.box = {-1e9, -50, 1e9, -20}, .pixels = {}, .score = 0.6F, .landmarks = {}};
  draw_faces(*image, {inside, outside});
  EXPECT_EQ(image->row(50)[3 * 20 + 1], media::colour_of_class(0)[1]);
}

}  // namespace
}  // namespace slipway::pipelines::face_det_lite
