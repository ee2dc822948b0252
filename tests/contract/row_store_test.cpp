#include "tests/contract/stores.hpp"
#include <gmock/gmock.h>

#include "hub/domain/document.hpp"

namespace slipway::hub {
namespace {

using base::Code;
using namespace domain;
using ::testing::ElementsAre;

class Rows : public RowStoreTest {};
INSTANTIATE_TEST_SUITE_P(Stores, Rows, kStores, store_name);

std::vector<std::string> ids_of(const auto& items) {
  std::vector<std::string> ids;
  for (const auto& item : items) ids.push_back(item.id);
  return ids;
}

TEST_P(Rows, keeps_users_apart_by_email) {
  const User user{.id = "u1", .email = "a@b", .role = Role::kAdmin, .created = at_second(1)};
  ASSERT_TRUE(store().insert_user(user));
  EXPECT_EQ(store().insert_user({.id = "u2", .email = "a@b", .role = Role::kMember, .created = {}}).error().code,
            Code::kAlreadyExists);
  reopen();
  EXPECT_EQ(store().user("u1")->email, "a@b");
  EXPECT_EQ(store().user("u1")->created, at_second(1));
  EXPECT_EQ(store().user_by_email("a@b")->role, Role::kAdmin);
  EXPECT_EQ(store().user("u2").error().code, Code::kNotFound);
  EXPECT_EQ(store().user_by_email("A@B").error().code, Code::kNotFound);
}

TEST_P(Rows, keeps_tokens_by_hash_and_ends_their_sessions_with_them) {
  Token token{.id = "t1",
              .user_id = "u1",
              .name = "cli",
              .sha256 = "h1",
              .scope = Scope::kAgent,
              .created = at_second(1),
              .last_used = {},
              .revoked = {}};
  ASSERT_TRUE(store().insert_token(token));
  ASSERT_TRUE(store().insert_web_session({.sha256 = "s1", .user_id = "u1", .token_id = "t1", .expires = at_second(9)}));
  ASSERT_TRUE(store().insert_web_session({.sha256 = "s2", .user_id = "u1", .token_id = "t2", .expires = at_second(9)}));
  EXPECT_EQ(store().token_by_hash("h1")->scope, Scope::kAgent);
  EXPECT_FALSE(store().token("t1")->last_used);
  ASSERT_TRUE(store().touch_token("t1", at_second(5)));
  EXPECT_EQ(store().token("t1")->last_used, at_second(5));
  ASSERT_TRUE(store().revoke_token("t1", at_second(6)));
  ASSERT_TRUE(store().revoke_token("t1", at_second(7)));
  reopen();
  EXPECT_EQ(store().tokens()->front().revoked, at_second(6));
  EXPECT_EQ(store().web_session("s1").error().code, Code::kNotFound);
  EXPECT_EQ(store().web_session("s2")->token_id, "t2");
  EXPECT_EQ(store().revoke_token("none", at_second(6)).error().code, Code::kNotFound);
}

TEST_P(Rows, forgets_sessions_when_told_and_when_over) {
  for (const auto& [hash, second] : {std::pair{"s1", 5}, {"s2", 6}, {"s3", 7}}) {
    ASSERT_TRUE(
        store().insert_web_session({.sha256 = hash, .user_id = "u", .token_id = "t", .expires = at_second(second)}));
  }
  store().remove_web_sessions_before(at_second(6));
  EXPECT_FALSE(store().web_session("s1"));
  EXPECT_FALSE(store().web_session("s2"));
  EXPECT_TRUE(store().web_session("s3"));
  store().remove_web_session("s3");
  EXPECT_FALSE(store().web_session("s3"));
}

TEST_P(Rows, gives_models_back_as_they_were) {
  Model model = uploaded_model("m1");
  model.companions = {{"source", {.filename = "s.onnx", .content = {.sha256 = "ff", .size_bytes = 4}}}};
  model.metadata = {{3, "v2.50"}};
  model.created = at_second(3);
  ASSERT_TRUE(store().insert_model(model));
  reopen();
  EXPECT_EQ(to_document(store().model("m1").value()), to_document(model));
  EXPECT_EQ(store().insert_model(model).error().code, Code::kAlreadyExists);
  EXPECT_EQ(store().model("m2").error().code, Code::kNotFound);
  ASSERT_TRUE(store().rename_model("m1", "\"'; DROP TABLE models; --ä"));
  EXPECT_EQ(store().model("m1")->name, "\"'; DROP TABLE models; --ä");
  EXPECT_EQ(store().rename_model("m2", "x").error().code, Code::kNotFound);
}

TEST_P(Rows, lists_the_newest_first_by_page_owner_and_producer) {
  for (int i = 0; i < 5; ++i) {
    Model model = uploaded_model("m" + std::to_string(i), i % 2 == 0 ? "u1" : "u2");
    if (i == 4) model.producer_job_id = "j1";
    ASSERT_TRUE(store().insert_model(model));
    Dataset dataset;
    dataset.id = "d" + std::to_string(i);
    dataset.owner_id = "u1";
    ASSERT_TRUE(store().insert_dataset(dataset));
  }
  EXPECT_THAT(ids_of(store().models("u1", "", {})->items), ElementsAre("m4", "m2", "m0"));
  EXPECT_THAT(ids_of(store().models("", "", {.offset = 1, .limit = 2})->items), ElementsAre("m3", "m2"));
  EXPECT_EQ(store().models("", "", {.offset = 1, .limit = 2})->total, 5U);
  EXPECT_THAT(ids_of(store().models("u1", "j1", {})->items), ElementsAre("m4"));
  EXPECT_TRUE(store().models("u2", "j1", {})->items.empty());
  EXPECT_THAT(ids_of(store().datasets("u1", {.offset = 3, .limit = 50})->items), ElementsAre("d1", "d0"));
  EXPECT_EQ(store().datasets("u2", {})->total, 0U);
}

TEST_P(Rows, keeps_plans_of_uploads) {
  Upload upload{.id = "x1",
                .subject_id = "m1",
                .size_bytes = 1ULL << 40,
                .part_size_bytes = 7,
                .part_count = 3,
                .etags = {},
                .expires = at_second(5)};
  ASSERT_TRUE(store().insert_upload(upload));
  upload.id = "x2";
  upload.etags = {"a", "b"};
  ASSERT_TRUE(store().insert_upload(upload));
  reopen();
  EXPECT_EQ(store().upload("x1")->size_bytes, 1ULL << 40);
  EXPECT_TRUE(store().upload("x1")->etags.empty());
  EXPECT_THAT(store().upload("x2")->etags, ElementsAre("a", "b"));
  EXPECT_THAT(ids_of(store().uploads_of("m1").value()), ElementsAre("x2", "x1"));
  EXPECT_TRUE(store().expired_uploads(at_second(4))->empty());
  EXPECT_EQ(store().expired_uploads(at_second(5))->size(), 2U);
  upload.etags = {"c"};
  upload.expires = at_second(50);
  ASSERT_TRUE(store().update_upload(upload));
  EXPECT_THAT(store().upload("x2")->etags, ElementsAre("c"));
  EXPECT_THAT(ids_of(store().expired_uploads(at_second(5)).value()), ElementsAre("x1"));
  store().remove_upload("x1");
  EXPECT_EQ(store().upload("x1").error().code, Code::kNotFound);
}

TEST_P(Rows, completes_an_upload_once) {
  Model model = uploaded_model("m1");
  model.inspection.reset();
  Model waiting = model;
  waiting.upload = UploadState::kWaiting;
  ASSERT_TRUE(store().insert_model(waiting));
  Job inspection = inspection_job("i1", "m1");
  ASSERT_TRUE(store().complete_model_upload(model, inspection));
  inspection.id = "i2";
  EXPECT_EQ(store().complete_model_upload(model, inspection).error().code, Code::kAborted);
  EXPECT_EQ(store().job("i2").error().code, Code::kNotFound);
  EXPECT_EQ(store().model("m1")->upload, UploadState::kComplete);
  EXPECT_EQ(store().lease_job(lease_by("t"))->value().id, "i1");
}

TEST_P(Rows, gives_jobs_back_as_they_were) {
  ASSERT_TRUE(store().insert_model(uploaded_model("m1")));
  Job job = compile_job("j1", "m1");
  job.options = "--target_runtime onnx";
  job.device.emplace().name = "CPU";
  auto& compile = std::get<kinds::Compile>(job.payload);
  compile.input_specs = {{.name = "x", .dtype = tensor::Dtype::kInt8, .shape = {1, 2}, .quantization = {}}};
  compile.target_model_id = "m2";
  job.needs = "device:CPU";
  Model target;
  target.id = "m2";
  target.producer_job_id = "j1";
  ASSERT_TRUE(store().insert_job(job, target));
  reopen();
  EXPECT_EQ(to_document(store().job("j1").value()), to_document(job));
  EXPECT_EQ(store().model("m2")->producer_job_id, "j1");
  EXPECT_EQ(store().insert_job(job, std::nullopt).error().code, Code::kAlreadyExists);
}

TEST_P(Rows, inserts_job_and_target_together_or_not_at_all) {
  ASSERT_TRUE(store().insert_model(uploaded_model("m1")));
  ASSERT_TRUE(store().insert_job(compile_job("j1", "m1"), std::nullopt));
  EXPECT_FALSE(store().insert_job(compile_job("j1", "m1"), uploaded_model("m9")));
  EXPECT_FALSE(store().model("m9"));
}

TEST_P(Rows, lists_jobs_by_owner_state_and_kind_without_layers_and_inspections) {
  ASSERT_TRUE(store().insert_model(uploaded_model("m1")));
  for (int i = 0; i < 6; ++i) {
    const std::string id = "j" + std::to_string(i);
    Job job = i == 3 ? inspection_job(id, "m1") : i % 2 == 0 ? compile_job(id, "m1") : inference_job(id, "m1", "");
    job.owner_id = i < 4 ? "u1" : "u2";
    if (i == 1) {
      job = ended(job, JobState::kFailed);
      auto& profile = job.outcome->result.emplace<kinds::Inference::Result>().profile.emplace();
      profile.set_layers(std::vector<LayerProfile>(3));
      RunFigures figures;
      figures.inference_median_us = 5;
      profile.set_figures(figures);
    }
    ASSERT_TRUE(store().insert_job(job, std::nullopt));
  }
  const auto list = [&](const JobFilter& filter, Page page = {}) { return ids_of(store().jobs(filter, page)->items); };
  EXPECT_THAT(list({}), ElementsAre("j5", "j4", "j2", "j1", "j0"));
  EXPECT_EQ(store().jobs({}, {.offset = 1, .limit = 2})->total, 5U);
  EXPECT_THAT(list({}, {.offset = 1, .limit = 2}), ElementsAre("j4", "j2"));
  JobFilter filter;
  filter.owner_id = "u1";
  EXPECT_THAT(list(filter), ElementsAre("j2", "j1", "j0"));
  filter.states = {JobState::kFailed, JobState::kDone};
  EXPECT_THAT(list(filter), ElementsAre("j1"));
  filter.states.emplace();
  EXPECT_EQ(store().jobs(filter, {})->total, 0U) << "no state is matched by no job";
  filter.states.reset();
  filter.kinds = {kKindOf<kinds::Compile>};
  EXPECT_THAT(list(filter), ElementsAre("j2", "j0"));
  filter.kinds = {kKindOf<kinds::Inspect>};
  EXPECT_THAT(list(filter), ElementsAre("j3"));
  filter = {};
  filter.kinds = {kKindOf<kinds::Inference>};
  const auto listed = store().jobs(filter, {});
  ASSERT_EQ(listed->items.back().id, "j1");
  const auto profile_of = [](const Job& job) { return part<kinds::RunResult>(job.outcome->result)->profile.value(); };
  EXPECT_TRUE(profile_of(listed->items.back()).layers().empty());
  EXPECT_EQ(profile_of(listed->items.back()).figures().inference_median_us, 5U);
  EXPECT_EQ(profile_of(store().job("j1").value()).layers().size(), 3U);
}

TEST_P(Rows, knows_all_content_that_rows_speak_of) {
  const auto hash = [](char c) { return std::string(64, c); };
  const auto in_use = [&](base::Time now) { return store().content_in_use(now).value(); };
  EXPECT_TRUE(in_use(at_second(0)).empty());
  Model model = uploaded_model("m1");
  model.content.sha256 = hash('1');
  model.companions["source"] = {.filename = "source.onnx", .content = {.sha256 = hash('2'), .size_bytes = 1}};
  ASSERT_TRUE(store().insert_model(model));
  Dataset dataset;
  dataset.owner_id = "u1";
  dataset.upload = UploadState::kComplete;
  dataset.inspection.emplace().format = "hdf5 dataset";
  for (const auto& [id, c, expires] : {std::tuple{"d1", '3', 10}, {"d2", '4', 10}, {"d3", '5', 1000}}) {
    dataset.id = id;
    dataset.content = {.sha256 = hash(c), .size_bytes = 1};
    dataset.expires = at_second(expires);
    ASSERT_TRUE(store().insert_dataset(dataset));
  }
  ASSERT_TRUE(store().insert_job(inference_job("j1", "m1", "d2"), std::nullopt));
  EXPECT_EQ(in_use(at_second(9)), (std::set{hash('1'), hash('2'), hash('3'), hash('4'), hash('5')}));
  EXPECT_EQ(in_use(at_second(10)), (std::set{hash('1'), hash('2'), hash('4'), hash('5')}))
      << "a waiting job still takes d2";
  const auto lease = store().lease_job(lease_by("t"));
  ASSERT_TRUE(lease && *lease);
  EXPECT_TRUE(in_use(at_second(10)).contains(hash('4'))) << "so does a running one";
  Job leased = ended(**lease, JobState::kDone);
  leased.artifacts = {
      {.type = ArtifactType::kHubLog, .filename = "log", .content = {.sha256 = hash('6'), .size_bytes = 1}}};
  ASSERT_TRUE(store().complete_job(leased, "t", std::nullopt, std::nullopt, std::nullopt));
  EXPECT_EQ(in_use(at_second(10)), (std::set{hash('1'), hash('2'), hash('5'), hash('6')}));
}

TEST_P(Rows, lists_the_jobs_that_take_a_model_or_dataset) {
  for (const char* model : {"m1", "m2"}) ASSERT_TRUE(store().insert_model(uploaded_model(model)));
  for (const auto& [id, model, dataset] : {std::tuple{"j1", "m1", ""}, {"j2", "m2", "d1"}, {"j3", "m1", "d1"}}) {
    ASSERT_TRUE(store().insert_job(inference_job(id, model, dataset), std::nullopt));
  }
  const auto list = [&](const std::string& model, const std::string& dataset) {
    JobFilter filter;
    filter.model_id = model;
    filter.dataset_id = dataset;
    return ids_of(store().jobs(filter, {})->items);
  };
  EXPECT_THAT(list("m1", ""), ElementsAre("j3", "j1"));
  EXPECT_THAT(list("", "d1"), ElementsAre("j3", "j2"));
  EXPECT_THAT(list("m1", "d1"), ElementsAre("j3"));
  EXPECT_THAT(list("m3", ""), ElementsAre());
}

TEST_P(Rows, renames_a_job_whatever_becomes_of_it) {
  ASSERT_TRUE(store().insert_model(uploaded_model("m1")));
  ASSERT_TRUE(store().insert_job(compile_job("j1", "m1"), std::nullopt));
  const Job leased = store().lease_job(lease_by("t"))->value();
  ASSERT_TRUE(store().rename_job("j1", "better"));
  ASSERT_TRUE(store().complete_job(ended(leased, JobState::kDone), "t", {}, {}, {}));
  EXPECT_EQ(store().job("j1")->name, "better");
  EXPECT_EQ(store().rename_job("j2", "x").error().code, Code::kNotFound);
}

TEST_P(Rows, keeps_logs_in_order_for_the_holder_of_the_lease) {
  ASSERT_TRUE(store().insert_model(uploaded_model("m1")));
  ASSERT_TRUE(store().append_log("j1", "", "before it exists\n"));
  ASSERT_TRUE(store().insert_job(compile_job("j1", "m1"), std::nullopt));
  EXPECT_EQ(store().append_log("j1", "t", "early\n").error().code, Code::kAborted);
  ASSERT_TRUE(store().lease_job(lease_by("t"))->has_value());
  ASSERT_TRUE(store().append_log("j1", "t", "one\n"));
  ASSERT_TRUE(store().append_log("j1", "t", "two\n"));
  EXPECT_EQ(store().append_log("j1", "stale", "three\n").error().code, Code::kAborted);
  reopen();
  EXPECT_EQ(store().log("j1").value(), "before it exists\none\ntwo\n");
  EXPECT_EQ(store().log("none").value(), "");
}

TEST_P(Rows, cuts_a_log_that_grows_without_end_and_says_so_once) {
  const std::string piece = std::string(1 << 20, 'x') + "ä";
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(store().append_log("j1", "", piece));
  const std::string log = store().log("j1").value();
  EXPECT_LT(log.size(), kLogLimitBytes + 200);
  EXPECT_GT(log.size(), kLogLimitBytes - 10);
  const auto said = log.find("the rest is dropped");
  ASSERT_NE(said, std::string::npos);
  EXPECT_EQ(log.find("the rest is dropped", said + 1), std::string::npos);
}

}  // namespace
}  // namespace slipway::hub
