// The hub's service, rules and stores in memory and the real loop of its agents, in a world of one clock, where a seed
// says what is lost, who dies and when.
#include <cstdlib>
#include <filesystem>
#include <span>

#include "tests/simulation/simulated_hub.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "apps/hub_worker/slot.hpp"
#include "base/files.hpp"
#include "hub/domain/job_state.hpp"

namespace slipway::simulation {
namespace {

namespace fs = std::filesystem;
using hub::domain::Job;
using hub::domain::JobKind;
using hub::domain::JobOutcome;
using hub::domain::JobState;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
namespace kinds = hub::domain::kinds;

constexpr std::uint64_t kSeeds = 200;
constexpr Weather kStorm{.request_lost = 30, .answer_lost = 30, .slow = 20, .broken_download = 100, .slow_store = 20};

std::string content_of_upload(const std::string& model_id) {
  return "what was uploaded as " + model_id;
}
std::string content_of_target(const std::string& job_id, const std::string& execution) {
  return fmt::format("made for {} in {}", job_id, execution);
}

/// One process of an agent after the other on one machine.
class Machine {
 public:
  Machine(SimulatedHub& world, const base::testing::SimulatedClock& clock, fs::path folder, std::string name)
      : world_(world), clock_(clock), folder_(std::move(folder)), name_(std::move(name)) {
    fs::create_directories(folder_);
  }
  ~Machine() { end(true); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  [[nodiscard]] bool is_up() const { return thread_.joinable(); }

  void start() {
    dead_ = std::make_shared<bool>(false);
    const std::string predecessor = std::exchange(instance_, fmt::format("{} {}", name_, ++count_));
    hub::domain::Device machine;
    machine.name = "Test CPU";
    machine.os = "12";
    machine.attributes = {"os:linux", "framework:onnx"};
    const hub::client::HubAccess access{
        .url = "http://hub", .token = world_.agent_token, .clock = clock_, .connect = [this, dead = dead_] {
          return world_.connect(dead);
        }};
    const auto slot = [&](std::vector<JobKind> accepted) {
      return worker::SlotSettings{
          .hub = access,
          .kinds = std::move(accepted),
          .execute = [this](const fs::path& folder, const hub::domain::JobSpec& spec, const auto& tell,
                            const std::stop_token& stop) { return work(folder, spec, tell, stop); },
          .work_folder = folder_,
          .private_places = {}};
    };
    auto membership = std::make_shared<worker::Membership>(
        hub::protocol::agent::Registration{
            .name = "agent",
            .instance = instance_,
            .successor_of = predecessor,
            .device_documents = {to_document(machine)},
            .frameworks =
                {{.name = "QAIRT", .api_version = "2.50", .api_tags = {"default"}, .full_version = "2.50.0.1"}}},
        clock_);
    thread_ = clock_.start([access, membership,
                            slots = std::vector{slot({hub::domain::kKindOf<kinds::Inspect>}),
                                                slot(hub::domain::submitted_kinds())}](const std::stop_token& stop) {
      const auto served = worker::serve_hub(
          access, slots, *membership, [] {}, stop);
      EXPECT_TRUE(served) << served.error().message;
    });
  }

  /// @param dies  without a word; otherwise it leaves
  void end(bool dies) {
    if (!is_up()) return;
    *dead_ = dies;
    clock_.join(thread_);
  }

 private:
  /// A job: it takes its time, says so, and leaves words that tell which execution left them.
  JobOutcome work(const fs::path& folder, const hub::domain::JobSpec& spec,
                  const std::function<void(std::string_view)>& tell, const std::stop_token& stop) {
    const std::string execution = execution_of(spec.job);
    for (auto left = seconds(world_.draw(4) == 0 ? world_.draw(90) : world_.draw(5)); left > seconds(0);) {
      const auto step = std::min(left, seconds(1 + static_cast<std::int64_t>(world_.draw(40))));
      tell("working");
      clock_.pause(step, stop);
      if (stop.stop_requested()) return failure(hub::domain::FailureType::kInternal, "stopped");
      left -= step;
    }
    for (const auto& input : spec.models) {
      const auto found = base::read_file(folder / "in" / input.file, 1 << 20).value_or("nothing");
      if (found != world_.read(input.model.content)) {
        world_.rows.complaints.push_back(fmt::format("job {} was given \"{}\"", spec.job.id, found));
      }
    }
    JobOutcome outcome;
    if (hub::domain::kind_of(spec.job) == hub::domain::kKindOf<kinds::Inspect>) {
      outcome.succeeded = true;
      auto& found = outcome.result.emplace<kinds::Inspect::Result>().inspection.emplace();
      found.format = "onnx";
      found.inputs = {{.spec = {.name = "x", .dtype = tensor::Dtype::kFloat32, .shape = {1}, .quantization = {}},
                       .graph_name = ""}};
    } else if (world_.draw(8) == 0) {
      outcome = failure(hub::domain::FailureType::kRuntimeUnknown, "it was not to be");
    } else {
      outcome.succeeded = true;
      auto& result = outcome.result.emplace<kinds::Compile::Result>();
      result.target_file = "target.onnx";
      result.target_inputs = spec.models.front().model.inspection->inputs;
      static_cast<void>(
          base::write_file_durably(folder / "out" / "target.onnx", content_of_target(spec.job.id, execution)));
    }
    outcome.remarks = {execution};
    return outcome;
  }

  SimulatedHub& world_;
  const base::testing::SimulatedClock& clock_;
  const fs::path folder_;
  const std::string name_;
  std::string instance_;
  int count_ = 0;
  std::shared_ptr<bool> dead_;
  std::jthread thread_;
};

/// One course of events.
class Course {
 public:
  Course(std::uint64_t seed, const fs::path& folder) : clock_(seed), world_(seed + 1, clock_) {
    for (const char* name : {"first", "second"}) {
      machines_.push_back(std::make_unique<Machine>(world_, clock_, folder / name, name));
      machines_.back()->start();
    }
    upkeep_ = clock_.start([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        world_.tend();
        clock_.pause(seconds(3), stop);
      }
    });
  }
  ~Course() {
    machines_.clear();
    clock_.join(upkeep_);
  }

