// What only a store of files can suffer: no room, a folder that takes no writes, names left by a former process. What
// every store must do is in tests/contract.
#include "hub/storage/files/file_blob_store.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/testing/file_size_limit.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/small_file_system.hpp"
#include "base/testing/value_of.hpp"

namespace slipway::hub::storage {
namespace {

using base::testing::value_of;
namespace fs = std::filesystem;
using base::Reason;
using base::testing::FileSizeLimit;
using base::testing::SmallFileSystem;
using domain::BlobStore;

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string write_part(BlobStore& store, std::uint32_t index, std::string_view content) {
  auto writer = store.write_part("u1", index, kNoLimit);
  EXPECT_TRUE(writer) << writer.error().message;
  EXPECT_TRUE((*writer)->write(bytes_of(content)));
  return (*writer)->commit().value_or("");
}

std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) sum += entry.file_size();
  }
  return sum;
}

class FileBlobs : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void reopen() {
    store_.reset();
    store_ = FileBlobStore::open(folder_.path(), clock_).value();
  }
  [[nodiscard]] fs::path uploads() const { return folder_.path() / "uploads"; }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-files").value();
  base::testing::ManualClock clock_;
  std::unique_ptr<FileBlobStore> store_;
};

TEST_F(FileBlobs, keeps_no_bytes_of_a_part_that_found_no_room) {
  for (const std::uint32_t index : {0U, 1U}) {  // behind the joined file, and in a file of its own
    auto writer = store_->write_part("u1", index, kNoLimit);
    ASSERT_TRUE(writer);
    const FileSizeLimit limit(10'000);
    ASSERT_TRUE((*writer)->write(bytes_of(std::string(8'000, 'x'))));
    const auto written = (*writer)->write(bytes_of(std::string(8'000, 'x')));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().reason, Reason::kOutOfDisk);
    EXPECT_EQ(bytes_in(uploads()), 0U) << "also while the writer is still held";
    EXPECT_FALSE((*writer)->commit());
  }
}

TEST_F(FileBlobs, takes_the_part_again_once_there_is_room) {
  const std::string first(6'000, 'a'), second(6'000, 'b');
  const std::string etag = write_part(*store_, 0, first);
  {
    const FileSizeLimit limit(10'000);
    auto writer = store_->write_part("u1", 1, kNoLimit);
    EXPECT_EQ((*writer)->write(bytes_of(second)).error().reason, Reason::kOutOfDisk);
  }
  const auto blob = value_of(store_->pin()->assemble("u1", {etag, write_part(*store_, 1, second)}));
  EXPECT_EQ(blob.sha256, base::sha256_hex(first + second));
}

// The number of files is not the highest of their numbers once one of them has gone.
TEST_F(FileBlobs, never_writes_over_a_committed_part_after_a_restart) {
  const std::string second = "the second part", third = "the third part";
  auto given_up = store_->write_part("u1", 1, kNoLimit);
  const std::string third_tag = write_part(*store_, 2, third);
  given_up->reset();
  reopen();
  {
    // Sent again because the answer was lost; it is the same, so the first copy stands.
    EXPECT_EQ(write_part(*store_, 2, third), third_tag);
    reopen();
    // And once more, breaking off.
    auto writer = value_of(store_->write_part("u1", 2, kNoLimit));
    ASSERT_TRUE(writer->write(bytes_of("brea")));
  }
  const std::string first_tag = write_part(*store_, 0, "the first part");
  const std::string second_tag = write_part(*store_, 1, second);
  const auto blob = value_of(store_->pin()->assemble("u1", {first_tag, second_tag, third_tag}));
  EXPECT_EQ(blob.sha256, base::sha256_hex("the first partthe second partthe third part"));
  EXPECT_TRUE(store_->verify(blob));
}

TEST(FileBlobsOnASmallDisk, frees_what_did_not_fit_and_goes_on_reading) {
  const auto disk = SmallFileSystem::mount(4 << 20);
  if (!disk) GTEST_SKIP() << "mounting a file system is not permitted here";
  const base::testing::ManualClock clock;
  const auto store = FileBlobStore::open(disk->path(), clock).value();
  const auto kept = store->pin()->put("kept").value();
  const std::string half(3 << 20, 'h');
  {
    auto writer = store->write_part("u1", 0, kNoLimit);
    ASSERT_TRUE((*writer)->write(bytes_of(half)));
    const auto outcome = (*writer)->write(bytes_of(half));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().reason, Reason::kOutOfDisk);
  }
  EXPECT_EQ(bytes_in(disk->path() / "uploads"), 0U);
  EXPECT_TRUE(store->pin()->put(half)) << "its room is free again";

  const auto filling = disk->fill();
  const auto refused = store->pin()->put("something else");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kOutOfDisk);
  EXPECT_TRUE(store->verify(kept));
  fs::remove(filling);
  EXPECT_TRUE(store->pin()->put("something else"));
}

TEST(FileBlobsOnAReadOnlyDisk, can_be_read_and_says_why_nothing_is_taken) {
  auto disk = SmallFileSystem::mount(4 << 20);
  if (!disk) GTEST_SKIP() << "mounting a file system is not permitted here";
  const base::testing::ManualClock clock;
  const auto store = FileBlobStore::open(disk->path(), clock).value();
  const auto kept = store->pin()->put("kept").value();
  ASSERT_TRUE(disk->make_read_only(true));
  EXPECT_EQ(store->pin()->put("more").error().reason, Reason::kReadOnly);
  EXPECT_EQ(store->write_part("u1", 0, kNoLimit).error().reason, Reason::kReadOnly);
  EXPECT_TRUE(store->verify(kept));
  ASSERT_TRUE(disk->make_read_only(false));
  EXPECT_TRUE(store->pin()->put("more"));
}

}  // namespace
}  // namespace slipway::hub::storage
