#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/testing/shell.hpp"
#include "media/image_file.hpp"
#include "media/video_file.hpp"
#include "tensor/npz.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::testing::run_in_shell;
using base::testing::ShellResult;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const fs::path kTiny = "tests/golden/samurai/tiny";
constexpr int kSide = 64;

/// Runs the built executable as a user would, on images of the tiny video.
class SamuraiCommand : public ::testing::Test {
 protected:
  SamuraiCommand() : folder_(*base::TemporaryFolder::create("slipway-samurai")) {}

  [[nodiscard]] std::string path(std::string_view name) const { return (folder_.path() / name).string(); }

  [[nodiscard]] static ShellResult run(const std::string& arguments) {
    return run_in_shell(fmt::format("{} samurai {}", SLIPWAY_EXECUTABLE, arguments));
  }

  /// The first frames of the tiny video as images.
  [[nodiscard]] std::string frames(int count) const {
    const std::string video = *base::read_file(kTiny / "frames.u8", 1 << 20);
    fs::create_directory(path("frames"));
    for (int i = 0; i < count; ++i) {
      const auto* data = reinterpret_cast<const std::uint8_t*>(video.data()) + i * 3 * kSide * kSide;
      const auto done = media::write_image(path(fmt::format("frames/{:03}.png", i)), {data, kSide, kSide, 3 * kSide});
      EXPECT_TRUE(done);
    }
    return path("frames");
  }

  [[nodiscard]] static std::vector<json> lines_of(const std::string& text) {
    std::vector<json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
    return lines;
  }

  base::TemporaryFolder folder_;
};

const std::string kModel = " --model tests/golden/samurai/tiny ";
const std::string kBox = " --box 10,14,24,26 ";

// The reference decided on the frames as they are, which images without loss keep.
TEST_F(SamuraiCommand, follows_as_the_reference_and_replays_what_it_traced) {
  const ShellResult outcome = run(frames(24) + kModel + kBox + "--trace " + path("trace.json") + " --masks " +
                                  path("masks") + " --output " + path("out.mp4") + " --json-file " + path("out.jsonl"));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("1 object followed over 24 frames, without a mask on 2"));
  EXPECT_THAT(outcome.out, HasSubstr("on the CPU"));
  const json reference = json::parse(*base::read_file(kTiny / "box.json", 1 << 20));
  const json trace = json::parse(*base::read_file(path("trace.json"), 1 << 20));
  ASSERT_EQ(trace["frames"].size(), 24U);
  for (std::size_t i = 0; i < 24; ++i) {
    for (const char* key : {"choice", "stable", "memory", "pointers"}) {
      EXPECT_EQ(trace["frames"][i][key], reference["decisions"][i][key]) << i << " " << key;
    }
    EXPECT_EQ(json::parse(trace["frames"][i]["boxes"].dump()), reference["frames"][i]["boxes"]) << i;
  }
  const ShellResult replayed = run("replay " + path("trace.json") + " --json");
  ASSERT_EQ(replayed.status, 0) << replayed.err;
  const json again = json::parse(replayed.out);
  EXPECT_EQ(again["schema"], "samurai-replay/1");
  for (std::size_t i = 0; i < 24; ++i) {
    for (const auto& [key, value] : again["frames"][i].items()) EXPECT_EQ(value, trace["frames"][i][key]) << key;
  }

  const auto lines = lines_of(*base::read_file(path("out.jsonl"), 1 << 20));
  ASSERT_EQ(lines.size(), 25U);
  EXPECT_EQ(lines.back()["schema"], "samurai-summary/1");
  EXPECT_EQ(lines.back()["placement"].size(), 11U);
  for (std::size_t i = 0; i < 24; ++i) {
    const auto mask = media::read_image(path(fmt::format("masks/{:05}.png", i)));
    ASSERT_TRUE(mask);
    std::int64_t white = 0;
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) white += mask->row(y)[3 * x] == 255 ? 1 : 0;
    }
    EXPECT_EQ(lines[i]["objects"][0]["area"], white) << i;
    // The square is covered from frame 14 to 17: lost on two of them, on two only doubted and still shown.
    const bool is_hidden = lines[i]["objects"][0]["object_score"].get<double>() <= -1;
    EXPECT_EQ(lines[i]["objects"][0]["visible"], !is_hidden) << i;
    EXPECT_EQ(lines[i]["objects"][0]["bbox"].is_null(), is_hidden) << i;
    EXPECT_EQ(white == 0, is_hidden) << i;
  }
  auto video = media::VideoReader::open(path("out.mp4"));
  ASSERT_TRUE(video);
  media::VideoFrame frame;
  int count = 0;
  while (*video->next(frame)) ++count;
  EXPECT_EQ(count, 24);
}

