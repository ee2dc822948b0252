#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "hub/server/server.hpp"

/// A real server over SQLite and files in a temporary folder, and a client that sends exactly the bytes it is given.
namespace slipway::hub::server {

struct HttpReply {
  int status = 0;                              ///< 0: the connection ended without a reply
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const;
};

/// One TCP connection.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// @return false when the server has closed
  bool send(std::string_view bytes);
  void finish_sending();
  /// Waits for one reply. @param has_body false after HEAD
  HttpReply receive(bool has_body = true);
  /// True when the server closes within the time.
  bool is_closed_within(std::chrono::milliseconds time);

 private:
  bool read_more();
  int descriptor_ = -1;
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
  /// The bytes of a compile job's submission.
  static std::string compile_submission(const std::string& model_id);

  std::uint16_t port_ = 0;
  std::string user_token_, other_token_, agent_token_;
  domain::Hub* hub_ = nullptr;
  std::unique_ptr<Server> server_;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::hub::server
