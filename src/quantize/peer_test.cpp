// The same network and the same samples through ONNX Runtime's own quantiser, with its settings for QNN.
#include <cstring>

#include "quantize/testing/quantize_test.hpp"

#include "base/testing/shell.hpp"
#include "tensor/npz.hpp"

namespace slipway::quantize {
namespace {

using compile::onnx_graph::Model;
using testing::FloatGraph;
using testing::normal_samples;
using Value = FloatGraph::Value;

constexpr double kSlackDb = 0.2;
constexpr std::int64_t kSamples = 8;

/// A stem, a residual block with a depthwise convolution, a gate, a pooled head: seeded, batch normalisation included.
Model small_network() {
  FloatGraph graph;
  const auto padded = [](std::int64_t pad) {
    return compile::onnx_graph::Attributes{{"pads", std::vector<std::int64_t>{pad, pad, pad, pad}}};
  };
  const auto normal = [&](Value* x) {
    return graph.node("BatchNormalization", {x, graph.random({16}), graph.random({16}), graph.random({16}),
                                             graph.floats({16}, std::vector<float>(16, 1.5F))});
  };
  Value* const image = graph.input("image", {1, 3, 16, 16});
  Value* const stem = graph.node("Relu", {normal(graph.node("Conv", {image, graph.random({16, 3, 3, 3})}, padded(1)))});
  auto depthwise = padded(1);
  depthwise.emplace_back("group", std::int64_t{16});
  Value* const deep = graph.node("Relu", {normal(graph.node("Conv", {stem, graph.random({16, 1, 3, 3})}, depthwise))});
  Value* const flat = graph.node("Conv", {deep, graph.random({16, 16, 1, 1}, 0.3), graph.random({16})});
  Value* const sum = graph.node("Relu", {graph.node("Add", {flat, stem})});
  Value* const gate = graph.node("Sigmoid", {graph.node("GlobalAveragePool", {sum})});
  Value* const gated = graph.node("Mul", {sum, gate});
  Value* const pooled = graph.node("Flatten", {graph.node("GlobalAveragePool", {gated})});
  graph.output(graph.node("Conv", {gated, graph.random({4, 16, 1, 1}), graph.random({4})}, {}, "map"), {1, 4, 16, 16});
  graph.output(
      graph.node("Gemm", {pooled, graph.random({10, 16}), graph.random({10})}, {{"transB", std::int64_t{1}}}, "scores"),
      {1, 10});
  return graph.finish();
}

class QuantizePeer : public testing::QuantizeTest {
 protected:
  /// The samples of calibration as one array.
  static void write_samples(const Model& model, const std::filesystem::path& path) {
    const auto inputs = model.summary().inputs;
    const auto samples = normal_samples(inputs, kSamples);
    tensor::Shape shape = inputs.front().shape;
    shape.insert(shape.begin(), kSamples);
    tensor::NamedTensors arrays;
    arrays.push_back({inputs.front().name, tensor::Tensor::zeros(tensor::Dtype::kFloat32, shape).value()});
    for (std::int64_t i = 0; i < kSamples; ++i) {
      const auto sample = samples.read(i).value();
      const auto bytes = sample.front().tensor.bytes();
      std::memcpy(arrays.front().tensor.bytes().data() + static_cast<std::size_t>(i) * bytes.size(), bytes.data(),
                  bytes.size());
    }
    ASSERT_TRUE(tensor::write_npz(path, arrays));
  }
};

TEST_F(QuantizePeer, is_no_nearer_to_the_float_model_than_we_are) {
  if (!std::filesystem::exists(base::testing::python_program())) GTEST_SKIP() << "needs .deps/venv (make setup)";
  const Model model = small_network();
  const auto folder = base::TemporaryFolder::create("slipway-quantize-peer").value();
  ASSERT_TRUE(model.write(folder.path() / "float.onnx"));
  write_samples(model, folder.path() / "samples.npz");
  for (const auto type : {ActivationType::kUint8, ActivationType::kUint16}) {
    SCOPED_TRACE(type_name(type));
    const auto peer = folder.path() / "peer.onnx";
    const auto made =
        base::testing::run_python({"src/quantize/testing/onnxruntime_quantizer.py", folder.path() / "float.onnx",
                                   folder.path() / "samples.npz", peer, std::string(type_name(type))});
    ASSERT_EQ(made.status, 0) << made.out << made.err;
    Options options;
    options.activations = type;
    const auto quantized = quantize_copy(model, options, kSamples);
    ASSERT_TRUE(quantized) << quantized.error().message;
    const auto ours = compare(model, *quantized);
    const auto theirs =
        compare_outputs(environment_, folder.path() / "float.onnx", peer, Model::read(peer).value().summary(),
                        normal_samples(model.summary().inputs, 6), 0, kLowestSqnrDb, {});
    ASSERT_TRUE(theirs) << theirs.error().message;
    for (std::size_t i = 0; i < ours.outputs.size(); ++i) {
      RecordProperty(fmt::format("{}_{}", type_name(type), ours.outputs[i].output),
                     fmt::format("{:.2f} dB, the peer {:.2f} dB", ours.outputs[i].sqnr_db, theirs->outputs[i].sqnr_db));
      EXPECT_GE(ours.outputs[i].sqnr_db, theirs->outputs[i].sqnr_db - kSlackDb) << ours.outputs[i].output;
    }
  }
}

}  // namespace
}  // namespace slipway::quantize
