#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "tests/contract/stores.hpp"
#include <gmock/gmock.h>

#include "hub/domain/job_state.hpp"

// What the queue promises: each job is worked on by one holder of a token at a time, and ends once.
namespace slipway::hub {
namespace {

using base::Code;
using namespace domain;

class Queue : public RowStoreTest {
 protected:
  void SetUp() override {
    RowStoreTest::SetUp();
    ASSERT_TRUE(store().insert_model(uploaded_model("m1")));
  }
  void add(const Job& job, const std::optional<Model>& target = {}) {
    const auto added = store().insert_job(job, target);
    ASSERT_TRUE(added) << added.error().message;
  }
  std::optional<Job> lease(const LeaseRequest& request) { return store().lease_job(request).value(); }
};
INSTANTIATE_TEST_SUITE_P(Stores, Queue, kStores, store_name);

TEST_P(Queue, hands_out_the_oldest_first_and_each_once) {
  EXPECT_FALSE(lease(lease_by("t0")));
  for (const char* id : {"j3", "j1", "j2"}) add(compile_job(id, "m1"));
  const auto first = lease(lease_by("t1", at_second(7)));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->id, "j3");
  EXPECT_EQ(first->attempt, 1);
  EXPECT_EQ(first->state, JobState::kOptimizingModel);
  EXPECT_EQ(first->lease_token, "t1");
  EXPECT_EQ(first->started, at_second(7));
  EXPECT_EQ(first->lease_until, at_second(37));
  reopen();
  EXPECT_EQ(store().job("j3")->state, JobState::kOptimizingModel);
  EXPECT_EQ(lease(lease_by("t2"))->id, "j1");
  EXPECT_EQ(lease(lease_by("t3"))->id, "j2");
  EXPECT_FALSE(lease(lease_by("t4")));
}

TEST_P(Queue, hands_out_inspections_before_all_else) {
  add(compile_job("j1", "m1"));
  const Job inspection = inspection_job("i1", "m1");
  add(inspection);
  EXPECT_EQ(lease(lease_by("t1"))->id, "i1");
  EXPECT_EQ(lease(lease_by("t2"))->id, "j1");
}

TEST_P(Queue, takes_back_what_an_agent_hands_back_as_if_it_had_not_begun) {
  for (const char* id : {"j1", "j2", "j3"}) add(compile_job(id, "m1"));
  lease(lease_by("t1"));
  auto other = lease_by("t2");
  other.agent_id = "a2";
  lease(other);
  EXPECT_THAT(store().return_leases("a1", at_second(5)).value(), ::testing::ElementsAre("j1"));
  EXPECT_TRUE(store().return_leases("a1", at_second(5))->empty());
  reopen();
  EXPECT_EQ(store().job("j1")->state, JobState::kCreated);
  EXPECT_EQ(store().job("j2")->state, JobState::kOptimizingModel);
  EXPECT_EQ(store().renew_lease("j1", "t1", at_second(60)).error().code, Code::kAborted);
  const auto again = lease(lease_by("t3", at_second(6)));
  ASSERT_EQ(again->id, "j1") << "its place in the queue is the old one";
  EXPECT_EQ(again->attempt, 1);
  EXPECT_EQ(store().complete_job(ended(*again, JobState::kDone), "t1", {}, {}, {}).error().code, Code::kAborted);
  EXPECT_TRUE(store().complete_job(ended(*again, JobState::kDone), "t3", {}, {}, {}));
  EXPECT_TRUE(store().return_leases("a1", at_second(7))->empty()) << "what has ended stays";
}

TEST_P(Queue, hands_out_what_the_agent_wants_and_offers) {
  Job job = compile_job("j1", "m1");
  job.needs = "device:A";
  add(job);
  job = compile_job("j2", "m1");
  job.needs = "qnn";
  add(job);
  auto request = lease_by("t1");
  EXPECT_FALSE(lease(request));
  request.offers = {"device:B"};
  EXPECT_FALSE(lease(request));
  request.offers = {"device:B", "qnn"};
  EXPECT_EQ(lease(request)->id, "j2");
  request.offers = {"device:A"};
  request.kinds = {kKindOf<kinds::Inference>};
  EXPECT_FALSE(lease(request));
  request.kinds = {kKindOf<kinds::Inference>, kKindOf<kinds::Compile>};
  EXPECT_EQ(lease(request)->id, "j1");
}

TEST_P(Queue, holds_a_job_until_its_model_is_inspected) {
  Model model = uploaded_model("m2");
  model.inspection.reset();
  ASSERT_TRUE(store().insert_model(model));
  add(compile_job("j1", "m2"));
  const Job inspection = inspection_job("i1", "m2");
  add(inspection);
  const auto leased = lease(lease_by("t1"));
  ASSERT_EQ(leased->id, "i1");
  EXPECT_FALSE(lease(lease_by("t2")));
  Inspection found;
  found.format = "onnx";
  ASSERT_TRUE(store().complete_job(ended(*leased, JobState::kDone), "t1", {}, {}, found));
  EXPECT_EQ(store().model("m2")->inspection->format, "onnx");
  EXPECT_EQ(lease(lease_by("t3"))->id, "j1");
}

TEST_P(Queue, holds_a_job_until_model_and_dataset_are_both_there) {
  Model model = uploaded_model("m2");
  model.inspection.reset();
  ASSERT_TRUE(store().insert_model(model));
  Dataset dataset;
  dataset.id = "d1";
  dataset.upload = UploadState::kComplete;
  ASSERT_TRUE(store().insert_dataset(dataset));
  add(inference_job("j1", "m2", "d1"));
  for (const auto& [id, model_id, dataset_id] : {std::tuple{"i1", "m2", ""}, {"i2", "", "d1"}}) {
    add(inspection_job(id, model_id, dataset_id));
  }
  const auto first = lease(lease_by("t1")), second = lease(lease_by("t2"));
  ASSERT_TRUE(store().complete_job(ended(*second, JobState::kDone), "t2", {}, {}, Inspection{}));
  EXPECT_FALSE(lease(lease_by("t3")));
  ASSERT_TRUE(store().complete_job(ended(*first, JobState::kDone), "t1", {}, {}, Inspection{}));
  EXPECT_EQ(lease(lease_by("t4"))->id, "j1");
}

TEST_P(Queue, holds_a_job_until_its_models_producer_ends_and_finds_it_when_that_fails) {
  Model target;
  target.id = "m2";
  target.producer_job_id = "j1";
  add(compile_job("j1", "m1"), target);
  Model second;
  second.id = "m3";
  second.producer_job_id = "j2";
  add(compile_job("j2", "m1"), second);
  add(compile_job("j3", "m2"));
  add(compile_job("j4", "m3"));
  const auto first = lease(lease_by("t1")), failing = lease(lease_by("t2"));
  ASSERT_EQ(failing->id, "j2");
  EXPECT_FALSE(lease(lease_by("t3")));
  EXPECT_TRUE(store().orphaned_jobs()->empty());

  target = uploaded_model("m2");
  target.producer_job_id = "j1";
  ASSERT_TRUE(store().complete_job(ended(*first, JobState::kDone), "t1", target, {}, {}));
  EXPECT_EQ(lease(lease_by("t4"))->id, "j3");
  ASSERT_TRUE(store().complete_job(ended(*failing, JobState::kFailed), "t2", {}, {}, {}));
  EXPECT_FALSE(lease(lease_by("t5")));
  const auto orphans = store().orphaned_jobs();
  ASSERT_EQ(orphans->size(), 1U);
  ASSERT_TRUE(store().fail_job(ended(orphans->front(), JobState::kFailed), {}));
  EXPECT_EQ(store().job("j4")->state, JobState::kFailed);
  EXPECT_TRUE(store().orphaned_jobs()->empty());
}

TEST_P(Queue, refuses_every_word_of_a_stale_token) {
  add(compile_job("j1", "m1"));
  const auto first = lease(lease_by("t1", at_second(0)));
  EXPECT_TRUE(store().reclaim_leases(at_second(29), at_second(29), 3)->empty());
  EXPECT_EQ(store().job("j1")->state, JobState::kOptimizingModel);
  EXPECT_TRUE(store().reclaim_leases(at_second(30), at_second(30), 3)->empty());
  EXPECT_EQ(store().job("j1")->state, JobState::kCreated);
  EXPECT_EQ(store().job("j1")->lease_token, "");
  const auto second = lease(lease_by("t2", at_second(31)));
  EXPECT_EQ(second->attempt, 2);

  EXPECT_EQ(store().renew_lease("j1", "t1", at_second(99)).error().code, Code::kAborted);
  EXPECT_EQ(store().renew_lease("j1", "", at_second(99)).error().code, Code::kAborted);
  EXPECT_EQ(store().append_log("j1", "t1", "x").error().code, Code::kAborted);
  Dataset output;
  output.id = "d1";
  EXPECT_EQ(store().complete_job(ended(*first, JobState::kDone), "t1", {}, output, {}).error().code, Code::kAborted);
  EXPECT_EQ(store().complete_job(ended(*first, JobState::kDone), "", {}, output, {}).error().code, Code::kAborted);
  EXPECT_FALSE(store().dataset("d1"));
  EXPECT_EQ(store().job("j1")->state, JobState::kOptimizingModel);

  ASSERT_TRUE(store().renew_lease("j1", "t2", at_second(99)));
  EXPECT_TRUE(store().reclaim_leases(at_second(98), at_second(98), 3)->empty());
  ASSERT_TRUE(store().complete_job(ended(*second, JobState::kDone), "t2", {}, output, {}));
  EXPECT_TRUE(store().dataset("d1"));
  EXPECT_EQ(store().complete_job(ended(*second, JobState::kFailed), "t2", {}, {}, {}).error().code, Code::kAborted);
  EXPECT_EQ(store().renew_lease("j1", "t2", at_second(99)).error().code, Code::kAborted);
  EXPECT_EQ(store().job("j1")->state, JobState::kDone);
}

TEST_P(Queue, names_the_jobs_whose_attempts_are_used_up_until_they_are_failed) {
  add(compile_job("j1", "m1"));
  std::int64_t second = 0;
  for (int attempt = 1; attempt <= 2; ++attempt, second += 60) {
    ASSERT_EQ(lease(lease_by("t", at_second(second)))->attempt, attempt);
    EXPECT_TRUE(store().reclaim_leases(at_second(second + 31), at_second(second + 31), 3)->empty());
  }
  ASSERT_EQ(lease(lease_by("t", at_second(second)))->attempt, 3);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto hopeless = store().reclaim_leases(at_second(second + 31), at_second(second + 31), 3);
    ASSERT_EQ(hopeless->size(), 1U);
    EXPECT_EQ(hopeless->front().id, "j1");
    EXPECT_FALSE(lease(lease_by("t9")));
    reopen();
  }
  const Job job = store().job("j1").value();
  EXPECT_EQ(store().complete_job(ended(job, JobState::kDone), "t", {}, {}, {}).error().code, Code::kAborted);
  ASSERT_TRUE(store().fail_job(ended(job, JobState::kFailed), {}));
  EXPECT_EQ(store().fail_job(ended(job, JobState::kFailed), {}).error().code, Code::kAborted);
  EXPECT_TRUE(store().reclaim_leases(at_second(second + 31), at_second(second + 31), 3)->empty());
}

