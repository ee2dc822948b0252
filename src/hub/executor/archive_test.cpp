#include "hub/executor/archive.hpp"

#include <fstream>

#include <archive.h>
#include <archive_entry.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/file_size_limit.hpp"
#include "base/testing/value_of.hpp"
#include "hub/datasets/testing/python.hpp"

namespace slipway::hub::executor {
namespace {

using base::testing::value_of;
namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Entry {
  std::string name;
  std::string content;
  std::string link_to;
};

class Archive : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::create("slipway-archive-test-");
    ASSERT_TRUE(folder);
    root_.emplace(std::move(*folder));
    fs::create_directories(into());
  }
  [[nodiscard]] fs::path zip() const { return root_->path() / "a.zip"; }
  [[nodiscard]] fs::path into() const { return root_->path() / "into"; }

  void write_zip(const std::vector<Entry>& entries) const {
    auto* writer = ::archive_write_new();
    ::archive_write_set_format_zip(writer);
    ASSERT_EQ(::archive_write_open_filename(writer, zip().c_str()), ARCHIVE_OK);
    for (const auto& [name, content, link_to] : entries) {
      auto* entry = ::archive_entry_new();
      ::archive_entry_set_pathname(entry, name.c_str());
      ::archive_entry_set_perm(entry, 0644);
      ::archive_entry_set_filetype(entry, !link_to.empty() ? AE_IFLNK : name.ends_with('/') ? AE_IFDIR : AE_IFREG);
      if (!link_to.empty()) ::archive_entry_set_symlink(entry, link_to.c_str());
      ::archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
      ::archive_write_header(writer, entry);
      ::archive_write_data(writer, content.data(), content.size());
      ::archive_entry_free(entry);
    }
    ::archive_write_free(writer);
  }
  void expect_refused(const std::string& words, const ArchiveLimits& limits = {}) {
    const auto folder = unpack_folder(zip(), into(), limits);
    ASSERT_FALSE(folder) << *folder;
    EXPECT_EQ(folder.error().code, base::Code::kInvalidArgument);
    EXPECT_THAT(folder.error().message, HasSubstr(words));
    for (const auto& entry : fs::recursive_directory_iterator(root_->path())) {
      EXPECT_FALSE(entry.path().filename() == "evil") << entry.path();
    }
  }

  std::optional<base::TemporaryFolder> root_;
};

TEST_F(Archive, unpacks_what_the_official_client_packs) {
  SLIPWAY_NEEDS_PYTHON();
  const auto model = root_->path() / "net.onnx.dir";
  fs::create_directories(model);
  std::ofstream(model / "model.onnx") << "graph";
  std::ofstream(model / "model.data") << std::string(3'000'000, 'w');
  datasets::testing::run_python(R"(
import sys
from qai_hub.util.zipped_model import zip_model
import inspect, pathlib
source, target = sys.argv[1:]
parameters = list(inspect.signature(zip_model).parameters)
import tempfile, shutil
with tempfile.TemporaryDirectory() as folder:
    made = zip_model(folder, source) if len(parameters) == 2 else zip_model(source)
    shutil.copy(made, target)
)",
                                {model, zip()});
  const auto folder = value_of(unpack_folder(zip(), into()));
  EXPECT_EQ(folder.filename(), "net.onnx.dir");
  EXPECT_EQ(base::read_file(folder / "model.onnx", 100).value(), "graph");
  EXPECT_EQ(fs::file_size(folder / "model.data"), 3'000'000U);
}

// Tests run in the "C" locale, as services do.
TEST_F(Archive, unpacks_names_in_any_language) {
  SLIPWAY_NEEDS_PYTHON();
  datasets::testing::run_python(R"(
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("モデル/", "")
    archive.writestr("モデル/modèle.onnx", "graph")
)",
                                {zip()});
  const auto folder = value_of(unpack_folder(zip(), into()));
  EXPECT_EQ(folder.filename(), "モデル");
  EXPECT_EQ(base::read_file(folder / "modèle.onnx", 100).value(), "graph");
  EXPECT_EQ(list_archive(zip())->front().name, "モデル/modèle.onnx");
}

