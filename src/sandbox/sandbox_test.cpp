// The test program starts itself again in isolation, as a hostile job would be started, and tries to get out.
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/files.hpp"
#include "base/testing/sockets.hpp"
#include "sandbox/lock_down.hpp"
#include "sandbox/run.hpp"

namespace slipway::sandbox {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

// ---------------------------------------------------------------------------------------------------- the hostile job

int told(bool happened) {
  if (happened) {
    std::puts("HAPPENED");
  } else {
    std::printf("denied: %s\n", std::strerror(errno));
  }
  return 0;
}

bool can_open(const char* path, int flags) {
  const int descriptor = ::open(path, flags, 0644);
  return descriptor >= 0;
}

bool can_connect(const char* port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  if (descriptor < 0) return false;
  const sockaddr_in address = base::testing::loopback_address(static_cast<std::uint16_t>(std::atoi(port)));
  return ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

/// Many more processes than the limit, but not enough to take the machine along should the limit not hold.
int bomb() {
  ::alarm(30);
  for (int child = 0; child < 200; ++child) {
    if (::fork() == 0) {
      ::alarm(30);
      for (;;) ::pause();
    }
  }
  for (;;) ::pause();
}

int allocate_everything() {
  constexpr std::size_t kPiece = 16U << 20;
  for (std::size_t total = 0; total < (100ULL << 30); total += kPiece) {
    auto* piece = static_cast<char*>(std::malloc(kPiece));
    if (piece == nullptr) return 9;
    for (std::size_t at = 0; at < kPiece; at += 4096) static_cast<volatile char*>(piece)[at] = 1;
  }
  return 0;
}

int fill_disk(std::size_t bytes) {
  const int descriptor = ::open("big", O_CREAT | O_WRONLY, 0644);
  const std::string piece(1U << 20, 'x');
  for (std::size_t total = 0; total < bytes; total += piece.size()) {
    if (::write(descriptor, piece.data(), piece.size()) < 0) return 9;
  }
  std::puts("HAPPENED");
  return 0;
}

/// probe LOCK ACTION ARGUMENT: LOCK is "lock" or "open".
int probe(const std::string& lock, const std::string& action, const char* argument) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (lock == "lock") {
    Policy policy;
    policy.writable = {fs::current_path()};
    policy.readable = {fs::read_symlink("/proc/self/exe")};
    policy.processes = 16;
    const auto level = lock_down(policy);
    if (!level) {
      std::printf("lock_down failed: %s\n", level.error().message.c_str());
      return 8;
    }
    std::printf("level: %s\n", level->text().c_str());
  }
  if (action == "read") return told(can_open(argument, O_RDONLY));
  if (action == "write") return told(can_open(argument, O_WRONLY | O_CREAT));
  if (action == "truncate") return told(::truncate(argument, 0) == 0);
  if (action == "unlink") return told(::unlink(argument) == 0);
  if (action == "connect") return told(can_connect(argument));
  if (action == "ptrace") return told(::ptrace(PTRACE_ATTACH, std::atoi(argument), nullptr, nullptr) == 0);
  if (action == "kill") return told(::kill(std::atoi(argument), SIGTERM) == 0);
  if (action == "new-namespace") return told(::unshare(CLONE_NEWUSER) == 0);
  if (action == "clone-namespace") {
    return told(::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr) >= 0);
  }
  if (action == "leave-session") return told(::fork() == 0 && ::setsid() >= 0);
  if (action == "memfd") return told(::syscall(SYS_memfd_create, "x", 0) >= 0);
  if (action == "io-uring") return told(::syscall(SYS_io_uring_setup, 4, nullptr) >= 0);
  if (action == "bomb") return bomb();
  if (action == "allocate") return allocate_everything();
  if (action == "spin") {
    std::atomic<int> turns{0};
    for (;;) ++turns;
  }
  if (action == "fill-disk") return fill_disk(std::strtoull(argument, nullptr, 10));
  if (action == "crash") {
    std::puts("about to fall");
    ::signal(SIGSEGV, SIG_DFL);
    ::raise(SIGSEGV);
  }
  if (action == "status") return std::atoi(argument);
  if (action == "environment") {
    for (char** entry = environ; *entry != nullptr; ++entry) std::puts(*entry);
    return 0;
  }
  if (action == "daemon") {
    // An orphan that would outlive its parent and keeps the pipe open.
    if (::fork() == 0 && ::fork() == 0) {
      for (;;) ::pause();
    }
    return 0;
  }
  if (action == "again") {
    const auto program = fs::read_symlink("/proc/self/exe").string();
    std::array<const char*, 5> arguments{program.c_str(), "__probe", "open", "write", argument};
    if (::fork() == 0) {
      ::execl(arguments[0], arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], nullptr);
      ::_exit(7);
    }
    int status = 0;
    ::wait(&status);
    return WEXITSTATUS(status);
  }
  if (action == "chatter") {
    for (int line = 0; line < 2000; ++line) std::printf("line %d %s\n", line, std::string(100, '.').c_str());
    std::printf("%s\n", std::string(20000, 'x').c_str());
    return 0;
  }
  return 99;
}

