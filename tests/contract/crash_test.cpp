#include <csignal>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <unistd.h>

#include "tests/contract/stores.hpp"
#include <gtest/gtest.h>

#include "base/child_process.hpp"
#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "hub/storage/files/file_blob_store.hpp"

// kill -9 in the middle of work: what a call said it had done is there afterwards, once, and nothing is half there.
namespace slipway::hub {
namespace {

using namespace domain;

constexpr int kRounds = 25;
const base::SystemClock kClock;

/// Runs `work` in a child that reports each finished step as a line, kills it after a random time, and returns the
/// lines that it had reported.
std::vector<std::string> killed_midway(std::mt19937& random,
                                       const std::function<void(std::function<void(std::string)>)>& work) {
  base::Pipe pipe = base::make_pipe().value();
  const auto child = base::start_copy(SIGKILL, [&] {
    work([&](const std::string& line) {
      if (!base::write_all(pipe.write.get(), line + '\n')) ::_exit(2);
    });
    ::_exit(3);
  });
  pipe.write.reset();
  std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution(2'000, 60'000)(random)));
  ::kill(child.value(), SIGKILL);
  std::string text;
  char buffer[65536];
  for (ssize_t got; (got = ::read(pipe.read.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  const base::ProcessEnd killed = base::wait_for(*child);
  EXPECT_EQ(killed.signal, SIGKILL) << "the work ended by itself: " << killed.text();
  std::vector<std::string> lines;
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    lines.push_back(text.substr(at, end - at));
  }
  return lines;
}

/// Submits, leases, logs and completes jobs without end; "I id", "L id", "G id", "C id".
void work_through_jobs(const std::filesystem::path& file, int round, const std::function<void(std::string)>& report) {
  auto store = storage::SqliteStore::open(file, kClock);
  if (!store) ::_exit(4);
  for (int n = 0;; ++n) {
    const std::string id = fmt::format("j{}x{}", round, n);
    Model target;
    target.id = "m" + id;
    target.producer_job_id = id;
    if (!(*store)->insert_job(compile_job(id, "m1"), target)) ::_exit(5);
    report("I " + id);
    const auto job = (*store)->lease_job(lease_by("t" + id));
    if (!job || !*job) ::_exit(6);
    report("L " + (*job)->id);
    if (!(*store)->append_log((*job)->id, "t" + id, "line of " + (*job)->id)) ::_exit(7);
    report("G " + (*job)->id);
    Dataset output;
    output.id = "d" + (*job)->id;
    output.producer_job_id = (*job)->id;
    Model made = uploaded_model("m" + (*job)->id);
    made.producer_job_id = (*job)->id;
    if (!(*store)->complete_job(ended(**job, JobState::kDone), "t" + id, made, output, {})) ::_exit(8);
    report("C " + (*job)->id);
  }
}

TEST(Crash, loses_and_repeats_no_job) {
  const auto folder = base::TemporaryFolder::create("slipway-crash").value();
  const auto file = folder.path() / "hub.sqlite";
  ASSERT_TRUE(storage::SqliteStore::open(file, kClock).value()->insert_model(uploaded_model("m1")));
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  std::map<std::string, std::set<char>> promised;
  std::size_t completed = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (const std::string& line :
         killed_midway(random, [&](const auto& report) { work_through_jobs(file, round, report); })) {
      promised[line.substr(2)].insert(line[0]);
    }
    auto store = storage::SqliteStore::open(file, kClock).value();
    // What was being worked on goes back, as after a lost lease.
    ASSERT_TRUE(store->reclaim_leases(at_second(1'000), at_second(1'000), 1'000));
    for (const auto& [id, steps] : promised) {
      const auto job = store->job(id);
      ASSERT_TRUE(job) << id;
      if (steps.contains('G')) {
        EXPECT_NE(store->log(id)->find("line of " + id), std::string::npos);
      }
      if (steps.contains('C')) {
        EXPECT_EQ(job->state, JobState::kDone) << id;
      }
    }
    const auto jobs = store->jobs({}, {.offset = 0, .limit = 1'000'000}).value();
    const auto datasets = store->datasets("", {.offset = 0, .limit = 1'000'000}).value();
    std::set<std::string> with_output;
    for (const Dataset& dataset : datasets.items) EXPECT_TRUE(with_output.insert(dataset.producer_job_id).second);
    completed = 0;
    for (const Job& job : jobs.items) {
      const bool done = job.state == JobState::kDone;
      completed += done ? 1 : 0;
      EXPECT_TRUE(done || job.state == JobState::kCreated) << job.id;
      EXPECT_EQ(with_output.contains(job.id), done) << job.id;
      EXPECT_EQ(job.outcome.has_value(), done) << job.id;
      EXPECT_EQ(store->model("m" + job.id)->upload == UploadState::kComplete, done) << job.id;
    }
    // At most one step of each round was under way and not reported.
    EXPECT_LE(jobs.items.size(), promised.size() + static_cast<std::size_t>(round) + 1);
  }
  EXPECT_GT(completed, 0U) << "no job ever ended: the test proves nothing";
}

std::string part_of(int round, int upload, std::uint32_t index) {
  std::mt19937 random(static_cast<unsigned>(round * 1000 + upload * 10) + index);
  std::string text(20'000, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

/// Uploads files of three parts without end; "P upload index", "A upload".
void work_through_uploads(const std::filesystem::path& folder, int round,
                          const std::function<void(std::string)>& report) {
  auto store = storage::FileBlobStore::open(folder, kClock);
  if (!store) ::_exit(4);
  for (int upload = 0;; ++upload) {
    const std::string id = fmt::format("u{}x{}", round, upload);
    std::vector<std::string> etags;
    for (std::uint32_t index = 0; index < 3; ++index) {
      const std::string content = part_of(round, upload, index);
      auto writer = (*store)->write_part(id, index, content.size());
      if (!writer || !(*writer)->write(std::as_bytes(std::span(content)))) ::_exit(5);
      etags.push_back((*writer)->commit().value_or(""));
      report(fmt::format("P {} {}", upload, index));
    }
    if (!(*store)->pin()->assemble(id, etags)) ::_exit(6);
    report(fmt::format("A {} 0", upload));
  }
}

TEST(Crash, loses_no_part_and_shows_no_half_content) {
  const auto folder = base::TemporaryFolder::create("slipway-crash").value();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  std::size_t parts = 0, contents = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::map<int, std::set<std::string>> promised;
    for (const std::string& line :
         killed_midway(random, [&](const auto& report) { work_through_uploads(folder.path(), round, report); })) {
      int upload = 0;
      char what = 0, index = 0;
      ASSERT_EQ(std::sscanf(line.c_str(), "%c %d %c", &what, &upload, &index), 3);
      promised[upload].insert(std::string{what, index});
      parts += what == 'P' ? 1 : 0;
    }
    auto store = storage::FileBlobStore::open(folder.path(), kClock).value();
    for (const auto& [upload, steps] : promised) {
      const std::string id = fmt::format("u{}x{}", round, upload);
      std::string whole;
      std::vector<std::string> etags;
      for (std::uint32_t index = 0; index < 3; ++index) {
        const std::string content = part_of(round, upload, index);
        whole += content;
        etags.push_back(base::sha256_hex(content));
        // A client sends on from where its last acknowledged part ended.
        if (steps.contains(fmt::format("P{}", index))) continue;
        auto writer = store->write_part(id, index, content.size());
        ASSERT_TRUE(writer && (*writer)->write(std::as_bytes(std::span(content))) && (*writer)->commit());
      }
      const auto blob = store->pin()->assemble(id, etags);
      ASSERT_TRUE(blob) << blob.error().message;
      EXPECT_EQ(blob->sha256, base::sha256_hex(whole));
      EXPECT_TRUE(store->verify(*blob));
    }
    contents = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "blobs")) {
      if (!entry.is_regular_file()) continue;
      ++contents;
      EXPECT_EQ(base::sha256_hex_of_file(entry.path()).value(),
                entry.path().parent_path().filename().string() + entry.path().filename().string());
    }
  }
  EXPECT_GT(parts, 0U) << "no part was ever acknowledged: the test proves nothing";
  EXPECT_GT(contents, 0U);
}

}  // namespace
}  // namespace slipway::hub