// A letter may be one character or one with an accent behind it, as the file system of a Mac has it: two names.
TEST_F(Archive, takes_letters_apart_or_together_as_they_are) {
  SLIPWAY_NEEDS_PYTHON();
  datasets::testing::run_python(R"(
import sys, unicodedata, zipfile
apart, together = (unicodedata.normalize(form, "modèle") for form in ("NFD", "NFC"))
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr(f"{apart}/", "")
    archive.writestr(f"{apart}/{apart}.onnx", "graph " * 1000)
    archive.writestr(f"{apart}/{together}.data", "w" * 200000)
    archive.writestr(f"{apart}/plain.bin", "")
    archive.writestr(f"{apart}/" + unicodedata.normalize("NFD", "한글.encodings"), unicodedata.normalize("NFD", "한글"))
)",
                                {zip()});
  const auto folder = value_of(unpack_folder(zip(), into()));
  const std::string apart = "mode\u0300le", together = "mod\u00e8le";
  EXPECT_EQ(folder.filename(), apart);
  EXPECT_EQ(fs::file_size(folder / (apart + ".onnx")), 6000U);
  EXPECT_EQ(fs::file_size(folder / (together + ".data")), 200'000U);
  EXPECT_FALSE(fs::exists(folder / (together + ".onnx")));
  EXPECT_EQ(list_archive(zip())->front().name, apart + "/" + apart + ".onnx");
}

TEST_F(Archive, keeps_the_bytes_of_names_that_are_in_another_encoding) {
  write_zip({{"mod\xe8le/", "", ""}, {"mod\xe8le/a.onnx", "graph", ""}});
  const auto folder = value_of(unpack_folder(zip(), into()));
  EXPECT_EQ(folder.filename(), "mod\xe8le");
}

TEST_F(Archive, says_that_a_name_is_not_the_utf8_it_is_marked_as) {
  SLIPWAY_NEEDS_PYTHON();
  datasets::testing::run_python(R"(
import pathlib, sys, zipfile
path = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(path, "w") as archive:
    archive.writestr("m/è.onnx", "graph")
path.write_bytes(path.read_bytes().replace("è".encode(), b"\xe8\xe8"))
)",
                                {zip()});
  expect_refused("entry 1 of the zip has a name that is marked as UTF-8 and is not");
}

TEST_F(Archive, packs_names_in_any_language_so_that_python_reads_them) {
  SLIPWAY_NEEDS_PYTHON();
  const auto model = root_->path() / "out";
  fs::create_directories(model);
  std::ofstream(model / "モデル.onnx") << "graph";
  ASSERT_TRUE(pack_folder(model, "modèle", zip()));
  datasets::testing::run_python(R"(
import sys, zipfile
names = zipfile.ZipFile(sys.argv[1]).namelist()
assert names == ["modèle/", "modèle/モデル.onnx"], names
)",
                                {zip()});
}