// ------------------------------------------------------------------------------------------------------------- tests

class Sandbox : public ::testing::TestWithParam<Isolation> {
 protected:
  void SetUp() override {
    if (GetParam() == Isolation::kBest && !probe_namespaces().bubblewrap) GTEST_SKIP() << probe_namespaces().detail;
    fs::create_directories(job());
    std::ofstream(folder_.path() / "hub.sqlite") << "secret";
  }

  [[nodiscard]] fs::path job() const { return folder_.path() / "job"; }

  /// Starts the hostile job; its lines are in lines_.
  Exit start(const std::string& action, const std::string& argument, Limits limits, const char* lock = "lock",
             std::stop_token cancel = {}) {
    const auto program = fs::read_symlink("/proc/self/exe");
    Command command;
    command.arguments = {program.string(), "__probe", lock, action, argument};
    command.folder = job();
    command.readable = {program};
    command.environment = {{"ASAN_OPTIONS", "detect_leaks=0"}};
    lines_.clear();
    auto exit = run(
        command, limits, [&](std::string_view line) { lines_.emplace_back(line); }, cancel, GetParam());
    EXPECT_TRUE(exit) << exit.error().message;
    return exit.value_or(Exit{});
  }
  Exit start(const std::string& action, const std::string& argument = "") {
    Limits limits;
    limits.wall_time = seconds(30);
    return start(action, argument, limits);
  }

