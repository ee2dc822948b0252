#include "pipelines/demucs/separate.hpp"

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "media/audio_source.hpp"
#include "media/testing/golden.hpp"
#include "pipelines/demucs/raw_chunks.hpp"
#include "pipelines/demucs/raw_file.hpp"
#include "runtime/testing/environment.hpp"
#include "tensor/testing/golden.hpp"

namespace slipway::pipelines::demucs {
namespace {

using media::testing::lcg;
using runtime::testing::environment;
using tensor::testing::floats_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path kGolden = "tests/golden/demucs";
constexpr std::size_t kFrames = 30001;
constexpr std::size_t kStep = 16;

std::string bytes_of(const fs::path& path) {
  return base::read_file(path, 1 << 28).value();
}

class Separate : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.emplace(base::TemporaryFolder::create("demucs").value());
    const auto noise = lcg(0xC0FFEE, 2 * kFrames);
    left_.assign(noise.begin(), noise.begin() + kFrames);
    right_.assign(noise.begin() + kFrames, noise.end());
    for (float& value : left_) value *= 0.5F;
    for (float& value : right_) value *= 0.25F;
    write(song_ = path("song.wav"), left_, right_);
  }
  fs::path path(const std::string& name) const { return folder_->path() / name; }

  static void write(const fs::path& file, std::span<const float> left, std::span<const float> right, int rate = 44100) {
    auto writer = media::AudioWriter::create(file, rate, media::AudioEncoding::kWavFloat, 100000).value();
    ASSERT_TRUE(writer.write(left, right).has_value());
    ASSERT_TRUE(writer.finish().has_value());
  }

  // Loading takes longer than running: the golden models are loaded once.
  static Network* load(const fs::path& model, int parallel = 1) {
    static std::map<std::pair<std::string, int>, std::unique_ptr<Network>> loaded;
    auto& network = loaded[{model.string(), parallel}];
    if (!network) network = load_anew(model, parallel);
    return network.get();
  }

  static std::unique_ptr<Network> load_anew(const fs::path& model, int parallel) {
    const auto folder = ModelFolder::open(model);
    EXPECT_TRUE(folder.has_value()) << folder.error().message;
    NetworkOptions options;
    options.threads = 2;
    options.parallel_segments = parallel;
    auto network = Network::load(environment(), *folder, options);
    EXPECT_TRUE(network.has_value()) << network.error().message;
    return std::move(*network);
  }

  base::Result<SeparationReport> run(const SeparationOptions& options, const std::string& output, int parallel = 1,
                                     const fs::path& model = kGolden / "tiny") {
    return separate(*load(model, parallel), song_, path(output), options);
  }

  // [stem][channel][sample] of written files.
  std::vector<float> stems(const std::string& output) const {
    std::vector<float> all;
    for (const char* name : {"drums", "bass", "other", "vocals"}) {
      std::vector<float> left, right;
      auto source = media::StereoSource::open(path(output) / (std::string(name) + ".wav"), 44100).value();
      while (source.read(65536, left, right).value() > 0) {
      }
      EXPECT_EQ(left.size(), kFrames);
      all.insert(all.end(), left.begin(), left.end());
      all.insert(all.end(), right.begin(), right.end());
    }
    return all;
  }

  static double difference(const std::vector<float>& all, const std::string& golden) {
    return tensor::testing::worst_difference(all, kFrames, kStep, floats_of(kGolden / golden));
  }

  std::string error_of(const fs::path& song) {
    const auto outcome = separate(*load(kGolden / "tiny"), song, path("none"), {});
    EXPECT_FALSE(fs::exists(path("none") / "drums.wav"));
    return outcome ? "" : outcome.error().message;
  }

  std::optional<base::TemporaryFolder> folder_;
  fs::path song_;
  std::vector<float> left_, right_;
};

constexpr double kTolerance = 1e-6;  // of stems that reach 0.3

TEST_F(Separate, equals_demucs_apply_model) {
  const auto report = run({}, "stems");
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->frames, static_cast<std::int64_t>(kFrames));
  EXPECT_EQ(report->segments, 5);
  EXPECT_LT(difference(stems("stems"), "tiny_stems.f32"), kTolerance);
}

