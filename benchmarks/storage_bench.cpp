#include <benchmark/benchmark.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "hub/storage/files/file_blob_store.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

// What the hub's stores cost once they are full: 100 000 jobs on disk, a tenth of them queued.
namespace slipway::hub {
namespace {

using namespace domain;

constexpr int kJobs = 100'000;
constexpr int kQueued = kJobs / 10;
const base::SystemClock kClock;

Job job_number(int number, JobState state) {
  Job job;
  job.id = fmt::format("j{}", number);
  job.owner_id = fmt::format("u{}", number % 4);
  job.name = "net";
  kinds::Inference inference;
  inference.model_id = "m1";
  inference.is_profiling = true;
  job.payload = inference;
  job.options = "--compute_unit npu";
  job.device.emplace().name = "Samsung Galaxy S24";
  job.device->attributes.assign(12, "chipset:qualcomm-snapdragon-8gen3");
  job.state = state;
  job.created = job.updated = base::Time(std::chrono::seconds(1'800'000'000 + number));
  if (state == JobState::kDone) {
    auto& profile = job.outcome.emplace().result.emplace<kinds::Inference::Result>().profile.emplace();
    profile.inference.times_us.assign(100, 1234);
    profile.layers.resize(60);
  }
  return job;
}

void add_job(RowStore& store, int number, JobState state) {
  SLIPWAY_CHECK(store.insert_job(job_number(number, state), std::nullopt).has_value(), "the store takes a job");
}

// Filled in memory, where no insertion waits for a disk, and then copied to the disk that is measured.
void fill(const std::filesystem::path& file) {
  const auto memory = base::TemporaryFolder::create("slipway-bench", "/dev/shm").value();
  const auto filled = memory.path() / "hub.sqlite";
  {
    const auto store = storage::SqliteStore::open(filled, kClock).value();
    Model model;
    model.id = "m1";
    model.upload = UploadState::kComplete;
    model.inspection.emplace();
    SLIPWAY_CHECK(store->insert_model(model).has_value(), "the store takes a model");
    for (int i = 0; i < kJobs; ++i) add_job(*store, i, i < kJobs - kQueued ? JobState::kDone : JobState::kCreated);
  }
  std::filesystem::copy_file(filled, file);
}

/// One full store for all benchmarks of this program.
struct FullStore {
  base::TemporaryFolder folder = base::TemporaryFolder::create("slipway-bench").value();
  std::unique_ptr<RowStore> store;
  int next = kJobs;

  FullStore() {
    fill(folder.path() / "hub.sqlite");
    store = storage::SqliteStore::open(folder.path() / "hub.sqlite", kClock).value();
  }
  static FullStore& get() {
    static FullStore full;
    return full;
  }
};

LeaseRequest request_number(int number) {
  LeaseRequest request;
  request.agent_id = "a1";
  request.kinds = {kKindOf<kinds::Inspect>, kKindOf<kinds::Compile>, kKindOf<kinds::Inference>};
  request.offers = {"qnn", "device:CPU"};
  request.lease_token = fmt::format("t{}", number);
  request.now = base::Time(std::chrono::seconds(1'900'000'000));
  request.until = request.now + std::chrono::seconds(30);
  return request;
}

void lease_and_complete(benchmark::State& state) {
  FullStore& full = FullStore::get();
  int number = 0;
  for (auto _ : state) {
    auto job = full.store->lease_job(request_number(++number)).value();
    job->state = JobState::kDone;
    job->outcome.emplace().succeeded = true;
    SLIPWAY_CHECK(full.store->complete_job(*job, job->lease_token, {}, {}, {}).has_value(), "the token is current");
    state.PauseTiming();
    add_job(*full.store, full.next++, JobState::kCreated);
    state.ResumeTiming();
  }
}
BENCHMARK(lease_and_complete)->Unit(benchmark::kMillisecond)->UseRealTime();

void poll_an_empty_queue(benchmark::State& state) {
  FullStore& full = FullStore::get();
  auto request = request_number(0);
  request.kinds = {kKindOf<kinds::Inspect>, kKindOf<kinds::Compile>};
  for (auto _ : state) benchmark::DoNotOptimize(full.store->lease_job(request));
}
BENCHMARK(poll_an_empty_queue)->Unit(benchmark::kMicrosecond)->UseRealTime();

void list(benchmark::State& state, const JobFilter& filter, Page page) {
  FullStore& full = FullStore::get();
  for (auto _ : state) benchmark::DoNotOptimize(full.store->jobs(filter, page));
}
void list_newest_of_owner(benchmark::State& state) {
  JobFilter filter;
  filter.owner_id = "u1";
  list(state, filter, {});
}
void list_newest_of_all(benchmark::State& state) {
  list(state, {}, {});
}
void list_last_page_of_all(benchmark::State& state) {
  list(state, {}, {.offset = kJobs - 50, .limit = 50});
}
void list_rare_state(benchmark::State& state) {
  JobFilter filter;
  filter.states = {JobState::kFailed};
  list(state, filter, {});
}
BENCHMARK(list_newest_of_owner)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(list_newest_of_all)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(list_last_page_of_all)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(list_rare_state)->Unit(benchmark::kMillisecond)->UseRealTime();

void read_job(benchmark::State& state) {
  FullStore& full = FullStore::get();
  for (auto _ : state) benchmark::DoNotOptimize(full.store->job("j500"));
}
BENCHMARK(read_job)->Unit(benchmark::kMicrosecond)->UseRealTime();

void queue_position(benchmark::State& state) {
  FullStore& full = FullStore::get();
  for (auto _ : state) benchmark::DoNotOptimize(full.store->queue_position(fmt::format("j{}", kJobs - 1)));
}
BENCHMARK(queue_position)->Unit(benchmark::kMicrosecond)->UseRealTime();

void sweep_with_nothing_to_do(benchmark::State& state) {
  FullStore& full = FullStore::get();
  for (auto _ : state) {
    benchmark::DoNotOptimize(full.store->reclaim_leases(base::Time{}, base::Time{}, 3));
    benchmark::DoNotOptimize(full.store->orphaned_jobs());
  }
}
BENCHMARK(sweep_with_nothing_to_do)->Unit(benchmark::kMicrosecond)->UseRealTime();

void append_log_line(benchmark::State& state) {
  FullStore& full = FullStore::get();
  for (auto _ : state)
    benchmark::DoNotOptimize(full.store->append_log("j1", "", "a line of eighty characters or so\n"));
}
BENCHMARK(append_log_line)->Unit(benchmark::kMicrosecond)->UseRealTime();

void upload(benchmark::State& state) {
  const auto folder = base::TemporaryFolder::create("slipway-bench").value();
  const auto store = storage::FileBlobStore::open(folder.path(), kClock).value();
  std::string content(static_cast<std::size_t>(state.range(0)) << 20, 'x');
  int number = 0;
  for (auto _ : state) {
    const std::string id = fmt::format("u{}", ++number);
    content[0] = static_cast<char>(number);
    auto writer = store->write_part(id, 0, content.size()).value();
    for (std::size_t at = 0; at < content.size(); at += 1 << 18) {
      SLIPWAY_CHECK(writer->write(std::as_bytes(std::span(content).subspan(at, 1 << 18))).has_value(), "there is room");
    }
    const auto blob = store->pin()->assemble(id, {writer->commit().value()}).value();
    state.PauseTiming();
    std::filesystem::remove(store->path_of(blob).value());
    store->discard(id);
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(content.size()));
}
BENCHMARK(upload)->Arg(1)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace slipway::hub

BENCHMARK_MAIN();