  void expect_denied(const std::string& action, const std::string& argument = "") {
    const auto exit = start(action, argument);
    EXPECT_TRUE(exit.succeeded()) << exit.describe() << ::testing::PrintToString(lines_);
    EXPECT_THAT(lines_, ::testing::Contains(::testing::StartsWith("denied"))) << action << " " << argument;
    EXPECT_THAT(lines_, ::testing::Not(::testing::Contains("HAPPENED"))) << action << " " << argument;
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-sandbox-test-").value();
  std::vector<std::string> lines_;
};

TEST_P(Sandbox, names_the_level_that_was_reached) {
  const auto exit = start("status", "0");
  EXPECT_TRUE(exit.succeeded()) << exit.describe() << ::testing::PrintToString(lines_);
  ASSERT_FALSE(lines_.empty());
  EXPECT_THAT(lines_.front(), ::testing::HasSubstr("seccomp + limits"));
  EXPECT_EQ(lines_.front().find("bubblewrap") != std::string::npos, GetParam() == Isolation::kBest);
}

TEST_P(Sandbox, cannot_read_the_machine_or_the_hub) {
  expect_denied("read", "/etc/passwd");
  expect_denied("read", "/etc/shadow");
  expect_denied("read", (folder_.path() / "hub.sqlite").string());
  expect_denied("read", "/root");
  expect_denied("read", "../hub.sqlite");
  expect_denied("read", "/dev/mem");
  expect_denied("read", fmt::format("/proc/{}/mem", ::getpid()));
}

TEST_P(Sandbox, isolation_holds_before_the_program_locks_itself_in) {
  Limits limits;
  limits.wall_time = seconds(30);
  start("read", (folder_.path() / "hub.sqlite").string(), limits, "open");
  // Without isolation the same attempt succeeds, which also shows that the other tests can fail.
  const bool has_namespaces = GetParam() == Isolation::kBest;
  EXPECT_THAT(lines_,
              ::testing::ElementsAre(has_namespaces ? ::testing::StartsWith("denied") : ::testing::StartsWith("HAPP")));
}

TEST_P(Sandbox, cannot_read_through_a_link_that_it_was_given) {
  fs::create_symlink(folder_.path() / "hub.sqlite", job() / "link");
  expect_denied("read", "link");
}

TEST_P(Sandbox, writes_in_its_folder_only) {
  start("write", (job() / "mine").string());
  EXPECT_TRUE(fs::exists(job() / "mine")) << ::testing::PrintToString(lines_);
  expect_denied("write", (folder_.path() / "other").string());
  expect_denied("write", "/usr/lib/slipway-test");
  expect_denied("write", "/dev/shm/slipway-test");
  expect_denied("write", "/tmp/slipway-sandbox-escape");
  expect_denied("truncate", (folder_.path() / "hub.sqlite").string());
  expect_denied("unlink", (folder_.path() / "hub.sqlite").string());
  EXPECT_EQ(fs::file_size(folder_.path() / "hub.sqlite"), 6U);
  EXPECT_FALSE(fs::exists("/tmp/slipway-sandbox-escape"));
}

TEST_P(Sandbox, cannot_reach_the_network) {
  const base::testing::Listener listener = base::testing::listen_on_loopback();
  const std::string port = std::to_string(listener.port);
  ASSERT_TRUE(can_connect(port.c_str())) << "the test's own listener must be reachable";
  expect_denied("connect", port);
}

TEST_P(Sandbox, cannot_touch_other_processes_or_the_kernel) {
  expect_denied("ptrace", std::to_string(::getpid()));
  expect_denied("kill", std::to_string(::getpid()));
  for (const char* action : {"new-namespace", "clone-namespace", "leave-session", "memfd", "io-uring"}) {
    expect_denied(action);
  }
}

TEST_P(Sandbox, starts_its_own_program_again_under_the_same_rules) {
  start("again", (job() / "by-child").string());
  EXPECT_TRUE(fs::exists(job() / "by-child")) << ::testing::PrintToString(lines_);
  start("again", (folder_.path() / "by-child").string());
  EXPECT_FALSE(fs::exists(folder_.path() / "by-child"));
  EXPECT_THAT(lines_, ::testing::Contains(::testing::StartsWith("denied")));
}

TEST_P(Sandbox, stops_a_program_that_spins) {
  Limits limits;
  limits.wall_time = milliseconds(400);
  const auto exit = start("spin", "", limits);
  EXPECT_EQ(exit.ending, Ending::kTimedOut) << exit.describe();
  EXPECT_LT(exit.wall_time, seconds(5));
  EXPECT_GT(exit.cpu_time, milliseconds(50));
}

TEST_P(Sandbox, stops_a_program_that_eats_memory) {
  Limits limits;
  limits.wall_time = seconds(60);
  limits.memory_bytes = 300U << 20;
  const auto exit = start("allocate", "", limits);
  EXPECT_EQ(exit.ending, Ending::kOutOfMemory) << exit.describe();
  EXPECT_GT(exit.peak_memory_bytes, 300U << 20);
  EXPECT_LT(exit.peak_memory_bytes, 4ULL << 30);
  EXPECT_THAT(exit.describe(), ::testing::HasSubstr("memory limit of 300 MB"));
}

TEST_P(Sandbox, stops_a_fork_bomb_and_leaves_nothing_of_it) {
  Limits limits;
  limits.wall_time = seconds(5);
  limits.processes = 16;
  const auto exit = start("bomb", "", limits);
  EXPECT_THAT(exit.ending, ::testing::AnyOf(Ending::kTooManyProcesses, Ending::kTimedOut)) << exit.describe();
  int left = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream command_line(entry.path() / "cmdline");
    std::string text;
    std::getline(command_line, text);  // stays empty for a process that has just ended
    if (text.find(std::string("__probe\0lock\0bomb", 17)) != std::string::npos) ++left;
  }
  EXPECT_EQ(left, 0);
}

