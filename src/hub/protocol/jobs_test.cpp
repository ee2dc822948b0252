#include "hub/protocol/jobs.hpp"

#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hub/protocol/http_status.hpp"
#include "hub/protocol/internal/wire.hpp"
#include "hub/protocol/job_report.hpp"
#include "hub/protocol/models.hpp"
#include "hub/protocol/testing/sample_job.hpp"
#include "hub/protocol/transfers.hpp"

namespace slipway::hub::protocol {
namespace {

using nlohmann::json;

TEST(EncodeModel, leaves_out_what_the_wire_cannot_say_for_every_element_type) {
  for (const tensor::Dtype dtype :
       {tensor::Dtype::kFloat16, tensor::Dtype::kFloat32, tensor::Dtype::kBool, tensor::Dtype::kInt8,
        tensor::Dtype::kInt16, tensor::Dtype::kInt32, tensor::Dtype::kInt64, tensor::Dtype::kUint8,
        tensor::Dtype::kUint16, tensor::Dtype::kFloat64, tensor::Dtype::kUint32, tensor::Dtype::kUint64,
        tensor::Dtype::kBfloat16}) {
    ModelView view;
    view.model.inspection = domain::Inspection{};
    view.model.inspection->inputs = {
        {.spec = {.name = "x", .dtype = dtype, .shape = {1, -1}, .quantization = tensor::Quantization{0.5F, 3}},
         .graph_name = {}}};
    internal::api::Model message;
    ASSERT_TRUE(message.ParseFromString(encode_model(view)));
    const bool expressible = internal::wire_dtype(dtype).has_value();
    EXPECT_EQ(message.input_spec().types_size(), expressible ? 1 : 0) << tensor::dtype_name(dtype);
    if (!expressible) continue;
    const auto back = internal::specs_of(message.input_spec());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->at(0).dtype, dtype);
    EXPECT_EQ(back->at(0).shape, (tensor::Shape{1, -1}));
    EXPECT_EQ(message.input_spec().types(0).tensor_type().scale(), 0.5F);
    EXPECT_EQ(message.input_spec().types(0).tensor_type().zero_point(), 3.0);
  }
}

TEST(EncodeModel, leaves_out_a_list_of_inputs_whose_ranks_are_not_all_known) {
  // An empty shape is a scalar's: the official client would show () and refuse every tensor that fits.
  ModelView view;
  view.model.inspection = domain::Inspection{};
  view.model.inspection->inputs = {
      {.spec = {.name = "x", .dtype = tensor::Dtype::kFloat32, .shape = {}, .quantization = {}, .has_rank = false},
       .graph_name = {}}};
  view.model.inspection->outputs = {
      {.spec = {.name = "y", .dtype = tensor::Dtype::kFloat32, .shape = {}, .quantization = {}}, .graph_name = {}}};
  internal::api::Model message;
  ASSERT_TRUE(message.ParseFromString(encode_model(view)));
  EXPECT_FALSE(message.has_input_spec());
  EXPECT_EQ(message.output_spec().types_size(), 1) << "a scalar is known";
}

TEST(DecodeNewModel, refuses_a_type_the_hub_does_not_take_by_its_name) {
  internal::api::Model message;
  message.set_model_type(internal::api::MODEL_TYPE_MLMODEL);
  const auto outcome = decode_new_model(message.SerializeAsString());
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("MODEL_TYPE_MLMODEL"), std::string::npos);
}

TEST(DecodeNewModel, takes_what_the_client_sends) {
  internal::api::Model message;
  message.set_name("netz ü.onnx");
  message.set_model_type(internal::api::MODEL_TYPE_ONNX);
  message.set_is_directory(true);
  const auto request = decode_new_model(message.SerializeAsString());
  ASSERT_TRUE(request);
  EXPECT_EQ(request->name, "netz ü.onnx");
  EXPECT_TRUE(request->is_directory);
}

TEST(Decoders, never_crash_on_random_bytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    (void)decode_submission(bytes);
    (void)decode_new_model(bytes);
    (void)decode_upload_completion(bytes);
    (void)decode_job_name(bytes);
  }
}

