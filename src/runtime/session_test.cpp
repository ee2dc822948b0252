#include "runtime/session.hpp"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/value_of.hpp"
#include "runtime/testing/environment.hpp"
#include "tensor/compare.hpp"

namespace slipway::runtime {
namespace {

using base::testing::value_of;
using namespace testing;  // NOLINT(google-build-using-namespace): one test
namespace fs = std::filesystem;
using base::Code;
using ::testing::AllOf;
using ::testing::HasSubstr;

SessionOptions one_thread() {
  SessionOptions options;
  options.intra_op_threads = 1;
  return options;
}

class TinyModels : public ::testing::TestWithParam<const char*> {};

TEST_P(TinyModels, give_the_bits_that_onnx_runtimes_python_package_gives) {
  const auto session = value_of(load_tiny(GetParam(), one_thread()));
  const Golden golden = golden_of(GetParam());
  const auto outputs = value_of(session.get()->run(golden.inputs));
  ASSERT_EQ(outputs.size(), golden.outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(outputs.at(i).name, golden.outputs[i].name);
    EXPECT_EQ(outputs.at(i).tensor.dtype(), golden.outputs[i].tensor.dtype());
    EXPECT_EQ(outputs.at(i).tensor.shape(), golden.outputs[i].tensor.shape());
    EXPECT_TRUE(std::ranges::equal(outputs.at(i).tensor.bytes(), golden.outputs[i].tensor.bytes()));
  }
}

TEST_P(TinyModels, give_the_same_bits_through_bound_buffers) {
  const auto session = value_of(load_tiny(GetParam(), one_thread()));
  const Golden golden = golden_of(GetParam());
  const auto bound = value_of(BoundRun::bind(*session, golden.inputs));
  for (int run = 0; run < 2; ++run) {
    const auto ran = bound.get()->run();
    ASSERT_TRUE(ran) << ran.error().message;
    const auto outputs = value_of(bound.get()->outputs());
    ASSERT_EQ(outputs->size(), golden.outputs.size());
    for (std::size_t i = 0; i < golden.outputs.size(); ++i) {
      EXPECT_EQ(outputs->at(i).tensor.shape(), golden.outputs[i].tensor.shape());
      EXPECT_TRUE(std::ranges::equal(outputs->at(i).tensor.bytes(), golden.outputs[i].tensor.bytes()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cpu, TinyModels,
                         ::testing::Values("add", "matmul", "conv", "dynamic_relu", "unsupported_on_npu",
                                           "identity_int64", "half", "external", "wrong_output_shape", "loop"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(Session, knows_the_models_signature) {
  const auto session = value_of(load_tiny("dynamic_relu"));
  ASSERT_EQ(session.get()->inputs().size(), 1U);
  EXPECT_EQ(session.get()->inputs()[0].name, "x");
  EXPECT_EQ(session.get()->inputs()[0].shape, (tensor::Shape{-1, 4}));
  ASSERT_EQ(session.get()->outputs().size(), 2U);
  EXPECT_EQ(session.get()->outputs()[1].dtype, tensor::Dtype::kInt64);
}

TEST(Session, names_input_expected_and_found_when_they_do_not_fit) {
  const auto session = load_tiny("add");
  ASSERT_TRUE(session);
  const auto error_with = [&](tensor::NamedTensors inputs) {
    const auto outputs = session->get()->run(inputs);
    EXPECT_FALSE(outputs);
    EXPECT_EQ(outputs.error().code, Code::kInvalidArgument);
    return outputs.error().message;
  };
  const auto tensor = [](tensor::Dtype dtype, tensor::Shape shape) {
    return tensor::Tensor::zeros(dtype, std::move(shape)).value();
  };
  tensor::NamedTensors missing;
  missing.push_back({"a", tensor(tensor::Dtype::kFloat32, {2, 3})});
  EXPECT_THAT(error_with(std::move(missing)), AllOf(HasSubstr("'b' is missing"), HasSubstr("float32[2,3]")));

  tensor::NamedTensors unknown;
  unknown.push_back({"z", tensor(tensor::Dtype::kFloat32, {2, 3})});
  EXPECT_THAT(error_with(std::move(unknown)), AllOf(HasSubstr("no input 'z'"), HasSubstr("a, b")));

  tensor::NamedTensors shape;
  shape.push_back({"a", tensor(tensor::Dtype::kFloat32, {3, 2})});
  EXPECT_THAT(error_with(std::move(shape)),
              AllOf(HasSubstr("'a'"), HasSubstr("expected float32[2,3], found float32[3,2]")));

  tensor::NamedTensors dtype;
  dtype.push_back({"a", tensor(tensor::Dtype::kFloat64, {2, 3})});
  EXPECT_THAT(error_with(std::move(dtype)), HasSubstr("found float64[2,3]"));
}

TEST(Session, says_what_is_wrong_with_a_file) {
  const auto folder = base::TemporaryFolder::create("slipway-test").value();
  std::ofstream(folder.path() / "empty.onnx");
  std::ofstream(folder.path() / "random.onnx") << std::string(4096, 'x');
  const std::string whole = base::read_file(kModels / "conv.onnx", 1U << 20U).value();
  std::ofstream(folder.path() / "cut.onnx", std::ios::binary) << whole.substr(0, whole.size() / 2);
  fs::copy_file(kModels / "external.onnx", folder.path() / "external.onnx");
  for (const auto name : {"empty.onnx", "random.onnx", "cut.onnx", "external.onnx"}) {
    const auto session = Session::load(environment(), folder.path() / name, {});
    ASSERT_FALSE(session) << name;
    EXPECT_EQ(session.error().code, Code::kInvalidArgument) << name;
    EXPECT_THAT(session.error().message, HasSubstr(name));
  }
  EXPECT_EQ(Session::load(environment(), folder.path() / "none.onnx", {}).error().code, Code::kNotFound);
  EXPECT_EQ(Session::load(environment(), folder.path(), {}).error().code, Code::kInvalidArgument);
}

TEST(Session, refuses_unknown_and_missing_providers_with_the_way_out) {
  SessionOptions options;
  options.provider.name = "tpu";
  auto session = load_tiny("add", options);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::kInvalidArgument);
  EXPECT_THAT(session.error().message, AllOf(HasSubstr("'tpu'"), HasSubstr("cpu, qnn")));

  options.provider.name = "directml";
  session = load_tiny("add", options);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::kUnavailable);
  EXPECT_THAT(session.error().message, HasSubstr("onnxruntime-directml"));

  options.provider.name = "cpu";
  options.provider.htp = HtpTarget{57, 75};
  EXPECT_EQ(load_tiny("add", options).error().code, Code::kInvalidArgument);
}

TEST(Session, places_every_node_on_the_cpu_under_its_name) {
  const auto session = load_tiny("unsupported_on_npu");
  ASSERT_TRUE(session);
  const PlacementReport& placement = session->get()->placement();
  std::vector<std::string> names;
  for (const LayerPlacement& layer : placement.layers) names.push_back(layer.op_type + " " + layer.name);
  EXPECT_THAT(names,
              ::testing::UnorderedElementsAre("Conv conv", "Erf erf", "Relu relu", "Det det", "Sigmoid sigmoid"));
  EXPECT_EQ(placement.nodes_on(ComputeUnit::kCpu), 5);
  EXPECT_EQ(placement.partitions, 0);
  EXPECT_EQ(placement.summary(), "5 of 5 nodes on the CPU");
}

TEST(Session, writes_a_trace_only_when_asked) {
  const auto folder = base::TemporaryFolder::create("slipway-test").value();
  SessionOptions options;
  options.profile_prefix = folder.path() / "trace";
  const auto session = load_tiny("add", options);
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->get()->run(golden_of("add").inputs));
  const auto trace = value_of(session->get()->end_profiling());
  EXPECT_TRUE(fs::exists(trace));
  EXPECT_EQ(load_tiny("add")->get()->end_profiling().error().code, Code::kFailedPrecondition);
}

TEST(Session, stops_when_it_was_cancelled_before_the_run) {
  const auto session = load_tiny("add");
  ASSERT_TRUE(session);
  CancelFlag flag;
  flag.cancel();
  const auto outputs = session->get()->run(golden_of("add").inputs, &flag);
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().code, Code::kCancelled);
}

TEST(Session, stops_in_the_middle_of_a_run_when_it_is_cancelled) {
  const auto session = value_of(load_tiny("loop"));
  std::int64_t forever = std::int64_t{1} << 60U;
  tensor::NamedTensors inputs;
  inputs.push_back(
      {"trips", tensor::Tensor::copy_of(tensor::Dtype::kInt64, {}, std::as_bytes(std::span(&forever, 1))).value()});
  CancelFlag flag;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    flag.cancel();
  });
  const auto outputs = session.get()->run(inputs, &flag);
  canceller.join();
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().code, Code::kCancelled);
}

TEST(BoundRun, follows_outputs_whose_size_changes_from_run_to_run) {
  const auto session = load_tiny("dynamic_relu");
  ASSERT_TRUE(session);
  tensor::NamedTensors inputs;
  inputs.push_back({"x", tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 4}).value()});
  const auto bound = value_of(BoundRun::bind(**session, inputs));
  for (std::int64_t positive = 0; positive <= 4; ++positive) {
    if (positive > 0) inputs[0].tensor.values<float>()[static_cast<std::size_t>(positive - 1)] = 1;
    ASSERT_TRUE(bound.get()->run());
    const auto outputs = bound.get()->outputs();
    ASSERT_TRUE(outputs);
    EXPECT_EQ((*outputs)->at(1).tensor.shape(), (tensor::Shape{2, positive}));
  }
}

