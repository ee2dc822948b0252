// Bytes of ours, read by the official client's own message classes, and theirs by ours.
#include <filesystem>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/testing/shell.hpp"
#include "hub/protocol/datasets.hpp"
#include "hub/protocol/devices.hpp"
#include "hub/protocol/jobs.hpp"
#include "hub/protocol/models.hpp"
#include "hub/protocol/testing/sample_job.hpp"
#include "hub/protocol/transfers.hpp"
#include "hub/protocol/users.hpp"

namespace slipway::hub::protocol {
namespace {

using nlohmann::json;

const std::filesystem::path kPython = base::testing::python_program();
const std::filesystem::path kProbe =
    std::filesystem::path(SLIPWAY_SOURCE_DIR) / "src/hub/protocol/client_classes_probe.py";

std::string hex_of(std::string_view bytes) {
  std::string result;
  for (const char c : bytes) result += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return result;
}

std::string bytes_of(const std::string& hex) {
  std::string result;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    result += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return result;
}

/// Asks the probe once about many messages: starting Python takes a second.
class ClientClasses : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kPython)) GTEST_SKIP() << "the official client is not set up (" << kPython << ")";
  }

  static std::vector<json> ask(const std::vector<json>& requests) {
    auto folder = base::TemporaryFolder::create("slipway-probe");
    EXPECT_TRUE(folder);
    std::string lines;
    for (const json& request : requests) lines += request.dump() + "\n";
    EXPECT_TRUE(base::write_file_durably(folder->path() / "in", lines));
    const auto probe = base::testing::run_in_shell(
        fmt::format("'{}' '{}' < '{}'", kPython.string(), kProbe.string(), (folder->path() / "in").string()));
    EXPECT_EQ(probe.status, 0) << probe.err;
    std::vector<json> answers;
    std::istringstream out(probe.out);
    for (std::string line; std::getline(out, line);) answers.push_back(json::parse(line));
    EXPECT_EQ(answers.size(), requests.size());
    return answers;
  }

  static json read_request(std::string_view message, const std::string& bytes) {
    return {{"message", message}, {"hex", hex_of(bytes)}};
  }
};

TEST_F(ClientClasses, see_what_we_sent) {
  const JobView compile = testing::sample_compile_job();
  const JobView inference = testing::sample_inference_job();
  const auto answers = ask({
      read_request("Job", encode_job(compile)),
      read_request("Job", encode_job(inference)),
      read_request("JobSummaryList", encode_job_summaries({compile, inference}, 12)),
      read_request("Model", encode_model({compile.models.at(0), compile.owner})),
      read_request("Dataset", encode_dataset({*inference.dataset, inference.owner})),
      read_request("DeviceList", encode_devices({*compile.job.device})),
      read_request("FileUploadResponse", encode_part_plan({"u1", {"http://h/1", "http://h/2"}, 9}, PlanForm::kWrapped)),
      read_request("FileMultipartUploadURL", encode_part_plan({"u1", {"http://h/1"}, 9}, PlanForm::kBare)),
      read_request("FileUploadResponse", encode_form_plan("http://h/f", "file", PlanForm::kWrapped)),
      read_request("FileDownloadURL", encode_download({"http://h/d", "a.onnx"}, PlanForm::kBare)),
      read_request("NamedArtifactDownloadURLList", encode_artifacts({{"http://h/a", "hub.log"}})),
      read_request("CreateUpdateResponse", encode_created("d1", base::Time(std::chrono::seconds(1000)),
                                                          base::Time(std::chrono::seconds(2000)))),
      read_request("FrameworkList", encode_frameworks({{"QAIRT", "2.50", {"default"}, "2.50.0"}})),
      read_request("User", encode_user(compile.owner)),
  });
  for (const json& answer : answers) EXPECT_TRUE(answer["same_bytes"].get<bool>()) << answer.dump(1);

  const json& job = answers[0]["message"]["compile_job"];
  EXPECT_EQ(job["compile_job_id"], "jcompile");
  EXPECT_EQ(job["job_state"], "JOB_STATE_DONE");
  EXPECT_EQ(job["target_model"]["model_id"], "mtarget");
  EXPECT_EQ(job["target_model"]["model_type"], "MODEL_TYPE_QNN_CONTEXT_BINARY");
  EXPECT_EQ(job["target_model"]["producer_id"], "jcompile");
  EXPECT_EQ(job["target_model"]["metadata"]["entries"]["31"], "v75");
  EXPECT_EQ(job["tensor_type_list"]["types"][0]["tensor_type"]["dtype"], "TENSOR_DTYPE_FLOAT32");
  EXPECT_EQ(job["target_tensor_type_list"]["types"].size(), 1U);  // the float64 one cannot be said
  EXPECT_EQ(job["user"]["email"], "ada@example.org");
  EXPECT_EQ(answers[0]["message"]["available_artifacts"][0], "JOB_ARTIFACT_TYPE_HUB_LOG");
  EXPECT_EQ(answers[0]["message"]["hub_version"], "0.1.0");
  EXPECT_EQ(answers[0]["message"]["notices"][0]["message"], "a remark");

  const json& run = answers[1]["message"]["inference_job"];
  EXPECT_EQ(run["is_profiling_on"], true);
  EXPECT_EQ(run["execution_time"], "1500");
  EXPECT_EQ(run["execution_peak_memory"]["upper"], "4096");
  EXPECT_EQ(run["dataset"]["dataset_id"], "dinput");
  EXPECT_EQ(answers[2]["message"]["total_query_count"], "12");
  EXPECT_EQ(answers[2]["message"]["job_summaries"][1]["inference_job_summary"]["execution_time"], "1500");
  EXPECT_EQ(answers[2]["message"]["job_summaries"][0]["compile_job_summary"]["target_model_type"],
            "MODEL_TYPE_QNN_CONTEXT_BINARY");
  EXPECT_EQ(answers[6]["message"]["multipart_url"]["urls"][1], "http://h/2");
  EXPECT_EQ(answers[7]["message"]["max_part_size"], "9");
  EXPECT_EQ(answers[8]["message"]["url"]["file_field_name"], "file");
  EXPECT_EQ(answers[11]["message"]["expiration_time"], "1970-01-01T00:33:20Z");
  EXPECT_FALSE(answers[11]["message"].contains("status"));
}

