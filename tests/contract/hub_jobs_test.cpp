#include "tests/contract/hub_world.hpp"

namespace slipway::hub {
namespace {

using base::Code;
using namespace domain;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HubJobs : public HubTest {
 protected:
  void expect_refused(const Submission& asked, Code code, const std::string& says) {
    const auto job = hub_.jobs.submit(user_, asked);
    ASSERT_FALSE(job) << says;
    EXPECT_EQ(job.error().code, code) << job.error().message;
    EXPECT_THAT(job.error().message, HasSubstr(says));
  }
};

TEST_F(HubJobs, seeds_the_target_model_from_submission_on) {
  const Job job = compile(inspected_model().id, "Samsung Galaxy S24 (Family)", " --target_runtime qnn_dlc  ");
  EXPECT_EQ(job.state, JobState::kCreated);
  EXPECT_EQ(job.options, "--target_runtime qnn_dlc");
  EXPECT_EQ(job.name, "net.onnx");
  EXPECT_EQ(job.device->chip.htp_arch, 75);
  const auto target = hub_.contents.model(user_, target_model_of(job));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->type, ModelType::kQnnDlc);
  EXPECT_EQ(target->producer_job_id, job.id);
  EXPECT_EQ(target->upload, UploadState::kWaiting);
  const auto download = hub_.contents.model_download(user_, target->id);
  EXPECT_EQ(download.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(download.error().message, HasSubstr("has not ended"));
}

TEST_F(HubJobs, carries_a_compile_job_from_submission_to_download) {
  const auto model = inspected_model();
  const Job job = compile(model.id);
  const auto spec = lease();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->job.id, job.id);
  EXPECT_EQ(spec->job.device->presence, DevicePresence::kAttached);
  EXPECT_EQ(spec->options.target_runtime, "onnx");
  EXPECT_EQ(spec->models.at(0).model.content, model.content);
  EXPECT_EQ(spec->models.at(0).file, "model.onnx");
  EXPECT_EQ(hub_.jobs.job(user_, job.id)->state, JobState::kOptimizingModel);
  ASSERT_TRUE(hub_.agents.append_log(agent_, job.id, spec->job.lease_token, "compiling\n"));

  JobOutcome outcome;
  const auto files = compiled(outcome);
  ASSERT_TRUE(complete(spec->job, outcome, files));
  const Job ended = hub_.jobs.job(user_, job.id).value();
  EXPECT_EQ(ended.state, JobState::kDone);
  EXPECT_EQ(ended.completed, clock_.now());
  const auto download = hub_.contents.model_download(user_, target_model_of(job));
  ASSERT_TRUE(download);
  EXPECT_EQ(download->filename, "job_" + job.id + "_optimized_onnx.onnx");
  EXPECT_EQ(download->blob, blob_of(files.at("target.onnx")));
  const auto target = hub_.contents.model(user_, target_model_of(job)).value();
  EXPECT_EQ(target.companions.at("source").filename, "source.onnx");
  EXPECT_EQ(target.inspection->inputs[0].spec.name, "image");