TEST(EncodeJob, a_name_that_is_no_utf8_still_makes_a_message) {
  JobView view = testing::sample_compile_job();
  view.job.name = "\xff\xfe";
  internal::api::Job message;
  ASSERT_TRUE(message.ParseFromString(encode_job(view)));
  EXPECT_EQ(message.compile_job().name(), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(EncodeJob, a_failure_reason_is_there_only_after_a_failure) {
  JobView view = testing::sample_compile_job();
  internal::api::Job message;
  ASSERT_TRUE(message.ParseFromString(encode_job(view)));
  EXPECT_FALSE(message.compile_job().has_failure_reason());
  view.job.state = domain::JobState::kFailed;
  view.job.outcome->failure_reason = "no such option";
  view.job.outcome->failure_type = domain::FailureType::kInvalidArgument;
  ASSERT_TRUE(message.ParseFromString(encode_job(view)));
  EXPECT_EQ(message.compile_job().failure_reason(), "no such option");
  EXPECT_EQ(message.failure_type(), internal::api::JOB_FAILURE_TYPE_INVALID_ARGUMENT);
}

TEST(EncodeJob, a_warning_about_the_result_is_the_message_of_a_job_that_is_done) {
  JobView view = testing::sample_compile_job();
  view.job.outcome->warnings = {"Output 'y' does not agree with the source.", "Output 'z' was not compared."};
  internal::api::Job message;
  ASSERT_TRUE(message.ParseFromString(encode_job(view)));
  EXPECT_EQ(message.compile_job().job_state(), internal::api::JOB_STATE_DONE);
  EXPECT_EQ(message.failure_type(), internal::api::JOB_FAILURE_TYPE_SUCCESS);
  EXPECT_EQ(message.compile_job().failure_reason(),
            "Output 'y' does not agree with the source. Output 'z' was not compared.");
  EXPECT_EQ(message.notices(0).severity(), internal::api::Notice::WARNING);
  const json report = json::parse(encode_job_report(view, std::nullopt, {}));
  EXPECT_EQ(report["warnings"][0], "Output 'y' does not agree with the source.");
  EXPECT_TRUE(report["job"]["has_warnings"].get<bool>());
}

TEST(EncodeJob, an_older_client_gets_the_arm_it_sent) {
  JobView view = testing::sample_inference_job();
  std::get<domain::kinds::Inference>(view.job.payload).answer_as_profile_job = true;
  internal::api::Job message;
  ASSERT_TRUE(message.ParseFromString(encode_job(view)));
  EXPECT_EQ(message.profile_job().profile_job_id(), "jrun");
  EXPECT_EQ(message.profile_job().execution_time(), 1500U);
}

TEST(EncodeJobResult, there_is_none_before_the_job_is_done) {
  JobView view = testing::sample_inference_job();
  view.job.state = domain::JobState::kMeasuringPerformance;
  EXPECT_FALSE(encode_job_result(view));
  view.job.state = domain::JobState::kFailed;
  EXPECT_FALSE(encode_job_result(view));
}

TEST(Transfers, the_completion_takes_the_tags_with_or_without_quotes) {
  internal::api::FileMultipartUploadComplete message;
  message.set_upload_id("u");
  message.add_etags("\"abc\"");
  message.add_etags("abc");
  message.add_etags("W/\"abc\"");
  const auto completion = decode_upload_completion(message.SerializeAsString());
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->etags, (std::vector<std::string>{"abc", "abc", "abc"}));
}

TEST(Transfers, never_hand_out_credentials) {
  internal::api::FileUploadResponse plan;
  ASSERT_TRUE(plan.ParseFromString(encode_part_plan({"u", {"a"}, 1}, PlanForm::kWrapped)));
  EXPECT_FALSE(plan.has_credentials());
  EXPECT_TRUE(plan.has_multipart_url());
}

TEST(HttpStatus, refusals_are_400_and_never_422) {
  EXPECT_EQ(http_status({base::Code::kInvalidArgument, ""}, Reader::kOfficialClient), 400);
  EXPECT_EQ(http_status({base::Code::kFailedPrecondition, ""}, Reader::kOfficialClient), 400);
  EXPECT_EQ(http_status({base::Code::kUnimplemented, ""}, Reader::kOfficialClient), 400);
  EXPECT_EQ(http_status({base::Code::kUnauthenticated, ""}, Reader::kOfficialClient), 401);
  EXPECT_EQ(http_status({base::Code::kPermissionDenied, ""}, Reader::kOfficialClient), 403);
  EXPECT_EQ(http_status({base::Code::kNotFound, ""}, Reader::kOfficialClient), 404);
  EXPECT_EQ(http_status({base::Code::kAborted, ""}, Reader::kOfficialClient), 409);
  EXPECT_EQ(http_status({base::Code::kResourceExhausted, ""}, Reader::kOfficialClient), 400);
  EXPECT_EQ(http_status({base::Code::kResourceExhausted, ""}, Reader::kOthers), 413);
  EXPECT_EQ(http_status({base::Code::kUnavailable, ""}, Reader::kOfficialClient), 503);
  EXPECT_EQ(http_status({base::Code::kDataLoss, ""}, Reader::kOfficialClient), 500);
  for (const base::Reason reason : {base::Reason::kOutOfDisk, base::Reason::kReadOnly}) {
    const base::Error full{base::code_of(reason), "", reason};
    EXPECT_EQ(http_status(full, Reader::kOthers), 507);
    EXPECT_EQ(http_status(full, Reader::kOfficialClient), 409) << "of a 507 it shows no words";
  }
  EXPECT_EQ(error_body("say \"so\""), R"({"detail":"say \"so\""})");
}

