#include <functional>

#include "tests/contract/hub_world.hpp"
#include "tests/contract/stores.hpp"

// What a collection leaves: everything that a row speaks of, and what is on its way to one, whatever the clocks do.
namespace slipway::hub {
namespace {

using base::Code;
using namespace domain;
using std::chrono::hours;

constexpr hours kTwoDays{49};

/// Rows before whose writing something happens, once.
class InterruptedStore final : public storage::MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  base::Result<void> complete_model_upload(const Model& model, const Job& inspection) override {
    SLIPWAY_TRY(happen());
    return MemoryStore::complete_model_upload(model, inspection);
  }
  base::Result<void> complete_dataset_upload(const Dataset& dataset, const Job& inspection) override {
    SLIPWAY_TRY(happen());
    return MemoryStore::complete_dataset_upload(dataset, inspection);
  }
  base::Result<void> insert_job(const Job& job, const std::optional<Model>& target) override {
    SLIPWAY_TRY(happen());
    return MemoryStore::insert_job(job, target);
  }
  base::Result<void> complete_job(const Job& job, const std::string& lease_token, const std::optional<Model>& target,
                                  const std::optional<Dataset>& output,
                                  const std::optional<Inspection>& inspection) override {
    SLIPWAY_TRY(happen());
    return MemoryStore::complete_job(job, lease_token, target, output, inspection);
  }
  base::Result<void> fail_job(const Job& job, const std::optional<Inspection>& inspection) override {
    SLIPWAY_TRY(happen());
    return MemoryStore::fail_job(job, inspection);
  }

  std::function<base::Result<void>()> before_the_row;

 private:
  base::Result<void> happen() {
    const auto once = std::exchange(before_the_row, nullptr);
    return once ? once() : base::Result<void>();
  }
};

class HubCollect : public HubTest {
 protected:
  HubCollect() : HubTest([](const base::Clock& clock) { return std::make_unique<InterruptedStore>(clock); }) {}

  InterruptedStore& rows() { return dynamic_cast<InterruptedStore&>(*rows_); }
  /// The clock on the wall is set while the next row is under way, and somebody collects.
  void collect_before_the_next_row(std::chrono::microseconds step, base::Result<void> then = {}) {
    rows().before_the_row = [this, step, then] {
      clock_.step(step);
      EXPECT_TRUE(hub_.contents.collect(false));
      ++collected_;
      return then;
    };
  }
  std::string log_of(const Job& job) {
    const auto downloads = hub_.jobs.artifacts(user_, job.id, ArtifactType::kHubLog);
    EXPECT_TRUE(downloads && downloads->size() == 1U);
    return downloads && !downloads->empty() ? read(downloads->front().blob) : "";
  }

  int collected_ = 0;
};

TEST_F(HubCollect, leaves_what_gets_its_row_after_a_step_of_the_clock) {
  for (const auto step : {kTwoDays, -kTwoDays}) {
    collect_before_the_next_row(step);
    const Model model = upload_model(fmt::format("model, {} h", step.count()));
    EXPECT_EQ(read(model.content), fmt::format("model, {} h", step.count()));
    inspect(image_model());

    collect_before_the_next_row(step);
    const Dataset dataset = upload_dataset(fmt::format("data, {} h", step.count()));
    EXPECT_EQ(read(dataset.content), fmt::format("data, {} h", step.count()));
    inspect(image_data());

    const Job job = compile(model.id);
    const auto spec = lease();
    JobOutcome outcome;
    const auto contents = compiled(outcome);
    collect_before_the_next_row(step);
    ASSERT_TRUE(complete(spec->job, outcome, contents));
    const auto target = hub_.contents.model_download(user_, target_model_of(job));
    ASSERT_TRUE(target) << target.error().message;
    EXPECT_EQ(read(target->blob), "the target");
    EXPECT_FALSE(log_of(hub_.jobs.job(user_, job.id).value()).empty());
  }
  EXPECT_EQ(collected_, 6);
}

TEST_F(HubCollect, leaves_the_log_of_a_job_that_ends_without_an_agent) {
  const Job job = compile(inspected_model().id);
  for (int attempt = 1; attempt <= 3; ++attempt) {
    ASSERT_TRUE(lease());
    clock_.advance(std::chrono::seconds(31));
    if (attempt == 3) collect_before_the_next_row(kTwoDays);
    hub_.sweep();
  }
  EXPECT_EQ(collected_, 1);
  EXPECT_THAT(log_of(hub_.jobs.job(user_, job.id).value()), ::testing::HasSubstr("failed"));
}

TEST_F(HubCollect, leaves_a_result_whose_row_is_written_at_the_next_try) {
  const Job job = compile(inspected_model().id);
  const auto spec = lease();
  JobOutcome outcome;
  std::vector<ResultFile> files;
  for (const auto& [name, content] : compiled(outcome)) {
    files.push_back(upload_result(spec->job, name, content).value());
  }
  const auto complete = [&] {
    return hub_.agents.complete(agent_, job.id, spec->job.lease_token, to_document(outcome), files);
  };
  rows().before_the_row = [] { return base::fail(Code::kUnavailable, "the store is busy"); };
  EXPECT_EQ(complete().error().code, Code::kUnavailable);
  clock_.step(kTwoDays);
  ASSERT_TRUE(hub_.contents.collect(false));
  ASSERT_TRUE(complete());
  EXPECT_EQ(read(hub_.contents.model(user_, target_model_of(job))->content), "the target");
}

TEST_F(HubCollect, goes_on_after_a_step_of_the_clock_with_uploads_that_are_under_way) {
  const auto model = create_model();
  const auto plan = hub_.contents.plan_model_upload(user_, model.id, 6).value();
  const std::string first = send(plan.id, 0, "abcd");
  clock_.step(kTwoDays);
  ASSERT_TRUE(hub_.contents.collect(false));
  EXPECT_TRUE(hub_.contents.complete_model_upload(user_, model.id, plan.id, {first, send(plan.id, 1, "ef")}));
}

TEST_F(HubCollect, takes_what_no_row_came_for_when_its_upload_is_forgotten) {
  const Job job = compile(inspected_model().id);
  const auto spec = lease();
  JobOutcome outcome;
  const auto contents = compiled(outcome);
  rows().before_the_row = [] { return base::fail(Code::kUnavailable, "the store is busy"); };
  ASSERT_FALSE(complete(spec->job, outcome, contents));
  clock_.advance(hours(72));
  const auto collected = hub_.contents.collect(false);
  ASSERT_TRUE(collected);
  EXPECT_GE(collected->count, 2U);
  EXPECT_FALSE(blobs_->open_read(blob_of("the target"), {}));
}

}  // namespace
}  // namespace slipway::hub
