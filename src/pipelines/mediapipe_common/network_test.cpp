#include "pipelines/mediapipe_common/network.hpp"

#include <algorithm>

#include "pipelines/mediapipe_common/testing/golden.hpp"

namespace slipway::pipelines::mediapipe {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): one test

Network bind(int batch) {
  auto session =
      runtime::Session::load(environment(), "tests/golden/face_det_lite/tiny_half.onnx", one_thread()).value();
  const ImageTensor input = read_image_input(session->inputs(), 1, 8, 640, 480, {}, batch).value();
  std::vector<tensor::TensorSpec> outputs = session->outputs();
  return Network::bind(std::move(session), input, std::move(outputs)).value();
}

/// Runs images that are grey in different ways; what the first output says of each.
std::vector<float> run_all(Network& network, std::size_t images, std::vector<std::size_t>& runs) {
  std::vector<float> said;
  StageTimes times;
  const auto done = network.run(
      images, [&](std::size_t) -> StageTimes& { return times; },
      [&](std::size_t i, std::size_t entry, std::span<std::byte> input) -> base::Result<void> {
        if (entry == 0) runs.push_back(0);
        ++runs.back();
        std::ranges::fill(input, static_cast<std::byte>(40 + 2 * i));
        return {};
      },
      [&](std::size_t, std::size_t entry) -> base::Result<void> {
        said.push_back(network.values(0, entry, 12 * 16).value()[100]);
        return {};
      });
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_GT(times.inference_us, 0);
  return said;
}

TEST(Network, says_in_a_batch_what_it_says_one_by_one) {
  Network single = bind(1), batched = bind(3);
  ASSERT_EQ(batched.batch(), 3U);
  std::vector<std::size_t> runs;
  const std::vector<float> expected = run_all(single, 5, runs);
  EXPECT_EQ(runs, std::vector<std::size_t>(5, 1));
  EXPECT_NE(expected[0], expected[4]) << "the picture counts";
  runs.clear();
  EXPECT_EQ(run_all(batched, 5, runs), expected);
  EXPECT_EQ(runs, (std::vector<std::size_t>{3, 1, 1})) << "what is less than a batch goes one by one";
}

TEST(Network, refuses_another_number_of_values) {
  Network network = bind(1);
  StageTimes times;
  const auto done = network.run(
      1, [&](std::size_t) -> StageTimes& { return times; },
      [](std::size_t, std::size_t, std::span<std::byte>) -> base::Result<void> { return {}; },
      [&](std::size_t, std::size_t entry) -> base::Result<void> {
        SLIPWAY_TRY(network.values(0, entry, 7));
        return {};
      });
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("expected 7 values"), std::string::npos) << done.error().message;
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe
