#include "runtime/profiling.hpp"

#include <csignal>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/value_of.hpp"
#include "runtime/phase.hpp"
#include "runtime/run_limit.hpp"
#include "runtime/statistics.hpp"
#include "runtime/testing/environment.hpp"

namespace slipway::runtime {
namespace {

using base::testing::value_of;
using namespace testing;  // NOLINT(google-build-using-namespace): one test
namespace fs = std::filesystem;
using base::Code;
using ::testing::HasSubstr;

class Profile : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.work_folder = folder_.path();
    options_.session.intra_op_threads = 1;
    libraries_ = locate_libraries().value();
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-profile").value();
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
  EXPECT_THAT(phases, ::testing::ElementsAre("cold load", "warm load", "inference", "layers"));
  EXPECT_FALSE(report->is_emulated);
  for (const PhaseMeasurement* phase : {&report->cold_load, &report->warm_load, &report->inference}) {
    ASSERT_FALSE(phase->times_us.empty());
    EXPECT_THAT(phase->times_us, ::testing::Each(::testing::Gt(0)));
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
  EXPECT_EQ(report->onnxruntime_version, environment()->onnxruntime_version());
  EXPECT_FALSE(report->machine.empty());
}

TEST_F(Profile, gives_statistics_alone_when_asked) {
  options_.measure_phases = false;
  options_.profile_layers = false;
  options_.stop_when_stable = false;
  options_.max_iterations = 33;
  const Golden golden = golden_of("conv");
  const auto report = value_of(profile(libraries_, kModels / "conv.onnx", &golden.inputs, options_));
  EXPECT_EQ(report.inference_statistics.count, 33);
  EXPECT_TRUE(report.cold_load.times_us.empty());
  EXPECT_TRUE(report.layers.empty());
  EXPECT_TRUE(report.chrome_trace.empty());
}

TEST_F(Profile, passes_the_models_errors_on) {
  std::ofstream(folder_.path() / "random.onnx") << "no model";
  const auto report = profile(libraries_, folder_.path() / "random.onnx", nullptr, options_);
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
  setenv("SLIPWAY_TEST_CRASH", "cold load", 1);
  const auto report = profile(libraries_, kModels / "conv.onnx", nullptr, options_);
  unsetenv("SLIPWAY_TEST_CRASH");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kInternal);
  EXPECT_THAT(report.error().message,
              ::testing::AllOf(HasSubstr("signal 11"), HasSubstr("cold load"), HasSubstr("about to crash")));
}

/// Inputs for a run that ends when the sun has burnt out.
tensor::NamedTensors endless() {
  auto trips = tensor::Tensor::zeros(tensor::Dtype::kInt64, {}).value();
  trips.values<std::int64_t>()[0] = std::int64_t{1} << 60;
  tensor::NamedTensors inputs;
  inputs.push_back({"trips", std::move(trips)});
  return inputs;
}

TEST_F(Profile, stops_a_run_that_passes_the_budget_and_keeps_what_was_measured) {
  options_.max_time = std::chrono::milliseconds(300);
  const auto inputs = endless();
  std::size_t reported = 0;
  const auto report = profile(libraries_, kModels / "loop.onnx", &inputs, options_, {},
                              [&](const ProfileReport& so_far) { reported = so_far.cold_load.times_us.size(); });
  ASSERT_TRUE(report) << report.error().message;
  const MissingPhase* missing = report->missing_phase("inference");
  ASSERT_NE(missing, nullptr);
  EXPECT_EQ(missing->reason.code, Code::kDeadlineExceeded);
  EXPECT_THAT(missing->reason.message, HasSubstr("no run ended within the 0.3 s"));
  EXPECT_EQ(report->cold_load.times_us.size(), 1U);
  EXPECT_FALSE(report->warm_load.times_us.empty());
  EXPECT_EQ(reported, 1U);
  options_.measure_phases = false;
  EXPECT_EQ(profile(libraries_, kModels / "loop.onnx", &inputs, options_).error().code, Code::kDeadlineExceeded)
      << "nothing at all was measured";
}

TEST_F(Profile, stops_tracing_layers_when_time_or_memory_is_over) {
  const auto inputs = endless();
  PhaseRequest request{.phase = Phase::kLayers,
                       .libraries = libraries_,
                       .model = fs::absolute(kModels / "loop.onnx"),
                       .inputs = folder_.path() / "inputs.npz",
                       .outputs = {},
                       .resident_bytes = 0,
                       .options = options_};
  ASSERT_TRUE(tensor::write_npz(request.inputs, inputs));
  request.options.max_time = std::chrono::milliseconds(100);
  const auto timed_out = value_of(run_phase_process(request, folder_.path(), {}));
  ASSERT_TRUE(timed_out.stopped);
  EXPECT_EQ(timed_out.stopped->code, Code::kDeadlineExceeded);
  EXPECT_GT(timed_out.placement.node_count(), 0);
  EXPECT_TRUE(timed_out.chrome_trace.empty());

  request.options.max_time = std::chrono::hours(1);
  request.resident_bytes = 1'000'000;
  const auto too_large = value_of(run_phase_process(request, folder_.path(), {}));
  ASSERT_TRUE(too_large.stopped);
  EXPECT_EQ(too_large.stopped->code, Code::kResourceExhausted);
}

TEST_F(Profile, traces_no_layers_that_the_memory_allowed_has_no_room_for) {
  options_.memory_bytes = 1'000'000;
  const auto report = value_of(profile(libraries_, kModels / "conv.onnx", nullptr, options_));
  EXPECT_TRUE(report.inference_is_whole);
  ASSERT_NE(report.missing_phase("layers"), nullptr);
  EXPECT_EQ(report.missing_phase("layers")->reason.code, Code::kResourceExhausted);
}

TEST_F(Profile, keeps_the_times_when_the_layers_cannot_be_traced) {
  setenv("SLIPWAY_TEST_CRASH", "layers", 1);
  const auto report = profile(libraries_, kModels / "conv.onnx", nullptr, options_);
  unsetenv("SLIPWAY_TEST_CRASH");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_GE(report->inference_statistics.count, 20);
  ASSERT_EQ(report->missing.size(), 1U);
  EXPECT_EQ(report->missing[0].name, "layers");
  EXPECT_THAT(report->missing[0].reason.message, HasSubstr("signal 11"));
  ASSERT_EQ(report->layers.size(), 2U) << "which layers there are is known without their times";
  EXPECT_FALSE(report->layers[0].median_us);
}

TEST_F(Profile, keeps_the_runs_that_ended_before_the_process_died) {
  setenv("SLIPWAY_TEST_CRASH", "inference", 1);  // after two runs of 10 and 12 us
  const auto report = profile(libraries_, kModels / "conv.onnx", nullptr, options_);
  unsetenv("SLIPWAY_TEST_CRASH");
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_NE(report->missing_phase("inference"), nullptr);
  EXPECT_THAT(report->inference.times_us, ::testing::ElementsAre(10, 12));
  EXPECT_DOUBLE_EQ(report->inference_statistics.median_us, 11);
}

TEST_F(Profile, names_random_inputs_as_a_cause_when_nobody_gave_others) {
  options_.measure_phases = false;
  options_.inputs_advice = "give others with --inputs";
  const auto failed = profile(libraries_, kModels / "demanding.onnx", nullptr, options_);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message,
              ::testing::AllOf(HasSubstr("the inputs were random"), HasSubstr("give others with --inputs")));
  const auto numbers = value_of(profile(libraries_, kModels / "root_of_less_two.onnx", nullptr, options_));
  EXPECT_THAT(numbers.warnings, ::testing::Contains(::testing::AllOf(HasSubstr("'y'"), HasSubstr("NaN"),
                                                                     HasSubstr("inputs were random"))));

