#include "hub/server/testing/server_fixture.hpp"

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "base/testing/sockets.hpp"
#include "base/text.hpp"
#include "hub/storage/files/file_blob_store.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

namespace slipway::hub::server::testing {
namespace {

constexpr int kPatienceMs = 20'000;

}  // namespace

std::string HttpReply::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

RawClient::RawClient(std::uint16_t port, const char* from, When when)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), port_(port) {
  const sockaddr_in address = base::testing::loopback_address(0, from);
  EXPECT_EQ(::bind(descriptor_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  if (when == When::kNow) connect();
}

void RawClient::connect() {
  const sockaddr_in address = base::testing::loopback_address(port_);
  EXPECT_EQ(::connect(descriptor_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void RawClient::finish_sending() {
  ::shutdown(descriptor_.get(), SHUT_WR);
}

bool RawClient::read_more() {
  return base::testing::read_more(descriptor_, buffer_, kPatienceMs);
}

HttpReply RawClient::receive(bool has_body) {
  HttpReply reply;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return reply;
  }
  std::string_view head = std::string_view(buffer_).substr(0, end);
  reply.status = std::stoi(std::string(head.substr(head.find(' ') + 1, 3)));
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t next = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, next == std::string_view::npos ? next : next - at - 2);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      reply.headers[base::lowered(line.substr(0, colon))] = std::string(line.substr(colon + 2));
    }
    at = next;
  }
  buffer_.erase(0, end + 4);
  const std::size_t length =
      has_body && !reply.header("content-length").empty() ? std::stoul(reply.header("content-length")) : 0;
  while (buffer_.size() < length) {
    if (!read_more()) break;
  }
  reply.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return reply;
}

bool RawClient::is_closed_within(std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wanted{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) return false;
    char bytes[4096];
    if (::recv(descriptor_.get(), bytes, sizeof(bytes), 0) <= 0) return true;
  }
}

std::string request_text(std::string_view method, std::string_view target, std::string_view token,
                         std::string_view body, std::string_view more_headers) {
  std::string text =
      fmt::format("{} {} HTTP/1.1\r\nHost: hub.test:8400\r\nContent-Type: application/x-protobuf\r\n", method, target);
  if (!token.empty()) text += fmt::format("Authorization: token {}\r\n", token);
  if (!body.empty()) text += fmt::format("Content-Length: {}\r\n", body.size());
  return fmt::format("{}{}\r\n{}", text, more_headers, body);
}

std::string text_field(int number, std::string_view text) {
  return number_field(number, text.size()).replace(0, 1, 1, static_cast<char>(number << 3 | 2)) + std::string(text);
}

std::string number_field(int number, std::uint64_t value) {
  std::string bytes(1, static_cast<char>(number << 3));
  do {
    const auto low = static_cast<unsigned char>(value & 0x7FU);
    value >>= 7U;
    bytes += static_cast<char>(value != 0 ? low | 0x80U : low);
  } while (value != 0);
  return bytes;
}

std::string first_text(const std::string& message) {
  if (message.size() < 2 || message[0] != '\x0a') return {};
  return message.substr(2, static_cast<unsigned char>(message[1]));
}

std::string url_in(const std::string& message, std::string_view beginning) {
  const std::size_t begin = message.find(beginning);
  if (begin == std::string::npos) return {};
  std::size_t end = begin;
  while (end < message.size() && message[end] > ' ' && message[end] < '\x7f') ++end;
  return message.substr(begin, end - begin);
}

void JoinGate::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
}

void JoinGate::open() {
  const std::lock_guard lock(mutex_);
  is_closed_ = false;
  changed_.notify_all();
}

bool JoinGate::wait_for(int count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(kPatienceMs), [&] { return waiting_ >= count; });
}

void JoinGate::pass() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !is_closed_; });
  --waiting_;
}

namespace {

/// The time, unless it is told to fail: what a broken store or library may do to whoever calls it.
class FailingClock final : public base::Clock {
 public:
  explicit FailingClock(std::atomic<int>& failures) : failures_(failures) {}
  [[nodiscard]] base::Time now() const override {
    if (failures_ > 0 && failures_-- > 0) throw std::runtime_error("the clock has stopped");
    return base::SystemClock().now();
  }
  [[nodiscard]] base::Instant instant() const override { return base::SystemClock().instant(); }
  bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable_any& changed, const std::stop_token& stop,
            base::Instant end, const std::function<bool()>& is_met) const override {
    return base::SystemClock().wait(lock, changed, stop, end, is_met);
  }

 private:
  std::atomic<int>& failures_;
};

class GatedBlobStore final : public domain::BlobStore {
 public:
  GatedBlobStore(std::unique_ptr<BlobStore> store, JoinGate& gate) : store_(std::move(store)), gate_(gate) {}
  base::Result<std::unique_ptr<Writer>> write_part(const std::string& upload_id, std::uint32_t index,
                                                   std::uint64_t limit_bytes) override {
    return store_->write_part(upload_id, index, limit_bytes);
  }
  class GatedPin final : public Pin {
   public:
    GatedPin(std::unique_ptr<Pin> pin, JoinGate& gate) : pin_(std::move(pin)), gate_(gate) {}
    base::Result<domain::Blob> assemble(const std::string& upload_id, const std::vector<std::string>& etags) override {
      gate_.pass();
      return pin_->assemble(upload_id, etags);
    }
    base::Result<domain::Blob> put(std::string_view bytes) override { return pin_->put(bytes); }

