#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/testing/file_size_limit.hpp"
#include "base/testing/small_file_system.hpp"

namespace slipway::base {
namespace {

TEST(Sha256, gives_the_digests_of_fips_180) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, of_a_file_equals_that_of_its_bytes) {
  const auto folder = TemporaryFolder::create("slipway-test");
  ASSERT_TRUE(folder);
  const std::string content(3'000'001, 'x');
  ASSERT_TRUE(write_file_durably(folder->path() / "f", content));
  EXPECT_EQ(sha256_hex_of_file(folder->path() / "f").value(), sha256_hex(content));
}

TEST(EqualInConstantTime, tells_texts_apart) {
  EXPECT_TRUE(equal_in_constant_time("token", "token"));
  EXPECT_FALSE(equal_in_constant_time("token", "tokem"));
  EXPECT_FALSE(equal_in_constant_time("token", "token1"));
}

TEST(WriteFileDurably, follows_links_and_keeps_them) {
  const auto folder = TemporaryFolder::create("slipway-test");
  ASSERT_TRUE(folder);
  std::filesystem::create_directory(folder->path() / "far");
  std::filesystem::create_symlink("far/real", folder->path() / "near");
  std::filesystem::create_symlink("near", folder->path() / "link");
  ASSERT_TRUE(write_file_durably(folder->path() / "link", "a file that is new"));
  ASSERT_TRUE(write_file_durably(folder->path() / "link", "x"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder->path() / "link"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder->path() / "near"));
  EXPECT_EQ(read_file(folder->path() / "far/real", 100).value(), "x");
}

TEST(WriteFileDurably, writes_into_a_pipe_in_place_of_replacing_it) {
  const auto folder = TemporaryFolder::create("slipway-test");
  ASSERT_TRUE(folder);
  const auto path = folder->path() / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { std::getline(std::ifstream(path), read); });
  EXPECT_TRUE(write_file_durably(path, "line\n"));
  reader.join();
  EXPECT_EQ(read, "line");
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}

TEST(RenameDurably, replaces_what_a_link_leads_to_and_no_pipe) {
  const auto folder = TemporaryFolder::create("slipway-test");
  ASSERT_TRUE(folder);
  const auto at = [&](const char* name) { return folder->path() / name; };
  std::filesystem::create_symlink(at("real"), at("link"));
  ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  ASSERT_TRUE(write_file_durably(at("new"), "whole"));
  EXPECT_EQ(rename_durably(at("new"), at("pipe")).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(std::filesystem::is_fifo(at("pipe")));
  ASSERT_TRUE(rename_durably(at("new"), at("link")));
  EXPECT_TRUE(std::filesystem::is_symlink(at("link")));
  EXPECT_EQ(read_file(at("real"), 100).value(), "whole");
}

TEST(WriteFileDurably, replaces_a_file_whole_and_leaves_no_temporary) {
  const auto folder = TemporaryFolder::create("slipway-test");
  ASSERT_TRUE(folder);
  const auto path = folder->path() / "client.ini";
  ASSERT_TRUE(write_file_durably(path, "old"));
  ASSERT_TRUE(write_file_durably(path, "new", 0600));
  EXPECT_EQ(read_file(path, 100).value(), "new");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder->path()), {}), 1);
}

TEST(WriteFileDurably, says_which_folder_is_missing) {
  const auto outcome = write_file_durably("/no/such/folder/file", "x");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kNotFound);
  EXPECT_NE(outcome.error().message.find("/no/such/folder/file"), std::string::npos);
}

TEST(WriteFileDurably, leaves_nothing_when_there_is_no_room) {
  const auto folder = TemporaryFolder::create("slipway-test");
  ASSERT_TRUE(folder);
  const testing::FileSizeLimit limit(10'000);
  const auto outcome = write_file_durably(folder->path() / "f", std::string(20'000, 'x'));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, Reason::kOutOfDisk);
  EXPECT_TRUE(std::filesystem::is_empty(folder->path()));
}

TEST(WriteFileDurably, says_that_a_file_system_is_full_or_read_only) {
  auto small = testing::SmallFileSystem::mount(1 << 20);
  if (!small) GTEST_SKIP() << "mounting a file system is not permitted here";
  const auto filling = small->fill();
  EXPECT_EQ(write_file_durably(small->path() / "f", std::string(20'000, 'x')).error().reason, Reason::kOutOfDisk);
  EXPECT_EQ(obstacle_to_writing(small->path()), Reason::kOutOfDisk);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(small->path()), {}), 1);
  std::filesystem::remove(filling);
  ASSERT_TRUE(small->make_read_only(true));
  EXPECT_EQ(write_file_durably(small->path() / "f", "x").error().reason, Reason::kReadOnly);
  EXPECT_EQ(obstacle_to_writing(small->path()), Reason::kReadOnly);
  ASSERT_TRUE(small->make_read_only(false));
  EXPECT_EQ(obstacle_to_writing(small->path()), Reason::kNone);
  EXPECT_TRUE(write_file_durably(small->path() / "f", "x"));
}

TEST(ErrnoError, tells_a_full_disk_from_no_memory) {
  for (const int number : {ENOSPC, EDQUOT, EFBIG}) {
    EXPECT_EQ(errno_error(number, "write").reason, Reason::kOutOfDisk) << std::strerror(number);
    EXPECT_EQ(errno_error(number, "write").code, Code::kResourceExhausted);
  }
  EXPECT_EQ(errno_error(ENOMEM, "map").reason, Reason::kOutOfMemory);
  EXPECT_EQ(errno_error(EROFS, "open").reason, Reason::kReadOnly);
  EXPECT_EQ(errno_error(EACCES, "open").reason, Reason::kNone);
}

TEST(Reason, stays_with_an_error_on_its_way_up_and_has_a_name_of_its_own) {
  EXPECT_EQ(errno_error(ENOSPC, "write").with("part 3").reason, Reason::kOutOfDisk);
  for (const Reason reason :
       {Reason::kNone, Reason::kOutOfDisk, Reason::kOutOfMemory, Reason::kReadOnly, Reason::kUnsupportedOperator}) {
    EXPECT_EQ(reason_of_name(reason_name(reason)), reason);
  }
  EXPECT_EQ(reason_of_name("out_of_patience"), Reason::kNone);
}

TEST(ReadFile, refuses_more_than_the_limit) {
  const auto folder = TemporaryFolder::create("slipway-test");
  ASSERT_TRUE(folder);
  ASSERT_TRUE(write_file_durably(folder->path() / "f", "12345"));
  EXPECT_EQ(read_file(folder->path() / "f", 4).error().code, Code::kResourceExhausted);
}

TEST(RandomIdSource, keeps_to_its_alphabet_and_does_not_repeat) {
  RandomIdSource ids;
  const std::string a = ids.id("m", 8);
  EXPECT_EQ(a.size(), 9U);
  EXPECT_EQ(a.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"), std::string::npos);
  EXPECT_NE(a, ids.id("m", 8));
  EXPECT_EQ(ids.secret().size(), 32U);
}

TEST(Iso8601, prints_utc_with_milliseconds) {
  EXPECT_EQ(iso8601(Time(std::chrono::microseconds(1'700'000'000'123'456))), "2023-11-14T22:13:20.123Z");
}

}  // namespace
}  // namespace slipway::base
