#include "hub/protocol/content_report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hub/protocol/testing/sample_job.hpp"

namespace slipway::hub::protocol {
namespace {

using nlohmann::json;

ContentSurroundings surroundings() {
  ContentSurroundings around;
  around.owner.email = "ada@example.org";
  around.now = base::Time(std::chrono::seconds(1'700'000'100));
  return around;
}

domain::Model uploaded() {
  domain::Model model;
  model.id = "m1";
  model.name = "net";
  model.upload = domain::UploadState::kComplete;
  model.content = {.sha256 = "ab", .size_bytes = 3};
  return model;
}

std::string state_of(const domain::Model& model, const ContentSurroundings& around = surroundings()) {
  return json::parse(encode_model_report(model, around))["state"];
}

TEST(ModelReport, says_where_a_model_stands) {
  domain::Model model;
  EXPECT_EQ(state_of(model), "waiting for its file");
  model = uploaded();
  EXPECT_EQ(state_of(model), "being inspected");
  model.inspection.emplace();
  EXPECT_EQ(state_of(model), "ready");
  model.inspection->error = "no ONNX";
  EXPECT_EQ(state_of(model), "unusable");
}

TEST(ModelReport, of_a_target_follows_its_job) {
  domain::Model target;
  target.producer_job_id = "jcompile";
  ContentSurroundings around = surroundings();
  around.producer = testing::sample_compile_job().job;
  around.producer->state = domain::JobState::kOptimizingModel;
  EXPECT_EQ(state_of(target, around), "being made");
  around.producer->state = domain::JobState::kFailed;
  around.producer->outcome->failure_reason = "the compiler refused";
  const json report = json::parse(encode_model_report(target, around));
  EXPECT_EQ(report["state"], "not made");
  EXPECT_EQ(report["note"], "its job jcompile failed: the compiler refused");
  EXPECT_TRUE(report["content"]["content"].is_null());
  EXPECT_EQ(report["producer"]["id"], "jcompile");
}

TEST(ModelReport, lists_the_jobs_that_take_it_with_their_devices) {
  ContentSurroundings around = surroundings();
  around.consumers.items = {testing::sample_compile_job().job};
  around.consumers.total = 7;
  around.download_url = "/assets/download/x";
  domain::Model model = uploaded();
  model.name = "\xff<b>";
  const json report = json::parse(encode_model_report(model, around));
  EXPECT_EQ(report["schema"], "slipway-model-report/1");
  EXPECT_EQ(report["content"]["name"], "\xEF\xBF\xBD<b>") << "valid UTF-8, and escaping is the page's part";
  EXPECT_EQ(report["content"]["owner"], "ada@example.org");
  EXPECT_EQ(report["content"]["download_url"], "/assets/download/x");
  EXPECT_EQ(report["jobs"][0]["device"], "Samsung Galaxy S24 (Family)");
  EXPECT_EQ(report["jobs_total"], 7);
}

TEST(DatasetReport, names_entries_and_says_when_the_data_expired) {
  domain::Dataset dataset;
  dataset.upload = domain::UploadState::kComplete;
  dataset.inspection.emplace().entries = {
      {.name = "image", .dtype = tensor::Dtype::kFloat32, .shapes = {{1, 3, 8, 8}}, .sample_count = 2}};
  ContentSurroundings around = surroundings();
  dataset.expires = around.now + std::chrono::seconds(1);
  json report = json::parse(encode_dataset_report(dataset, around));
  EXPECT_EQ(report["state"], "ready");
  EXPECT_EQ(report["content"]["entries"][0]["type"], "float32[1,3,8,8]");
  EXPECT_EQ(report["content"]["entries"][0]["samples"], 2);
  dataset.expires = around.now;
  report = json::parse(encode_dataset_report(dataset, around));
  EXPECT_EQ(report["state"], "expired");
}

TEST(RecentModels, are_lines_with_their_standing_and_without_details) {
  domain::Model target;
  target.id = "mtarget";
  target.producer_job_id = "jcompile";
  domain::Job job = testing::sample_compile_job().job;
  job.state = domain::JobState::kFailed;
  domain::Model model = uploaded();
  model.inspection.emplace().inputs.emplace_back();
  const json report = json::parse(encode_recent_models({{target, job}, {model, std::nullopt}}, 7));
  EXPECT_EQ(report["schema"], "slipway-recent-models/1");
  EXPECT_EQ(report["total"], 7);
  EXPECT_EQ(report["models"][0]["state"], "not made");
  EXPECT_EQ(report["models"][0]["producer_job_id"], "jcompile");
  EXPECT_EQ(report["models"][1]["state"], "ready");
  EXPECT_FALSE(report["models"][1].contains("inputs"));
  EXPECT_FALSE(report["models"][1].contains("download_url"));
}

TEST(RecentDatasets, say_which_have_expired) {
  domain::Dataset dataset;
  dataset.upload = domain::UploadState::kComplete;
  dataset.inspection.emplace();
  const base::Time now = surroundings().now;
  dataset.expires = now;
  domain::Dataset fresh = dataset;
  fresh.expires.reset();
  const json report = json::parse(encode_recent_datasets({{dataset, {}}, {fresh, {}}}, 2, now));
  EXPECT_EQ(report["datasets"][0]["state"], "expired");
  EXPECT_EQ(report["datasets"][1]["state"], "ready");
}

}  // namespace
}  // namespace slipway::hub::protocol
