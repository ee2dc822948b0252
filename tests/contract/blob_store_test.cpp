#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include <gmock/gmock.h>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/testing/file_size_limit.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/value_of.hpp"
#include "hub/storage/files/file_blob_store.hpp"
#include "hub/storage/memory/memory_blob_store.hpp"

namespace slipway::hub {
namespace {

using base::Code;
using base::testing::value_of;
using domain::Blob;
using domain::BlobStore;
using ::testing::HasSubstr;

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40;

/// A store of bytes of the kind named by the test's parameter. A further store is one more name where
/// the suites are instantiated.
class Blobs : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { reopen(); }
  /// Closes and opens again what outlives its process.
  void reopen() {
    if (!is_on_disk()) {
      if (!store_) store_ = std::make_unique<storage::MemoryBlobStore>(clock_);
      return;
    }
    store_.reset();
    auto opened = value_of(storage::FileBlobStore::open(folder(), clock_));
    store_ = std::move(opened);
  }
  [[nodiscard]] static bool is_on_disk() { return std::string(GetParam()) == "files"; }
  [[nodiscard]] std::filesystem::path folder() const { return folder_.path(); }
  BlobStore& store() { return *store_; }

  std::string write_part(const std::string& upload, std::uint32_t index, std::string_view content) {
    auto writer = store().write_part(upload, index, kNoLimit);
    EXPECT_TRUE(writer) << writer.error().message;
    // In pieces, as they come from a socket.
    for (std::size_t at = 0; at < content.size(); at += 700) {
      EXPECT_TRUE((*writer)->write(std::as_bytes(std::span(content.substr(at, 700)))));
    }
    auto etag = (*writer)->commit();
    EXPECT_TRUE(etag) << etag.error().message;
    return etag.value_or("");
  }
  /// In pieces of `room` bytes, as they go to a socket.
  base::Result<std::string> read_range(const Blob& blob, domain::ByteRange range, std::size_t room = 700) {
    SLIPWAY_ASSIGN(const auto reader, store().open_read(blob, range));
    std::string bytes;
    std::vector<std::byte> piece(room);
    while (true) {
      SLIPWAY_ASSIGN(const std::size_t count, reader->read(piece));
      if (count == 0) return bytes;
      bytes.append(reinterpret_cast<const char*>(piece.data()), count);
    }
  }
  std::string read(const Blob& blob) {
    const auto bytes = read_range(blob, {.first = 0, .size_bytes = blob.size_bytes});
    EXPECT_TRUE(bytes) << bytes.error().message;
    return bytes.value_or("");
  }
  /// As one whose row is written at once.
  base::Result<Blob> put(std::string_view bytes) { return store().pin()->put(bytes); }
  base::Result<Blob> assemble(const std::string& upload, const std::vector<std::string>& etags) {
    return store().pin()->assemble(upload, etags);
  }
  base::Result<BlobStore::Collected> collect(const std::set<std::string>& used, base::Time before, bool only_count) {
    return store().collect([&] { return used; }, before, only_count);
  }
  bool is_there(const Blob& blob) { return store().open_read(blob, {}).has_value(); }
  /// Of content that no upload holds.
  std::size_t blob_count() { return collect({}, base::Time::max(), true)->count; }

  base::testing::ManualClock clock_;