TEST_F(Separate, equals_demucs_with_shifts) {
  SeparationOptions options;
  options.shifts = 3;
  options.shift_offsets = {17, 22050, 9000};
  const auto report = run(options, "stems");
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_LT(difference(stems("stems"), "tiny_stems_shifted.f32"), kTolerance);
}

TEST_F(Separate, equals_demucs_on_a_bag_of_models_with_weights) {
  fs::create_directories(path("bag"));
  fs::copy(kGolden / "tiny/tiny.onnx", path("bag") / "tiny.onnx");
  std::ofstream(path("bag") / "model.yaml") << R"(schema: 1
name: bag
labels: [drums, bass, other, vocals]
graphs:
  one: {file: tiny.onnx, stem_weights: [1.0, 0.25, 0.0, 2.0]}
  two: {file: tiny.onnx, stem_weights: [1.0, 0.75, 1.0, 1.0]}
)";
  SeparationOptions options;
  options.shifts = 1;
  options.shift_offsets = {17, 22050};
  const auto report = run(options, "stems", 1, path("bag"));
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_LT(difference(stems("stems"), "tiny_stems_bag.f32"), kTolerance);
}

TEST_F(Separate, gives_the_same_bits_in_batches_in_parallel_and_again) {
  ASSERT_TRUE(run({}, "one").has_value());
  SeparationOptions batch;
  batch.mode = Mode::kBatch;
  batch.batch = 3;  // five segments: a group that is not full, too
  ASSERT_TRUE(run(batch, "batch").has_value());
  ASSERT_TRUE(run({}, "parallel", 2).has_value());
  ASSERT_TRUE(run({}, "again").has_value());
  for (const char* stem : {"drums.wav", "bass.wav", "other.wav", "vocals.wav"}) {
    const std::string expected = bytes_of(path("one") / stem);
    EXPECT_TRUE(expected == bytes_of(path("batch") / stem)) << stem;
    EXPECT_TRUE(expected == bytes_of(path("parallel") / stem)) << stem;
    EXPECT_TRUE(expected == bytes_of(path("again") / stem)) << stem;
  }
}

TEST_F(Separate, draws_the_same_shifts_from_the_same_seed) {
  SeparationOptions options;
  options.shifts = 2;
  options.seed = 7;
  const auto first = run(options, "a"), second = run(options, "b");
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->shift_offsets, second->shift_offsets);
  options.seed = 8;
  EXPECT_NE(run(options, "c")->shift_offsets, first->shift_offsets);
}

TEST_F(Separate, two_stems_are_one_and_the_sum_of_the_others) {
  ASSERT_TRUE(run({}, "four").has_value());
  SeparationOptions options;
  options.two_stems = "bass";
  const auto report = run(options, "two");
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(bytes_of(path("two") / "bass.wav"), bytes_of(path("four") / "bass.wav"));
  const auto all = stems("four");
  std::vector<float> left, right;
  auto source = media::StereoSource::open(path("two") / "no_bass.wav", 44100).value();
  while (source.read(65536, left, right).value() > 0) {
  }
  for (std::size_t i = 0; i < kFrames; i += 97) {
    EXPECT_FLOAT_EQ(left[i], 0.0F + all[i] + all[4 * kFrames + i] + all[6 * kFrames + i]);
  }
  options.two_stems = "flute";
  EXPECT_THAT(run(options, "none").error().message, HasSubstr("drums, bass, other, vocals"));
}

TEST_F(Separate, single_mode_gives_the_first_segment_only) {
  SeparationOptions options;
  options.mode = Mode::kSingle;
  const auto report = run(options, "stems");
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->frames, 8192);
  EXPECT_EQ(report->segments, 2);  // the second one begins within the first
}

TEST_F(Separate, takes_songs_of_any_length_and_rate) {
  for (const std::size_t frames :
       {std::size_t{1}, std::size_t{2}, std::size_t{777}, std::size_t{8192}, std::size_t{8193}}) {
    write(song_, std::span(left_).first(frames), std::span(right_).first(frames));
    const auto report = run({}, "stems");
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->frames, static_cast<std::int64_t>(frames));
  }
  write(song_, std::span(left_).first(4000), std::span(left_).first(4000), 8000);
  const auto report = run({}, "stems");
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_NEAR(static_cast<double>(report->frames), 22050, 20);
}

