#include "convert/archive/zip_archive.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"

namespace slipway::convert::archive {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kEnd = "PK\5\6", kCentral = "PK\1\2", kLocal = "PK\3\4";

/// Written by PyTorch (torch.jit.trace of one convolution) and by Python's zipfile.
std::string golden(const std::string& name) {
  return base::read_file("tests/golden/convert/archive/" + name, 1U << 20U).value();
}

base::Result<ZipArchive> over(std::string_view bytes) {
  return ZipArchive::over(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

void put(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i) & 0xFFU);
}
std::size_t find(const std::string& bytes, std::string_view what, std::size_t from = 0) {
  const std::size_t at = bytes.find(what, from);
  EXPECT_NE(at, std::string::npos) << what;
  return at;
}
/// Where the directory describes the entry of this name.
std::size_t central_of(const std::string& bytes, const std::string& name) {
  return bytes.rfind(kCentral, bytes.rfind(name));
}
std::size_t local_of(const std::string& bytes, const std::string& name) {
  return bytes.rfind(kLocal, bytes.find(name));
}

TEST(ZipArchive, an_archive_of_pytorch_gives_stored_entries_as_views_and_inflates_its_code) {
  const std::string bytes = golden("traced.pt");
  const auto archive = over(bytes);
  ASSERT_TRUE(archive) << archive.error().message;
  EXPECT_EQ(archive->folder(), "traced/");
  EXPECT_EQ(archive->unpack("version", 100).value(), "3\n");
  EXPECT_EQ(archive->unpack("byteorder", 100).value(), "little");
  const auto weight = archive->view("data/0");
  ASSERT_TRUE(weight) << weight.error().message;
  EXPECT_EQ(weight->size(), 2U * 1 * 3 * 3 * sizeof(float));
  EXPECT_GE(weight->data(), std::as_bytes(std::span(bytes)).data());  // a view, not a copy
  EXPECT_LE(weight->data() + weight->size(), std::as_bytes(std::span(bytes)).data() + bytes.size());
  EXPECT_EQ((weight->data() - std::as_bytes(std::span(bytes)).data()) % 64, 0);
  const auto code = archive->unpack("code/__torch__/torch/nn/modules/conv.py", 1U << 20U);
  ASSERT_TRUE(code) << code.error().message;
  EXPECT_THAT(*code, HasSubstr("torch._convolution("));
  EXPECT_THAT(archive->view("code/__torch__/torch/nn/modules/conv.py").error().message, HasSubstr("deflated"));
  EXPECT_EQ(archive->view("data/77").error().code, base::Code::kNotFound);
}

TEST(ZipArchive, sixty_four_bit_fields_are_read) {
  const std::string bytes = golden("zip64.zip");
  const auto archive = over(bytes);
  ASSERT_TRUE(archive) << archive.error().message;
  EXPECT_EQ(archive->folder(), "");
  EXPECT_EQ(archive->unpack("first", 100).value(), "the first of two");
  EXPECT_EQ(archive->unpack("folder/second", 100).value(), "the second of two");
}

TEST(ZipArchive, an_entry_above_the_limit_is_not_unpacked) {
  const std::string bytes = golden("traced.pt");
  const auto code = over(bytes)->unpack("code/__torch__/torch/nn/modules/conv.py", 100);
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, base::Code::kResourceExhausted);
  EXPECT_THAT(code.error().message, HasSubstr("at most 100"));
}

TEST(ZipArchive, whatever_is_cut_off_is_noticed) {
  for (const char* name : {"traced.pt", "plain.zip", "zip64.zip"}) {
    const std::string bytes = golden(name);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto archive = over(std::string_view(bytes).substr(0, size));
      ASSERT_FALSE(archive) << name << " of " << size << " bytes";
      ASSERT_EQ(archive.error().code, base::Code::kInvalidArgument);
    }
  }
}

