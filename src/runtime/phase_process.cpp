#include <algorithm>
#include <array>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/child_process.hpp"
#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "runtime/phase.hpp"

extern char** environ;

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kOutcomeLimitBytes = std::uint64_t{256} << 20U;
constexpr std::size_t kTailBytes = 4096;
constexpr int kTailLines = 5;
constexpr std::chrono::minutes kLoadTime{30};
// A phase stops its runs itself, between two nodes; this is for a node that does not end.
constexpr std::chrono::seconds kNodeTime{60};

std::string last_lines(const fs::path& file) {
  const base::Descriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.is_open()) return {};
  const off_t size = lseek(descriptor.get(), 0, SEEK_END);
  std::string text(kTailBytes, '\0');
  const ssize_t got =
      pread(descriptor.get(), text.data(), text.size(), std::max<off_t>(0, size - static_cast<off_t>(kTailBytes)));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  while (text.ends_with('\n')) text.pop_back();
  std::size_t begin = text.size();
  for (int line = 0; line < kTailLines && begin != std::string::npos && begin > 0; ++line)
    begin = text.rfind('\n', begin - 1);
  return begin == std::string::npos ? text : text.substr(begin == 0 ? 0 : begin + 1);
}

/// Reads the lines of the pipe.
class ProgressReader {
 public:
  explicit ProgressReader(const PhaseProgress& progress) : progress_(progress) {}

  void append(std::string_view bytes) {
    rest_ += bytes;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      read_line(std::string_view(rest_).substr(0, end));
      rest_.erase(0, end + 1);
    }
    tell();
  }
  void tell() const {
    if (progress_) progress_(done_, total_, times_us_);
  }
  [[nodiscard]] bool has_begun() const { return has_begun_; }

 private:
  void read_line(std::string_view line) {
    has_begun_ = true;
    const auto next = [&]<typename Number>(Number& number) {
      if (line.starts_with(' ')) line.remove_prefix(1);
      const auto found = base::consume_number<Number>(line);
      if (found) number = *found;
      return found.has_value();
    };
    if (!next(done_) || !next(total_)) return;
    for (double time_us = 0; next(time_us);) times_us_.push_back(time_us);
  }

  const PhaseProgress& progress_;
  std::string rest_;
  bool has_begun_ = false;
  std::int64_t done_ = 0, total_ = 0;
  std::vector<double> times_us_;
};

base::Result<pid_t> start(const fs::path& work_folder, const fs::path& stderr_file, int progress_end) {
  const base::Descriptor errors(open(stderr_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!errors.is_open()) return std::unexpected(base::errno_error(errno, fmt::format("open {}", stderr_file.string())));
  return base::start_program({
      .path = "/proc/self/exe",
      .arguments = {"slipway", std::string(kPhaseCommand), work_folder.string()},
      .environment = std::nullopt,
      .folder = {},
      // Vendors' libraries print on standard output.
      .descriptors = {{errors.get(), STDOUT_FILENO},
                      {errors.get(), STDERR_FILENO},
                      {progress_end, kProgressDescriptor}},
      .prepare = {},
  });
}

}  // namespace

base::Result<PhaseOutcome> run_phase_process(const PhaseRequest& request, const fs::path& work_folder,
                                             const PhaseProgress& progress) {
  const fs::path outcome_file = work_folder / kOutcomeFile;
  const fs::path stderr_file = work_folder / "phase-stderr.txt";
  std::error_code ignored;
  fs::remove(outcome_file, ignored);
  SLIPWAY_TRY(base::write_file_durably(work_folder / kRequestFile, to_json(request)));
  SLIPWAY_ASSIGN(base::Pipe pipe, base::make_pipe());
  SLIPWAY_ASSIGN(const pid_t child, start(work_folder, stderr_file, pipe.write.get()));
  pipe.write.reset();

  // The pipe closes when the child is gone.
  ProgressReader reader(progress);
  reader.tell();
  const auto start_time = SteadyClock::now();
  std::chrono::milliseconds allowed = kLoadTime;
  bool was_killed = false, has_begun = false;
  while (true) {
    if (reader.has_begun() && !has_begun) {
      // The emulator runs a whole graph as one node, and slowly: it keeps the time that loads have.
      const bool emulates = is_emulated(request.options.session.provider.name);
      const auto since_start = std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - start_time);
      allowed = since_start + request.options.max_time + (emulates ? kLoadTime : kNodeTime);
      has_begun = true;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(start_time + allowed - SteadyClock::now());
    if (left.count() <= 0 && !was_killed) {
      kill(child, SIGKILL);
      was_killed = true;
    }
    pollfd waiting{.fd = pipe.read.get(), .events = POLLIN, .revents = 0};
    const auto wait_ms = was_killed ? 1000 : std::clamp<std::int64_t>(left.count(), 0, 1000);
    if (poll(&waiting, 1, static_cast<int>(wait_ms)) <= 0) {
      reader.tell();
      continue;
    }
    std::array<char, 4096> bytes{};
    const ssize_t got = read(pipe.read.get(), bytes.data(), bytes.size());
    if (got == 0) break;
    if (got < 0 && errno != EINTR) break;
    if (got > 0) reader.append({bytes.data(), static_cast<std::size_t>(got)});
  }
  const base::ProcessEnd end = base::wait_for(child);
  const std::string_view phase = phase_name(request.phase);
  if (was_killed) {
    return base::fail(base::Code::kDeadlineExceeded,
                      "the {} phase did not end within {:.0f} s and was killed; its last lines: {}", phase,
                      std::chrono::duration<double>(allowed).count(), last_lines(stderr_file));
  }
  if (end.signal != 0) {
    return base::fail(base::Code::kInternal, "the process of the {} phase was ended by {}; its last lines: {}", phase,
                      end.text(), last_lines(stderr_file));
  }
  const auto text = base::read_file(outcome_file, kOutcomeLimitBytes);
  if (!text || end.status != 0) {
    return base::fail(base::Code::kInternal,
                      "the process of the {} phase ended with status {} and no outcome; its last lines: {}", phase,
                      end.status, last_lines(stderr_file));
  }
  return phase_outcome_from_json(*text);
}

}  // namespace slipway::runtime
