#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "hub/server/server.hpp"

/// A real server over SQLite and files in a temporary folder, and a client that sends exactly the bytes it is given.
namespace slipway::hub::server::testing {

struct HttpReply {
  int status = 0;                              ///< 0: the connection ended without a reply
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const;
};

/// One TCP connection.
class RawClient {
 public:
  enum class When { kNow, kLater };
  /// @param from  the address that the connection comes from, another loopback address for a stranger
  /// @param when  kLater: the caller calls connect()
  explicit RawClient(std::uint16_t port, const char* from = "127.0.0.1", When when = When::kNow);
  void connect();
  /// @return false when the server has closed
  bool send(std::string_view bytes);
  void finish_sending();
  /// Waits for one reply. @param has_body false after HEAD
  HttpReply receive(bool has_body = true);
  /// True when the server closes within the time.
  bool is_closed_within(std::chrono::milliseconds time);

 private:
  bool read_more();
  base::Descriptor descriptor_;
  std::uint16_t port_;
  std::string buffer_;
};

/// A request with the headers that the official client sends.
[[nodiscard]] std::string request_text(std::string_view method, std::string_view target, std::string_view token,
                                       std::string_view body = {}, std::string_view more_headers = {});

/// Fields of a protobuf message by hand: the tests must not use our own codecs.
[[nodiscard]] std::string text_field(int number, std::string_view text);
[[nodiscard]] std::string number_field(int number, std::uint64_t value);
/// The text of field 1 at the start of a message.
[[nodiscard]] std::string first_text(const std::string& message);
/// The first address in a message that begins so.
[[nodiscard]] std::string url_in(const std::string& message, std::string_view beginning);

/// Makes the store's joining of uploads wait, as a large one does.
class JoinGate {
 public:
  void close();
  void open();
  /// Waits until so many joins stand before the gate. @return false after 20 s
  bool wait_for(int count);
  /// Called by the store.
  void pass();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_closed_ = false;
  int waiting_ = 0;
};

class TestHub : public ::testing::Test {
 protected:
  TestHub();
  ~TestHub() override;

  /// Call in SetUp of a fixture that wants other settings, else it happens by itself.
  void start(ServerSettings settings, ServiceSettings service_settings);
  void SetUp() override { start({}, {}); }

  HttpReply ask(std::string_view method, std::string_view target, std::string_view token, std::string_view body = {},
                std::string_view more_headers = {});
  HttpReply get(std::string_view target) { return ask("GET", target, user_token_); }
  HttpReply post(std::string_view target, std::string_view body) { return ask("POST", target, user_token_, body); }

  /// Uploads bytes as a model through the API and returns its id; no inspection has run.
  std::string upload_model(const std::string& bytes, const std::string& name = "net.onnx");
  /// Uploads a model's parts and returns the request that completes it.
  std::string completion_of(const std::string& bytes, const std::string& name, std::string* id = nullptr);
  /// The bytes of a compile job's submission.
  static std::string compile_submission(const std::string& model_id);

  std::uint16_t port_ = 0;
  std::string user_token_, other_token_, agent_token_;
  domain::Hub* hub_ = nullptr;
  std::unique_ptr<Server> server_;
  JoinGate joins_;
  std::atomic<int> clock_failures_{0};  ///< so many readings of the hub's clock throw
  std::atomic<int> request_ids_{0};     ///< so many ids of requests the hub's source has given

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::hub::server::testing