TEST(ZipArchive, damaged_archives_are_refused_with_what_was_found_where) {
  struct Case {
    std::string file, what;
    std::function<void(std::string&)> damage;
    std::string message;
  };
  const std::string entry = "traced/data/0";
  const std::vector<Case> cases = {
      {"traced.pt", "an encrypted entry", [&](std::string& b) { put(b, central_of(b, entry) + 8, 1, 2); },
       "it is encrypted"},
      {"traced.pt", "another method", [&](std::string& b) { put(b, central_of(b, entry) + 10, 12, 2); },
       "packed by method 12"},
      {"traced.pt", "a method that only the directory gives",
       [&](std::string& b) { put(b, central_of(b, entry) + 10, 8, 2); }, "differ"},
      {"traced.pt", "an offset beyond the file",
       [&](std::string& b) { put(b, central_of(b, entry) + 42, 0x7FFFFFFF, 4); }, "it begins at byte 2147483647"},
      {"traced.pt", "an offset of no entry", [&](std::string& b) { put(b, central_of(b, entry) + 42, 7, 4); },
       "no entry begins at byte 7"},
      {"traced.pt", "a size beyond the file", [&](std::string& b) { put(b, central_of(b, entry) + 20, 0x7FFFFFFF, 4); },
       "reach past byte"},
      {"traced.pt", "a stored entry of two sizes", [&](std::string& b) { put(b, central_of(b, entry) + 24, 80, 4); },
       "said to unpack to 80"},
      {"traced.pt", "another name at the entry", [&](std::string& b) { b[b.find(entry)] = 'T'; },
       "the entry itself is named"},
      {"traced.pt", "an entry that lies in another",
       [&](std::string& b) {
         // The entry's own bytes look like an entry of the other name.
         const std::size_t data = b.find(entry) + entry.size() +
                                  static_cast<unsigned char>(b[local_of(b, entry) + 28]) +
                                  256U * static_cast<unsigned char>(b[local_of(b, entry) + 29]);
         const std::string other = "traced/data/1";
         std::string header = b.substr(local_of(b, other), 30);
         put(header, 28, 0, 2);
         put(header, 18, 8, 4);
         b.replace(data, 30 + other.size(), header + other);
         put(b, central_of(b, other) + 42, data, 4);
         put(b, central_of(b, other) + 20, 8, 4);
         put(b, central_of(b, other) + 24, 8, 4);
       },
       "within entry 'traced/data/0'"},
      {"traced.pt", "a name twice",
       [&](std::string& b) {
         for (std::size_t at = 0; (at = b.find("traced/data/1", at)) != std::string::npos; ++at) b[at + 12] = '0';
       },
       "occurs twice"},
      {"plain.zip", "a directory of more entries than it holds",
       [&](std::string& b) { put(b, b.rfind(kEnd) + 10, 0x7FFF, 2); }, "claims 32767 entries"},
      {"plain.zip", "a second part", [&](std::string& b) { put(b, b.rfind(kEnd) + 4, 1, 2); }, "part 2 of several"},
      {"plain.zip", "64-bit fields that are not there",
       [&](std::string& b) { put(b, b.rfind(kEnd) + 16, 0xFFFFFFFF, 4); }, "64-bit form, which is not there"},
      {"zip64.zip", "a 64-bit end that lies elsewhere", [&](std::string& b) { put(b, b.rfind("PK\6\7") + 8, 3, 8); },
       "should lie at byte 3"},
      {"zip64.zip", "an entry of 2^63 bytes",
       [&](std::string& b) { put(b, b.rfind("folder/second") + 13 + 4 + 8, 1ULL << 63U, 8); }, "reach past byte"},
      {"zip64.zip", "a directory that begins behind its end",
       [&](std::string& b) { put(b, b.rfind("PK\6\6") + 48, ~0ULL, 8); }, "bytes are missing or too many"},
  };
  for (const Case& one : cases) {
    std::string bytes = golden(one.file);
    one.damage(bytes);
    const auto archive = over(bytes);
    ASSERT_FALSE(archive) << one.what;
    EXPECT_EQ(archive.error().code, base::Code::kInvalidArgument) << one.what;
    EXPECT_THAT(archive.error().message, HasSubstr(one.message)) << one.what;
  }
}

TEST(ZipArchive, damaged_content_is_noticed_where_it_is_unpacked) {
  std::string bytes = golden("traced.pt");
  bytes[find(bytes, "3\n", find(bytes, "traced/version"))] = '9';
  EXPECT_THAT(over(bytes)->unpack("version", 100).error().message, HasSubstr("check sum"));

  const std::string code = "traced/code/__torch__/torch/nn/modules/conv.py.debug_pkl";
  bytes = golden("traced.pt");
  put(bytes, central_of(bytes, code) + 24, 5'000'000, 4);  // claims to inflate to more than it does
  EXPECT_THAT(over(bytes)->unpack("code/__torch__/torch/nn/modules/conv.py.debug_pkl", 1U << 24U).error().message,
              HasSubstr("it is damaged"));
  put(bytes, central_of(bytes, code) + 24, 5, 4);  // and to less
  EXPECT_THAT(over(bytes)->unpack("code/__torch__/torch/nn/modules/conv.py.debug_pkl", 1U << 24U).error().message,
              HasSubstr("it is damaged"));
}

TEST(ZipArchive, what_is_no_file_is_refused) {
  EXPECT_EQ(ZipArchive::open("tests/golden/convert/archive/none.pt").error().code, base::Code::kNotFound);
  EXPECT_EQ(ZipArchive::open("tests/golden/convert/archive").error().code, base::Code::kInvalidArgument);
  EXPECT_EQ(ZipArchive::open("/dev/null").error().code, base::Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipway::convert::archive
