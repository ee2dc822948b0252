#include "pipelines/samurai/tracker.hpp"

#include <cstring>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "runtime/process_memory.hpp"
#include "runtime/testing/environment.hpp"

namespace slipway::pipelines::samurai {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using runtime::testing::environment;

const fs::path kTiny = "tests/golden/samurai/tiny";
constexpr int kSide = 64, kMaskSide = 16, kFrames = 24;
constexpr std::size_t kFrameBytes = std::size_t{kSide} * kSide * 3;

std::unique_ptr<SamuraiTracker> tiny_tracker() {
  auto tracker = SamuraiTracker::load(environment(), kTiny, {});
  SLIPWAY_CHECK(tracker.has_value(), tracker ? "" : tracker.error().message);
  return std::move(*tracker);
}

const std::string& video() {
  static const std::string kBytes = *base::read_file(kTiny / "frames.u8", 1 << 20);
  return kBytes;
}

media::ImageView frame_of(int index) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(video().data());
  return {data + static_cast<std::size_t>(index) * kFrameBytes, kSide, kSide, std::ptrdiff_t{3} * kSide};
}

Prompt prompt_of(const json& shown) {
  Prompt prompt;
  if (shown.contains("box")) prompt.box = Box{shown["box"][0], shown["box"][1], shown["box"][2], shown["box"][3]};
  for (const json& point : shown.value("points", json::array())) {
    prompt.points.push_back({point[0], point[1], point[2] == 1});
  }
  if (shown.contains("disc")) {
    const int x = shown["disc"][0], y = shown["disc"][1], radius = shown["disc"][2];
    prompt.mask = PromptMask{kSide, kSide, std::vector<std::uint8_t>(std::size_t{kSide} * kSide, 0)};
    for (int i = 0; i < kSide * kSide; ++i) {
      const int right = i % kSide - x, down = i / kSide - y;
      prompt.mask->pixels[static_cast<std::size_t>(i)] = right * right + down * down < radius * radius ? 1 : 0;
    }
  }
  return prompt;
}

Prompt box_prompt() {
  Prompt prompt;
  prompt.box = Box{10, 14, 34, 40};
  return prompt;
}

/// A model folder of links to the tiny one's files, for breaking.
class BrokenModel {
 public:
  BrokenModel() : folder_(*base::TemporaryFolder::create("samurai")) {
    for (const auto& entry : fs::directory_iterator(kTiny)) {
      if (entry.path().extension() == ".onnx" || entry.path().extension() == ".yaml") {
        fs::copy_file(entry.path(), path() / entry.path().filename());
      }
    }
  }
  [[nodiscard]] fs::path path() const { return folder_.path(); }
  void replace_in_description(const std::string& from, const std::string& to) {
    std::string text = *base::read_file(path() / "model.yaml", 1 << 20);
    const auto at = text.find(from);
    SLIPWAY_CHECK(at != std::string::npos, "model.yaml says this");
    text.replace(at, from.size(), to);
    SLIPWAY_CHECK(base::write_file_durably(path() / "model.yaml", text).has_value(), "it was written");
  }
  [[nodiscard]] std::string refusal() const {
    const auto tracker = SamuraiTracker::load(environment(), path(), {});
    return tracker ? "loaded" : tracker.error().message;
  }

 private:
  base::TemporaryFolder folder_;
};

// The answers come from PyTorch: Sam2VideoModel's components and the NumPy reading of the rules.
TEST(SamuraiTracker, follows_as_the_pytorch_reference_does) {
  for (const std::string name : {"box", "steady_box", "point", "box_and_points", "mask", "short"}) {
    const json reference = json::parse(*base::read_file(kTiny / (name + ".json"), 1 << 20));
    const std::string logits_bytes = *base::read_file(kTiny / (name + ".f32"), 1 << 20);
    const json& shown = reference["shown"][0];
    const int frames = shown["video_frames"];
    std::vector<float> expected(static_cast<std::size_t>(frames) * kMaskSide * kMaskSide);
    ASSERT_EQ(logits_bytes.size(), expected.size() * sizeof(float));
    std::memcpy(expected.data(), logits_bytes.data(), logits_bytes.size());

    const auto tracker = tiny_tracker();
    ASSERT_TRUE(tracker->start({prompt_of(shown)}, frames));
    FrameResult result;
    int doubted = 0, hidden = 0;
    for (int i = 0; i < frames; ++i) {
      const std::string where = fmt::format("{} frame {}", name, i);
      const auto done = tracker->track(frame_of(i), result);
      ASSERT_TRUE(done) << done.error().message;
      const ObjectResult& object = result.objects.at(0);
      const json decision = json_of(object.decision), &decided = reference["decisions"][static_cast<std::size_t>(i)];
      EXPECT_EQ(decision["choice"], decided["choice"]) << where;
      EXPECT_EQ(decision["stable"], decided["stable"]) << where;
      EXPECT_EQ(decision["memory"], decided["memory"]) << where;
      EXPECT_EQ(decision["pointers"], decided["pointers"]) << where;
      const json& row = reference["frames"][static_cast<std::size_t>(i)];
      EXPECT_EQ(json(json_of(object.trace))["boxes"], json::parse(row["boxes"].dump())) << where;
      // Memories are rounded to bfloat16: near a tie the last bit of a float32 decides on a whole step of it.
      EXPECT_NEAR(object.trace.object_score, row["object_score"].get<double>(), 1e-3) << where;
      ASSERT_EQ(object.logits.size(), static_cast<std::size_t>(kMaskSide * kMaskSide));
      for (std::size_t k = 0; k < object.logits.size(); ++k) {
        const float want = expected[static_cast<std::size_t>(i) * object.logits.size() + k];
        ASSERT_NEAR(object.logits[k], want, 1e-3 * std::max(1.0F, std::abs(want))) << where << " " << k;
      }
      EXPECT_EQ(object.is_visible, object.trace.object_score > -1) << where;
      if (object.trace.object_score > -1 && object.trace.object_score < 0) ++doubted;
      if (!object.is_visible) ++hidden;
    }
    EXPECT_EQ(result.frame, frames - 1);
    if (frames < kFrames) continue;
    EXPECT_GE(doubted, 2) << name;
    EXPECT_GE(hidden, 1) << name;
  }
}

