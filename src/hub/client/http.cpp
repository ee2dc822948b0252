#include "hub/client/http.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <mutex>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/descriptor.hpp"
#include "base/text.hpp"

namespace slipway::hub::client {
namespace {

using base::Code;
using base::fail;

constexpr std::size_t kLargestReply = 16U << 20;
constexpr long kConnectMilliseconds = 4000;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// What the callbacks of one transfer write to.
struct Transfer {
  CURL* handle = nullptr;
  const Request* request = nullptr;
  Reply reply;
  base::Descriptor upload;
  std::uint64_t upload_sent = 0;
  bool is_too_large = false, is_refused_by_sink = false;
};

std::size_t receive_body(char* bytes, std::size_t size, std::size_t count, void* raw) {
  auto& transfer = *static_cast<Transfer*>(raw);
  const std::string_view piece(bytes, size * count);
  long status = 0;
  curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
  if (transfer.request->sink && status / 100 == 2) {
    transfer.is_refused_by_sink = !transfer.request->sink(static_cast<int>(status), piece);
    return transfer.is_refused_by_sink ? 0 : piece.size();
  }
  transfer.is_too_large = transfer.reply.body.size() + piece.size() > kLargestReply;
  if (transfer.is_too_large) return 0;
  transfer.reply.body += piece;
  return piece.size();
}

std::size_t receive_header(char* bytes, std::size_t size, std::size_t count, void* raw) {
  auto& transfer = *static_cast<Transfer*>(raw);
  const std::string_view line(bytes, size * count);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  const std::string name = base::lowered(line.substr(0, colon));
  const std::string_view value = base::trimmed(line.substr(colon + 1));
  if (name == "etag") transfer.reply.etag = value;
  if (name == "slipway-reason") transfer.reply.reason = value;
  return size * count;
}

std::size_t give_upload(char* buffer, std::size_t size, std::size_t count, void* raw) {
  auto& transfer = *static_cast<Transfer*>(raw);
  const auto& part = *transfer.request->upload;
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(size * count, part.size_bytes - transfer.upload_sent));
  const ssize_t given =
      ::pread(transfer.upload.get(), buffer, wanted, static_cast<off_t>(part.offset + transfer.upload_sent));
  if (given < 0 || (given == 0 && wanted > 0)) return CURL_READFUNC_ABORT;
  transfer.upload_sent += static_cast<std::uint64_t>(given);
  if (transfer.request->sent) transfer.request->sent(transfer.upload_sent);
  return static_cast<std::size_t>(given);
}

int rewind_upload(void* raw, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(raw);
  if (origin != SEEK_SET || transfer.request->upload == nullptr) return CURL_SEEKFUNC_CANTSEEK;
  if (offset < 0 || static_cast<std::uint64_t>(offset) > transfer.request->upload->size_bytes) {
    return CURL_SEEKFUNC_FAIL;
  }
  transfer.upload_sent = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

bool is_loopback(std::string_view url) {
  return std::ranges::any_of(std::array<std::string_view, 3>{"://127.", "://localhost", "://[::1]"},
                             [&](std::string_view host) { return url.find(host) != std::string_view::npos; });
}

}  // namespace

struct HttpConnection::State {
  State() = default;
  ~State() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  CURLM* multi = nullptr;
  CURL* easy = nullptr;
  std::array<char, CURL_ERROR_SIZE> error{};
};

HttpConnection::HttpConnection() : state_(std::make_unique<State>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  state_->multi = curl_multi_init();
  state_->easy = curl_easy_init();
  SLIPWAY_CHECK(state_->multi != nullptr && state_->easy != nullptr, "libcurl gives handles");
}

HttpConnection::~HttpConnection() = default;

base::Result<Reply> HttpConnection::send(const Request& request, std::stop_token stop) {
  CURL* easy = state_->easy;
  CURLM* multi = state_->multi;
  Transfer transfer;
  transfer.handle = easy;
  transfer.request = &request;
  state_->error[0] = '\0';

  curl_easy_reset(easy);  // options only: open connections live in the multi handle
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, state_->error.data());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.time_limit.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_limit.count()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  if (is_loopback(request.url)) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");

  curl_slist* raw_headers = nullptr;
  const auto add_header = [&](const std::string& line) { raw_headers = curl_slist_append(raw_headers, line.c_str()); };
  add_header("Expect:");  // no round trip before a body is sent
  if (request.range_begin != 0) add_header(fmt::format("Range: bytes={}-", request.range_begin));
  if (!request.authorization.empty()) add_header("Authorization: " + request.authorization);
  add_header(request.content_type.empty() ? "Content-Type:" : "Content-Type: " + request.content_type);
  const std::unique_ptr<curl_slist, FreeList> headers(raw_headers);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());

  if (request.upload != nullptr) {
    transfer.upload = base::Descriptor(::open(request.upload->file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!transfer.upload.is_open()) {
      return fail(Code::kNotFound, "{} cannot be read", request.upload->file.string());
    }
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_upload);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.upload->size_bytes));
  } else if (request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data() != nullptr ? request.body.data() : "");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }

  curl_multi_add_handle(multi, easy);
  CURLcode outcome = CURLE_OK;
  bool is_done = false;
  {
    const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
    while (!is_done && !stop.stop_requested()) {
      int running = 0;
      curl_multi_perform(multi, &running);
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg == CURLMSG_DONE) {
          outcome = message->data.result;
          is_done = true;
        }
      }
      if (!is_done) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    }
  }
  if (is_done && outcome == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.reply.status = static_cast<int>(status);
  }
  curl_multi_remove_handle(multi, easy);
  if (!is_done) return fail(Code::kCancelled, "the request was cancelled");
  if (transfer.is_too_large) return fail(Code::kResourceExhausted, "the reply has more than {} bytes", kLargestReply);
  if (transfer.is_refused_by_sink) return fail(Code::kCancelled, "the download was stopped by its receiver");
  if (outcome != CURLE_OK) {
    const char* detail = state_->error[0] != '\0' ? state_->error.data() : curl_easy_strerror(outcome);
    return fail(outcome == CURLE_OPERATION_TIMEDOUT ? Code::kDeadlineExceeded : Code::kUnavailable, "{}", detail);
  }
  return std::move(transfer.reply);
}

}  // namespace slipway::hub::client