TEST_F(Separate, silence_and_clipped_sound_stay_finite) {
  const std::vector<float> silence(20000, 0.0F), clipped(20000, 4.0F);
  for (const auto* sound : {&silence, &clipped}) {
    write(song_, *sound, *sound);
    ASSERT_TRUE(run({}, "stems").has_value());
    std::vector<float> left, right;
    auto source = media::StereoSource::open(path("stems") / "drums.wav", 44100).value();
    ASSERT_EQ(source.read(20000, left, right).value(), 20000U);
    EXPECT_TRUE(std::ranges::all_of(left, [](float v) { return std::isfinite(v); }));
    if (sound == &silence) {
      EXPECT_LT(std::abs(left[5000]), 1e-6F);
    }
  }
}

TEST_F(Separate, refuses_what_is_not_a_number_and_what_has_no_samples) {
  left_[12345] = std::numeric_limits<float>::quiet_NaN();
  write(song_, left_, right_);
  EXPECT_THAT(error_of(song_), HasSubstr("sample 12345"));
  write(song_, {}, {});
  EXPECT_THAT(error_of(song_), ::testing::AnyOf(HasSubstr("no samples"), HasSubstr("audio")));
  EXPECT_THAT(error_of(path("missing.wav")), HasSubstr("missing.wav"));
}

TEST_F(Separate, refuses_options_by_name) {
  SeparationOptions options;
  options.overlap = 1.0;
  EXPECT_THAT(run(options, "x").error().message, HasSubstr("overlap"));
  options = {};
  options.shifts = 1;
  options.shift_offsets = {22051};
  EXPECT_THAT(run(options, "x").error().message, HasSubstr("0 to 22050"));
  options = {};
  options.mode = Mode::kBatch;
  EXPECT_THAT(run(options, "x", 1, kGolden / "tiny_whole").error().message, HasSubstr("--batch dynamic"));
}

TEST_F(Separate, a_cancelled_separation_leaves_no_files) {
  runtime::CancelFlag cancel;
  cancel.cancel();
  SeparationOptions options;
  options.cancel = &cancel;
  const auto outcome = run(options, "stems");
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, base::Code::kCancelled);
  EXPECT_TRUE(fs::is_empty(path("stems")));
}

TEST_F(Separate, refuses_a_network_that_is_no_separator) {
  const auto folder = ModelFolder::open(kGolden / "tiny/tiny.onnx").value();
  const tensor::TensorSpec input{"input", tensor::Dtype::kFloat32, {1, 2, 8192}, {}};
  const tensor::TensorSpec wave{"add_67", tensor::Dtype::kFloat32, {1, 4, 2, 8192}, {}};
  EXPECT_TRUE(form_of(folder, {input}, {wave}).has_value());
  EXPECT_FALSE(form_of(folder, {}, {wave}).has_value());
  EXPECT_FALSE(form_of(folder, {input, input, wave}, {wave}).has_value());
  auto other = input;
  other.shape = {1, 1, 8192};
  EXPECT_THAT(form_of(folder, {other}, {wave}).error().message, HasSubstr("[1,2,8192]"));
  other.shape = {1, 2, -1};
  EXPECT_FALSE(form_of(folder, {other}, {wave}).has_value());
  auto five = wave;
  five.shape = {1, 5, 2, 8192};
  EXPECT_FALSE(form_of(folder, {input}, {five}).has_value());
}

