// A program of its own: a process opens one build of ONNX Runtime, and the other tests open the usual one.
#include "runtime/openvino.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/value_of.hpp"
#include "runtime/testing/environment.hpp"
#include "tensor/compare.hpp"
#include "tensor/testing/golden.hpp"

namespace slipway::runtime {
namespace {

using base::testing::value_of;
using namespace testing;  // NOLINT(google-build-using-namespace): one test
using base::Code;
using ::testing::AllOf;
using ::testing::HasSubstr;

ProviderRequest request(std::map<std::string, std::string> options = {}, Precision precision = Precision::kFloat32) {
  return {.name = "openvino", .options = std::move(options), .htp = std::nullopt, .precision = precision};
}

nlohmann::json cpu_config(const ProviderRequest& wanted, int threads = 0) {
  return nlohmann::json::parse(openvino_options(wanted, threads).value().at("load_config")).at("CPU");
}

TEST(OpenvinoOptions, name_the_precision_that_was_asked_for) {
  EXPECT_EQ(cpu_config(request()).at("INFERENCE_PRECISION_HINT"), "f32");
  if (!openvino_options(request({}, Precision::kBfloat16), 0)) GTEST_SKIP() << "this processor has no AVX-512";
  EXPECT_EQ(cpu_config(request({}, Precision::kBfloat16)).at("INFERENCE_PRECISION_HINT"), "bf16");
}

TEST(OpenvinoOptions, keep_what_the_user_configured) {
  const auto cpu =
      cpu_config(request({{"load_config", R"({"CPU":{"NUM_STREAMS":"1","INFERENCE_NUM_THREADS":"3"}})"}}), 2);
  EXPECT_EQ(cpu.at("NUM_STREAMS"), "1");
  EXPECT_EQ(cpu.at("INFERENCE_NUM_THREADS"), "3");
  EXPECT_EQ(cpu_config(request(), 2).at("INFERENCE_NUM_THREADS"), "2");
}

TEST(OpenvinoOptions, refuse_what_the_provider_would_pass_over_in_silence) {
  for (const char* config :
       {"not json", "[]", "7", R"({"CPU":1})", R"({"CPU":{"INFERENCE_PRECISION_HINT":"nonsense"}})",
        R"({"CPU":{"INFERENCE_PRECISION_HINT":16}})"}) {
    const auto options = openvino_options(request({{"load_config", config}}), 0);
    ASSERT_FALSE(options) << config;
    EXPECT_EQ(options.error().code, Code::kInvalidArgument);
    EXPECT_THAT(options.error().message, HasSubstr("load_config"));
  }
  EXPECT_FALSE(openvino_options(request({{"device_type", "GPU"}}), 0));
  const char* float32 = R"({"CPU":{"INFERENCE_PRECISION_HINT":"f32"}})";
  EXPECT_FALSE(openvino_options(request({{"load_config", float32}}, Precision::kBfloat16), 0));
}

class Openvino : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto paths = locate_libraries("openvino");
    if (!paths) GTEST_SKIP() << paths.error().message;
    auto opened = value_of(Environment::open(*paths));
    environment_ = opened;
    for (const ProviderStatus& status : environment_->providers()) {
      if (status.row.name == "openvino" && !status.available) GTEST_SKIP() << status.detail;
    }
  }

  base::Result<std::unique_ptr<Session>> load(const std::string& model, const ProviderRequest& wanted,
                                              Fallback fallback = Fallback::kForbid) const {
    SessionOptions options;
    options.provider = wanted;
    options.fallback = fallback;
    return Session::load(environment_, kModels / (model + ".onnx"), options);
  }

  // The largest difference to ONNX Runtime's Python package, by the largest value.
  static double difference(Session& session, const Golden& golden) {
    const auto outputs = session.run(golden.inputs);
    EXPECT_TRUE(outputs) << outputs.error().message;
    double peak = 0;
    const auto found = outputs->at(0).tensor.values<float>();
    const auto expected = golden.outputs[0].tensor.values<float>();
    for (const float value : expected) peak = std::max(peak, std::abs(static_cast<double>(value)));
    return tensor::testing::largest_difference(found, expected) / peak;
  }

  std::shared_ptr<Environment> environment_;
};

TEST_F(Openvino, runs_a_model_whole_and_says_so) {
  for (const char* model : {"matmul", "conv"}) {
    const auto session = value_of(load(model, request()));
    EXPECT_LT(difference(*session, golden_of(model)), 1e-6) << model;
    const PlacementReport& placement = session.get()->placement();
    EXPECT_EQ(placement.nodes_per_provider.at("OpenVINOExecutionProvider"), placement.node_count());
    EXPECT_THAT(placement.summary(), HasSubstr("on the CPU by OpenVINO in 1 partition"));
  }
}

TEST_F(Openvino, computes_in_bf16_when_asked) {
  const ProviderRequest wanted = request({}, Precision::kBfloat16);
  if (!openvino_options(wanted, 0)) GTEST_SKIP() << "this processor has no AVX-512";
  const auto session = value_of(load("matmul", wanted));
  const double by = difference(*session, golden_of("matmul"));
  EXPECT_GT(by, 1e-5) << "that is float32";
  EXPECT_LT(by, 2e-2);
}

TEST_F(Openvino, an_option_it_does_not_know_is_an_error_with_and_without_fallback) {
  for (const Fallback fallback : {Fallback::kForbid, Fallback::kAllow}) {
    const auto unknown = load("matmul", request({{"nosuch", "1"}}), fallback);
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().message, AllOf(HasSubstr("openvino"), HasSubstr("nosuch")));
    const auto property = load("matmul", request({{"load_config", R"({"CPU":{"NO_SUCH":"1"}})"}}), fallback);
    ASSERT_FALSE(property);
    EXPECT_THAT(property.error().message, HasSubstr("NO_SUCH"));
  }
}

}  // namespace
}  // namespace slipway::runtime
