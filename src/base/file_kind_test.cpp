#include "base/file_kind.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "base/files.hpp"

namespace slipway::base {
namespace {

using namespace std::string_view_literals;

TEST(FileKind, is_told_by_the_first_bytes) {
  EXPECT_EQ(kind_of_content(""), "an empty file");
  EXPECT_EQ(kind_of_content("hello\n\xC3\xA4"), "text");
  EXPECT_EQ(kind_of_content("\0\0\0\0"sv), "nothing but zeros");
  EXPECT_EQ(kind_of_content("\x01\x02\x03\x07\x09"), "bytes of no format known here");
  EXPECT_EQ(kind_of_content("\xE0\xE1\xE2\xE3\xE4\xE5\xE6\xE7\xE8"), "bytes of no format known here");
  EXPECT_EQ(kind_of_content("a letter is cut: \xE7\x8C"), "text");
  EXPECT_EQ(kind_of_content("%PDF-1.7"), "a PDF document");
  EXPECT_EQ(kind_of_content("RIFF\x10\0\0\0WAVEfmt "sv), "WAV sound");
  EXPECT_EQ(kind_of_content("\0\0\0\x18"
                            "ftypheic"sv),
            "a HEIC picture");
  EXPECT_EQ(kind_of_content("\0\0\0\x18"
                            "ftypisom"sv),
            "an MP4 or MOV video");
  EXPECT_EQ(kind_of_content("\x1C\0\0\0TFL3"sv), "a TFLite model");
}

TEST(FileKind, of_real_files_is_theirs) {
  EXPECT_EQ(kind_of_file("tests/golden/media/rgb.png"), "a PNG picture");
  EXPECT_EQ(kind_of_file("tests/golden/models/add.npz"), "a zip archive");
  EXPECT_EQ(kind_of_file("tests/golden"), "a folder");
  EXPECT_EQ(kind_of_file("README.md"), "text");
  EXPECT_EQ(kind_of_file("/dev/null"), "nothing that can be read twice");
  EXPECT_EQ(kind_of_file("no such file"), "nothing that can be read twice");
  const auto folder = TemporaryFolder::create("slipway-kind").value();
  std::ofstream(folder.path() / "empty");
  EXPECT_EQ(kind_of_file(folder.path() / "empty"), "an empty file");
}

}  // namespace
}  // namespace slipway::base