// From 16 frames on: below, the original has the distances of object pointers depend on the video's length, which a
// stream does not say.
TEST_F(SamuraiCommand, follows_a_video_file_and_a_stream_alike) {
  const std::string folder = frames(16);
  ASSERT_EQ(run(folder + kModel + kBox + "--output " + path("in.mp4")).status, 0);
  const ShellResult file = run(path("in.mp4") + kModel + kBox + "--json");
  ASSERT_EQ(file.status, 0) << file.err;
  const ShellResult stream = run("-" + kModel + kBox + "--json <" + path("in.mp4"));
  ASSERT_EQ(stream.status, 0) << stream.err;
  const auto of_file = lines_of(file.out), of_stream = lines_of(stream.out);
  ASSERT_EQ(of_file.size(), 17U);
  ASSERT_EQ(of_stream.size(), 17U);
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(of_file[i]["objects"], of_stream[i]["objects"]) << i;
  ASSERT_EQ(run(folder + kModel + kBox + "--frames 6 --output-video " + path("short.mp4")).status, 0);
  const auto of_short = lines_of(run(path("short.mp4") + kModel + kBox + "--json").out);
  const auto of_short_stream = lines_of(run("-" + kModel + kBox + "--json <" + path("short.mp4")).out);
  ASSERT_EQ(of_short.size(), 7U);
  ASSERT_EQ(of_short_stream.size(), 7U);
  EXPECT_EQ(of_short[0]["objects"], of_short_stream[0]["objects"]);
  EXPECT_NE(of_short[1]["objects"], of_short_stream[1]["objects"]);
  const ShellResult camera = run("/dev/video99" + kModel + kBox);
  EXPECT_EQ(camera.status, 1);
  EXPECT_THAT(camera.err, HasSubstr("/dev/video99"));
}

// Ultralytics' network finds a person on bus.jpg with a score of 0.91; nothing is on a grey image.
TEST_F(SamuraiCommand, follows_what_a_detector_finds) {
  const char* const named = std::getenv("SLIPWAY_TEST_DATA");
  const fs::path data = named != nullptr ? named : "../shared/data";
  const fs::path detector = data / "models/detect/yolov8n_fp32_dequantised.onnx";
  if (!fs::exists(detector)) GTEST_SKIP() << "no test data at " << data.string();
  fs::create_directory(path("frames"));
  auto grey = media::Image::create(320, 240);
  ASSERT_TRUE(media::write_image(path("frames/0.png"), grey->view()));
  for (const char* name : {"frames/1.jpg", "frames/2.jpg"}) fs::copy_file(data / "images/street/bus.jpg", path(name));
  const std::string common = path("frames") + kModel + "--detector " + detector.string() + " ";
  const ShellResult outcome = run(common + "--detect person --detect bus --json");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("found on frame 1: person 0.91 at "));
  EXPECT_THAT(outcome.err, HasSubstr(", bus 0.86 at "));
  const auto lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["source"], path("frames/1.jpg"));
  EXPECT_EQ(lines[0]["objects"].size(), 2U);
  const ShellResult none = run(common + "--detect zebra");
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("no zebra with a score of 0.45 or more on any of its 3 frames"));
  const ShellResult unknown = run(common + "--detect unicorn");
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("--detect unicorn: "));
  EXPECT_THAT(unknown.err, HasSubstr("it knows: person, bicycle, car"));
}

TEST_F(SamuraiCommand, gives_the_same_with_and_without_encoding_ahead) {
  const std::string folder = frames(10);
  const ShellResult ahead = run(folder + kModel + kBox + "--overlap --json"),
                    after = run(folder + kModel + kBox + "--no-overlap --json");
  ASSERT_EQ(ahead.status, 0) << ahead.err;
  ASSERT_EQ(after.status, 0) << after.err;
  const auto first = lines_of(ahead.out), second = lines_of(after.out);
  ASSERT_EQ(first.size(), 11U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(first[i]["objects"], second[i]["objects"]) << i;
}

TEST_F(SamuraiCommand, follows_a_video_of_one_frame) {
  const ShellResult outcome = run(frames(1) + kModel + kBox);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("over 1 frame,"));
}

TEST_F(SamuraiCommand, follows_two_objects_shown_by_boxes_and_one_by_points) {
  const std::string folder = frames(3);
  const ShellResult two = run(folder + kModel + kBox + "--bbox 30,30,20,20 --json --masks " + path("masks"));
  ASSERT_EQ(two.status, 0) << two.err;
  EXPECT_EQ(lines_of(two.out)[2]["objects"].size(), 2U);
  EXPECT_TRUE(fs::exists(path("masks/object_2/00002.png")));
  const ShellResult points = run(folder + kModel + "--point 22,27,1 --point 50,8,0 --json");
  ASSERT_EQ(points.status, 0) << points.err;
  const ShellResult mask = run(folder + kModel + "--mask " + path("masks/object_2/00000.png"));
  EXPECT_EQ(mask.status, 0) << mask.err;
}

TEST_F(SamuraiCommand, leaves_out_an_unreadable_frame_and_says_so) {
  const std::string folder = frames(5);
  std::ofstream(path("frames/002.png")) << "no picture";
  const ShellResult outcome = run(folder + kModel + kBox + "--json");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("002.png"));
  EXPECT_THAT(outcome.err, HasSubstr("1 frame could not be read"));
  const auto lines = lines_of(outcome.out);
  ASSERT_GE(lines.size(), 6U);
  EXPECT_TRUE(lines[2].contains("error"));
  EXPECT_EQ(lines[4]["frame"], 3);

  std::ofstream(path("frames/000.png")) << "no picture";
  const ShellResult first = run(folder + kModel + kBox);
  EXPECT_EQ(first.status, 1);
  EXPECT_THAT(first.err, HasSubstr("the first frame, on which the object was shown, cannot be read"));
}

TEST_F(SamuraiCommand, warns_of_a_frame_of_another_size_and_goes_on) {
  const std::string folder = frames(3);
  const auto other = media::Image::create(50, 40);
  ASSERT_TRUE(media::write_image(path("frames/001.png"), other->view()));
  const ShellResult outcome = run(folder + kModel + kBox + "--json --output " + path("o.mp4"));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("frame 1 is 50x40, the one before 64x64"));
  EXPECT_EQ(lines_of(outcome.out)[1]["width"], 50);
}

TEST_F(SamuraiCommand, tells_wrong_use_from_prompts_that_do_not_fit_the_frame) {
  const std::string folder = frames(1);
  const std::vector<std::tuple<std::string, int, std::string>> cases = {
      {kModel, 2, "what is to be followed?"},
      {kModel + "--box 1,2,3", 2, "--box takes x,y,w,h in pixels of the first frame, got '1,2,3'"},
      {kModel + "--box 10,10,0,5", 2, "has no area"},
      {kModel + "--box 10,10,nan,5", 2, "--box takes"},
      {kModel + "--box 100,10,20,20", 1, "lies outside the first frame, which is 64x64"},
      {kModel + "--point 1,2,7", 2, "expected the label 1 (the object) or 0 (not), found 7"},
      {kModel + "--point 99,2,1", 1, "the point 99,2 lies outside the first frame"},
      {kModel + kBox + kBox + "--point 1,2,1", 2, "--point belongs to one object, but 2 were shown"},
      {kModel + kBox + "--output " + path("o.gif"), 2, "ends in .mp4"},
      {" --model /nowhere " + kBox, 1, "/nowhere: no such model"},
      {kModel + "--detect person", 2, "--detect person needs --detector MODEL"},
      {kModel + "--detector y.onnx", 2, "--detector y.onnx: what is it to find?"},
      {kModel + kBox + "--detect person --detector y.onnx", 2, "--detect finds the objects itself"},
      {kModel + "--detect person --detector /nowhere.onnx", 1, "/nowhere.onnx"},
      {kBox, 2, "samurai takes VIDEO --model DIR --box x,y,w,h"},
  };
  for (const auto& [arguments, status, message] : cases) {
    const ShellResult outcome = run(folder + arguments);
    EXPECT_EQ(outcome.status, status) << arguments << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(message)) << arguments;
  }
  const ShellResult missing = run(path("no.mp4") + kModel + kBox);
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, HasSubstr("no.mp4: no such file"));
}