  const auto logs = hub_.jobs.artifacts(user_, job.id, ArtifactType::kHubLog);
  ASSERT_EQ(logs->size(), 1U);
  EXPECT_EQ(logs->front().filename, job.id + "_hub.log");
  const auto text = read(logs->front().blob);
  EXPECT_EQ(text, hub_.jobs.log(user_, job.id).value());
  EXPECT_THAT(text, HasSubstr("attempt 1 of 3 by agent local"));
  EXPECT_THAT(text, HasSubstr("compiling\n"));
  EXPECT_THAT(text, HasSubstr("done"));
}

TEST_F(HubJobs, answers_a_repeated_completion_alike_and_changes_nothing) {
  const Job job = compile(inspected_model().id);
  const auto spec = lease();
  JobOutcome outcome;
  const auto files = compiled(outcome);
  ASSERT_TRUE(complete(spec->job, outcome, files));
  EXPECT_TRUE(complete(spec->job, JobOutcome{}));
  EXPECT_EQ(hub_.jobs.job(user_, job.id)->state, JobState::kDone);
  EXPECT_EQ(hub_.agents.complete(agent_, job.id, "stale", to_document(outcome), {}).error().code, Code::kAborted);
  EXPECT_EQ(hub_.agents.complete(agent_, job.id, "", to_document(outcome), {}).error().code, Code::kAborted);
}

TEST_F(HubJobs, runs_inference_and_makes_the_output_dataset) {
  auto asked = submission<kinds::Inference>(inspected_model().id, "Test CPU");
  part<kinds::Run>(asked.payload)->dataset_id = inspected_dataset().id;
  const Job job = hub_.jobs.submit(user_, asked).value();
  const auto spec = lease();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->dataset_file, "dataset.h5");
  EXPECT_EQ(hub_.jobs.job(user_, job.id)->state, JobState::kMeasuringPerformance);
  JobOutcome outcome;
  outcome.succeeded = true;
  outcome.result.emplace<kinds::Inference::Result>().output_dataset_file = "outputs.h5";
  ASSERT_TRUE(complete(spec->job, outcome, {{"outputs.h5", "outputs"}}));
  const Job ended = hub_.jobs.job(user_, job.id).value();
  EXPECT_EQ(ended.state, JobState::kDone);
  EXPECT_EQ(hub_.contents.dataset_download(user_, output_dataset_of(ended))->blob, blob_of("outputs"));
}

TEST_F(HubJobs, waits_for_the_producer_and_for_inspections) {
  const auto model = upload_model();
  EXPECT_TRUE(hub_.jobs.inspections_pending(user_, submission<kinds::Compile>(model.id, "Test CPU")));
  const Job first = compile(model.id);
  auto asked = submission<kinds::Profile>(target_model_of(first), "Test CPU");
  EXPECT_FALSE(hub_.jobs.inspections_pending(user_, asked));
  const Job second = hub_.jobs.submit(user_, asked).value();
  inspect(image_model());
  EXPECT_FALSE(hub_.jobs.inspections_pending(user_, submission<kinds::Compile>(model.id, "Test CPU")));
  const auto spec = lease();
  ASSERT_EQ(spec->job.id, first.id);
  EXPECT_FALSE(lease());
  JobOutcome outcome;
  const auto files = compiled(outcome);
  ASSERT_TRUE(complete(spec->job, outcome, files));
  const auto next = lease();
  ASSERT_EQ(next->job.id, second.id);
  EXPECT_EQ(next->models.at(0).model.id, target_model_of(first));
  EXPECT_EQ(next->models.at(0).companion_files.at("source"), "companion-source.onnx");
}

TEST_F(HubJobs, fails_with_its_producer_however_long_the_chain) {
  const Job first = compile(inspected_model().id);
  const Job second = compile(target_model_of(first));
  const Job third = hub_.jobs.submit(user_, submission<kinds::Profile>(target_model_of(second), "Test CPU")).value();
  JobOutcome crash;
  crash.failure_type = FailureType::kOutOfMemory;
  crash.failure_reason = "it ate everything";
  ASSERT_TRUE(complete(lease()->job, crash));
  EXPECT_EQ(hub_.jobs.job(user_, first.id)->outcome->failure_type, FailureType::kOutOfMemory);
  for (const auto& [id, producer] : {std::pair{second.id, first.id}, {third.id, second.id}}) {
    const Job job = hub_.jobs.job(user_, id).value();
    EXPECT_EQ(job.state, JobState::kFailed);
    EXPECT_EQ(job.outcome->failure_type, FailureType::kFailedDependency);
    EXPECT_THAT(job.outcome->failure_reason, HasSubstr("job " + producer));
    EXPECT_THAT(job.outcome->failure_reason, HasSubstr("it ate everything"));
    EXPECT_EQ(hub_.jobs.artifacts(user_, id, ArtifactType::kHubLog)->size(), 1U);
  }
  EXPECT_FALSE(lease());
  // One that comes later meets the same end at once.
  const Job late = hub_.jobs.submit(user_, submission<kinds::Profile>(target_model_of(first), "Test CPU")).value();
  EXPECT_EQ(hub_.jobs.job(user_, late.id)->state, JobState::kFailed);
  EXPECT_THAT(hub_.contents.model_download(user_, target_model_of(first)).error().message,
              HasSubstr("it ate everything"));
}

