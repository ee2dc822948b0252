// Inference and profiles, whole. Python's ONNX Runtime and the official client's own reader are the oracles.
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/npu_faults/known_faults.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "hub/datasets/dataset_h5.hpp"
#include "hub/datasets/testing/python.hpp"
#include "hub/executor/testing/job_folder.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using datasets::DatasetReader;
using datasets::DatasetWriter;
namespace tiny = compile::onnx_graph::testing;
using datasets::testing::run_python;
using domain::FailureType;
using domain::JobOutcome;
using domain::kinds::Inference;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using testing::snapdragon;
using testing::this_cpu;

class RunJob : public testing::JobFolderTest {};

TEST_F(RunJob, runs_every_sample_as_onnx_runtime_in_python_does) {
  SLIPWAY_NEEDS_PYTHON();
  tiny::write(model(), tiny::lookup_net());
  run_python(R"(
import sys, h5py, numpy as np
from qai_hub.util.dataset_entries_converters import dataset_entries_to_h5
with h5py.File(sys.argv[1], "w") as f:
    dataset_entries_to_h5({"ids": [np.arange(6, dtype=np.int64) % (s % 3 + 1) for s in range(12)],
                           "offset": [np.array([s % 2], np.int64) for s in range(12)]}, f)
)",
             {job() / "in" / "dataset.h5"});
  set_job(Inference{}, this_cpu());
  spec_.dataset_file = "dataset.h5";
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  run_python(R"(
import sys, h5py, numpy as np, onnxruntime as ort
from qai_hub.util.dataset_entries_converters import h5_to_dataset_entries
model, inputs, outputs = sys.argv[1:]
s = ort.InferenceSession(model)
given, got = (h5_to_dataset_entries(h5py.File(p)) for p in (inputs, outputs))
assert list(got) == [o.name for o in s.get_outputs()], list(got)
for i in range(12):
    want = s.run(None, {k: v[i] for k, v in given.items()})
    for name, w in zip(got, want):
        assert got[name][i].dtype == w.dtype and np.array_equal(got[name][i], w), (i, name)
)",
             {model(), job() / "in" / "dataset.h5", out(run_result(outcome).output_dataset_file)});
  ASSERT_TRUE(run_result(outcome).profile);
  EXPECT_FALSE(run_result(outcome).profile->place().is_emulated);
  EXPECT_THAT(run_result(outcome).profile->figures().inference.times_us, SizeIs(12))
      << "times are measured with profiling on or off";
  EXPECT_GT(run_result(outcome).profile->figures().inference.peak.upper_bytes, 1U << 20);
  EXPECT_THAT(run_result(outcome).profile->placement, HasSubstr("CPU"));
}

using RunJobDeathTest = RunJob;

TEST_F(RunJobDeathTest, keeps_the_outputs_of_the_samples_before_the_one_that_never_ends) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  fs::copy_file("tests/golden/models/counting.onnx", model());
  auto writer = DatasetWriter::create(job() / "in" / "dataset.h5", {"x", "trips"});
  for (const std::int64_t trips : {3LL, 5LL, 1LL << 60}) {
    auto x = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {}).value();
    auto count = tensor::Tensor::zeros(tensor::Dtype::kInt64, {}).value();
    count.values<std::int64_t>()[0] = trips;
    ASSERT_TRUE(writer->append({&x, &count}));
  }
  ASSERT_TRUE(writer->finish());
  set_job(Inference{}, this_cpu());
  spec_.dataset_file = "dataset.h5";
  const auto end_with_what_there_is = [&] {
    tools_.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    tools_.end = [&](const JobOutcome& last) {
      const auto outputs = DatasetReader::open(out(run_result(last).output_dataset_file));
      const bool is_right = last.succeeded && last.warnings.size() == 1 && outputs && outputs->sample_count() == 2 &&
                            outputs->read(0, 0)->values<float>()[0] == 3.0F &&
                            outputs->read(0, 1)->values<float>()[0] == 5.0F;
      if (is_right) std::fputs(last.warnings.front().c_str(), stderr);
      std::_Exit(is_right ? 7 : 1);
    };
    run();
  };
  EXPECT_EXIT(end_with_what_there_is(), ::testing::ExitedWithCode(7),
              "the outputs of 2 of 3 samples are there; sample 2");
}