TEST_P(Sandbox, stops_a_program_that_fills_the_disk) {
  Limits limits;
  limits.wall_time = seconds(60);
  limits.file_bytes = 4U << 20;
  const auto exit = start("fill-disk", "100000000", limits);
  EXPECT_EQ(exit.ending, Ending::kOutOfDisk) << exit.describe();
  EXPECT_LE(fs::file_size(job() / "big"), 4U << 20);
}

TEST_P(Sandbox, tells_of_a_crash_by_its_signal_and_keeps_the_last_lines) {
  const auto exit = start("crash");
  EXPECT_EQ(exit.ending, Ending::kSignalled) << exit.describe();
  EXPECT_EQ(exit.signal, SIGSEGV);
  EXPECT_THAT(exit.describe(), ::testing::HasSubstr("Segmentation fault"));
  EXPECT_THAT(lines_, ::testing::Contains("about to fall"));
}

TEST_P(Sandbox, passes_the_exit_status_on) {
  const auto exit = start("status", "3");
  EXPECT_EQ(exit.ending, Ending::kExited);
  EXPECT_EQ(exit.status, 3);
}

TEST_P(Sandbox, inherits_no_environment) {
  ::setenv("SLIPWAY_TEST_SECRET", "s3cr3t", 1);
  start("environment");
  EXPECT_THAT(lines_, ::testing::Contains(::testing::StartsWith("ASAN_OPTIONS=")));
  EXPECT_THAT(lines_, ::testing::Not(::testing::Contains(::testing::HasSubstr("s3cr3t"))));
}

TEST_P(Sandbox, stops_when_it_is_cancelled) {
  std::stop_source source;
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(300));
    source.request_stop();
  });
  Limits limits;
  limits.wall_time = seconds(60);
  const auto exit = start("spin", "", limits, "lock", source.get_token());
  canceller.join();
  EXPECT_EQ(exit.ending, Ending::kCancelled);
  EXPECT_LT(exit.wall_time, seconds(5));
}

TEST_P(Sandbox, leaves_no_orphan_behind) {
  const auto before = std::chrono::steady_clock::now();
  const auto exit = start("daemon");
  EXPECT_TRUE(exit.succeeded()) << exit.describe();
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5)) << "an orphan kept the output open";
}

TEST_P(Sandbox, cuts_long_lines_and_counts_what_is_too_much) {
  Limits limits;
  limits.wall_time = seconds(30);
  limits.log_bytes = 50'000;
  const auto exit = start("chatter", "", limits);
  EXPECT_TRUE(exit.succeeded()) << exit.describe();
  EXPECT_GT(lines_.size(), 300U);
  EXPECT_LT(lines_.size(), 600U);
  EXPECT_GT(exit.dropped_log_bytes, 100'000U);
}

TEST_P(Sandbox, says_which_program_cannot_be_started) {
  Command command;
  command.arguments = {"/nonexistent/program"};
  command.folder = job();
  const auto exit = run(command, Limits{}, {}, {}, GetParam());
  if (GetParam() == Isolation::kPlain) {
    ASSERT_FALSE(exit);
    EXPECT_EQ(exit.error().code, base::Code::kNotFound);
  } else {
    ASSERT_TRUE(exit);
    EXPECT_FALSE(exit->succeeded());
  }
}

INSTANTIATE_TEST_SUITE_P(levels, Sandbox, ::testing::Values(Isolation::kBest, Isolation::kPlain),
                         [](const auto& about) { return about.param == Isolation::kBest ? "bubblewrap" : "plain"; });

}  // namespace
}  // namespace slipway::sandbox

int main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == "__probe") return slipway::sandbox::probe(argv[2], argv[3], argv[4]);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
