#include <thread>

#include <fmt/format.h>

#include "base/hash.hpp"
#include "hub/server/testing/server_fixture.hpp"

namespace slipway::hub::server {
namespace {

using testing::first_text;
using testing::HttpReply;
using testing::number_field;
using testing::RawClient;
using testing::request_text;
using testing::TestHub;
using testing::text_field;
using testing::url_in;

class ServerAssets : public TestHub {
 protected:
  /// A model's upload of `size` bytes in parts of 1000: the path of its parts without their number.
  std::string planned_upload(std::size_t size) {
    model_ = first_text(post("/api/v1/models/", text_field(3, "net") + number_field(5, 6)).body);
    const HttpReply plan = get(fmt::format("/api/v1/models/{}/multipart_upload/?file_size={}", model_, size));
    const std::string url = url_in(plan.body, "http://");
    EXPECT_TRUE(url.starts_with("http://hub.test:8400/assets/upload/")) << url;
    const std::string path = url.substr(url.find("/assets/"));
    return path.substr(0, path.rfind('/') + 1);
  }

  std::string planned_form(std::size_t size) {
    dataset_ = first_text(post("/api/v1/datasets/", text_field(3, "data")).body);
    const HttpReply plan = get(fmt::format("/api/v1/datasets/{}/upload_url/?file_size={}", dataset_, size));
    return url_in(plan.body, "/assets/form/").substr(0, std::string("/assets/form/").size() + 32);
  }

  HttpReply send_form(const std::string& path, const std::string& body, const std::string& boundary = "b0") {
    RawClient client(port_);
    client.send(
        fmt::format("POST {} HTTP/1.1\r\nHost: hub.test\r\nContent-Type: multipart/form-data; "
                    "boundary={}\r\nContent-Length: {}\r\n\r\n",
                    path, boundary, body.size()));
    client.send(body);
    return client.receive();
  }

  static std::string form(const std::string& content, const std::string& field = "file") {
    return fmt::format(
        "--b0\r\nContent-Disposition: form-data; name=\"extra\"\r\n\r\nx\r\n--b0\r\nContent-Disposition: form-data; "
        "name=\"{}\"; filename=\"model\"\r\nContent-Type: application/x-hdf5\r\n\r\n{}\r\n--b0--\r\n",
        field, content);
  }