TEST_P(Queue, does_not_fail_a_job_that_somebody_works_on) {
  add(compile_job("j1", "m1"));
  const Job queued = store().job("j1").value();
  ASSERT_TRUE(lease(lease_by("t1")));
  EXPECT_EQ(store().fail_job(ended(queued, JobState::kFailed), {}).error().code, Code::kAborted);
  EXPECT_EQ(store().job("j1")->state, JobState::kOptimizingModel);
}

// The table of job_state.cpp is what a store enforces, whatever the state that a row is in.
TEST_P(Queue, ends_a_job_only_where_the_table_of_states_says_so) {
  for (const JobState from : all_states()) {
    for (const JobState to : {JobState::kDone, JobState::kFailed}) {
      for (const std::string token : {"t", ""}) {
        Job job = compile_job(fmt::format("j{}-{}-{}", static_cast<int>(from), static_cast<int>(to), token), "m1");
        job.state = from;
        job.lease_token = token;
        add(job);
        const bool did = token.empty() ? store().fail_job(ended(job, to), {}).has_value()
                                       : store().complete_job(ended(job, to), token, {}, {}, {}).has_value();
        // A queued job with a token is a row that the store never makes.
        if (from == JobState::kCreated && !token.empty()) continue;
        EXPECT_EQ(did, may_follow(from, to)) << state_name(from) << " -> " << state_name(to) << " " << token;
        EXPECT_EQ(store().job(job.id)->state, did ? to : from);
      }
    }
  }
}

