#include "base/output_file.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <set>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "base/unfinished.hpp"

namespace slipway::base {
namespace {

namespace fs = std::filesystem;

struct Unfinished {
  std::mutex mutex;
  std::set<fs::path> paths;
};

std::atomic<int> standard_output = STDOUT_FILENO;

/// Opens what takes its bytes as they come. A descriptor's name means that descriptor, at the place where it is.
Descriptor open_stream(const fs::path& path) {
  const std::string name = behind_links(path).string();
  const std::string number = name.substr(name.rfind('/') + 1);
  if (name == fmt::format("/dev/fd/{}", number) || name == fmt::format("/proc/self/fd/{}", number) ||
      name == fmt::format("/proc/{}/fd/{}", ::getpid(), number)) {
    if (const auto descriptor = parse_number<int>(number)) {
      return Descriptor(
          ::fcntl(*descriptor == STDOUT_FILENO ? standard_output.load() : *descriptor, F_DUPFD_CLOEXEC, 3));
    }
  }
  return Descriptor(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
}

// Never destroyed: an end by force may come while the program's own objects go.
Unfinished& unfinished() {
  static auto& all = *new Unfinished;
  return all;
}

}  // namespace

void add_unfinished(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  const std::lock_guard lock(unfinished().mutex);
  unfinished().paths.insert(error ? path : whole);
}

void forget_unfinished(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  const std::lock_guard lock(unfinished().mutex);
  unfinished().paths.erase(error ? path : whole);
}

void set_standard_output(int descriptor) {
  standard_output = descriptor;
}

void remove_unfinished() {
  // Held to the end: what is made now would stay.
  unfinished().mutex.lock();
  std::error_code ignored;
  for (const fs::path& path : unfinished().paths) fs::remove_all(path, ignored);
}

OutputFile::OutputFile(fs::path path, fs::path hidden, Descriptor file)
    : path_(std::move(path)), hidden_(std::move(hidden)), file_(std::move(file)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      hidden_(std::exchange(other.hidden_, {})),
      file_(std::move(other.file_)) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  if (this == &other) return *this;
  discard();
  path_ = std::move(other.path_);
  target_ = std::move(other.target_);
  hidden_ = std::exchange(other.hidden_, {});
  file_ = std::move(other.file_);
  return *this;
}

OutputFile::~OutputFile() {
  discard();
}

void OutputFile::discard() {
  file_.reset();
  if (hidden_.empty()) return;
  ::unlink(hidden_.c_str());
  forget_unfinished(hidden_);
  hidden_.clear();
}

Result<OutputFile> OutputFile::create(const fs::path& path, unsigned mode) {
  if (is_no_plain_file(path)) {
    Descriptor stream = open_stream(path);
    if (!stream.is_open()) return std::unexpected(errno_error(errno, fmt::format("open {}", path.string())));
    return OutputFile(path, {}, std::move(stream));
  }
  const fs::path target = behind_links(path);
  // Without the target's name, which may be as long as a name can be.
  std::string hidden = (target.has_parent_path() ? target.parent_path() : fs::path(".")) / ".slipway-XXXXXX";
  Descriptor file(::mkostemp(hidden.data(), O_CLOEXEC));
  if (!file.is_open()) return std::unexpected(errno_error(errno, fmt::format("create {}", path.string())));
  add_unfinished(hidden);
  OutputFile output(path, hidden, std::move(file));
  output.target_ = target;
  if (::fchmod(output.file_.get(), static_cast<mode_t>(mode)) != 0) {
    return std::unexpected(errno_error(errno, fmt::format("{}: set permissions", path.string())));
  }
  // The name itself may be what the system refuses: better now than after the work.
  struct stat status = {};
  if (::lstat(target.c_str(), &status) != 0 && errno != ENOENT) {
    return std::unexpected(errno_error(errno, fmt::format("create {}", path.string())));
  }
  return output;
}

Result<void> OutputFile::write(std::string_view bytes) {
  const auto written = write_all(file_.get(), bytes);
  if (!written) return std::unexpected(written.error().with(path_.string()));
  return {};
}

Result<void> OutputFile::publish() {
  SLIPWAY_CHECK(file_.is_open(), "publish() once");
  const bool is_closed = file_.close() == 0 || errno == EINTR;
  if (!is_closed) return std::unexpected(errno_error(errno, path_.string()));
  if (is_stream()) return {};
  SLIPWAY_TRY(rename_durably(hidden_, target_));
  forget_unfinished(std::exchange(hidden_, {}));
  return {};
}

Result<void> move_into_place(const fs::path& from, const fs::path& to) {
  if (!is_no_plain_file(to)) {
    std::error_code error;
    fs::rename(from, behind_links(to), error);
    if (!error) return rename_durably(behind_links(to), to);
    if (error != std::errc::cross_device_link) return std::unexpected(errno_error(error.value(), to.string()));
  }
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.is_open()) return std::unexpected(errno_error(errno, fmt::format("read {}", from.string())));
  SLIPWAY_ASSIGN(OutputFile target, OutputFile::create(to));
  std::array<char, 65536> piece;
  for (;;) {
    const ssize_t count = ::read(source.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(errno_error(errno, fmt::format("read {}", from.string())));
    if (count == 0) break;
    SLIPWAY_TRY(target.write({piece.data(), static_cast<std::size_t>(count)}));
  }
  SLIPWAY_TRY(target.publish());
  std::error_code ignored;
  fs::remove(from, ignored);
  return {};
}

}  // namespace slipway::base