class RawChunks : public Separate {
 protected:
  // What a device would do: every chunk through the network, outputs appended to raw files.
  void run_network(const fs::path& model, const fs::path& chunks, std::int64_t count) {
    const auto folder = ModelFolder::open(model).value();
    const auto session = runtime::Session::load(environment(), folder.graphs()[0].file, {}).value();
    auto input = RawFileReader::open(chunks / "input.raw").value();
    auto x = RawFileReader::open(chunks / "x.raw").value();
    std::map<std::string, std::ofstream> files;
    for (std::int64_t k = 0; k < count; ++k) {
      tensor::NamedTensors feed;
      feed.push_back({"input", tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 2, 8192}).value()});
      feed.push_back({"x", tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 4, 2048, 8}).value()});
      ASSERT_TRUE(input.read(feed[0].tensor.values<float>()).has_value());
      ASSERT_TRUE(x.read(feed[1].tensor.values<float>()).has_value());
      const auto outputs = session->run(feed);
      ASSERT_TRUE(outputs.has_value()) << outputs.error().message;
      for (const auto& [name, value] : *outputs) {
        auto& file = files[name];
        if (!file.is_open()) file.open(chunks / (name + ".raw"), std::ios::binary);
        file.write(reinterpret_cast<const char*>(value.bytes().data()),
                   static_cast<std::streamsize>(value.size_bytes()));
      }
    }
  }
};

TEST_F(RawChunks, give_the_stems_that_separate_gives) {
  ASSERT_TRUE(run({}, "direct").has_value());
  const Form form = load(kGolden / "tiny")->form();
  const auto manifest = preprocess(song_, form, path("chunks"));
  ASSERT_TRUE(manifest.has_value()) << manifest.error().message;
  EXPECT_EQ(manifest->count, 5);
  EXPECT_EQ(fs::file_size(path("chunks") / "input.raw"), 5U * 2 * 8192 * 4);
  EXPECT_EQ(fs::file_size(path("chunks") / "x.raw"), 5U * 4 * 2048 * 8 * 4);
  run_network(kGolden / "tiny", path("chunks"), 5);
  PostprocessOptions options;
  options.raw_file = path("chunks") / "add_67.raw";
  const auto report = postprocess(path("chunks"), path("joined"), options);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  for (const char* stem : {"drums.wav", "bass.wav", "other.wav", "vocals.wav"}) {
    EXPECT_TRUE(bytes_of(path("direct") / stem) == bytes_of(path("joined") / stem)) << stem;
  }
}

TEST_F(RawChunks, one_raw_file_is_enough_for_a_model_with_the_inverse_inside) {
  Form form;  // as without --model: nothing but the segment is known
  form.segment_samples = 8192;
  ASSERT_TRUE(preprocess(song_, form, path("chunks")).has_value());
  run_network(kGolden / "tiny_whole", path("chunks"), 5);
  PostprocessOptions options;
  options.raw_file = path("chunks") / "add_67.raw";
  const auto report = postprocess(path("chunks"), path("joined"), options);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_LT(difference(stems("joined"), "tiny_stems.f32"), kTolerance);
}

TEST_F(RawChunks, refuse_files_of_the_wrong_size_and_a_missing_branch) {
  const Form form = load(kGolden / "tiny")->form();
  ASSERT_TRUE(preprocess(song_, form, path("chunks")).has_value());
  PostprocessOptions options;
  options.raw_file = path("chunks") / "add_67.raw";
  EXPECT_EQ(postprocess(path("chunks"), path("joined"), options).error().code, base::Code::kNotFound);
  std::ofstream(options.raw_file) << std::string(5 * 4 * 2 * 8192 * 4, '\0');
  EXPECT_THAT(postprocess(path("chunks"), path("joined"), options).error().message, HasSubstr("--istft inside"));
  std::ofstream(path("chunks") / "output.raw") << "short";
  EXPECT_THAT(postprocess(path("chunks"), path("joined"), options).error().message,
              HasSubstr("float32 [5, 4, 4, 2048, 8]"));
  std::ofstream(options.raw_file) << std::string(5 * 4 * 2 * 8192 * 4 - 4, '\0');
  EXPECT_THAT(postprocess(path("chunks"), path("joined"), options).error().message,
              HasSubstr("expected 1310720 bytes (float32 [5, 4, 2, 8192]), found 1310716"));
  std::ofstream(path("chunks") / "chunks.json") << R"({"schema":"slipway-demucs-chunks/1"})";
  EXPECT_EQ(postprocess(path("chunks"), path("joined"), options).error().code, base::Code::kInvalidArgument);
  EXPECT_FALSE(fs::exists(path("joined") / "drums.wav"));
}

}  // namespace
}  // namespace slipway::pipelines::demucs