TEST_F(RunJob, names_the_input_that_does_not_fit) {
  tiny::write(model(), tiny::conv_net());
  auto writer = DatasetWriter::create(job() / "in" / "dataset.h5", {"image"});
  const auto values = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 3, 8, 8}).value();
  ASSERT_TRUE(writer->append({&values}));
  ASSERT_TRUE(writer->finish());
  set_job(Inference{}, this_cpu());
  spec_.dataset_file = "dataset.h5";
  const auto outcome = run();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.failure_reason, ::testing::AllOf(HasSubstr("image"), HasSubstr("16"), HasSubstr("8")));
}

TEST_F(RunJob, profiles_on_the_cpu_with_layers_and_a_trace) {
  tiny::write(model(), tiny::conv_net());
  set_job(profiling(), this_cpu());
  spec_.options.max_profiler_iterations = 30;
  spec_.options.onnx_options = {{"intra_op_num_threads", "1"}, {"graph_optimization_level", "ORT_ENABLE_BASIC"}};
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  ASSERT_TRUE(run_result(outcome).profile);
  const auto& profile = *run_result(outcome).profile;
  EXPECT_THAT(profile.figures().inference.times_us, Not(IsEmpty()));
  EXPECT_LE(profile.figures().inference.times_us.size(), 30U);
  EXPECT_THAT(profile.figures().cold_load.times_us, Not(IsEmpty()));
  EXPECT_GE(profile.layers().size(), 4U);
  for (const auto& layer : profile.layers()) EXPECT_EQ(layer.unit, "CPU");
  EXPECT_THAT(profile.runtime_config, Contains(std::pair<std::string, std::string>("intra_op_num_threads", "1")));
  ASSERT_THAT(outcome.artifacts, SizeIs(1));
  EXPECT_TRUE(fs::exists(out(outcome.artifacts[0].filename)));
  EXPECT_THAT(outcome.remarks, IsEmpty());
}

TEST_F(RunJob, a_profile_whose_first_run_passes_the_budget_fails_with_what_was_measured_before) {
  fs::copy_file("tests/golden/models/endless.onnx", model());
  set_job(profiling(), this_cpu());
  spec_.options.max_profiler_time = std::chrono::seconds(1);
  std::vector<JobOutcome> kept;
  tools_.store = [&](const JobOutcome& so_far) { kept.push_back(so_far); };
  const auto outcome = run();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_EQ(outcome.failure_type, FailureType::kTimeout);
  EXPECT_THAT(outcome.failure_reason, HasSubstr("no run ended within the 1.0 s"));
  ASSERT_TRUE(run_result(outcome).profile);
  EXPECT_THAT(run_result(outcome).profile->figures().cold_load.times_us, SizeIs(1));
  EXPECT_THAT(outcome.remarks, Contains(HasSubstr("Partial: inference could not be measured")));
  EXPECT_THAT(log_, Contains("measuring: inference"));
  ASSERT_THAT(kept, Not(IsEmpty()));
  EXPECT_FALSE(kept.front().succeeded) << "without times it is no profile";
  EXPECT_THAT(run_result(kept.front()).profile.value().figures().cold_load.times_us, SizeIs(1));
}

TEST_F(RunJob, keeps_a_profile_as_a_result_once_its_times_are_there) {
  tiny::write(model(), tiny::conv_net());
  set_job(profiling(), this_cpu());
  spec_.options.max_profiler_iterations = 5;
  std::optional<JobOutcome> kept;
  tools_.store = [&](const JobOutcome& so_far) { kept = so_far; };
  tools_.memory_bytes = 1'000'000;  // less than a run takes: there is no room for a trace
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_THAT(outcome.remarks, Contains(HasSubstr("Partial: layers could not be measured")));
  EXPECT_THAT(run_result(outcome).profile.value().layers(), Not(IsEmpty())) << "where each one ran is known";
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->succeeded);
  EXPECT_THAT(run_result(*kept).profile.value().figures().inference.times_us, SizeIs(5));
}

TEST_F(RunJob, names_random_inputs_when_a_profile_fails_on_them) {
  fs::copy_file("tests/golden/models/demanding.onnx", model());
  set_job(profiling(), this_cpu());
  const auto outcome = run();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.failure_reason,
              ::testing::AllOf(HasSubstr("the inputs were random"), HasSubstr("inference job")));
}

