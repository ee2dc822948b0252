#include "hub/domain/document.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/value_of.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::testing::value_of;
using ::testing::HasSubstr;

template <typename Result>
Result with_account(Result result) {
  result.compiler_estimate = Estimate{.nominal_us = 470, .lower_us = 409, .upper_us = 542};
  result.compiler_traffic_bytes = {{"input fill", std::numeric_limits<std::uint64_t>::max()}};
  return result;
}

JobOutcome rich_compile_outcome() {
  JobOutcome outcome;
  outcome.succeeded = true;
  kinds::Compile::Result result;
  result.target_file = "model.dlc";
  result.companion_files = {{"source", "source.onnx"}};
  result.target_inputs = {{.spec = {.name = "image",
                                    .dtype = tensor::Dtype::kUint8,
                                    .shape = {1, -1, 3},
                                    .quantization = tensor::Quantization{.scale = 0.5F, .zero_point = -3}},
                           .graph_name = "g"}};
  result.target_metadata = {{3, "v2.50"}, {30, "g"}};
  result.agreement = {{.output = "y", .psnr_db = std::numeric_limits<double>::infinity()}};
  outcome.result = with_account(result);
  outcome.artifacts = {{.type = ArtifactType::kProfileTrace, .filename = "trace.json"}};
  return outcome;
}

JobOutcome rich_run_outcome() {
  JobOutcome outcome;
  kinds::Inference::Result result;
  result.profile.emplace(RunPlace{.machine = "a CPU", .provider = "cpu"});
  result.profile->set_layers({{.name = "l", .op_type = "Conv", .provider = "cpu", .unit = "CPU", .time_us = 7},
                              {.name = "m", .op_type = "Add", .provider = "qnn", .unit = "NPU", .time_us = {}}});
  RunFigures figures;
  figures.inference.times_us = {1, 2, 3};
  result.profile->set_figures(figures);
  result.profile->runtime_config = {{"b", "2"}, {"a", "1"}};
  result.output_dataset_file = "outputs.h5";
  outcome.result = with_account(result);
  return outcome;
}

