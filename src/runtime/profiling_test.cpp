#include "runtime/profiling.hpp"

#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "runtime/phase.hpp"
#include "runtime/statistics.hpp"
#include "runtime/test_support.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;
using base::Code;
using testing::HasSubstr;

class Profile : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::create("slipway-profile");
    ASSERT_TRUE(folder);
    folder_ = std::make_unique<base::TemporaryFolder>(std::move(*folder));
    options_.work_folder = folder_->path();
    options_.session.intra_op_threads = 1;
    libraries_ = locate_libraries().value();
  }

  std::unique_ptr<base::TemporaryFolder> folder_;
  ProfileOptions options_;
  LibraryPaths libraries_;
};

TEST_F(Profile, measures_every_phase_in_a_process_of_its_own) {
  std::vector<std::string> phases;
  const auto report = profile(libraries_, kModels / "conv.onnx", nullptr, options_,
                              [&](std::string_view phase, std::int64_t, std::int64_t) {
                                if (phases.empty() || phases.back() != phase) phases.emplace_back(phase);
                              });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(phases, testing::ElementsAre("cold load", "warm load", "inference", "layers"));
  EXPECT_FALSE(report->is_emulated);
  for (const PhaseMeasurement* phase : {&report->cold_load, &report->warm_load, &report->inference}) {
    ASSERT_FALSE(phase->times_us.empty());
    EXPECT_THAT(phase->times_us, testing::Each(testing::Gt(0)));
    // A process with ONNX Runtime in it holds megabytes, and its peak is never below what it holds.
    EXPECT_GT(phase->peak.lower_bytes, 5'000'000U);
    EXPECT_GE(phase->peak.upper_bytes, phase->peak.lower_bytes);
    EXPECT_GE(phase->increase.upper_bytes, phase->increase.lower_bytes);
  }
  EXPECT_EQ(report->cold_load.times_us.size(), 1U);
  EXPECT_GE(report->inference_statistics.count, 20);
  EXPECT_EQ(report->inference_statistics.count, static_cast<std::int64_t>(report->inference.times_us.size()));
  EXPECT_EQ(report->placement.summary(), "2 of 2 nodes on the CPU");
  ASSERT_FALSE(report->layers.empty());
  EXPECT_GT(report->layers.front().median_us.value_or(0), 0);
  EXPECT_LE(report->layers.front().lowest_us.value_or(1e9), report->layers.front().median_us.value_or(0));
  EXPECT_TRUE(fs::exists(report->chrome_trace));
  EXPECT_EQ(report->onnxruntime_version, test_environment()->onnxruntime_version());
  EXPECT_FALSE(report->machine.empty());
}

TEST_F(Profile, gives_statistics_alone_when_asked) {
  options_.measure_phases = false;
  options_.profile_layers = false;
  options_.stop_when_stable = false;
  options_.max_iterations = 33;
  const Golden golden = golden_of("conv");
  const auto report = profile(libraries_, kModels / "conv.onnx", &golden.inputs, options_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->inference_statistics.count, 33);
  EXPECT_TRUE(report->cold_load.times_us.empty());
  EXPECT_TRUE(report->layers.empty());
  EXPECT_TRUE(report->chrome_trace.empty());
}

TEST_F(Profile, passes_the_models_errors_on) {
  std::ofstream(folder_->path() / "random.onnx") << "no model";
  const auto report = profile(libraries_, folder_->path() / "random.onnx", nullptr, options_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kInvalidArgument);
  EXPECT_THAT(report.error().message, HasSubstr("random.onnx"));

  const Golden golden = golden_of("add");
  const auto wrong_inputs = profile(libraries_, kModels / "conv.onnx", &golden.inputs, options_);
  ASSERT_FALSE(wrong_inputs);
  EXPECT_THAT(wrong_inputs.error().message, HasSubstr("no input 'a'"));
}

TEST_F(Profile, names_signal_and_last_lines_of_a_phase_that_died) {
  // main() below makes the child of this test kill itself, as a crashing compiler would.
  setenv("SLIPWAY_TEST_CRASH", "1", 1);
  const auto report = profile(libraries_, kModels / "conv.onnx", nullptr, options_);
  unsetenv("SLIPWAY_TEST_CRASH");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kInternal);
  EXPECT_THAT(report.error().message,
              testing::AllOf(HasSubstr("signal 11"), HasSubstr("cold load"), HasSubstr("about to crash")));
}

TEST_F(Profile, shows_no_time_when_the_npu_is_emulated) {
  if (!has_qnn()) GTEST_SKIP() << "no QNN plug-in here";
  options_.session.provider.name = "qnn";
  options_.session.provider.htp = HtpTarget{57, 75};
  options_.session.provider.options["enable_htp_fp16_precision"] = "1";
  const auto report = profile(libraries_, kModels / "conv.onnx", nullptr, options_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->is_emulated);
  EXPECT_EQ(report->placement.partitions, 1);
  for (const PhaseMeasurement* phase : {&report->cold_load, &report->warm_load, &report->inference}) {
    EXPECT_TRUE(phase->times_us.empty());
    EXPECT_EQ(phase->peak.upper_bytes, 0U);
  }
  EXPECT_EQ(report->inference_statistics.count, 0);
  ASSERT_FALSE(report->layers.empty());
  for (const LayerTime& layer : report->layers) {
    EXPECT_EQ(layer.placement.unit, ComputeUnit::kNpu);
    EXPECT_FALSE(layer.median_us || layer.lowest_us);
  }
  EXPECT_TRUE(report->chrome_trace.empty());
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_->path())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("trace")) << "the emulator's times were left behind";
  }
  EXPECT_THAT(report->warnings, testing::Contains(HasSubstr("emulator")));
}

