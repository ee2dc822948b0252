#include "pipelines/mediapipe_common/network.hpp"

#include <algorithm>

#include "pipelines/mediapipe_common/golden_test.hpp"

namespace slipway::pipelines::mediapipe {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): one test

Network bind(int batch) {
  auto session =
      runtime::Session::load(environment(), "tests/golden/face_det_lite/tiny_half.onnx", one_thread()).value();
  const PictureTensor input = read_picture_input(session->inputs(), 1, 8, 640, 480, {}, batch).value();
  std::vector<tensor::TensorSpec> outputs = session->outputs();
  return Network::bind(std::move(session), input, std::move(outputs)).value();
}

/// Runs pictures that are grey in different ways; what the first output says of each.
std::vector<float> run_all(Network& network, std::size_t pictures, std::vector<std::size_t>& runs) {
  std::vector<float> said;
  for (std::size_t first = 0; first < pictures;) {
    const std::size_t count = network.begin(pictures - first);
    runs.push_back(count);
    for (std::size_t i = 0; i < count; ++i) {
      std::ranges::fill(network.input(i), static_cast<std::byte>(40 + 2 * (first + i)));
    }
    SLIPWAY_CHECK(network.run().has_value(), "the network runs");
    for (std::size_t i = 0; i < count; ++i) said.push_back(network.values(0, i, 12 * 16).value()[100]);
    first += count;
  }
  return said;
}

TEST(Network, SaysInABatchWhatItSaysOneByOne) {
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

TEST(Network, RefusesAnotherNumberOfValues) {
  Network network = bind(1);
  ASSERT_EQ(network.begin(1), 1U);
  ASSERT_TRUE(network.run());
  const auto values = network.values(0, 0, 7);
  ASSERT_FALSE(values);
  EXPECT_NE(values.error().message.find("expected 7 values"), std::string::npos) << values.error().message;
}

}  // namespace
}  // namespace slipway::pipelines::mediapipe