TEST_F(HubJobs, checks_data_against_a_model_that_was_made_since) {
  const Job first = compile(inspected_model().id);
  auto asked = submission<kinds::Inference>(target_model_of(first), "Test CPU");
  part<kinds::Run>(asked.payload)->dataset_id = inspected_dataset({1, 8, 8, 3}).id;
  const Job second = hub_.jobs.submit(user_, asked).value();
  const auto spec = lease();
  ASSERT_EQ(spec->job.id, first.id);
  JobOutcome outcome;
  const auto files = compiled(outcome);
  ASSERT_TRUE(complete(spec->job, outcome, files));
  EXPECT_FALSE(lease());
  const Job job = hub_.jobs.job(user_, second.id).value();
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.outcome->failure_type, FailureType::kInvalidInputs);
  EXPECT_THAT(job.outcome->failure_reason, HasSubstr("input 'image' expects float32[1,3,8,8], found float32[1,8,8,3]"));
}

TEST_F(HubJobs, fails_a_profile_of_an_absent_device_at_once) {
  const auto model = inspected_model();
  const auto job = hub_.jobs.submit(user_, submission<kinds::Profile>(model.id, "Samsung Galaxy S24"));
  ASSERT_TRUE(job) << job.error().message;
  EXPECT_EQ(job->state, JobState::kFailed);
  const Job kept = hub_.jobs.job(user_, job->id).value();
  EXPECT_EQ(kept.state, JobState::kFailed);
  EXPECT_EQ(kept.completed, clock_.now());
  EXPECT_THAT(kept.outcome->failure_reason, HasSubstr("no Samsung Galaxy S24 is attached"));
  EXPECT_EQ(hub_.jobs.artifacts(user_, job->id, ArtifactType::kHubLog)->size(), 1U);
  EXPECT_FALSE(lease());
  EXPECT_EQ(
      hub_.jobs.submit(user_, submission<kinds::Profile>(model.id, "Samsung Galaxy S24", "--allow_emulation"))->state,
      JobState::kCreated);
  const auto spec = lease();
  ASSERT_TRUE(spec);
  EXPECT_TRUE(spec->options.allow_emulation);
  EXPECT_EQ(spec->job.device->presence, DevicePresence::kCatalogue);
}

TEST_F(HubJobs, fails_other_frameworks_at_once_with_their_target_seeded) {
  const auto model = upload_model();
  Inspection found;
  found.format = "tflite";
  inspect(found);
  EXPECT_EQ(hub_.contents.model(user_, model.id)->type, ModelType::kTflite);
  const Job job = compile(model.id);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.outcome->failure_type, FailureType::kUnsupported);
  EXPECT_TRUE(hub_.contents.model(user_, target_model_of(job)));
}