TEST_F(ClientClasses, unpack_a_measured_profile_into_all_of_their_keys) {
  const auto answers = ask({read_request("JobResult", encode_job_result(testing::sample_inference_job()).value())});
  const json& summary = answers[0]["profile"]["execution_summary"];
  EXPECT_EQ(summary["estimated_inference_time"], 1500);
  EXPECT_EQ(summary["estimated_inference_peak_memory"], 4096);
  EXPECT_EQ(summary["first_load_time"], 9000);
  EXPECT_EQ(summary["warm_load_time"], 300);
  EXPECT_EQ(summary["all_inference_times"], json::array({1400, 1500, 1600}));
  EXPECT_EQ(summary["inference_memory_peak_range"], json::array({2048, 4096}));
  // Nothing was measured there: zeros, but present, because the client unpacks pairs.
  EXPECT_EQ(summary["compile_memory_peak_range"], json::array({0, 0}));
  const json& layers = answers[0]["profile"]["execution_detail"];
  ASSERT_EQ(layers.size(), 2U);  // the one with an unknown unit is left out
  EXPECT_EQ(layers[0]["compute_unit"], "CPU");
  EXPECT_EQ(layers[0]["execution_time"], 900);
  EXPECT_FALSE(layers[1].contains("execution_time"));
}

TEST_F(ClientClasses, find_no_time_and_no_memory_in_an_emulated_run) {
  JobView view = testing::sample_inference_job(true);
  view.job.outcome->remarks.clear();
  const auto answers =
      ask({read_request("JobResult", encode_job_result(view).value()), read_request("Job", encode_job(view)),
           read_request("JobSummaryList", encode_job_summaries({view}, 1))});
  for (const auto& [key, value] : answers[0]["profile"]["execution_summary"].items()) {
    EXPECT_TRUE(value == 0 || value == json::array({0, 0}) || value == json::array()) << key << " " << value;
  }
  for (const json& layer : answers[0]["profile"]["execution_detail"]) {
    EXPECT_FALSE(layer.contains("execution_time"));
    EXPECT_FALSE(layer["compute_unit"].get<std::string>().empty());
  }
  EXPECT_FALSE(answers[1]["message"]["inference_job"].contains("execution_time"));
  EXPECT_FALSE(answers[1]["message"]["inference_job"].contains("execution_peak_memory"));
  EXPECT_NE(answers[1]["message"]["notices"][0]["message"].get<std::string>().find("emulator"), std::string::npos);
  EXPECT_FALSE(answers[2]["message"]["job_summaries"][0]["inference_job_summary"].contains("execution_time"));
}