TEST(JobReport, of_a_measured_run_carries_its_evidence) {
  ReportLinks links;
  links.output = "/assets/x";
  const json report = json::parse(encode_job_report(testing::sample_inference_job(), std::nullopt, links));
  EXPECT_EQ(report["schema"], "slipway-job-report/1");
  EXPECT_EQ(report["profile"]["statistics"]["median_us"], 1500);
  EXPECT_EQ(report["profile"]["statistics"]["min_us"], 1400);
  EXPECT_EQ(report["profile"]["layers"][0]["time_us"], 900);
  EXPECT_EQ(report["outputs"]["dataset"]["download_url"], "/assets/x");
  EXPECT_EQ(report["inputs"]["dataset"]["content"]["sha256"], "ef");
  EXPECT_TRUE(report["failure"].is_null());
}

TEST(JobReport, of_an_emulated_run_carries_no_time_anywhere) {
  JobView view = testing::sample_inference_job(true);
  const json report = json::parse(encode_job_report(view, std::nullopt, {}));
  EXPECT_TRUE(report["profile"]["is_emulated"].get<bool>());
  EXPECT_TRUE(report["profile"]["phases"].is_null());
  EXPECT_TRUE(report["profile"]["statistics"].is_null());
  for (const json& layer : report["profile"]["layers"]) EXPECT_TRUE(layer["time_us"].is_null());
  EXPECT_NE(report["remarks"].dump().find("nothing was measured"), std::string::npos);
}

TEST(JobReport, keeps_the_compilers_estimate_apart_and_labelled) {
  JobView view = testing::sample_compile_job();
  std::get<domain::kinds::Compile::Result>(view.job.outcome->result).agreement[0].psnr_db =
      std::numeric_limits<double>::infinity();
  const json report = json::parse(encode_job_report(view, 4, {}));
  EXPECT_TRUE(report["profile"].is_null());
  EXPECT_EQ(report["compiler_estimate"]["nominal_us"], 100.0);
  EXPECT_NE(report["compiler_estimate"]["label"].get<std::string>().find("not a measurement"), std::string::npos);
  EXPECT_EQ(report["agreement"]["rows"][0]["psnr_db"], "infinite");
  EXPECT_EQ(report["job"]["queue_position"], 4);
  EXPECT_EQ(report["device"]["presence"], "catalogue");
}

TEST(JobLog, is_cut_after_the_last_whole_line_while_the_job_runs) {
  json part = json::parse(encode_job_log("one\ntwo\nthr", 0, false));
  EXPECT_EQ(part["text"], "one\ntwo\n");
  EXPECT_EQ(part["next_offset"], 8);
  part = json::parse(encode_job_log("one\ntwo\nthr", 8, false));
  EXPECT_EQ(part["text"], "");
  part = json::parse(encode_job_log("one\ntwo\nthr", 8, true));
  EXPECT_EQ(part["text"], "thr");
  part = json::parse(encode_job_log("short", 1'000'000, true));
  EXPECT_EQ(part["next_offset"], 5);
}

}  // namespace
}  // namespace slipway::hub::protocol
