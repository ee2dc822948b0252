// The test program stands in for slipway-worker: started as `PROGRAM job FOLDER` it behaves as FOLDER/in/behaviour
// says.
#include "apps/hub_worker/job_launcher.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "apps/hub_worker/machine.hpp"
#include "base/files.hpp"

namespace slipway::worker {
namespace {

namespace fs = std::filesystem;
using hub::domain::FailureType;
using hub::domain::JobKind;
using hub::domain::JobOutcome;
using ::testing::AllOf;
using ::testing::HasSubstr;

int behave(const fs::path& folder) {
  std::string behaviour;
  std::getline(std::ifstream(folder / "in" / "behaviour"), behaviour);
  std::puts("compiling node conv_7");
  std::fflush(stdout);
  if (behaviour == "crash") {
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
  }
  if (behaviour == "hang") {
    for (;;) ::pause();
  }
  if (behaviour == "print") {
    std::ofstream(folder / "work" / kLibraryOutput)
        << " # LIBNATIVE: no configuration\n\nassertion of the compiler failed\n";
    return 3;
  }
  if (behaviour == "eat") {
    for (;;) {
      auto* piece = static_cast<volatile char*>(std::malloc(16U << 20));
      for (std::size_t at = 0; at < (16U << 20); at += 4096) piece[at] = 1;
    }
  }
  if (behaviour == "silent") return 0;
  if (behaviour == "large") std::ofstream(folder / "outcome.json") << std::string((16U << 20U) + 1, ' ');
  if (behaviour == "nonsense") std::ofstream(folder / "outcome.json") << "{\"schema\":";
  if (behaviour == "link") fs::create_symlink("/etc/passwd", folder / "outcome.json");
  if (behaviour == "good") {
    JobOutcome outcome;
    outcome.succeeded = true;
    outcome.result.emplace<hub::domain::kinds::Compile::Result>().target_file = "target.onnx";
    std::ofstream(folder / "outcome.json") << hub::domain::to_document(outcome);
  }
  if (behaviour == "wide") {
    JobOutcome outcome;
    outcome.succeeded = true;
    outcome.remarks = {std::string(5U << 20U, 'r')};
    std::ofstream(folder / "outcome.json") << hub::domain::to_document(outcome);
  }
  if (behaviour == "partial" || behaviour == "begun") {
    JobOutcome outcome;
    outcome.succeeded = behaviour == "partial";
    outcome.remarks = {"measured so far"};
    std::ofstream(folder / "outcome.json") << hub::domain::to_document(outcome);
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
  }
  if (behaviour == "tamper") {
    std::ofstream(folder / "in" / "behaviour") << "good";
    std::ofstream(folder / "spec.json") << "changed";
    return 3;
  }
  return 0;
}

class Launcher : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"in", "work", "out"}) fs::create_directories(job() / name);
    std::ofstream(job() / "spec.json") << "{}";
    spec_.job.payload = hub::domain::kinds::Compile{};
    limits_.time = std::chrono::seconds(20);
  }
  [[nodiscard]] fs::path job() const { return folder_.path() / "job"; }
  JobOutcome launch(const std::string& behaviour, std::stop_token cancel = {}) {
    std::ofstream(job() / "in" / "behaviour") << behaviour;
    runtime::LibraryPaths libraries;
    libraries.onnxruntime = "/usr/lib/none";
    return launch_job(
        fs::read_symlink("/proc/self/exe"), libraries, job(), spec_, limits_,
        [&](std::string_view line) { lines_.emplace_back(line); }, std::move(cancel));
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-launcher-test-").value();
  hub::domain::JobSpec spec_;
  JobLimits limits_;
  std::vector<std::string> lines_;
};

TEST_F(Launcher, hands_the_outcome_on) {
  const auto outcome = launch("good");
  EXPECT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_EQ(std::get<hub::domain::kinds::Compile::Result>(outcome.result).target_file, "target.onnx");
  EXPECT_THAT(lines_, ::testing::Contains("compiling node conv_7"));
}

TEST_F(Launcher, a_crash_is_a_typed_failure_with_its_signal_and_last_lines) {
  const auto outcome = launch("crash");
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_EQ(outcome.failure_type, FailureType::kRuntimeCrash);
  EXPECT_THAT(outcome.failure_reason, ::testing::AllOf(HasSubstr("Segmentation fault"), HasSubstr("conv_7")));
  EXPECT_THAT(outcome.error_details, HasSubstr("conv_7"));
  EXPECT_THAT(outcome.sandbox, HasSubstr("limits"));
}