TEST_F(ClientClasses, make_submissions_that_we_read) {
  const json compile = {
      {"compile_job",
       {{"model", {{"model_id", "m1"}}},
        {"name", "n"},
        {"options", "--target_runtime onnx"},
        {"devices", {{"devices", {{{"name", "D"}, {"os", "14"}, {"attributes", {"os:android"}}}}}}},
        {"tensor_type_list",
         {{"types", {{{"name", "image"}, {"tensor_type", {{"shape", {1, 3}}, {"dtype", "TENSOR_DTYPE_UINT8"}}}}}}}},
        {"calibration_dataset", {{"dataset_id", "d9"}}}}}};
  const json run = {{"inference_job",
                     {{"model", {{"model_id", "m2"}}},
                      {"device", {{"name", "E"}}},
                      {"is_profiling_on", true},
                      {"dataset", {{"dataset_id", "d2"}}}}}};
  const json profile = {{"inference_job", {{"model", {{"model_id", "m2"}}}, {"is_profiling_on", true}}}};
  const json older = {{"profile_job", {{"model", {{"model_id", "m2"}}}}}};
  const json bad = {{"compile_job", {{"tensor_type_list", {{"types", {{{"name", "x"}}}}}}}}};
  const auto answers =
      ask({{{"message", "Job"}, {"make", compile}},
           {{"message", "Job"}, {"make", run}},
           {{"message", "Job"}, {"make", profile}},
           {{"message", "Job"}, {"make", older}},
           {{"message", "Job"}, {"make", bad}},
           {{"message", "Job"}, {"make", json::object()}},
           {{"message", "Job"},
            {"make",
             {{"quantize_job",
               {{"model", {{"model_id", "m3"}}},
                {"calibration_dataset", {{"dataset_id", "d3"}}},
                {"weights_dtype", "QUANTIZE_DTYPE_INT8"},
                {"activations_dtype", "QUANTIZE_DTYPE_INT16"},
                {"options", " --range_scheme auto "}}}}}},
           {{"message", "Job"},
            {"make",
             {{"quantize_job",
               {{"weights_dtype", "QUANTIZE_DTYPE_INT8"}, {"activations_dtype", "QUANTIZE_DTYPE_UINT4"}}}}}},
           {{"message", "Job"}, {"make", {{"link_job", {{"name", "l"}}}}}}});
  const auto submission = [&](std::size_t i) { return decode_submission(bytes_of(answers[i]["hex"])); };
  const auto first = submission(0);
  ASSERT_TRUE(first);
  const auto& compiled = std::get<domain::kinds::Compile>(first->payload);
  EXPECT_EQ(compiled.model_id, "m1");
  EXPECT_EQ(first->options, "--target_runtime onnx");
  EXPECT_EQ(compiled.dataset_id, "d9");
  ASSERT_EQ(first->devices.size(), 1U);
  EXPECT_EQ(first->devices[0].attributes, std::vector<std::string>{"os:android"});
  ASSERT_EQ(compiled.input_specs.size(), 1U);
  EXPECT_EQ(compiled.input_specs[0].dtype, tensor::Dtype::kUint8);
  EXPECT_EQ(compiled.input_specs[0].shape, (tensor::Shape{1, 3}));
  EXPECT_TRUE(std::get<domain::kinds::Inference>(submission(1)->payload).is_profiling);
  EXPECT_EQ(submission(1)->devices[0].name, "E");
  EXPECT_FALSE(std::get<domain::kinds::Profile>(submission(2)->payload).answer_as_profile_job);
  EXPECT_TRUE(std::get<domain::kinds::Profile>(submission(3)->payload).answer_as_profile_job);
  EXPECT_FALSE(submission(4));
  EXPECT_NE(submission(4).error().message.find("\"x\""), std::string::npos);
  EXPECT_EQ(submission(5).error().code, base::Code::kInvalidArgument);
  const auto quantize = submission(6);
  ASSERT_TRUE(quantize) << quantize.error().message;
  const auto& quantized = std::get<domain::kinds::Quantize>(quantize->payload);
  EXPECT_EQ(quantized.model_id, "m3");
  EXPECT_EQ(quantized.dataset_id, "d3");
  EXPECT_EQ(quantized.weights, domain::kinds::NumberType::kInt8);
  EXPECT_EQ(quantized.activations, domain::kinds::NumberType::kInt16);
  EXPECT_EQ(quantize->options, " --range_scheme auto ");
  EXPECT_NE(submission(7).error().message.find("activations_dtype: expected INT8, INT16 or INT4, found number 6"),
            std::string::npos);
  EXPECT_EQ(submission(8).error().code, base::Code::kUnimplemented);
  EXPECT_NE(submission(8).error().message.find("jobs are not carried out by this hub yet"), std::string::npos);
}

}  // namespace
}  // namespace slipway::hub::protocol
