#include "hub/server/byte_range.hpp"

#include <gtest/gtest.h>

namespace slipway::hub::server {
namespace {

using Kind = RangeRequest::Kind;

TEST(ByteRange, follows_the_examples_of_rfc_9110) {
  // Section 14.1.2: a representation of 10000 bytes.
  EXPECT_EQ(parse_range("bytes=0-499", 10'000).range.size_bytes, 500U);
  EXPECT_EQ(parse_range("bytes=500-999", 10'000).range.first, 500U);
  EXPECT_EQ(parse_range("bytes=-500", 10'000).range.first, 9500U);
  EXPECT_EQ(parse_range("bytes=9500-", 10'000).range.size_bytes, 500U);
  EXPECT_EQ(parse_range("bytes=9500-20000", 10'000).range.size_bytes, 500U);
  EXPECT_EQ(parse_range("bytes=-20000", 10'000).range.size_bytes, 10'000U);
}

TEST(ByteRange, beyond_the_end_cannot_be_satisfied) {
  EXPECT_EQ(parse_range("bytes=10000-", 10'000).kind, Kind::kUnsatisfiable);
  EXPECT_EQ(parse_range("bytes=0-0", 0).kind, Kind::kUnsatisfiable);
  EXPECT_EQ(parse_range("bytes=-0", 10).kind, Kind::kUnsatisfiable);
}

TEST(ByteRange, numbers_beyond_64_bits_lie_beyond_the_end) {
  EXPECT_EQ(parse_range("bytes=99999999999999999999-", 10).kind, Kind::kUnsatisfiable);
  EXPECT_EQ(parse_range("bytes=18446744073709551616-18446744073709551617", 10).kind, Kind::kUnsatisfiable);
  const auto to_the_end = parse_range("bytes=4-99999999999999999999", 10).range;
  EXPECT_EQ(to_the_end.first, 4U);
  EXPECT_EQ(to_the_end.size_bytes, 6U);
  EXPECT_EQ(parse_range("bytes=-99999999999999999999", 10).kind, Kind::kPart);
  EXPECT_EQ(parse_range("bytes=-99999999999999999999", 10).range.size_bytes, 10U);
}

TEST(ByteRange, what_it_does_not_understand_means_the_whole_file) {
  for (const auto* header : {"", "bytes", "bytes=", "bytes=a-b", "bytes=5-2", "items=0-1", "bytes=0-1,3-4", "bytes=+1-",
                             "bytes= 1-", "bytes=-"}) {
    EXPECT_EQ(parse_range(header, 10).kind, Kind::kWhole) << header;
    EXPECT_EQ(parse_range(header, 10).range.size_bytes, 10U) << header;
  }
}

}  // namespace
}  // namespace slipway::hub::server
