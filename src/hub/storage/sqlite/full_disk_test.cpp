// Rows where there is no room for more of them.
#include <filesystem>

#include <gtest/gtest.h>

#include "base/testing/file_size_limit.hpp"
#include "base/testing/small_file_system.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

namespace slipway::hub::storage {
namespace {

using base::Reason;

const base::SystemClock kClock;

domain::User user_of(const std::string& id) {
  return {.id = id, .email = id + "@example.org", .role = domain::Role::kMember, .created = {}};
}

/// Inserts until one is refused, and returns the refusal.
base::Error fill_with_users(SqliteStore& store) {
  for (int number = 0; number < 100'000; ++number) {
    const auto outcome = store.insert_user(user_of(fmt::format("{}-{}", number, std::string(2'000, 'x'))));
    if (!outcome) return outcome.error();
  }
  return {};
}

TEST(RowsWithoutRoom, are_refused_and_the_others_can_be_read) {
  const auto folder = base::TemporaryFolder::create("slipway-rows").value();
  const auto store = SqliteStore::open(folder.path() / "hub.sqlite", kClock).value();
  ASSERT_TRUE(store->insert_user(user_of("first")));
  {
    const base::testing::FileSizeLimit limit(1 << 20);
    const base::Error refusal = fill_with_users(*store);
    EXPECT_NE(refusal.code, base::Code::kUnknown) << "all were taken";
    EXPECT_TRUE(store->user("first"));
  }
  EXPECT_TRUE(store->insert_user(user_of("later")));
}

TEST(RowsOnASmallDisk, are_taken_again_once_there_is_room) {
  const auto disk = base::testing::SmallFileSystem::mount(4 << 20);
  if (!disk) GTEST_SKIP() << "mounting a file system is not permitted here";
  const auto store = SqliteStore::open(disk->path() / "hub.sqlite", kClock).value();
  ASSERT_TRUE(store->insert_user(user_of("first")));
  const auto filling = disk->fill();
  const base::Error refusal = fill_with_users(*store);
  EXPECT_EQ(refusal.reason, Reason::kOutOfDisk) << refusal.message;
  EXPECT_TRUE(store->user("first"));
  std::filesystem::remove(filling);
  EXPECT_TRUE(store->insert_user(user_of("later")));
}

}  // namespace
}  // namespace slipway::hub::storage