  void run() {
    world_.weather = kStorm;
    submit();
    for (int event = 0; event < 25; ++event) {
      clock_.pause(milliseconds(world_.draw(20'000)), {});
      happen();
    }
    world_.weather = {};
    if (!world_.is_on()) world_.switch_on();
    for (const auto& machine : machines_) {
      if (!machine->is_up()) machine->start();
    }
    for (int minute = 0; minute < 60 && !all_have_ended(); ++minute) clock_.pause(seconds(60), {});
  }

  void check() {
    EXPECT_THAT(world_.rows.complaints, ::testing::IsEmpty());
    for (const std::string& id : jobs()) {
      const Job job = world_.rows.job(id).value();
      EXPECT_TRUE(is_terminal(job.state)) << id << " is still in state " << static_cast<int>(job.state);
      EXPECT_EQ(world_.rows.ends[id], 1) << id;
      const auto* const compile = hub::domain::part<kinds::Compile>(job.payload);
      if (compile == nullptr || job.state != JobState::kDone) continue;
      const auto target = world_.rows.model(compile->target_model_id).value();
      EXPECT_EQ(world_.read(target.content), content_of_target(id, world_.rows.accepted[id])) << id;
    }
    for (const std::string& id : models_) {
      EXPECT_EQ(world_.read(world_.rows.model(id)->content), content_of_upload(id));
    }
  }

 private:
  void happen() {
    Machine& machine = *machines_[world_.draw(machines_.size())];
    switch (world_.draw(12)) {
      case 0:
        if (world_.is_on()) {
          world_.switch_off();
        } else {
          world_.switch_on();
        }
        return;
      case 1:
        if (machine.is_up()) machine.end(true);
        return;
      case 2:
        if (machine.is_up()) machine.end(false);
        return;
      case 3:
        clock_.step(seconds(world_.draw(10'000)) - seconds(5'000));
        return;
      case 4:
        // Content that nothing speaks of goes after two days by the clock on the wall. What is on its way to a row
        // meanwhile is younger, unless somebody sets that clock.
        if (world_.rows.holders.empty()) clock_.step(hours(50));
        if (world_.is_on()) {
          EXPECT_TRUE(world_.hub().contents.collect(false));
        }
        return;
      case 5:
        world_.weather.request_lost = world_.draw(2) == 0 ? 500 : kStorm.request_lost;
        return;
      case 6:
      case 7:
        for (const auto& one : machines_) {
          if (!one->is_up()) one->start();
        }
        if (!world_.is_on()) world_.switch_on();
        return;
      default:
        if (world_.is_on()) submit();
    }
  }

  void submit() {
    auto& hub = world_.hub();
    if (models_.empty() || world_.draw(4) == 0) upload(hub);
    // What another job makes is taken as well, whether it is there or not.
    const auto& sources = !targets_.empty() && world_.draw(2) == 0 ? targets_ : models_;
    kinds::Compile payload;
    payload.model_id = sources[world_.draw(sources.size())];
    hub::domain::Submission submission;
    submission.payload = payload;
    submission.devices.emplace_back().name = "Test CPU";
    submission.options = "--target_runtime onnx";
    const auto job = hub.jobs.submit(world_.user, submission);
    if (job) targets_.push_back(std::get<kinds::Compile>(job->payload).target_model_id);
  }

  void upload(hub::domain::Hub& hub) {
    const auto model = hub.contents.create_model(
        world_.user,
        {.name = "net.onnx", .type = hub::domain::ModelType::kOnnx, .is_directory = false, .project_id = ""});
    ASSERT_TRUE(model);
    const std::string content = content_of_upload(model->id);
    const auto plan = hub.contents.plan_model_upload(world_.user, model->id, content.size());
    ASSERT_TRUE(plan);
    std::vector<std::string> etags;
    for (std::uint32_t part = 0; part < plan->part_count; ++part) {
      const auto bytes = content.substr(part * plan->part_size_bytes, plan->part_size_bytes);
      const auto writer = hub.contents.write_part(plan->id, part, bytes.size());
      ASSERT_TRUE(writer && (*writer)->write(std::as_bytes(std::span(bytes))));
      etags.push_back((*writer)->commit().value());
    }
    ASSERT_TRUE(hub.contents.complete_model_upload(world_.user, model->id, plan->id, etags));
    models_.push_back(model->id);
  }

  [[nodiscard]] std::vector<std::string> jobs() const {
    hub::domain::JobFilter all;
    for (const auto& kind : hub::domain::JobKinds::kEntries) all.kinds.push_back(kind.number);
    std::vector<std::string> ids;
    const auto found = world_.rows.jobs(all, {.offset = 0, .limit = 1000}).value();
    for (const Job& job : found.items) ids.push_back(job.id);
    return ids;
  }
  [[nodiscard]] bool all_have_ended() const {
    return std::ranges::all_of(jobs(), [&](const std::string& id) { return is_terminal(world_.rows.job(id)->state); });
  }

  base::testing::SimulatedClock clock_;
  SimulatedHub world_;
  std::vector<std::string> models_, targets_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::jthread upkeep_;
};

/// Files of jobs are small and many: where there is memory for them, they need no disk.
fs::path quick_folder() {
  std::error_code error;
  return fs::is_directory("/dev/shm", error) ? "/dev/shm" : fs::temp_directory_path();
}

TEST(HubSimulation, ends_every_job_once_and_loses_nothing_whatever_happens) {
  spdlog::set_level(spdlog::level::off);
  const auto folder = base::TemporaryFolder::create("slipway-simulation", quick_folder()).value();
  const char* const asked_for = std::getenv("SLIPWAY_SIMULATION_SEED");
  const std::uint64_t first = asked_for != nullptr ? std::strtoull(asked_for, nullptr, 10) : 0;
  const std::uint64_t last = asked_for != nullptr ? first + 1 : kSeeds;
  for (std::uint64_t seed = first; seed < last && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("SLIPWAY_SIMULATION_SEED={} runs this course alone", seed));
    Course course(seed, folder.path());
    course.run();
    course.check();
  }
}

TEST(HubSimulation, is_one_course_of_events_for_one_seed) {
  // Instants of a course that depend on every draw of the scheduler.
  const auto time_of = [](std::uint64_t seed) {
    const base::testing::SimulatedClock clock(seed);
    std::vector<int> order;
    std::vector<std::jthread> threads;
    for (int name = 0; name < 5; ++name) {
      threads.push_back(clock.start([&, name](const std::stop_token& stop) {
        for (int turn = 0; turn < 5; ++turn) {
          clock.pause(milliseconds(1), stop);
          order.push_back(name);
        }
      }));
    }
    clock.pause(seconds(1), {});
    for (std::jthread& thread : threads) clock.join(thread);
    return order;
  };
  EXPECT_EQ(time_of(1), time_of(1));
  EXPECT_NE(time_of(1), time_of(2));
}

}  // namespace
}  // namespace slipway::simulation