// The tiny model's logits by PyTorch, as `python -m python.reference.samurai.tracker --logits` would write them.
TEST_F(SamuraiCommand, validates_against_the_reference) {
  const std::string bytes = *base::read_file(kTiny / "box.f32", 1 << 20);
  tensor::NamedTensors arrays;
  arrays.push_back({"logits", *tensor::Tensor::copy_of(tensor::Dtype::kFloat32, {24, 16, 16},
                                                       std::as_bytes(std::span(bytes.data(), bytes.size())))});
  ASSERT_TRUE(tensor::write_npz(path("reference.npz"), arrays));
  const std::string common =
      "validate " + frames(24) + kModel + kBox + "--reference " + path("reference.npz") + " --json";
  const ShellResult outcome = run(common);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const json summary = lines_of(outcome.out).back();
  EXPECT_EQ(summary["frames"], 24);
  EXPECT_LT(summary["logits_relative"].get<double>(), 1e-3);
  EXPECT_GE(summary["mask_iou"].get<double>(), 0.99);

  const ShellResult alone = run(common + " --components " + (kTiny / "components.npz").string());
  ASSERT_EQ(alone.status, 0) << alone.err;
  std::set<std::string> components;
  for (const json& line : lines_of(alone.out)) {
    if (line["schema"] != "samurai-validate-component/1") continue;
    components.insert(line["component"].get<std::string>());
    EXPECT_LT(line["relative"].get<double>(), 1e-4) << line;
  }
  EXPECT_GE(components.size(), 6U);
  EXPECT_LT(lines_of(alone.out).back()["components_relative"].get<double>(), 1e-4);

  tensor::NamedTensors recorded = *tensor::read_npz(kTiny / "components.npz");
  for (tensor::NamedTensor& each : recorded) {
    if (each.name == "memory_encoder/1/out/memory") each.tensor.values<float>()[5] += 9;
  }
  ASSERT_TRUE(tensor::write_npz(path("components.npz"), recorded));
  EXPECT_EQ(run(common + " --components " + path("components.npz")).status, 1);
  recorded[0].name = "image_encoder/first";
  ASSERT_TRUE(tensor::write_npz(path("components.npz"), recorded));
  const ShellResult misnamed = run(common + " --components " + path("components.npz"));
  EXPECT_EQ(misnamed.status, 1);
  EXPECT_THAT(misnamed.err, HasSubstr("array 'image_encoder/first': expected COMPONENT/FRAME/in/TENSOR"));

  arrays[0].tensor.values<float>()[7 * 256 + 30] += 3;
  ASSERT_TRUE(tensor::write_npz(path("reference.npz"), arrays));
  const ShellResult differs = run(common);
  EXPECT_EQ(differs.status, 1);
  EXPECT_THAT(differs.err, HasSubstr("differs from the reference"));
  EXPECT_THAT(differs.err, Not(HasSubstr("other pixels")));

  // As a reference that saw one pixel of the third frame otherwise.
  std::string video = *base::read_file(kTiny / "frames.u8", 1 << 20), digits;
  video[2 * 3 * kSide * kSide + 100] ^= 1;
  for (std::size_t i = 0; i < 24; ++i)
    digits += base::sha256_hex(video.substr(i * 3 * kSide * kSide, 3 * kSide * kSide));
  arrays.push_back({"frames_sha256", *tensor::Tensor::copy_of(tensor::Dtype::kUint8, {24, 64},
                                                              std::as_bytes(std::span(digits.data(), digits.size())))});
  ASSERT_TRUE(tensor::write_npz(path("reference.npz"), arrays));
  const ShellResult otherwise = run(common);
  EXPECT_THAT(otherwise.err, HasSubstr("the reference saw other pixels on 1 of them"));
  const auto lines = lines_of(otherwise.out);  // the last one is the error
  EXPECT_EQ(lines.at(lines.size() - 2)["frames_seen_differently"], 1);
}

}  // namespace
}  // namespace slipway::cli