  std::string model_, dataset_;
};

TEST_F(ServerAssets, parts_come_back_as_one_file) {
  std::string bytes;
  for (int i = 0; i < 2500; ++i) bytes += static_cast<char>(i % 251);
  const std::string id = upload_model(bytes);
  const HttpReply plan = get("/api/v1/models/" + id + "/download/?supports_s3_credentials=true");
  const std::string url = url_in(plan.body, "http://hub.test:8400/assets/download/");
  ASSERT_FALSE(url.empty());
  const HttpReply file = ask("GET", url.substr(url.find("/assets/")), "");
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(file.body, bytes);
  EXPECT_EQ(file.header("content-type"), "application/octet-stream");
  EXPECT_EQ(file.header("x-content-type-options"), "nosniff");
  EXPECT_EQ(file.header("content-length"), "2500");
  EXPECT_NE(file.header("content-disposition").find("filename=\"net.onnx\""), std::string::npos)
      << file.header("content-disposition");
}

TEST_F(ServerAssets, a_part_has_exactly_the_size_of_the_plan) {
  const std::string path = planned_upload(2500);
  EXPECT_EQ(ask("PUT", path + "0", "", std::string(999, 'x')).status, 400);
  EXPECT_EQ(ask("PUT", path + "0", "", std::string(1001, 'x')).status, 400);
  EXPECT_EQ(ask("PUT", path + "2", "", std::string(1000, 'x')).status, 400);
  EXPECT_EQ(ask("PUT", path + "2", "", std::string(500, 'x')).status, 200);
  EXPECT_EQ(ask("PUT", path + "3", "", std::string(500, 'x')).status, 404);
  EXPECT_EQ(ask("PUT", path + "-1", "", std::string(500, 'x')).status, 404);
  EXPECT_EQ(ask("PUT", path + "0x1", "", std::string(500, 'x')).status, 404);
  const HttpReply without_length = ask("PUT", path + "0", "");
  EXPECT_EQ(without_length.status, 400);
  EXPECT_NE(without_length.body.find("<Message>expected a Content-Length"), std::string::npos) << without_length.body;
  const HttpReply chunked = ask("PUT", path + "0", "", "", "Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(chunked.status, 400);
}

TEST_F(ServerAssets, an_unknown_upload_is_404) {
  EXPECT_EQ(ask("PUT", "/assets/upload/nosuchupload/0", "", "x").status, 404);
  EXPECT_EQ(ask("PUT", "/assets/upload/..%2f..%2fhub.sqlite/0", "", "x").status, 404);
  EXPECT_EQ(send_form("/assets/form/nosuchupload", form("x")).status, 404);
}

TEST_F(ServerAssets, a_part_may_be_sent_again_and_the_last_one_counts) {
  const std::string path = planned_upload(3);
  const std::string first = ask("PUT", path + "0", "", "abc").header("etag");
  EXPECT_EQ(first, fmt::format("\"{}\"", base::sha256_hex("abc")));
  EXPECT_EQ(ask("PUT", path + "0", "", "abc").header("etag"), first);
  const std::string second = ask("PUT", path + "0", "", "xyz").header("etag");
  EXPECT_NE(second, first);
  const std::string upload_id = path.substr(15, path.size() - 16);
  const std::string target = "/api/v1/models/" + model_ + "/multipart_upload/";
  EXPECT_EQ(post(target, text_field(1, upload_id) + text_field(2, first)).status, 400);
  EXPECT_EQ(post(target, text_field(1, upload_id) + text_field(2, second)).status, 200);
  // A retried completion does no harm.
  EXPECT_EQ(post(target, text_field(1, upload_id) + text_field(2, second)).status, 200);
}

TEST_F(ServerAssets, a_part_that_was_cut_off_leaves_nothing) {
  const std::string path = planned_upload(1000);
  {
    RawClient client(port_);
    client.send(fmt::format("PUT {}0 HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n", path));
    client.send(std::string(600, 'x'));
    client.finish_sending();
    EXPECT_EQ(client.receive().status, 0);
  }
  const std::string upload_id = path.substr(15, path.size() - 16);
  const HttpReply reply = post("/api/v1/models/" + model_ + "/multipart_upload/",
                               text_field(1, upload_id) + text_field(2, base::sha256_hex("x")));
  EXPECT_EQ(reply.status, 400) << reply.body;
}

TEST_F(ServerAssets, a_form_upload_makes_a_dataset) {
  const std::string content(5000, 'h');
  const std::string path = planned_form(content.size());
  const HttpReply stored = send_form(path, form(content));
  EXPECT_EQ(stored.status, 200) << stored.body;
  EXPECT_EQ(ask("PATCH", "/api/v1/datasets/" + dataset_ + "/", user_token_, number_field(6, 1)).status, 200);
  const HttpReply plan = get("/api/v1/datasets/" + dataset_ + "/download_data/");
  const HttpReply file = ask("GET", url_in(plan.body, "/assets/download/"), "");
  EXPECT_EQ(file.body, content) << plan.body;
}

TEST_F(ServerAssets, a_bad_form_is_refused_in_words) {
  const std::string path = planned_form(4);
  EXPECT_EQ(send_form(path, form("wrong size")).status, 400);
  EXPECT_EQ(send_form(path, form("abc")).status, 400);
  EXPECT_EQ(send_form(path, form("abcd", "other")).status, 400);
  EXPECT_EQ(send_form(path, "no form at all").status, 400);
  EXPECT_EQ(send_form(path, form("abcd"), "other-boundary").status, 400);
  EXPECT_EQ(send_form(path, std::string(200'000, 'x')).status, 400);
  EXPECT_EQ(ask("POST", path, "", "abcd").status, 400);
  EXPECT_EQ(ask("PATCH", "/api/v1/datasets/" + dataset_ + "/", user_token_, number_field(6, 1)).status, 400);
  EXPECT_EQ(send_form(path, form("abcd")).status, 200);
}

TEST_F(ServerAssets, downloads_know_ranges) {
  const std::string id = upload_model("0123456789");
  const std::string path = url_in(get("/api/v1/models/" + id + "/download/").body, "/assets/download/");
  const std::string link = path.substr(0, path.find('\x12'));
  HttpReply reply = ask("GET", link, "", "", "Range: bytes=2-4\r\n");
  EXPECT_EQ(reply.status, 206);
  EXPECT_EQ(reply.body, "234");
  EXPECT_EQ(reply.header("content-range"), "bytes 2-4/10");
  reply = ask("GET", link, "", "", "Range: bytes=-3\r\n");
  EXPECT_EQ(reply.body, "789");
  reply = ask("GET", link, "", "", "Range: bytes=10-\r\n");
  EXPECT_EQ(reply.status, 416);
  EXPECT_EQ(reply.header("content-range"), "bytes */10");
}

TEST_F(ServerAssets, a_changed_link_opens_nothing) {
  const std::string id = upload_model("0123456789");
  std::string link = url_in(get("/api/v1/models/" + id + "/download/").body, "/assets/download/");
  link[30] = link[30] == 'A' ? 'B' : 'A';
  EXPECT_EQ(ask("GET", link, "").status, 404);
  EXPECT_EQ(ask("GET", "/assets/download/..%2f..%2fhub.sqlite", "").status, 404);
  EXPECT_EQ(ask("GET", "/assets/download/x.y", user_token_).status, 404);
}

TEST_F(ServerAssets, what_was_not_uploaded_cannot_be_downloaded) {
  planned_upload(10);
  const HttpReply reply = get("/api/v1/models/" + model_ + "/download/");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("not uploaded"), std::string::npos);
}

TEST_F(ServerAssets, waits_with_the_body_when_asked_to) {
  const std::string path = planned_upload(3);
  RawClient client(port_);
  client.send(fmt::format("PUT {}0 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", path));
  EXPECT_EQ(client.receive().status, 100);
  client.send("abc");
  EXPECT_EQ(client.receive().status, 200);
}

TEST_F(ServerAssets, a_refusal_reaches_a_client_that_is_still_sending) {
  const std::string path = planned_upload(1000);
  RawClient client(port_);
  client.send(fmt::format("PUT {}7 HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n", path));
  const std::string piece(1'000'000, 'x');
  for (int i = 0; i < 20; ++i) client.send(piece);
  EXPECT_EQ(client.receive().status, 404);
}

TEST_F(ServerAssets, a_strange_host_header_gets_into_no_link) {
  const std::string id = upload_model("0123456789");
  RawClient client(port_);
  client.send(
      fmt::format("GET /api/v1/models/{}/download/ HTTP/1.1\r\nHost: evil\"/x\r\nAuthorization: token {}\r\n\r\n", id,
                  user_token_));
  EXPECT_EQ(client.receive().status, 400);
}

TEST_F(ServerAssets, a_public_url_goes_before_every_link) {
  server_.reset();
  ServiceSettings settings;
  settings.public_url = "https://hub.example";
  start({}, settings);
  const std::string id = upload_model("0123456789");
  const HttpReply plan = get("/api/v1/models/" + id + "/download/");
  EXPECT_FALSE(url_in(plan.body, "https://hub.example/assets/download/").empty());
}

class ServerLimits : public TestHub {
 protected:
  void SetUp() override {
    ServerSettings settings;
    settings.header_timeout = std::chrono::milliseconds(400);
    settings.body_timeout = std::chrono::milliseconds(400);
    settings.max_connections = 3;
    start(settings, {});
  }
};

TEST_F(ServerLimits, a_slow_header_is_cut_off_however_it_drips) {
  RawClient client(port_);
  const auto begin = std::chrono::steady_clock::now();
  const std::string text = request_text("GET", "/healthz", "", "", "X-Filler: " + std::string(200, 'x') + "\r\n");
  bool is_cut = false;
  for (const char c : text) {
    if (!client.send({&c, 1}) || client.is_closed_within(std::chrono::milliseconds(20))) {
      is_cut = true;
      break;
    }
  }
  EXPECT_TRUE(is_cut);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
}

TEST_F(ServerLimits, a_body_that_does_not_come_is_cut_off) {
  RawClient client(port_);
  client.send(request_text("POST", "/api/v1/models/", user_token_, "", "Content-Length: 100\r\n"));
  EXPECT_TRUE(client.is_closed_within(std::chrono::milliseconds(3000)));
}

TEST_F(ServerLimits, an_idle_connection_is_closed) {
  RawClient client(port_);
  EXPECT_TRUE(client.is_closed_within(std::chrono::milliseconds(3000)));
}

TEST_F(ServerLimits, one_connection_too_many_is_told_to_come_back) {
  RawClient first(port_), second(port_), third(port_);
  // Who has signed in keeps the place; a stranger would make room.
  for (RawClient* client : {&first, &second, &third}) {
    client->send(request_text("GET", "/api/v1/devices/", user_token_));
    ASSERT_EQ(client->receive().status, 200);
  }
  RawClient fourth(port_);
  const HttpReply reply = fourth.receive();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("retry-after"), "2");
  EXPECT_EQ(reply.body.size(), 50U);
}

TEST_F(ServerLimits, huge_headers_and_garbage_are_refused) {
  RawClient large(port_);
  large.send(request_text("GET", "/healthz", "", "", "X-Large: " + std::string(20'000, 'x') + "\r\n"));
  EXPECT_EQ(large.receive().status, 431);
  RawClient garbage(port_);
  garbage.send("\x16\x03\x01\x02garbage that is no request\r\n\r\n");
  EXPECT_EQ(garbage.receive().status, 400);
}

}  // namespace
}  // namespace slipway::hub::server