TEST_P(Queue, hands_back_one_job_for_the_holder_of_its_token_alone) {
  add(compile_job("j1", "m1"));
  add(compile_job("j2", "m1"));
  lease(lease_by("t1"));
  lease(lease_by("t2"));
  ASSERT_TRUE(store().return_lease("j1", "t2", at_second(5)));
  ASSERT_TRUE(store().return_lease("j1", "", at_second(5)));
  EXPECT_EQ(store().job("j1")->state, JobState::kOptimizingModel);
  ASSERT_TRUE(store().return_lease("j1", "t1", at_second(5)));
  EXPECT_EQ(store().job("j1")->state, JobState::kCreated);
  EXPECT_EQ(store().job("j1")->attempt, 0);
  EXPECT_EQ(store().job("j2")->state, JobState::kOptimizingModel);
}

TEST_P(Queue, gives_all_leases_a_new_end) {
  add(compile_job("j1", "m1"));
  add(compile_job("j2", "m1"));
  lease(lease_by("t1", at_second(0)));
  ASSERT_TRUE(store().renew_all_leases(at_second(90)));
  EXPECT_TRUE(store().reclaim_leases(at_second(89), at_second(89), 3)->empty());
  EXPECT_EQ(store().job("j1")->state, JobState::kOptimizingModel);
  EXPECT_EQ(store().job("j2")->state, JobState::kCreated);
  EXPECT_FALSE(store().job("j2")->lease_until);
}

