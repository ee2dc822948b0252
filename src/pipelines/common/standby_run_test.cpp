#include "pipelines/common/standby_run.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"
#include "pipelines/common/testing/golden.hpp"
#include "pipelines/common/testing/misbehaving.hpp"
#include "pipelines/common/timing.hpp"
#include "runtime/provider.hpp"

namespace slipway::pipelines {
namespace {

using base::testing::value_of;
using namespace pipelines::testing;  // NOLINT(google-build-using-namespace): one test
using testing::Entries;
using testing::misbehaving;

base::Result<std::unique_ptr<StandbyRun>> load(const StandbyOptions& options) {
  SLIPWAY_ASSIGN(auto network, StandbyRun::load(environment(), "tests/golden/models/misbehave.onnx", options));
  SLIPWAY_TRY(network->prepare(network->inputs().front()));
  return network;
}

/// Runs with a value of its own and checks that it comes back doubled.
void expect_run(StandbyRun& network, float value) {
  const auto input = network.input();
  std::ranges::fill(std::span(reinterpret_cast<float*>(input.data()), input.size() / sizeof(float)), value);
  const auto done = network.run();
  ASSERT_TRUE(done) << done.error().message;
  const auto outputs = network.run_outputs();
  ASSERT_TRUE(outputs);
  for (const float each : (*outputs)->front().tensor.values<float>()) EXPECT_EQ(each, 2 * value);
}

constexpr int kWarmupRuns = 3;  // count as runs of the operator

TEST(StandbyRun, stays_with_a_primary_that_behaves) {
  auto network = value_of(load(misbehaving({})));
  for (int i = 0; i < 20; ++i) expect_run(*network, static_cast<float>(i));
  EXPECT_FALSE(network->replacement());
}

TEST(StandbyRun, replaces_a_provider_that_fails_to_load) {
  auto network = value_of(load(misbehaving({{"slipway.test.fail_load", "1"}})));
  ASSERT_TRUE(network->replacement());
  EXPECT_EQ(network->replacement()->cause, Replacement::Cause::kLoad);
  EXPECT_EQ(network->replacement()->run, 0);
  EXPECT_NE(network->replacement()->reason.find("no such device"), std::string::npos) << network->replacement()->reason;
  expect_run(*network, 3);
}

TEST(StandbyRun, replaces_a_provider_that_fails_at_a_run_and_does_that_run) {
  auto network = value_of(load(misbehaving({{"slipway.test.fail_run", std::to_string(kWarmupRuns + 5)}})));
  for (int i = 1; i <= 10; ++i) {
    expect_run(*network, static_cast<float>(i));
    EXPECT_EQ(network->replacement().has_value(), i >= 5) << i;
  }
  EXPECT_EQ(network->replacement()->cause, Replacement::Cause::kError);
  EXPECT_EQ(network->replacement()->run, 5);
  EXPECT_NE(network->replacement()->reason.find("device was lost"), std::string::npos);
}

TEST(StandbyRun, replaces_a_provider_that_stalls_within_its_deadline) {
  StandbyOptions options =
      misbehaving({{"slipway.test.stall_run", std::to_string(kWarmupRuns + 8)}, {"slipway.test.stall_ms", "1500"}});
  auto network = value_of(load(options));
  for (int i = 1; i <= 12; ++i) {
    Stopwatch watch;
    expect_run(*network, static_cast<float>(i));
    // Far from the 1500 ms of the stall: the run that meets it is late by the deadline alone.
    EXPECT_LT(watch.lap_us(), 1'000'000) << i;
    EXPECT_EQ(network->replacement().has_value(), i >= 8) << i;
  }
  const Replacement& replacement = *network->replacement();
  EXPECT_EQ(replacement.cause, Replacement::Cause::kStall);
  EXPECT_EQ(replacement.run, 8);
  ASSERT_TRUE(replacement.lost);
  EXPECT_GE(replacement.lost->value(), 30'000);
  // Ending does not wait for what hangs.
  Stopwatch watch;
  network.reset();
  EXPECT_LT(watch.lap_us(), 1'000'000);
  // The operator's library has globals of its own, which a thread that is left behind must not outlive.
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
}

TEST(StandbyRun, tells_no_times_of_an_emulator) {
  const auto text = [](const runtime::TimeOrigin& origin) { return stall_text({40'000, origin}, {10'000, origin}); };
  EXPECT_EQ(text(runtime::TimeOrigin::of("cpu", false)), "no result after 40.0 ms; the median of its runs is 10.0 ms");
  EXPECT_EQ(text(runtime::TimeOrigin::of("qnn", true)).find_first_of("0123456789"), std::string::npos);
  // A time that does not say where it was taken has no way into the words.
  static_assert(!std::is_invocable_v<decltype(stall_text), double, double>);
}

TEST(StandbyRun, gives_the_error_to_the_caller_when_nothing_stands_by) {
  StandbyOptions options = misbehaving({{"slipway.test.fail_run", "2"}});
  options.standby.reset();
  auto network = value_of(load(options));
  expect_run(*network, 1);
  const auto done = network->run();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("device was lost"), std::string::npos) << done.error().message;
}

TEST(StandbyRun, says_why_when_neither_session_can_be_loaded) {
  StandbyOptions options;
  options.standby.emplace();
  const auto network = StandbyRun::load(environment(), "tests/golden/models/misbehave.onnx", options);
  ASSERT_FALSE(network);  // without its library the operator is unknown
  EXPECT_NE(network.error().message.find("misbehave.onnx"), std::string::npos) << network.error().message;
}

}  // namespace
}  // namespace slipway::pipelines
