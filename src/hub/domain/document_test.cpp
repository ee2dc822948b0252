#include "hub/domain/document.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace slipway::hub::domain {
namespace {

using base::Code;
using testing::HasSubstr;

JobOutcome rich_outcome() {
  JobOutcome outcome;
  outcome.succeeded = true;
  outcome.target_file = "model.dlc";
  outcome.companion_files = {{"source", "source.onnx"}};
  outcome.target_inputs = {{.spec = {.name = "image",
                                     .dtype = tensor::Dtype::kUint8,
                                     .shape = {1, -1, 3},
                                     .quantization = tensor::Quantization{.scale = 0.5F, .zero_point = -3}},
                            .graph_name = "g"}};
  outcome.target_metadata = {{3, "v2.50"}, {30, "g"}};
  outcome.agreement = {{.output = "y", .psnr_db = std::numeric_limits<double>::infinity()}};
  outcome.compiler_estimate = Estimate{.nominal_us = 470, .lower_us = 409, .upper_us = 542};
  outcome.compiler_traffic_bytes = {{"input fill", std::numeric_limits<std::uint64_t>::max()}};
  outcome.profile.emplace().layers = {{.name = "l", .op_type = "Conv", .provider = "cpu", .unit = "CPU", .time_us = 7},
                                      {.name = "m", .op_type = "Add", .provider = "qnn", .unit = "NPU", .time_us = {}}};
  outcome.profile->inference.times_us = {1, 2, 3};
  outcome.profile->runtime_config = {{"b", "2"}, {"a", "1"}};
  outcome.artifacts = {{.type = ArtifactType::kProfileTrace, .filename = "trace.json"}};
  return outcome;
}

JobSpec rich_spec() {
  JobSpec spec;
  spec.job.id = "j1";
  spec.job.kind = JobKind::kInference;
  spec.job.state = JobState::kRunningInference;
  spec.job.created = base::Time(std::chrono::microseconds(1'700'000'000'123'456));
  Device& device = spec.job.device.emplace();
  device.name = "Gerät \"X\"";
  device.attributes = {"os:android"};
  device.soc_description = "®";
  device.chip.htp_arch = 75;
  spec.job.lease_token = "t";
  spec.job.input_specs = {{.name = "x", .dtype = tensor::Dtype::kInt64, .shape = {2, 3}, .quantization = {}}};
  spec.options.qnn_options = {{"context_priority", "HIGH"}};
  spec.options.max_profiler_time = std::chrono::seconds(5);
  spec.model.companions = {{"source", {.filename = "s.onnx", .content = {.sha256 = "ab", .size_bytes = 5}}}};
  spec.model.inspection.emplace().format = "onnx";
  spec.dataset.expires = base::Time(std::chrono::microseconds(5));
  spec.companion_files = {{"source", "companion-source.onnx"}};
  return spec;
}

TEST(Document, of_an_outcome_comes_back_as_it_was) {
  const std::string text = to_document(rich_outcome());
  const auto read = outcome_from_document(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_document(*read), text);
  EXPECT_TRUE(std::isinf(read->agreement[0].psnr_db));
  EXPECT_EQ(read->target_inputs[0].spec, rich_outcome().target_inputs[0].spec);
  EXPECT_EQ(read->profile->layers[0].time_us, 7U);
  EXPECT_FALSE(read->profile->layers[1].time_us);
  EXPECT_EQ(read->target_metadata, rich_outcome().target_metadata);
  EXPECT_EQ(read->compiler_traffic_bytes, rich_outcome().compiler_traffic_bytes);
  EXPECT_EQ(read->profile->runtime_config, rich_outcome().profile->runtime_config);
}

TEST(Document, of_a_job_spec_comes_back_as_it_was) {
  const std::string text = to_document(rich_spec());
  const auto read = job_spec_from_document(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_document(*read), text);
  EXPECT_EQ(read->job.created, rich_spec().job.created);
  EXPECT_EQ(read->job.device->name, "Gerät \"X\"");
  EXPECT_EQ(read->job.device->chip.htp_arch, 75);
  EXPECT_EQ(read->options.max_profiler_time, std::chrono::seconds(5));
  EXPECT_EQ(read->model.companions.at("source").content.size_bytes, 5U);
  EXPECT_EQ(read->dataset.expires, rich_spec().dataset.expires);
}

TEST(Document, keeps_defaults_for_absent_fields_and_skips_unknown_ones) {
  const auto device = device_from_document(R"({"schema":"slipway-device/1","name":"a","flavour":{"x":[1]}})");
  ASSERT_TRUE(device) << device.error().message;
  EXPECT_EQ(device->name, "a");
  EXPECT_EQ(device->presence, DevicePresence::kCatalogue);
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
    const auto outcome = outcome_from_document(row.text);
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