TEST_F(Profile, refuses_options_that_cannot_be) {
  options_.max_iterations = 0;
  EXPECT_EQ(profile(libraries_, kModels / "conv.onnx", nullptr, options_).error().code, Code::kInvalidArgument);
  options_.max_iterations = 1;
  options_.work_folder = "/nowhere/at/all";
  EXPECT_EQ(profile(libraries_, kModels / "conv.onnx", nullptr, options_).error().code, Code::kInvalidArgument);
}

TEST(Statistics, are_those_of_numpy) {
  // numpy: a = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]; median, percentile(90, 95, 99), std(ddof=1)
  const Statistics statistics = statistics_of({3, 1, 4, 1, 5, 9, 2, 6, 5, 3});
  EXPECT_EQ(statistics.count, 10);
  EXPECT_DOUBLE_EQ(statistics.min_us, 1);
  EXPECT_DOUBLE_EQ(statistics.max_us, 9);
  EXPECT_DOUBLE_EQ(statistics.median_us, 3.5);
  EXPECT_DOUBLE_EQ(statistics.mean_us, 3.9);
  EXPECT_DOUBLE_EQ(statistics.p90_us, 6.3);
  EXPECT_DOUBLE_EQ(statistics.p95_us, 7.65);
  EXPECT_DOUBLE_EQ(statistics.p99_us, 8.73);
  EXPECT_NEAR(statistics.stddev_us, 2.4698178, 1e-6);
  EXPECT_EQ(statistics_of({}).count, 0);
}

TEST(Stability, needs_twenty_runs_and_a_narrow_median) {
  EXPECT_FALSE(median_is_stable(std::vector<double>(19, 100.0)));
  EXPECT_TRUE(median_is_stable(std::vector<double>(20, 100.0)));
  std::vector<double> wide;
  for (int i = 0; i < 20; ++i) wide.push_back(100.0 + i);
  EXPECT_FALSE(median_is_stable(wide));
  // Outliers do not matter to a median.
  std::vector<double> outliers(40, 100.0);
  for (std::size_t i = 0; i < 8; ++i) outliers[i] = 1000.0;
  EXPECT_TRUE(median_is_stable(outliers));
}

TEST(Trace, with_names_that_are_no_utf8_is_read) {
  const base::TemporaryFolder folder = base::TemporaryFolder::create("slipway-trace").value();
  std::ofstream(folder.path() / "t.json") << R"([{"cat":"Session","name":"model_run","ts":1,"dur":9},)"
                                          << "{\"cat\":\"Node\",\"name\":\"caf\xe9_kernel_time\",\"ts\":2,\"dur\":3,"
                                          << R"("args":{"op_name":"Relu","provider":"CPUExecutionProvider"}}])";
  const auto trace = read_trace(folder.path() / "t.json");
  ASSERT_TRUE(trace) << trace.error().message;
  ASSERT_EQ(trace->kernels.size(), 1U);
  EXPECT_EQ(trace->kernels[0].placement.name, "caf\xEF\xBF\xBD");
  EXPECT_EQ(trace->kernels[0].times_us, std::vector<double>{3});
}

TEST(Trace, refuses_what_is_no_trace) {
  const auto folder = base::TemporaryFolder::create("slipway-test").value();
  std::ofstream(folder.path() / "t.json") << "{\"not\": \"a trace\"}";
  EXPECT_EQ(read_trace(folder.path() / "t.json").error().code, Code::kInvalidArgument);
  EXPECT_EQ(read_trace(folder.path() / "none.json").error().code, Code::kNotFound);
}

TEST(Trace, adds_up_what_a_loop_repeats_within_one_run) {
  const auto folder = base::TemporaryFolder::create("slipway-test").value();
  SessionOptions options;
  options.profile_prefix = folder.path() / "trace";
  options.graph_optimization = GraphOptimization::kDisabled;
  const auto session = load_tiny("loop", options);
  ASSERT_TRUE(session) << session.error().message;
  const Golden golden = golden_of("loop");
  for (int run = 0; run < 3; ++run) ASSERT_TRUE(session->get()->run(golden.inputs));
  const auto trace = read_trace(session->get()->end_profiling().value());
  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_EQ(trace->runs, 3);
  for (const KernelTimes& kernel : trace->kernels) EXPECT_EQ(kernel.times_us.size(), 3U) << kernel.placement.name;
  EXPECT_FALSE(trace->kernels.empty());
}

}  // namespace
}  // namespace slipway::runtime

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == slipway::runtime::kPhaseCommand && std::getenv("SLIPWAY_TEST_CRASH") != nullptr) {
    std::fprintf(stderr, "first line\nabout to crash\n");
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
  }
  if (const auto status = slipway::runtime::run_phase_if_asked(argc, argv)) return *status;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
