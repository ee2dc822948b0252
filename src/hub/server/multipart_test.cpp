#include "hub/server/multipart.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace slipway::hub::server {
namespace {

struct Part {
  std::string name, data;
  bool is_ended = false;
};

class Recorder final : public MultipartParser::Receiver {
 public:
  std::vector<Part> parts;
  base::Result<void> begin_part(const std::string& name) override {
    parts.push_back({.name = name, .data = {}});
    return {};
  }
  base::Result<void> part_data(std::span<const std::byte> bytes) override {
    parts.back().data.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  base::Result<void> end_part() override {
    parts.back().is_ended = true;
    return {};
  }
};

/// Feeds a body in pieces of one size.
base::Result<std::vector<Part>> parsed(std::string_view body, std::size_t piece, std::string_view boundary = "XyZ") {
  Recorder recorder;
  MultipartParser parser(boundary, recorder);
  for (std::size_t i = 0; i < body.size(); i += piece) SLIPWAY_TRY(parser.feed(body.substr(i, piece)));
  SLIPWAY_TRY(parser.finish());
  return recorder.parts;
}

const std::string kForm =
    "--XyZ\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nvalue\r\n"
    "--XyZ\r\ncontent-disposition: form-data; name=\"file\"; filename=\"model\"\r\nContent-Type: "
    "application/x-hdf5\r\n\r\n"
    "line\r\n--Xy not a delimiter\r\n\r\n"
    "\r\n--XyZ--\r\nepilogue";

TEST(Multipart, reads_the_same_parts_however_the_bytes_are_cut) {
  for (std::size_t piece = 1; piece <= kForm.size(); ++piece) {
    const auto parts = parsed(kForm, piece);
    ASSERT_TRUE(parts) << piece << ": " << parts.error().message;
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_EQ(parts->at(0).name, "key");
    EXPECT_EQ(parts->at(0).data, "value");
    EXPECT_EQ(parts->at(1).name, "file");
    EXPECT_EQ(parts->at(1).data, "line\r\n--Xy not a delimiter\r\n\r\n");
    EXPECT_TRUE(parts->at(1).is_ended);
  }
}

TEST(Multipart, keeps_binary_data_that_looks_like_delimiters) {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::string data;
    const std::string_view letters = "\r\n-XyZ";
    for (std::size_t i = random() % 200; i > 0; --i) data += letters[random() % letters.size()];
    if (data.find("\r\n--XyZ") != std::string::npos) continue;
    const std::string body = "--XyZ\r\nContent-Disposition: form-data; name=f\r\n\r\n" + data + "\r\n--XyZ--";
    const auto parts = parsed(body, 1 + random() % 20);
    ASSERT_TRUE(parts);
    ASSERT_EQ(parts->size(), 1U);
    EXPECT_EQ(parts->at(0).data, data);
  }
}

TEST(Multipart, takes_an_empty_part_and_a_preamble) {
  const auto parts = parsed("preamble\r\n--XyZ \t\r\nContent-Disposition: form-data; name=e\r\n\r\n\r\n--XyZ--", 3);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 1U);
  EXPECT_EQ(parts->at(0).data, "");
}

TEST(Multipart, a_body_that_ends_early_is_refused) {
  for (std::size_t size = 0; size < kForm.size() - std::string_view("\r\nepilogue").size() - 1; ++size) {
    EXPECT_FALSE(parsed(kForm.substr(0, size), 64)) << size;
  }
}

TEST(Multipart, refuses_endless_headers_and_part_floods) {
  EXPECT_FALSE(parsed("--XyZ\r\n" + std::string(100'000, 'h'), 1000));
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += "--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n";
  EXPECT_FALSE(parsed(flood + "--XyZ--", 1000));
  EXPECT_FALSE(parsed("--XyZ\r\n\r\nno name\r\n--XyZ--", 100));
  EXPECT_FALSE(parsed("--XyZgarbage\r\n", 100));
}

TEST(MultipartBoundary, reads_what_python_and_curl_send) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=0a1b2c").value(), "0a1b2c");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=x; boundary=\"a b\\\"\"").error().code,
            base::Code::kInvalidArgument);
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=\"q:1\"").value(), "q:1");
  EXPECT_FALSE(multipart_boundary("multipart/form-data"));
  EXPECT_FALSE(multipart_boundary("application/json; boundary=x"));
  EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'x')));
  EXPECT_FALSE(multipart_boundary(""));
}

}  // namespace
}  // namespace slipway::hub::server