TEST(SamuraiTracker, follows_several_objects_as_it_follows_each_alone) {
  Prompt point;
  point.points = {{22, 27, true}};
  const auto together = tiny_tracker();
  ASSERT_TRUE(together->start({box_prompt(), point}));
  const auto alone = tiny_tracker();
  ASSERT_TRUE(alone->start({point}));
  FrameResult both, one;
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(together->track(frame_of(i), both));
    ASSERT_TRUE(alone->track(frame_of(i), one));
    ASSERT_EQ(both.objects.size(), 2U);
    EXPECT_EQ(both.objects[1].logits, one.objects[0].logits) << i;
    EXPECT_EQ(both.objects[1].mask.pixels, one.objects[0].mask.pixels) << i;
  }
}

TEST(SamuraiTracker, encoding_ahead_changes_nothing) {
  const auto tracker = tiny_tracker();
  auto first = tracker->make_features(), second = tracker->make_features();
  ASSERT_TRUE(first && second);
  std::vector<std::vector<float>> ahead;
  FrameResult result;
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(tracker->start({box_prompt()}));
    ASSERT_TRUE(tracker->encode(frame_of(0), **first));
    for (int i = 0; i < 10; ++i) {
      if (again == 0) {
        ASSERT_TRUE(tracker->encode(frame_of(i + 1), **second));
        ASSERT_TRUE(tracker->track(**first, result));
        std::swap(*first, *second);
        ahead.push_back(result.objects[0].logits);
      } else {
        ASSERT_TRUE(tracker->track(frame_of(i), result));
        EXPECT_EQ(result.objects[0].logits, ahead[static_cast<std::size_t>(i)]) << i;
      }
    }
  }
}

TEST(SamuraiTracker, takes_a_mask_as_its_own_answer) {
  PromptMask mask{kSide, kSide, std::vector<std::uint8_t>(kSide * kSide, 0)};
  for (int y = 16; y < 40; ++y) {
    for (int x = 8; x < 36; ++x) mask.pixels[static_cast<std::size_t>(y * kSide + x)] = 1;
  }
  Prompt prompt;
  prompt.mask = mask;
  const auto tracker = tiny_tracker();
  ASSERT_TRUE(tracker->start({prompt}));
  FrameResult result;
  ASSERT_TRUE(tracker->track(frame_of(0), result));
  EXPECT_EQ(result.objects[0].mask.box, (Box{8, 16, 35, 39}));
  EXPECT_EQ(result.objects[0].predicted_iou, 1);
  EXPECT_TRUE(result.objects[0].is_visible);
  ASSERT_TRUE(tracker->track(frame_of(1), result));
  EXPECT_EQ(result.objects[0].decision.memories, (std::vector<MemorySlot>{{0, 0}}));
}

TEST(SamuraiTracker, follows_through_frames_of_changing_size) {
  const auto tracker = tiny_tracker();
  ASSERT_TRUE(tracker->start({box_prompt()}));
  FrameResult result;
  for (const auto& [width, height] : {std::pair{64, 64}, std::pair{40, 90}, std::pair{1, 1}, std::pair{64, 64}}) {
    auto image = media::Image::create(width, height);
    ASSERT_TRUE(image);
    ASSERT_TRUE(tracker->track(image->view(), result));
    EXPECT_EQ(result.objects[0].mask.width, width);
    EXPECT_EQ(result.objects[0].mask.height, height);
  }
}