JobSpec rich_spec() {
  JobSpec spec;
  spec.job.id = "j1";
  kinds::Compile compile;
  compile.input_specs = {{.name = "x", .dtype = tensor::Dtype::kInt64, .shape = {2, 3}, .quantization = {}}};
  spec.job.payload = compile;
  spec.job.state = JobState::kOptimizingModel;
  spec.job.created = base::Time(std::chrono::microseconds(1'700'000'000'123'456));
  Device& device = spec.job.device.emplace();
  device.name = "Gerät \"X\"";
  device.attributes = {"os:android"};
  device.soc_description = "®";
  device.chip.htp_arch = 75;
  device.execution_targets = {ExecutionTarget::kCpu, ExecutionTarget::kHtp};
  spec.job.lease_token = "t";
  spec.options.qnn_options = {{"context_priority", "HIGH"}};
  spec.options.max_profiler_time = std::chrono::seconds(5);
  spec.plan = ExecutionPlan{.target = CompileTarget::kQnnDlc,
                            .runs_on = ExecutionTarget::kHtpEmulator,
                            .provider = Provider::kQnn,
                            .fallback_allowed = true,
                            .figures = Figures::kEmulated,
                            .converts_first = Conversion::kCompileSource};
  auto& input = spec.models.emplace_back();
  input.model.companions = {{"source", {.filename = "s.onnx", .content = {.sha256 = "ab", .size_bytes = 5}}}};
  input.model.inspection.emplace().format = "onnx";
  input.companion_files = {{"source", "companion-source.onnx"}};
  spec.dataset.expires = base::Time(std::chrono::microseconds(5));
  return spec;
}

TEST(Document, of_an_outcome_comes_back_as_it_was) {
  const std::string text = to_document(rich_compile_outcome());
  const auto read = value_of(outcome_from_document(text, kinds::Compile{}));
  EXPECT_EQ(to_document(read), text);
  const auto& found = std::get<kinds::Compile::Result>(read.result);
  EXPECT_TRUE(std::isinf(found.agreement[0].psnr_db));
  EXPECT_EQ(found.target_inputs[0].spec.quantization->zero_point, -3);
  EXPECT_EQ(found.target_metadata.at(3), "v2.50");
  EXPECT_EQ(found.compiler_traffic_bytes.at("input fill"), std::numeric_limits<std::uint64_t>::max());

  const std::string run = to_document(rich_run_outcome());
  const auto read_run = value_of(outcome_from_document(run, kinds::Inference{}));
  EXPECT_EQ(to_document(read_run), run);
  const auto& profile = *std::get<kinds::Inference::Result>(read_run.result).profile;
  EXPECT_EQ(profile.layers()[0].time_us, 7U);
  EXPECT_FALSE(profile.layers()[1].time_us);
  EXPECT_EQ(profile.runtime_config.front().first, "b");
}

// Whoever wrote it: a worker of an older version, or a hand.
TEST(Document, of_an_emulated_run_is_read_without_its_times) {
  std::string text = to_document(rich_run_outcome());
  const std::string measured = R"("is_emulated":false)";
  ASSERT_NE(text.find(measured), std::string::npos);
  text.replace(text.find(measured), measured.size(), R"("is_emulated":true)");
  const auto read = value_of(outcome_from_document(text, kinds::Inference{}));
  const auto& profile = *std::get<kinds::Inference::Result>(read.result).profile;
  EXPECT_TRUE(profile.place().is_emulated);
  EXPECT_TRUE(profile.figures().inference.times_us.empty());
  ASSERT_EQ(profile.layers().size(), 2U);
  EXPECT_FALSE(profile.layers()[0].time_us);
}

TEST(Document, of_an_outcome_is_read_as_the_kind_of_its_job_whatever_else_it_holds) {
  const auto read = value_of(outcome_from_document(to_document(rich_run_outcome()), kinds::Compile{}));
  EXPECT_EQ(std::get<kinds::Compile::Result>(read.result).target_file, "");
  EXPECT_EQ(part<kinds::RunResult>(read.result), nullptr);
}

// Rows as the first release wrote them: one flat struct for all kinds.
TEST(Document, of_the_first_release_is_read) {
  const auto job = value_of(job_from_document(
      R"({"schema":"slipway-job/1","id":"j1","kind":2,"owner_id":"u1","name":"n","options":"","project_id":"",)"
      R"("device":{"name":"CPU","presence":0},"devices":[{"name":"CPU"}],"model_id":"m1","dataset_id":"d1",)"
      R"("input_specs":[],"is_profiling":true,"answer_as_profile_job":true,"state":10,"created_us":5,)"
      R"("target_model_id":"","output_dataset_id":"d2","artifacts":[],"outcome":null,"needs":"device:CPU",)"
      R"("attempt":1,"agent_id":"a","lease_token":"t","lease_until_us":null})"));
  const auto& inference = std::get<kinds::Inference>(job.payload);
  EXPECT_EQ(inference.model_id, "m1");
  EXPECT_EQ(inference.dataset_id, "d1");
  EXPECT_EQ(inference.output_dataset_id, "d2");
  EXPECT_TRUE(inference.is_profiling);
  EXPECT_TRUE(inference.answer_as_profile_job);
  const auto compiled = value_of(job_from_document(
      R"({"schema":"slipway-job/1","kind":3,"model_id":"m1","dataset_id":"","input_specs":[{"name":"x"}],)"
      R"("target_model_id":"m2","devices":[{"name":"A"},{"name":"B"}]})"));
  EXPECT_EQ(target_model_of(compiled), "m2");
  EXPECT_EQ(std::get<kinds::Compile>(compiled.payload).devices.size(), 2U);
  EXPECT_EQ(std::get<kinds::Compile>(compiled.payload).input_specs.at(0).name, "x");
  const auto outcome = value_of(outcome_from_document(
      R"({"schema":"slipway-job-outcome/1","succeeded":true,"target_file":"t.onnx","agreement":[{"output":"y"}],)"
      R"("profile":null,"output_dataset_file":"","inspection":null,"remarks":["r"],"sandbox":"s"})",
      compiled.payload));
  EXPECT_EQ(std::get<kinds::Compile::Result>(outcome.result).target_file, "t.onnx");
  EXPECT_EQ(outcome.remarks.size(), 1U);
}

TEST(Document, of_a_job_of_no_known_kind_is_refused_in_words) {
  const auto job = job_from_document(R"({"schema":"slipway-job/1","kind":77})");
  ASSERT_FALSE(job);
  EXPECT_THAT(job.error().message, HasSubstr("/kind: 77 is the number of no kind of jobs"));
}

TEST(Document, of_a_job_spec_comes_back_as_it_was) {
  const std::string text = to_document(rich_spec());
  const auto read = value_of(job_spec_from_document(text));
  EXPECT_EQ(to_document(read), text);
  EXPECT_EQ(read.job.created, rich_spec().job.created);
  EXPECT_EQ(read.job.device->name, "Gerät \"X\"");
  EXPECT_EQ(read.job.device->chip.htp_arch, 75);
  EXPECT_EQ(read.options.max_profiler_time, std::chrono::seconds(5));
  EXPECT_EQ(read.job.device->execution_targets, rich_spec().job.device->execution_targets);
  EXPECT_EQ(read.plan, rich_spec().plan);
  EXPECT_THAT(text, HasSubstr("\"runs_on\":\"htp emulator\""));
  EXPECT_EQ(std::get<kinds::Compile>(read.job.payload).input_specs.at(0).name, "x");
  EXPECT_EQ(read.models.at(0).model.companions.at("source").content.size_bytes, 5U);
  EXPECT_EQ(read.dataset.expires, rich_spec().dataset.expires);
}

TEST(Document, keeps_defaults_for_absent_fields_and_skips_unknown_ones) {
  const auto device = value_of(device_from_document(R"({"schema":"slipway-device/1","name":"a","flavour":{"x":[1]}})"));
  EXPECT_EQ(device.name, "a");
  EXPECT_EQ(device.presence, DevicePresence::kCatalogue);
}

TEST(Document, names_the_field_of_a_wrong_type) {
  struct Row {
    const char *text, *says;
  };
  for (const Row& row : {
           Row{R"({"schema":"slipway-device/1","name":5})", "/name: expected a text, found number"},
           Row{R"({"schema":"slipway-device/1","chip":{"soc_model":1.5}})", "/chip/soc_model: expected a whole number"},
           Row{R"({"schema":"slipway-device/1","chip":{"soc_model":9999999999}})",
               "/chip/soc_model: 9999999999 is out of range"},
           Row{R"({"schema":"slipway-device/1","attributes":["a",null]})",
               "/attributes/1: expected a text, found null"},
           Row{R"({"schema":"slipway-device/1","presence":7})", "/presence: 7 is none of the known values"},
           Row{R"({"schema":"slipway-device/1","chip":[]})", "/chip: expected an object, found array"},
           Row{R"({"schema":"slipway-device/2"})", "expected a document with schema slipway-device/1"},
           Row{R"({"name":"a"})", "found none"},
           Row{R"([1])", "found no JSON object"},
           Row{"{", "found no JSON object"},
           Row{"", "found no JSON object"},
       }) {
    const auto device = device_from_document(row.text);
    ASSERT_FALSE(device) << row.text;
    EXPECT_EQ(device.error().code, Code::kInvalidArgument);
    EXPECT_THAT(device.error().message, HasSubstr(row.says)) << row.text;
  }
  for (const Row& row : {
           Row{R"({"schema":"slipway-job-outcome/1","target_inputs":[{"spec":{"dtype":"float99"}}]})",
               "/target_inputs/0/spec/dtype: expected the name of a dtype"},
           Row{R"({"schema":"slipway-job-outcome/1","failure_type":-1})", "/failure_type"},
           Row{R"({"schema":"slipway-job-outcome/1","target_metadata":{"x":"y"}})",
               "expected a number as key, found 'x'"},
           Row{R"({"schema":"slipway-job-outcome/1","profile":{"inference":{"times_us":[-1]}}})",
               "/profile/inference/times_us/0: -1 is out of range"},
           Row{R"({"schema":"slipway-job-outcome/1","tool_versions":[["a"]]})", "/tool_versions/0: expected two texts"},
       }) {
    const bool is_compile = std::string_view(row.text).contains("target");
    const auto outcome =
        outcome_from_document(row.text, is_compile ? JobPayload(kinds::Compile{}) : JobPayload(kinds::Profile{}));
    ASSERT_FALSE(outcome) << row.text;
    EXPECT_THAT(outcome.error().message, HasSubstr(row.says)) << row.text;
  }
}

TEST(Document, survives_names_that_are_no_utf8_and_deep_nesting) {
  Device device;
  device.name = "a\xff\xfe";
  ASSERT_TRUE(nlohmann::json::accept(to_document(device)));
  EXPECT_FALSE(device_from_document(std::string(100'000, '[')));
  const std::string nested =
      R"({"schema":"slipway-device/1","x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_TRUE(device_from_document(nested));
}

}  // namespace
}  // namespace slipway::hub::domain