  for (const char* model : {"demanding", "root_of_less_two"}) {
    const Golden golden = golden_of(model);
    const auto given =
        value_of(profile(libraries_, kModels / (std::string(model) + ".onnx"), &golden.inputs, options_));
    EXPECT_THAT(given.warnings, ::testing::Not(::testing::Contains(HasSubstr("random"))));
  }
}

TEST(RunLimit, leaves_room_for_runs_as_long_as_the_last_one) {
  const RunLimit limit(std::chrono::hours(1), 0);
  constexpr double kMinuteUs = 60e6;
  EXPECT_TRUE(limit.has_room_for(1, 50 * kMinuteUs));
  EXPECT_FALSE(limit.has_room_for(2, 50 * kMinuteUs));
  EXPECT_FALSE(limit.has_room_for(1, 50 * kMinuteUs, 0.75));
}

TEST_F(Profile, shows_no_time_when_the_npu_is_emulated) {
  if (!has_qnn()) GTEST_SKIP() << "no QNN plug-in here";
  options_.session.provider.name = "qnn";
  options_.session.provider.htp = HtpTarget{57, 75};
  options_.session.provider.options["enable_htp_fp16_precision"] = "1";
  const auto report = value_of(profile(libraries_, kModels / "conv.onnx", nullptr, options_));
  EXPECT_TRUE(report.is_emulated);
  EXPECT_EQ(report.placement.partitions, 1);
  for (const PhaseMeasurement* phase : {&report.cold_load, &report.warm_load, &report.inference}) {
    EXPECT_TRUE(phase->times_us.empty());
    EXPECT_EQ(phase->peak.upper_bytes, 0U);
  }
  EXPECT_EQ(report.inference_statistics.count, 0);
  ASSERT_FALSE(report.layers.empty());
  for (const LayerTime& layer : report.layers) {
    EXPECT_EQ(layer.placement.unit, ComputeUnit::kNpu);
    EXPECT_FALSE(layer.median_us || layer.lowest_us);
  }
  EXPECT_TRUE(report.chrome_trace.empty());
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("trace")) << "the emulator's times were left behind";
  }
  EXPECT_THAT(report.warnings, ::testing::Contains(HasSubstr("emulator")));
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
  const auto trace = value_of(read_trace(folder.path() / "t.json"));
  ASSERT_EQ(trace.kernels.size(), 1U);
  EXPECT_EQ(trace.kernels[0].placement.name, "caf\xEF\xBF\xBD");
  EXPECT_EQ(trace.kernels[0].times_us, std::vector<double>{3});
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
  const auto session = value_of(load_tiny("loop", options));
  const Golden golden = golden_of("loop");
  for (int run = 0; run < 3; ++run) ASSERT_TRUE(session.get()->run(golden.inputs));
  const auto trace = value_of(read_trace(session.get()->end_profiling().value()));
  EXPECT_EQ(trace.runs, 3);
  for (const KernelTimes& kernel : trace.kernels) EXPECT_EQ(kernel.times_us.size(), 3U) << kernel.placement.name;
  EXPECT_FALSE(trace.kernels.empty());
}

}  // namespace
}  // namespace slipway::runtime

/// A phase whose process dies, as with a crashing compiler.
void crash_if_told_to(int argc, char** argv) {
  const char* phase = std::getenv("SLIPWAY_TEST_CRASH");
  if (argc < 3 || argv[1] != slipway::runtime::kPhaseCommand || phase == nullptr) return;
  const auto folder = std::filesystem::path(argv[2]);
  const auto text = slipway::base::read_file(folder / slipway::runtime::kRequestFile, 1 << 20);
  const auto request = slipway::runtime::phase_request_from_json(text.value());
  if (slipway::runtime::phase_name(request.value().phase) != phase) return;
  constexpr std::string_view kTwoRuns = "0 100\n2 100 10 12\n";
  if (std::string_view(phase) == "inference") {
    EXPECT_GT(write(slipway::runtime::kProgressDescriptor, kTwoRuns.data(), kTwoRuns.size()), 0);
  }
  std::fprintf(stderr, "first line\nabout to crash\n");
  std::signal(SIGSEGV, SIG_DFL);
  std::raise(SIGSEGV);
}

int main(int argc, char** argv) {
  crash_if_told_to(argc, argv);
  if (const auto status = slipway::runtime::run_phase_if_asked(argc, argv)) return *status;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