   private:
    std::unique_ptr<Pin> pin_;
    JoinGate& gate_;
  };
  std::unique_ptr<Pin> pin() override { return std::make_unique<GatedPin>(store_->pin(), gate_); }
  void discard(const std::string& upload_id) override { store_->discard(upload_id); }
  base::Result<Collected> collect(const InUse& in_use, base::Time before, bool only_count) override {
    return store_->collect(in_use, before, only_count);
  }
  [[nodiscard]] base::Result<std::unique_ptr<Reader>> open_read(const domain::Blob& blob,
                                                                domain::ByteRange range) const override {
    return store_->open_read(blob, range);
  }
  [[nodiscard]] base::Result<void> verify(const domain::Blob& blob) const override { return store_->verify(blob); }

 private:
  std::unique_ptr<BlobStore> store_;
  JoinGate& gate_;
};

/// Random ids, and how many of them were for requests.
class CountingIds final : public base::IdSource {
 public:
  explicit CountingIds(std::atomic<int>& of_requests) : of_requests_(of_requests) {}
  [[nodiscard]] std::string id(std::string_view prefix, std::size_t length) override {
    if (prefix == "r") ++of_requests_;
    return source_.id(prefix, length);
  }
  [[nodiscard]] std::string secret() override { return source_.secret(); }

 private:
  base::RandomIdSource source_;
  std::atomic<int>& of_requests_;
};

}  // namespace

struct TestHub::Parts {
  base::TemporaryFolder folder = base::TemporaryFolder::create("slipway-server").value();
  FailingClock clock;
  CountingIds ids;
  std::unique_ptr<domain::RowStore> rows = storage::SqliteStore::open(folder.path() / "hub.sqlite", clock).value();
  GatedBlobStore blobs;
  SignedLinks links{load_or_make_key(folder.path() / "secret", ids).value(), clock};
  domain::Hub hub;

  Parts(JoinGate& joins, std::atomic<int>& clock_failures, std::atomic<int>& request_ids)
      : clock(clock_failures),
        ids(request_ids),
        blobs(storage::FileBlobStore::open(folder.path(), clock).value(), joins),
        hub(settings(), {*rows, blobs, clock, ids}, devices()) {}

  static domain::HubSettings settings() {
    domain::HubSettings settings;
    settings.part_size_bytes = 1000;
    settings.hub_version = "1.2.3";
    return settings;
  }
  static std::vector<domain::Device> devices() {
    domain::Device phone;
    phone.name = "Phone";
    phone.os = "14";
    phone.attributes = {"os:android", "vendor:acme", "framework:onnx"};
    domain::Device newer = phone;
    newer.os = "15";
    domain::Device tablet = phone;
    tablet.name = "Tablet";
    tablet.attributes = {"os:android", "vendor:other", "framework:onnx"};
    return {phone, newer, tablet};
  }
};

TestHub::TestHub() : parts_(std::make_unique<Parts>(joins_, clock_failures_, request_ids_)) {
  spdlog::set_level(spdlog::level::off);
  hub_ = &parts_->hub;
  const auto token = [&](const char* email, domain::Scope scope) {
    const auto user = hub_->accounts.ensure_user(email, domain::Role::kMember).value();
    return hub_->accounts.create_token(user.id, "test", scope).value().text;
  };
  user_token_ = token("ada@example.org", domain::Scope::kUser);
  other_token_ = token("bob@example.org", domain::Scope::kUser);
  agent_token_ = token("agent@example.org", domain::Scope::kAgent);
}

TestHub::~TestHub() {
  joins_.open();
  server_.reset();
}

void TestHub::start(ServerSettings settings, ServiceSettings service_settings) {
  settings.port = 0;
  auto server = Server::start(*hub_, parts_->links, std::move(settings), std::move(service_settings));
  ASSERT_TRUE(server) << server.error().message;
  server_ = std::move(*server);
  port_ = server_->port();
}

HttpReply TestHub::ask(std::string_view method, std::string_view target, std::string_view token, std::string_view body,
                       std::string_view more_headers) {
  RawClient client(port_);
  client.send(request_text(method, target, token, body, more_headers));
  return client.receive(method != "HEAD");
}

std::string TestHub::completion_of(const std::string& bytes, const std::string& name, std::string* model_id) {
  const std::string id = first_text(post("/api/v1/models/", text_field(3, name) + number_field(5, 6)).body);
  const HttpReply plan = get(
      fmt::format("/api/v1/models/{}/multipart_upload/?supports_s3_credentials=true&file_size={}", id, bytes.size()));
  const std::string url = url_in(plan.body, "/assets/upload/");
  const std::string upload_id = url.substr(15, url.rfind('/') - 15);
  std::string completion = text_field(1, upload_id);
  for (std::size_t part = 0; part * 1000 < bytes.size(); ++part) {
    const HttpReply stored = ask("PUT", fmt::format("/assets/upload/{}/{}", upload_id, part), "",
                                 std::string_view(bytes).substr(part * 1000, 1000));
    EXPECT_EQ(stored.status, 200) << stored.body;
    completion += text_field(2, stored.header("etag"));
  }
  if (model_id != nullptr) *model_id = id;
  return request_text("POST", fmt::format("/api/v1/models/{}/multipart_upload/", id), user_token_, completion);
}

std::string TestHub::upload_model(const std::string& bytes, const std::string& name) {
  std::string id;
  RawClient client(port_);
  client.send(completion_of(bytes, name, &id));
  const HttpReply complete = client.receive();
  EXPECT_EQ(complete.status, 200) << complete.body;
  return id;
}

std::string TestHub::compile_submission(const std::string& model_id) {
  const std::string device = text_field(1, text_field(1, "Phone") + text_field(2, "14"));
  return text_field(4, text_field(4, text_field(1, model_id)) + text_field(7, device) + text_field(9, "a <b>job</b>"));
}

}  // namespace slipway::hub::server::testing