TEST_F(Archive, tells_a_full_disk_from_a_bad_archive) {
  write_zip({{"m/", "", ""}, {"m/a.onnx", std::string(100'000, 'x'), ""}});
  const base::testing::FileSizeLimit limit(50'000);
  EXPECT_EQ(unpack_folder(zip(), into()).error().reason, base::Reason::kOutOfDisk);
  const auto model = root_->path() / "out";
  fs::create_directories(model);
  std::ofstream(model / "a.onnx") << std::string(40'000, 'x');
  std::ofstream(model / "b.onnx") << std::string(40'000, 'x');
  const auto packed = pack_folder(model, "m", root_->path() / "b.zip");
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().reason, base::Reason::kOutOfDisk) << packed.error().message;
}

struct WrongEntries {
  const char* name;
  std::vector<Entry> entries;
  const char* words;
};

class WrongArchive : public Archive, public ::testing::WithParamInterface<WrongEntries> {};

TEST_P(WrongArchive, is_refused_in_words) {
  write_zip(GetParam().entries);
  expect_refused(GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    entries, WrongArchive,
    ::testing::Values(
        WrongEntries{"path_that_climbs_out", {{"m/", "", ""}, {"m/../../evil", "x", ""}}, "climbs out"},
        WrongEntries{"absolute_path", {{"/tmp/evil", "x", ""}}, "absolute path"},
        // libarchive reads a backslash as a slash when the maker was Windows.
        WrongEntries{"backslashes", {{"m\\..\\evil", "x", ""}}, "refused"},
        WrongEntries{"link", {{"m/", "", ""}, {"m/link", "", "/etc/passwd"}, {"m/link/evil", "x", ""}}, "link"},
        WrongEntries{"a_name_twice", {{"m/", "", ""}, {"m/a.onnx", "x", ""}, {"m/a.onnx", "y", ""}}, "twice"},
        WrongEntries{"two_folders_at_the_top", {{"m/a.onnx", "x", ""}, {"n/b.onnx", "y", ""}}, "one folder"},
        WrongEntries{"file_at_the_top", {{"a.onnx", "x", ""}}, "one folder"}),
    [](const auto& about) { return about.param.name; });

TEST_F(Archive, refuses_a_bomb_before_it_fills_the_disk) {
  write_zip({{"m/zeros.data", std::string(8'000'000, '\0'), ""}});
  ASSERT_LT(fs::file_size(zip()), 20'000U) << "the test's archive must compress well";
  ArchiveLimits limits;
  limits.slack_bytes = 1'000'000;
  expect_refused("unpacks to more than", limits);
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(into())) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  EXPECT_LE(bytes, 6'000'000U);
  limits.slack_bytes = 10'000'000;
  EXPECT_TRUE(unpack_folder(zip(), root_->path() / "other", limits)) << "the same archive fits a larger limit";
}

TEST_F(Archive, refuses_too_many_entries) {
  std::vector<Entry> entries;
  for (int index = 0; index < 50; ++index) entries.push_back({fmt::format("m/{}", index), "", ""});
  write_zip(entries);
  ArchiveLimits limits;
  limits.entries = 20;
  expect_refused("more than 20 entries", limits);
}

TEST_F(Archive, refuses_truncated_empty_and_random_files) {
  write_zip({{"m/a.onnx", std::string(100'000, 'x'), ""}});
  fs::resize_file(zip(), fs::file_size(zip()) / 2);
  expect_refused("not a readable zip");
  std::ofstream(zip(), std::ios::trunc).close();
  expect_refused("zip archive");
  std::ofstream(zip()) << "PK\x03\x04 and then noise, noise, noise";
  expect_refused("not a readable zip");
}

TEST_F(Archive, packs_a_folder_that_python_reads_and_gives_the_same_bytes_again) {
  SLIPWAY_NEEDS_PYTHON();
  const auto model = root_->path() / "out";
  fs::create_directories(model);
  std::ofstream(model / "model.onnx") << "graph";
  std::ofstream(model / "model.data") << std::string(2'000'000, 'w');
  ASSERT_TRUE(pack_folder(model, "job_j1_optimized_onnx", zip()));
  datasets::testing::run_python(R"(
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
assert archive.namelist() == ["job_j1_optimized_onnx/", "job_j1_optimized_onnx/model.data",
                              "job_j1_optimized_onnx/model.onnx"], archive.namelist()
assert archive.read("job_j1_optimized_onnx/model.onnx") == b"graph"
assert archive.getinfo("job_j1_optimized_onnx/model.data").file_size == 2000000
)",
                                {zip()});
  ASSERT_TRUE(pack_folder(model, "job_j1_optimized_onnx", root_->path() / "again.zip"));
  EXPECT_EQ(base::read_file(zip(), 1 << 24).value(), base::read_file(root_->path() / "again.zip", 1 << 24).value());
  const auto folder = value_of(unpack_folder(zip(), into()));
  EXPECT_EQ(fs::file_size(folder / "model.data"), 2'000'000U);
}

}  // namespace
}  // namespace slipway::hub::executor