TEST_F(HubJobs, refuses_what_it_cannot_take) {
  const auto model = inspected_model();
  const auto dataset = inspected_dataset();
  expect_refused(submission<kinds::Compile>("mnone", "Test CPU"), Code::kNotFound, "no model mnone");
  expect_refused(submission<kinds::Compile>(model.id, "Samsung Galaxy S42"), Code::kInvalidArgument,
                 "did you mean 'Samsung Galaxy S");
  expect_refused(submission<kinds::Compile>(model.id, "Samsung Galaxy Tab S7", "--target_runtime qnn_dlc"),
                 Code::kInvalidArgument, "Hexagon v66");
  expect_refused(submission<kinds::Compile>(model.id, "Test CPU", "--target_runtme onnx"), Code::kInvalidArgument,
                 "did you mean --target_runtime?");
  expect_refused(submission<kinds::Inspect>(model.id, "Test CPU"), Code::kInvalidArgument, "the hub's own");
  auto asked = submission<kinds::Compile>(model.id, "Test CPU");
  asked.devices.clear();
  expect_refused(asked, Code::kInvalidArgument, "names no device");
  asked = submission<kinds::Compile>(model.id, "Test CPU");
  asked.project_id = "p1";
  expect_refused(asked, Code::kNotFound, "unknown project p1");
  asked = submission<kinds::Compile>(model.id, "Test CPU");
  asked.devices[0].os = "99";
  expect_refused(asked, Code::kInvalidArgument, "with os 99");
  asked = submission<kinds::Inference>(model.id, "Test CPU");
  part<kinds::Run>(asked.payload)->dataset_id = "dnone";
  expect_refused(asked, Code::kNotFound, "no dataset dnone");
  part<kinds::Run>(asked.payload)->dataset_id =
      hub_.contents.create_dataset(user_, {.name = "x", .permanent = false, .project_id = ""})->id;
  expect_refused(asked, Code::kFailedPrecondition, "is not uploaded yet");
  const auto waiting = create_model();
  expect_refused(submission<kinds::Compile>(waiting.id, "Test CPU"), Code::kFailedPrecondition, "is not uploaded yet");
  part<kinds::Run>(asked.payload)->dataset_id = dataset.id;
  clock_.advance(std::chrono::hours(31 * 24));
  agent_id_ = register_agent();
  expect_refused(asked, Code::kFailedPrecondition, "expired");
  EXPECT_EQ(hub_.jobs.submit(other_, submission<kinds::Compile>(model.id, "Test CPU")).error().code, Code::kNotFound);
  EXPECT_EQ(hub_.jobs.jobs(user_, {}, {})->total, 0U);
}

TEST_F(HubJobs, lists_by_owner_and_creator) {
  const Job job = compile(inspected_model().id);
  EXPECT_EQ(hub_.jobs.jobs(user_, {}, {})->total, 1U);
  EXPECT_EQ(hub_.jobs.jobs(other_, {}, {})->total, 0U);
  EXPECT_EQ(hub_.jobs.jobs(admin_, {}, {})->total, 1U);
  JobFilter filter;
  filter.creator_email = "user@hub";
  EXPECT_EQ(hub_.jobs.jobs(user_, filter, {})->total, 1U);
  EXPECT_EQ(hub_.jobs.jobs(other_, filter, {})->total, 0U);
  EXPECT_EQ(hub_.jobs.jobs(admin_, filter, {})->total, 1U);
  filter.creator_email = "nobody@hub";
  EXPECT_EQ(hub_.jobs.jobs(admin_, filter, {})->total, 0U);
  EXPECT_EQ(hub_.jobs.job(other_, job.id).error().code, Code::kNotFound);
  EXPECT_EQ(hub_.jobs.log(other_, job.id).error().code, Code::kNotFound);
  ASSERT_TRUE(hub_.jobs.rename_job(user_, job.id, "better"));
  EXPECT_EQ(hub_.jobs.job(user_, job.id)->name, "better");
}

TEST_F(HubJobs, hides_its_inspections) {
  upload_model();
  const auto spec = lease();
  EXPECT_EQ(hub_.jobs.job(admin_, spec->job.id).error().code, Code::kNotFound);
  EXPECT_EQ(hub_.jobs.jobs(admin_, {}, {})->total, 0U);
}

TEST_F(HubJobs, tells_the_listener_of_every_change) {
  int before = changes_;
  const auto moved = [&] { return std::exchange(before, changes_.load()) < changes_; };
  const auto model = upload_model();
  EXPECT_TRUE(moved());
  inspect(image_model());
  EXPECT_TRUE(moved());
  compile(model.id);
  EXPECT_TRUE(moved());
  const auto spec = lease();
  EXPECT_TRUE(moved());
  ASSERT_TRUE(complete(spec->job, JobOutcome{}));
  EXPECT_TRUE(moved());
  register_agent("second");
  EXPECT_TRUE(moved());
  hub_.sweep();
  EXPECT_FALSE(moved());
}

}  // namespace
}  // namespace slipway::hub