// Somebody sets the clock on the wall: leases neither end nor last longer.
TEST_P(Queue, keeps_leases_by_a_clock_that_is_never_set) {
  const base::Time begin = store().lease_time();
  clock_.step(std::chrono::hours(5));
  EXPECT_EQ(store().lease_time(), begin);
  clock_.step(-std::chrono::hours(50));
  EXPECT_EQ(store().lease_time(), begin);
  clock_.advance(std::chrono::seconds(30));
  EXPECT_EQ(store().lease_time(), begin + std::chrono::seconds(30));
}

TEST_P(Queue, counts_the_jobs_ahead) {
  for (const char* id : {"j1", "j2", "j3"}) add(compile_job(id, "m1"));
  EXPECT_EQ(store().queue_position("j1").value(), 0U);
  EXPECT_EQ(store().queue_position("j3").value(), 2U);
  ASSERT_TRUE(lease(lease_by("t")));
  EXPECT_EQ(store().queue_position("j3").value(), 1U);
  EXPECT_EQ(store().queue_position("j1").value(), 0U);
}

TEST_P(Queue, gives_each_job_to_one_of_many_threads) {
  constexpr int kJobs = 60, kThreads = 8;
  for (int i = 0; i < kJobs; ++i) add(compile_job("j" + std::to_string(i), "m1"));
  std::mutex mutex;
  std::map<std::string, int> leased;
  std::atomic<int> ended_count = 0, wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int n = 0;; ++n) {
          const std::string token = "t" + std::to_string(t) + "-" + std::to_string(n);
          const auto job = store().lease_job(lease_by(token));
          if (!job) {
            ++wrong;
            return;
          }
          if (!*job) return;
          {
            const std::lock_guard lock(mutex);
            ++leased[(*job)->id];
          }
          if (!store().append_log((*job)->id, token, "line\n")) ++wrong;
          if (store().complete_job(ended(**job, JobState::kDone), "stale", {}, {}, {})) ++wrong;
          if (!store().complete_job(ended(**job, JobState::kDone), token, {}, {}, {})) ++wrong;
          ++ended_count;
          if (!store().jobs({}, {.offset = 0, .limit = 5})) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ended_count, kJobs);
  EXPECT_EQ(leased.size(), static_cast<std::size_t>(kJobs));
  for (const auto& [id, times] : leased) EXPECT_EQ(times, 1) << id;
}

// Holders that lose their leases race with those that get them next: every job ends exactly once.
TEST_P(Queue, lets_one_of_many_holders_end_a_job) {
  constexpr int kJobs = 20, kThreads = 6;
  for (int i = 0; i < kJobs; ++i) add(compile_job("j" + std::to_string(i), "m1"));
  std::atomic<int> won = 0, running = kThreads;
  std::mutex mutex;
  std::map<std::string, int> ends;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int n = 0; won < kJobs && n < 100'000; ++n) {
          const std::string token = "t" + std::to_string(t) + "-" + std::to_string(n);
          const auto job = store().lease_job(lease_by(token, at_second(0)));
          if (!job || !*job) {
            std::this_thread::yield();
            continue;
          }
          if (n % 3 != 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
          if (store().complete_job(ended(**job, JobState::kDone), token, {}, {}, {})) {
            ++won;
            const std::lock_guard lock(mutex);
            ++ends[(*job)->id];
          }
        }
        --running;
      });
    }
    // The sweeper takes everything away all the time.
    while (running > 0) {
      EXPECT_TRUE(store().reclaim_leases(at_second(60), at_second(60), 1'000'000));
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  }
  EXPECT_EQ(won, kJobs);
  EXPECT_EQ(ends.size(), static_cast<std::size_t>(kJobs));
}

}  // namespace
}  // namespace slipway::hub