TEST_F(RunJob, an_emulated_profile_has_placement_and_estimate_but_no_times) {
  need_npu();
  if (IsSkipped()) return;
  tiny::write(model(), tiny::conv_net());
  set_job(profiling(), snapdragon());
  spec_.job.device->chip = {.name = "sa8255", .soc_model = 52, .htp_arch = 73, .supports_fp16 = true};
  spec_.options.qnn_options["context_enable_graphs"] = "face";
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  ASSERT_TRUE(run_result(outcome).profile);
  for (const auto* phase :
       {&run_result(outcome).profile->figures().compile, &run_result(outcome).profile->figures().cold_load,
        &run_result(outcome).profile->figures().warm_load, &run_result(outcome).profile->figures().inference}) {
    EXPECT_THAT(phase->times_us, IsEmpty());
    EXPECT_EQ(phase->peak.upper_bytes, 0U);
  }
  EXPECT_THAT(run_result(outcome).profile->layers(), Not(IsEmpty()));
  for (const auto& layer : run_result(outcome).profile->layers()) EXPECT_FALSE(layer.time_us) << layer.name;
  EXPECT_THAT(outcome.remarks, Contains(HasSubstr("no time was measured")));
  EXPECT_THAT(outcome.remarks, Contains(HasSubstr("context_enable_graphs=face has no effect")));
  EXPECT_THAT(outcome.remarks, Not(Contains(HasSubstr("were measured on"))));
  ASSERT_TRUE(run_result(outcome).compiler_estimate);
  EXPECT_GT(run_result(outcome).compiler_estimate->nominal_us, 0);
  EXPECT_THAT(outcome.artifacts,
              Contains(::testing::Field(&JobOutcome::File::type, domain::ArtifactType::kQhasSummary)));
}

TEST_F(RunJob, a_plain_graph_meets_none_of_the_compilers_known_faults_on_the_npu) {
  SLIPWAY_NEEDS_PYTHON();
  need_npu();
  if (IsSkipped()) return;
  const auto faults = compile::npu_faults::known_faults();
  const auto sigmoid = std::ranges::find(faults, "coarse-sigmoid", &compile::npu_faults::KnownFault::id);
  ASSERT_NE(sigmoid, faults.end());
  ASSERT_TRUE(sigmoid->probe().write(model()));
  run_python(R"(
import sys, h5py, numpy as np, onnxruntime as ort
from qai_hub.util.dataset_entries_converters import dataset_entries_to_h5
rng = np.random.default_rng(1)
with h5py.File(sys.argv[2], "w") as f:
    dataset_entries_to_h5({i.name: [rng.standard_normal(i.shape).astype(np.float32)]
                           for i in ort.InferenceSession(sys.argv[1]).get_inputs()}, f)
)",
             {model(), job() / "in" / "dataset.h5"});
  spec_.job.payload = Inference{};
  spec_.job.device = snapdragon();
  spec_.dataset_file = "dataset.h5";
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  run_python(R"(
import sys, h5py, numpy as np, onnxruntime as ort
from qai_hub.util.dataset_entries_converters import h5_to_dataset_entries
model, inputs, outputs = sys.argv[1:]
given, got = (h5_to_dataset_entries(h5py.File(p)) for p in (inputs, outputs))
(want,) = ort.InferenceSession(model).run(None, {k: v[0] for k, v in given.items()})
((found,),) = got.values()
error = np.abs(found - want).max()
assert error < 2e-4, error
)",
             {model(), job() / "in" / "dataset.h5", out(run_result(outcome).output_dataset_file)});
}

TEST_F(RunJob, forbids_the_cpu_when_the_compute_unit_leaves_it_out) {
  need_npu();
  if (IsSkipped()) return;
  tiny::write(model(), tiny::determinant_net());
  set_job(profiling(), snapdragon());
  const auto allowed = run();
  ASSERT_TRUE(allowed.succeeded) << allowed.failure_reason;
  EXPECT_THAT(run_result(allowed).profile->placement, HasSubstr("2 of 3 nodes on the NPU"));
  EXPECT_THAT(allowed.remarks, Contains(HasSubstr("1 of 3 nodes ran on the CPU")));
  clear();
  spec_.options.allow_cpu = false;
  const auto forbidden = run();
  EXPECT_FALSE(forbidden.succeeded);
  EXPECT_THAT(forbidden.failure_reason, HasSubstr("determinant"));
}

}  // namespace
}  // namespace slipway::hub::executor
