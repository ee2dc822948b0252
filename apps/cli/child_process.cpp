#include "apps/cli/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include <poll.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "apps/cli/interrupt.hpp"
#include "base/child_process.hpp"
#include "base/descriptor.hpp"

namespace slipway::cli {
namespace {

using base::Code;
using base::Result;
using nlohmann::ordered_json;

/// One JSON object a line: {"log": …}, then {"result": …} or {"error": …}.
void send(int pipe, const ordered_json& message) {
  const std::string line = message.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(pipe, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) return;  // nobody listens any more
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void be_child(int pipe, const ChildWork& work) {
  watch_for_interrupts(true);
  const auto outcome = work([pipe](std::string_view line) { send(pipe, {{"log", line}}); });
  if (outcome) {
    send(pipe, {{"result", *outcome}});
  } else {
    const base::Error& error = outcome.error();
    send(pipe, {{"error",
                 {{"code", static_cast<int>(error.code)},
                  {"message", error.message},
                  {"reason", base::reason_name(error.reason)}}}});
  }
  ::_exit(0);
}

/// What the child has said so far.
class Conversation {
 public:
  explicit Conversation(const LogLine& log) : log_(log) {}

  void receive(std::string_view bytes) {
    text_ += bytes;
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      handle(ordered_json::parse(text_.substr(0, end), nullptr, false));
      text_.erase(0, end + 1);
    }
  }

  [[nodiscard]] const std::string& last_line() const { return last_line_; }
  [[nodiscard]] std::optional<Result<ordered_json>>& outcome() { return outcome_; }

 private:
  void handle(const ordered_json& message) {
    if (message.contains("log")) {
      last_line_ = message["log"].get<std::string>();
      if (log_) log_(last_line_);
    } else if (message.contains("result")) {
      outcome_.emplace(message["result"]);
    } else if (message.contains("error")) {
      const auto& error = message["error"];
      outcome_.emplace(
          std::unexpected(base::Error{static_cast<Code>(error["code"].get<int>()), error["message"].get<std::string>(),
                                      base::reason_of_name(error["reason"].get<std::string>())}));
    }
  }

  const LogLine& log_;
  std::string text_;
  std::string last_line_;
  std::optional<Result<ordered_json>> outcome_;
};

/// Reads until the child closes its end. @return false when the time was over first
bool listen(int pipe, Conversation& conversation, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::array<char, 65536> buffer{};
  while (true) {
    int wait_ms = -1;
    if (limit.count() > 0) {
      const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (rest.count() <= 0) return false;
      wait_ms = static_cast<int>(std::min<std::int64_t>(rest.count(), 60'000));
    }
    pollfd waiting{.fd = pipe, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, wait_ms);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    conversation.receive({buffer.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace

Result<ordered_json> run_in_child(const ChildWork& work, const LogLine& log, std::chrono::seconds limit) {
  SLIPWAY_ASSIGN(base::Pipe pipe, base::make_pipe());
  SLIPWAY_ASSIGN(const pid_t child, base::start_copy(SIGKILL, [&] { be_child(pipe.write.get(), work); }));
  pipe.write.reset();
  Conversation conversation(log);
  const bool in_time = listen(pipe.read.get(), conversation, limit);
  pipe.read.reset();
  if (!in_time) ::kill(child, SIGKILL);
  const base::ProcessEnd end = base::wait_for(child);
  const std::string last =
      conversation.last_line().empty() ? "" : fmt::format("; its last words: {}", conversation.last_line());
  if (!in_time) {
    return base::fail(Code::kDeadlineExceeded, "the compiler's process was ended after {} s{}", limit.count(), last);
  }
  if (end.signal != 0) return base::fail(Code::kInternal, "the compiler's process died of {}{}", end.text(), last);
  if (!conversation.outcome()) {
    return base::fail(Code::kInternal, "the compiler's process ended with status {} and no result{}", end.status, last);
  }
  return std::move(*conversation.outcome());
}

}  // namespace slipway::cli