TEST_F(Launcher, keeps_what_a_process_had_written_before_it_died_and_says_what_is_missing) {
  const auto partial = launch("partial");
  EXPECT_TRUE(partial.succeeded);
  EXPECT_THAT(partial.remarks,
              ::testing::ElementsAre("measured so far", AllOf(HasSubstr("Partial"), HasSubstr("Segmentation fault"))));
  const auto begun = launch("begun");
  EXPECT_FALSE(begun.succeeded);
  EXPECT_EQ(begun.failure_type, FailureType::kRuntimeCrash);
  EXPECT_THAT(begun.failure_reason, HasSubstr("Segmentation fault"));
  EXPECT_THAT(begun.remarks, ::testing::ElementsAre("measured so far"));
}

TEST_F(Launcher, shows_what_libraries_printed_when_a_job_fails) {
  const auto outcome = launch("print");
  EXPECT_THAT(lines_, ::testing::ElementsAre("compiling node conv_7", "printed: assertion of the compiler failed"));
  EXPECT_THAT(outcome.error_details, HasSubstr("assertion of the compiler failed"));
  EXPECT_THAT(outcome.failure_reason, HasSubstr("conv_7")) << "its own last words, not a library's";
}

TEST_F(Launcher, a_job_that_never_ends_names_what_was_running) {
  limits_.time = std::chrono::seconds(1);
  const auto outcome = launch("hang");
  EXPECT_EQ(outcome.failure_type, FailureType::kTimeout);
  EXPECT_THAT(outcome.failure_reason, ::testing::AllOf(HasSubstr("time limit"), HasSubstr("conv_7")));
}

TEST_F(Launcher, a_job_that_eats_memory_is_out_of_memory) {
  limits_.memory_bytes = 200U << 20;
  EXPECT_EQ(launch("eat").failure_type, FailureType::kOutOfMemory);
}

TEST_F(Launcher, an_outcome_that_is_too_large_fails_in_words) {
  const auto outcome = launch("large");
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.failure_reason, AllOf(HasSubstr("no outcome that can be used"), HasSubstr("16777216")));
}

TEST_F(Launcher, an_end_without_an_outcome_is_a_failure) {
  EXPECT_EQ(launch("silent").failure_type, FailureType::kRuntimeUnknown);
  EXPECT_EQ(launch("nonsense").failure_type, FailureType::kRuntimeUnknown);
}

TEST_F(Launcher, follows_no_link_that_a_job_left) {
  const auto outcome = launch("link");
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.error_details, ::testing::Not(HasSubstr("root:")));
}

TEST_F(Launcher, inputs_and_spec_stay_as_they_are) {
  if (!sandbox::probe_namespaces().bubblewrap) GTEST_SKIP() << sandbox::probe_namespaces().detail;
  launch("tamper");
  EXPECT_EQ(base::read_file(job() / "in" / "behaviour", 100).value(), "tamper");
  EXPECT_EQ(base::read_file(job() / "spec.json", 100).value(), "{}");
}

TEST_F(Launcher, ends_at_once_when_it_is_cancelled) {
  std::stop_source source;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    source.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(launch("hang", source.get_token()).succeeded);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  canceller.join();
}

TEST_F(Launcher, opens_plain_results_only) {
  const auto outside = folder_.path() / "secret";
  std::ofstream(outside) << "secret";
  std::ofstream(job() / "out" / "plain") << "result";
  fs::create_symlink(outside, job() / "out" / "link");
  fs::create_hard_link(outside, job() / "out" / "hard");
  fs::create_directories(job() / "out" / "folder");
  ASSERT_EQ(::mkfifo((job() / "out" / "pipe").c_str(), 0600), 0);
  const auto plain = ResultFile::open(job(), "out", "plain");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(base::read_file(plain->path(), 100).value(), "result");
  for (const char* name : {"link", "hard", "folder", "pipe", "missing", "..", "../secret", "", "folder/../plain"}) {
    EXPECT_FALSE(ResultFile::open(job(), "out", name)) << name;
  }
  // The whole out/ may have been replaced too.
  fs::remove_all(job() / "out");
  fs::create_symlink(folder_.path(), job() / "out");
  EXPECT_FALSE(ResultFile::open(job(), "out", "secret"));
}

TEST(Machine, makes_slugs_and_versions) {
  EXPECT_EQ(slug_of("AMD EPYC 9V74, 2 threads"), "amd-epyc-9v74-2-threads");
  EXPECT_EQ(slug_of("Intel(R) Xeon(R) @ 2.20GHz"), "intel-r-xeon-r-2-20ghz");
  EXPECT_EQ(api_version_of("2.50.40.260831140417"), "2.50");
  EXPECT_EQ(api_version_of("1.31.1"), "1.31");
  EXPECT_EQ(api_version_of("2"), "2");
}

}  // namespace
}  // namespace slipway::worker

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "job") return slipway::worker::behave(argv[2]);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
