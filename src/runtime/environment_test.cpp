#include "runtime/environment.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "runtime/testing/environment.hpp"

namespace slipway::runtime {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): one test
using base::Code;
using ::testing::HasSubstr;

TEST(Environment, says_the_librarys_version) {
  EXPECT_THAT(environment()->onnxruntime_version(), ::testing::MatchesRegex("1\\.[0-9]+\\.[0-9]+.*"));
}

TEST(Environment, is_one_for_the_process) {
  EXPECT_EQ(Environment::open(environment()->paths()).value(), environment());
}

TEST(Environment, refuses_a_second_build_in_the_same_process) {
  LibraryPaths other = environment()->paths();
  other.onnxruntime = "/lib/other/libonnxruntime.so.1";
  const auto opened = Environment::open(other);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kFailedPrecondition);
}

TEST(Environment, lists_every_provider_with_what_it_needs) {
  const auto statuses = environment()->providers();
  ASSERT_EQ(statuses.size(), provider_table().size());
  EXPECT_EQ(statuses[0].row.name, "cpu");
  EXPECT_TRUE(statuses[0].available);
  for (const ProviderStatus& status : statuses) {
    EXPECT_FALSE(status.detail.empty()) << status.row.name;
    EXPECT_FALSE(status.row.name == "directml" && status.available);
  }
}

TEST(Environment, reads_qairts_version_from_its_library) {
  if (!has_qnn()) GTEST_SKIP() << "no QNN plug-in here";
  ASSERT_TRUE(environment()->qairt_version());
  EXPECT_THAT(*environment()->qairt_version(), ::testing::MatchesRegex("2\\.[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST(LocateLibraries, takes_what_the_user_names_or_refuses_it) {
  const auto folder = base::TemporaryFolder::create("slipway-test").value();
  setenv("SLIPWAY_ONNXRUNTIME", folder.path().c_str(), 1);
  const auto missing = locate_libraries();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr(folder.path().string()));

  std::ofstream(folder.path() / "libonnxruntime.so.1");
  setenv("SLIPWAY_QNN", "/nowhere", 1);
  const auto found = locate_libraries();
  unsetenv("SLIPWAY_ONNXRUNTIME");
  unsetenv("SLIPWAY_QNN");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->onnxruntime, folder.path() / "libonnxruntime.so.1");
  EXPECT_EQ(found->qnn_folder, "/nowhere");
}

}  // namespace
}  // namespace slipway::runtime