TEST(SamuraiTracker, keeps_its_memory_over_many_frames) {
  const auto tracker = tiny_tracker();
  ASSERT_TRUE(tracker->start({box_prompt()}));
  FrameResult result;
  std::uint64_t after_warm_up = 0;
  for (int i = 0; i < 600; ++i) {
    ASSERT_TRUE(tracker->track(frame_of(i % kFrames), result));
    if (i == 100) after_warm_up = runtime::resident_set().now_bytes;
  }
  EXPECT_LT(runtime::resident_set().now_bytes, after_warm_up + (std::uint64_t{8} << 20));
  EXPECT_EQ(result.frame, 599);
}

TEST(SamuraiTracker, refuses_what_does_not_fit_its_first_frame) {
  const auto tracker = tiny_tracker();
  FrameResult result;
  EXPECT_EQ(tracker->track(frame_of(0), result).error().code, base::Code::kFailedPrecondition);
  EXPECT_FALSE(tracker->start({}));
  Prompt outside;
  outside.box = Box{100, 100, 120, 120};
  ASSERT_TRUE(tracker->start({box_prompt(), outside}));
  const auto done = tracker->track(frame_of(0), result);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find(
                "object 2: the box from 100,100 to 120,120 lies outside the first frame, which is 64x64"),
            std::string::npos)
      << done.error().message;
  ASSERT_TRUE(tracker->start({box_prompt()}));
  EXPECT_FALSE(tracker->track(media::ImageView{}, result));
  EXPECT_TRUE(tracker->track(frame_of(0), result));
}

TEST(SamuraiModel, names_a_missing_component) {
  BrokenModel model;
  fs::remove(model.path() / "memory_encoder.onnx");
  EXPECT_NE(model.refusal().find("missing memory_encoder.onnx"), std::string::npos) << model.refusal();
  BrokenModel other;
  other.replace_in_description("  memory_attention_4:", "  something_else:");
  EXPECT_NE(other.refusal().find("missing memory_attention_4"), std::string::npos) << other.refusal();
}

TEST(SamuraiModel, refuses_components_of_mixed_sizes) {
  BrokenModel model;
  model.replace_in_description("image_size: 64", "image_size: 128");
  EXPECT_NE(
      model.refusal().find("input 'image' of image_encoder: expected float32[1,3,128,128], found float32[1,3,64,64]"),
      std::string::npos)
      << model.refusal();
  BrokenModel attention;
  fs::copy_file(kTiny / "memory_attention_3.onnx", attention.path() / "memory_attention_1.onnx",
                fs::copy_options::overwrite_existing);
  EXPECT_NE(attention.refusal().find("input 'memories' of memory_attention_1: expected float32[1,"), std::string::npos)
      << attention.refusal();
}

/// Replaces bytes of a file by as many others.
void patch(const fs::path& file, const std::string& from, const std::string& to) {
  std::string bytes = *base::read_file(file, 1 << 24);
  const auto at = bytes.rfind(from);
  SLIPWAY_CHECK(at != std::string::npos && from.size() == to.size(), "the file has these bytes");
  bytes.replace(at, from.size(), to);
  std::ofstream(file, std::ios::binary) << bytes;
}

TEST(SamuraiModel, refuses_components_of_another_model) {
  BrokenModel model;
  const std::string text = *base::read_file(model.path() / "model.yaml", 1 << 20);
  const auto at = text.find("model_id: ") + std::string("model_id: ").size();
  std::string id = text.substr(at, text.find('\n', at) - at);
  std::erase(id, '"');
  patch(model.path() / "memory_encoder.onnx", id, std::string(id.size(), '0'));
  EXPECT_NE(model.refusal().find("memory_encoder.onnx is of model '0000"), std::string::npos) << model.refusal();
}

TEST(SamuraiModel, names_a_component_of_an_opset_that_is_not_supported) {
  BrokenModel model;
  // ModelProto.opset_import of the default domain: field 8, a message of field 2, the version.
  patch(model.path() / "mask_decoder.onnx", std::string("\x42\x02\x10\x11", 4), std::string("\x42\x02\x10\x7f", 4));
  const std::string refusal = model.refusal();
  EXPECT_NE(refusal.find("component mask_decoder"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("127"), std::string::npos) << refusal;
}

TEST(SamuraiModel, refuses_a_bare_file_and_a_broken_description) {
  const auto misspelt = SamuraiTracker::load(environment(), kTiny, {}, {"encoder"});
  ASSERT_FALSE(misspelt);
  EXPECT_NE(misspelt.error().message.find("'encoder': expected one of image_encoder"), std::string::npos)
      << misspelt.error().message;
  const auto bare = SamuraiTracker::load(environment(), kTiny / "mask_decoder.onnx", {});
  ASSERT_FALSE(bare);
  EXPECT_NE(bare.error().message.find("expected a model folder"), std::string::npos) << bare.error().message;
  BrokenModel model;
  model.replace_in_description("memory_channels: ", "memory_canals: ");
  EXPECT_NE(model.refusal().find("constants.memory_channels is missing"), std::string::npos) << model.refusal();
}

}  // namespace
}  // namespace slipway::pipelines::samurai