 private:
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-blobs").value();
  std::unique_ptr<BlobStore> store_;
};

constexpr auto kName = [](const ::testing::TestParamInfo<const char*>& info) { return std::string(info.param); };
INSTANTIATE_TEST_SUITE_P(Stores, Blobs, ::testing::Values("files", "memory"), kName);

/// What only bytes in files can show.
class FileBlobs : public Blobs {
 protected:
  [[nodiscard]] std::filesystem::path path_of(const Blob& blob) const {
    return folder() / "blobs" / blob.sha256.substr(0, 2) / blob.sha256.substr(2);
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, FileBlobs, ::testing::Values("files"), kName);

std::string random_text(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST_P(Blobs, names_one_part_by_its_hash_and_moves_it) {
  const std::string content = random_text(5000, 1);
  const std::string etag = write_part("u1", 0, content);
  EXPECT_EQ(etag, base::sha256_hex(content));
  const auto blob = value_of(assemble("u1", {etag}));
  EXPECT_EQ(blob.sha256, base::sha256_hex(content));
  EXPECT_EQ(blob.size_bytes, content.size());
  EXPECT_EQ(read(blob), content);
  EXPECT_TRUE(store().verify(blob));
}

TEST_P(Blobs, joins_parts_whatever_their_order) {
  const std::vector<std::string> parts = {random_text(3000, 1), random_text(3000, 2), random_text(10, 3)};
  const std::string whole = parts[0] + parts[1] + parts[2];
  const std::vector<std::vector<std::uint32_t>> orders = {{0, 1, 2}, {2, 1, 0},          {1, 0, 2},
                                                          {0, 2, 1}, {0, 0, 1, 1, 2, 2}, {0, 1, 0, 2}};
  int upload = 0;
  for (const auto& order : orders) {
    for (const bool restart : {false, true}) {
      const std::string id = "u" + std::to_string(upload++);
      std::vector<std::string> etags(3);
      for (const std::uint32_t index : order) {
        etags[index] = write_part(id, index, parts[index]);
        if (restart) reopen();
      }
      const auto blob = value_of(assemble(id, etags));
      EXPECT_EQ(blob.sha256, base::sha256_hex(whole));
      EXPECT_EQ(read(blob), whole);
      store().discard(id);
    }
  }
  EXPECT_EQ(blob_count(), 1U);
}

TEST_P(Blobs, takes_another_content_for_a_part_that_comes_again) {
  for (const bool restart : {false, true}) {
    for (const std::uint32_t again : {0U, 1U, 2U}) {
      const std::string id = fmt::format("u{}-{}", again, restart);
      std::vector<std::string> parts = {random_text(100, 1), random_text(200, 2), random_text(300, 3)};
      std::vector<std::string> etags;
      for (std::uint32_t i = 0; i < 3; ++i) etags.push_back(write_part(id, i, parts[i]));
      parts[again] = random_text(150, 9);
      if (restart) reopen();
      etags[again] = write_part(id, again, parts[again]);
      if (restart) reopen();
      const auto blob = value_of(assemble(id, etags));
      EXPECT_EQ(read(blob), parts[0] + parts[1] + parts[2]);
      EXPECT_EQ(blob.sha256, base::sha256_hex(parts[0] + parts[1] + parts[2]));
    }
  }
}

TEST_P(Blobs, gives_the_same_blob_when_asked_again_also_after_a_restart) {
  const std::string etag = write_part("u1", 0, "abc");
  const auto blob = assemble("u1", {etag});
  EXPECT_EQ(assemble("u1", {etag}).value(), blob.value());
  reopen();
  EXPECT_EQ(assemble("u1", {etag}).value(), blob.value());
  store().discard("u1");
  EXPECT_EQ(assemble("u1", {etag}).error().code, Code::kFailedPrecondition);
  EXPECT_EQ(read(*blob), "abc");
}

TEST_P(Blobs, keeps_the_same_content_once) {
  const auto first = assemble("u1", {write_part("u1", 0, "same")});
  const auto second = assemble("u2", {write_part("u2", 0, "same")});
  EXPECT_EQ(first.value(), second.value());
  EXPECT_EQ(put("same").value(), *first);
  for (const char* id : {"u1", "u2"}) store().discard(id);
  EXPECT_EQ(blob_count(), 1U);
  EXPECT_EQ(read(*second), "same");
}

TEST_P(Blobs, keeps_bytes_from_memory) {
  const auto blob = put("");
  ASSERT_TRUE(blob);
  EXPECT_EQ(blob->sha256, base::sha256_hex(""));
  EXPECT_EQ(read(*blob), "");
}

TEST_P(Blobs, gives_any_range_in_pieces_of_any_size) {
  const std::string content = random_text(5000, 4);
  const Blob blob = put(content).value();
  for (const std::size_t room : {1U, 700U, 5000U, 9000U}) {
    for (const auto& [first, size] : {std::pair{0U, 5000U}, {0U, 1U}, {4999U, 1U}, {100U, 3000U}, {5000U, 0U}}) {
      EXPECT_EQ(read_range(blob, {.first = first, .size_bytes = size}, room).value(), content.substr(first, size));
    }
  }
  auto reader = store().open_read(blob, {.first = 0, .size_bytes = 5000}).value();
  ASSERT_EQ(collect({}, base::Time::max(), false)->count, 1U);
  std::vector<std::byte> bytes(5000);
  EXPECT_EQ(reader->read(bytes).value(), 5000U) << "what is open can be read to its end";
}

TEST_P(Blobs, names_the_part_that_is_missing_or_different) {
  const std::string etag = write_part("u1", 0, "abc");
  const auto missing = assemble("u1", {etag, etag});
  EXPECT_EQ(missing.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(missing.error().message, HasSubstr("part 1 of 2 has not arrived"));
  const auto different = assemble("u1", {std::string(64, '0')});
  EXPECT_EQ(different.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(different.error().message, HasSubstr("part 0: the entity tag given"));
  EXPECT_EQ(assemble("never", {etag}).error().code, Code::kFailedPrecondition);
  EXPECT_TRUE(assemble("u1", {etag}));
}

TEST_P(Blobs, leaves_nothing_of_a_part_that_is_not_committed) {
  {
    auto writer = store().write_part("u1", 0, kNoLimit);
    ASSERT_TRUE((*writer)->write(std::as_bytes(std::span(std::string_view("a long piece that broke off")))));
  }
  EXPECT_EQ(assemble("u1", {base::sha256_hex("a long piece that broke off")}).error().code, Code::kFailedPrecondition);
  const auto blob = assemble("u1", {write_part("u1", 0, "short")});
  ASSERT_TRUE(blob);
  EXPECT_EQ(read(*blob), "short");
}

TEST_P(Blobs, refuses_more_than_the_limit) {
  auto writer = store().write_part("u1", 0, 4);
  ASSERT_TRUE((*writer)->write(std::as_bytes(std::span(std::string_view("1234")))));
  const auto more = (*writer)->write(std::as_bytes(std::span(std::string_view("5"))));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::kResourceExhausted);
  EXPECT_FALSE((*writer)->commit());
}

TEST_P(Blobs, lets_no_id_climb_out_of_the_folder) {
  for (const char* id : {"..", "../x", "a/b", "", ".", "a b", "a\n"}) {
    EXPECT_EQ(store().write_part(id, 0, 1).error().code, Code::kInvalidArgument) << id;
    EXPECT_FALSE(assemble(id, {"x"})) << id;
    store().discard(id);
  }
  for (const char* sha : {"", "..", "../../../../etc/passwd"}) {
    EXPECT_EQ(store().open_read({.sha256 = sha, .size_bytes = 0}, {}).error().code, Code::kNotFound) << sha;
  }
  EXPECT_EQ(std::filesystem::exists(folder() / "blobs"), is_on_disk());
}

TEST_P(FileBlobs, notices_lost_and_changed_bytes) {
  const Blob blob = put("precious").value();
  const auto path = path_of(blob);
  std::ofstream(path) << "PRECIOUS";
  EXPECT_EQ(store().verify(blob).error().code, Code::kDataLoss);
  auto reader = store().open_read(blob, {.first = 0, .size_bytes = 8}).value();
  std::ofstream(path) << "prec";
  EXPECT_EQ(store().open_read(blob, {}).error().code, Code::kDataLoss);
  std::vector<std::byte> bytes(4);
  EXPECT_EQ(reader->read(bytes).value(), 4U);
  EXPECT_EQ(reader->read(bytes).error().code, Code::kDataLoss) << "the rest is not made up";
  std::filesystem::remove(path);
  EXPECT_EQ(store().open_read(blob, {}).error().code, Code::kNotFound);
}

TEST_P(FileBlobs, no_message_names_the_folder_of_the_store) {
  const std::string etag = write_part("begun", 0, "bytes");
  const auto expect_no_folder = [&](const auto& outcome) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message.find(folder().string()), std::string::npos) << outcome.error().message;
  };
  auto open_part = store().write_part("open", 0, kNoLimit);
  ASSERT_TRUE(open_part);
  // Files where folders were, so that everything fails.
  for (const char* name : {"uploads", "blobs"}) {
    std::filesystem::remove_all(folder() / name);
    std::ofstream(folder() / name) << "a file";
  }
  expect_no_folder((*open_part)->commit());
  expect_no_folder(store().write_part("new", 0, kNoLimit));
  expect_no_folder(store().write_part("begun", 1, kNoLimit));
  expect_no_folder(assemble("begun", {etag}));
  expect_no_folder(put("other bytes"));
}

// A client that gives up on a connection sends the part again while the server still reads the first copy.
TEST_P(Blobs, keeps_what_a_tag_promised_beside_a_second_sender) {
  auto slow = store().write_part("u1", 0, kNoLimit);
  ASSERT_TRUE((*slow)->write(std::as_bytes(std::span(std::string_view("evil ev")))));
  const std::string etag = write_part("u1", 0, "good bytes");
  const std::string next = write_part("u1", 1, " and more");
  ASSERT_TRUE((*slow)->write(std::as_bytes(std::span(std::string_view("il evil")))));
  const auto blob = value_of(assemble("u1", {etag, next}));
  ASSERT_TRUE((*slow)->write(std::as_bytes(std::span(std::string_view("evil evil")))));
  static_cast<void>((*slow)->commit());
  EXPECT_EQ(read(blob), "good bytes and more");
  EXPECT_TRUE(store().verify(blob));
}

TEST_P(Blobs, stays_true_when_threads_send_the_same_parts) {
  const std::vector<std::string> parts = {random_text(40'000, 1), random_text(40'000, 2)};
  const std::string whole = base::sha256_hex(parts[0] + parts[1]);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.emplace_back([&, t] {
        for (int n = 0; n < 8; ++n) {
          // Three threads share an upload, so parts come twice and at once.
          const std::string id = fmt::format("u{}-{}", n, t % 2);
          std::vector<std::string> etags;
          for (std::uint32_t i = 0; i < 2; ++i) {
            auto writer = store().write_part(id, i, kNoLimit);
            if (!writer || !(*writer)->write(std::as_bytes(std::span(parts[i])))) {
              ++wrong;
              return;
            }
            const auto etag = (*writer)->commit();
            if (!etag) {
              ++wrong;
              return;
            }
            etags.push_back(*etag);
          }
          const auto blob = assemble(id, etags);
          if (!blob || blob->sha256 != whole || !store().verify(*blob)) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  for (int n = 0; n < 8; ++n) {
    for (int t = 0; t < 2; ++t) store().discard(fmt::format("u{}-{}", n, t));
  }
  EXPECT_EQ(blob_count(), 1U);
}

// A file size limit stands for a full disk: the write comes back short and then fails.
TEST_P(FileBlobs, says_that_the_disk_is_full_and_shows_nothing_half) {
  {
    const base::testing::FileSizeLimit limit(10'000);
    auto writer = store().write_part("u1", 0, kNoLimit);
    const std::string content(50'000, 'x');
    const auto written = (*writer)->write(std::as_bytes(std::span(content)));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Code::kResourceExhausted);
    EXPECT_FALSE((*writer)->commit());
    const auto stored = put(content);
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().code, Code::kResourceExhausted);
  }
  EXPECT_EQ(blob_count(), 0U);
  reopen();
  EXPECT_FALSE(assemble("u1", {base::sha256_hex(std::string(50'000, 'x'))}));
  EXPECT_TRUE(assemble("u1", {write_part("u1", 0, "now there is room")}));
}

class Collection : public FileBlobs {
 protected:
  /// Content that nobody has kept for an hour.
  Blob old_content(const std::string& text) {
    const Blob blob = put(text).value();
    clock_.advance(std::chrono::hours(1));
    return blob;
  }
  [[nodiscard]] base::Time half_an_hour_ago() const { return clock_.now() - std::chrono::minutes(30); }
};

INSTANTIATE_TEST_SUITE_P(Stores, Collection, ::testing::Values("files", "memory"), kName);

TEST_P(Collection, takes_what_is_old_and_not_in_use) {
  const Blob used = old_content("used"), loose = old_content("loose!"), young = put("young").value();
  const auto would = value_of(collect({used.sha256}, half_an_hour_ago(), true));
  EXPECT_EQ(would.count, 1U);
  EXPECT_EQ(would.size_bytes, 6U);
  EXPECT_EQ(blob_count(), 3U);
  EXPECT_EQ(collect({used.sha256}, half_an_hour_ago(), false)->count, 1U);
  EXPECT_EQ(read(used), "used");
  EXPECT_EQ(read(young), "young");
  EXPECT_FALSE(is_there(loose));
  EXPECT_EQ(collect({used.sha256}, half_an_hour_ago(), false)->count, 0U);
  EXPECT_EQ(put("loose!").value(), loose) << "it can come again";
}

// The bytes of an upload lie there before its row does; old content that comes again is the upload's from then on.
TEST_P(Collection, leaves_content_that_has_just_come_in_again) {
  const Blob there = old_content("put again"), sent = old_content("sent again");
  ASSERT_TRUE(put("put again"));
  const std::string etag = write_part("u1", 0, "sent again");
  EXPECT_EQ(assemble("u1", {etag}).value(), sent);
  EXPECT_EQ(collect({}, half_an_hour_ago(), false)->count, 0U);
  EXPECT_EQ(read(there), "put again");
  reopen();
  EXPECT_EQ(assemble("u1", {etag}).value(), sent);
  EXPECT_EQ(read(sent), "sent again");
}

TEST_P(Collection, leaves_what_a_pin_or_an_upload_holds_however_old_it_looks) {
  const Blob loose = old_content("loose");
  auto pin = store().pin();
  const Blob put_again = pin->put("loose").value(), sent = assemble("u1", {write_part("u1", 0, "sent")}).value();
  const Blob joined = pin->assemble("u2", {write_part("u2", 0, "joined")}).value();
  store().discard("u2");
  clock_.advance(std::chrono::hours(72));
  EXPECT_EQ(collect({}, half_an_hour_ago(), false)->count, 0U);
  for (const Blob& blob : {put_again, sent, joined}) EXPECT_TRUE(is_there(blob));
  pin.reset();  // the store outlives it
  reopen();
  EXPECT_EQ(assemble("u1", {base::sha256_hex("sent")}).value(), sent) << "the upload holds it over a restart";
}

TEST_P(Collection, takes_what_is_not_held_any_more) {
  store().pin()->put("put").value();
  assemble("u1", {write_part("u1", 0, "sent")}).value();
  store().discard("u1");
  clock_.advance(std::chrono::hours(72));
  EXPECT_EQ(collect({}, half_an_hour_ago(), false)->count, 2U);
}

// The rows that it goes by are of one moment, and what comes after it may have its row when it is looked at.
TEST_P(Collection, leaves_what_was_kept_while_it_asked_for_the_rows) {
  auto before = store().pin();
  const Blob early = before->put("early").value();
  clock_.advance(std::chrono::hours(1));
  const auto in_use = [&]() -> base::Result<std::set<std::string>> {
    before.reset();
    EXPECT_TRUE(put("late"));
    EXPECT_TRUE(assemble("u1", {write_part("u1", 0, "sent late")}));
    store().discard("u1");
    clock_.advance(std::chrono::hours(1));
    return std::set<std::string>();
  };
  EXPECT_EQ(store().collect(in_use, base::Time::max(), false)->count, 0U);
  EXPECT_TRUE(is_there(early));
  EXPECT_EQ(collect({}, base::Time::max(), false)->count, 3U) << "the next one takes all of it";
}

TEST_P(Collection, removes_nothing_when_the_rows_cannot_be_read) {
  const Blob loose = old_content("loose");
  const auto away = [] { return base::Result<std::set<std::string>>(base::fail(Code::kUnavailable, "away")); };
  EXPECT_EQ(store().collect(away, base::Time::max(), false).error().code, Code::kUnavailable);
  EXPECT_TRUE(is_there(loose));
}

TEST_P(Collection, leaves_uploads_under_way_and_files_that_are_no_content) {
  old_content("loose");
  write_part("u1", 0, "on its way");
  if (is_on_disk()) std::ofstream(folder() / "blobs" / "note.txt") << "mine";
  EXPECT_EQ(collect({}, half_an_hour_ago(), false)->count, 1U);
  EXPECT_EQ(std::filesystem::exists(folder() / "blobs" / "note.txt"), is_on_disk());
  EXPECT_TRUE(assemble("u1", {base::sha256_hex("on its way")}));
}

TEST_P(Collection, beside_writers_loses_nothing_that_was_kept) {
  for (int n = 0; n < 200; ++n) old_content(fmt::format("content {}", n));
  std::thread writer([&] {
    for (int n = 199; n >= 0; --n) EXPECT_TRUE(put(fmt::format("content {}", n)));
  });
  EXPECT_TRUE(collect({}, half_an_hour_ago(), false));
  writer.join();
  for (int n = 0; n < 200; ++n) {
    const std::string text = fmt::format("content {}", n);
    EXPECT_TRUE(is_there({.sha256 = base::sha256_hex(text), .size_bytes = text.size()})) << n;
  }
}

}  // namespace
}  // namespace slipway::hub