TEST(Session, runs_from_several_threads_at_once) {
  const auto session = load_tiny("conv");
  ASSERT_TRUE(session);
  const Golden golden = golden_of("conv");
  std::vector<std::thread> threads;
  std::atomic<int> agreeing = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int run = 0; run < 20; ++run) {
        const auto outputs = session->get()->run(golden.inputs);
        if (outputs && tensor::compare(golden.outputs[0].tensor, outputs->at(0).tensor)->max_abs < 1e-5) ++agreeing;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(agreeing, 80);
}

TEST(RandomInputs, are_the_same_for_the_same_seed_everywhere) {
  const std::vector<tensor::TensorSpec> specs = {{"f", tensor::Dtype::kFloat32, {-1, 4}, {}},
                                                 {"h", tensor::Dtype::kFloat16, {4}, {}},
                                                 {"i", tensor::Dtype::kInt64, {64}, {}}};
  const auto inputs = random_inputs(specs, 1234567);
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->at(0).tensor.shape(), (tensor::Shape{1, 4}));
  // The published test vector of SplitMix64 for seed 1234567, its upper 24 bits as a fraction.
  const float expected = static_cast<float>(6457827717110365317ULL >> 40U) / static_cast<float>(1U << 24U);
  EXPECT_EQ(inputs->at(0).tensor.values<float>()[0], expected);
  const auto again = random_inputs(specs, 1234567);
  const auto other = random_inputs(specs, 7654321);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(inputs->at(i).tensor.bytes(), again->at(i).tensor.bytes()));
    EXPECT_FALSE(std::ranges::equal(inputs->at(i).tensor.bytes(), other->at(i).tensor.bytes()));
  }
  for (const std::int64_t value : inputs->at(2).tensor.values<std::int64_t>()) EXPECT_TRUE(value == 0 || value == 1);
}

TEST(RandomInputs, fill_the_range_that_is_asked_for) {
  const std::vector<tensor::TensorSpec> specs = {{"u", tensor::Dtype::kUint8, {4096}, {}},
                                                 {"i", tensor::Dtype::kInt64, {4096}, {}},
                                                 {"f", tensor::Dtype::kFloat32, {4096}, {}}};
  const auto inputs = random_inputs(specs, 1, {{0, 255}, {-2, 2}, {-3, 3}}).value();
  const auto bytes = inputs[0].tensor.values<std::uint8_t>();
  EXPECT_EQ(std::ranges::min(bytes), 0);
  EXPECT_EQ(std::ranges::max(bytes), 255);
  const auto integers = inputs[1].tensor.values<std::int64_t>();
  EXPECT_EQ(std::ranges::min(integers), -2);
  EXPECT_EQ(std::ranges::max(integers), 2);
  const auto floats = inputs[2].tensor.values<float>();
  EXPECT_LT(std::ranges::min(floats), -2.9F);
  EXPECT_GT(std::ranges::max(floats), 2.9F);
}

}  // namespace
}  // namespace slipway::runtime
