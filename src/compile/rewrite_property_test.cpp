#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/testing/random_graph.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "compile/prepare.hpp"
#include "runtime/session.hpp"
#include "runtime/testing/environment.hpp"
#include "tensor/compare.hpp"

/// Random small graphs through random sets of options: what comes out loads in ONNX Runtime and computes what the
/// source does. SLIPWAY_REWRITE_GRAPHS says how many (200), SLIPWAY_REWRITE_SEED the first seed; a failure prints its
/// own, which then belongs into kRegressionSeeds.
namespace slipway::compile {
namespace {

using base::Result;
using onnx_graph::Model;
using onnx_graph::Rewriter;
using onnx_graph::testing::RandomGraph;
using tensor::Dtype;
using tensor::NamedTensors;

/// Graphs that found a fault once.
constexpr std::array<std::uint64_t, 3> kRegressionSeeds = {59, 122, 502178};

constexpr std::uint64_t kDefaultGraphs = 200;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return base::parse_number<std::uint64_t>(text == nullptr ? "" : text).value_or(otherwise);
}

class RandomOptions {
 public:
  explicit RandomOptions(std::uint64_t seed) : random_(seed ^ 0x9E3779B97F4A7C15U) {}

  CompileRequest choose(const RandomGraph& graph, const std::vector<std::string>& output_names) {
    CompileRequest request;
    request.truncate_64bit_io = chance();
    request.truncate_64bit_tensors = chance();
    std::vector<std::string> inputs;
    for (const auto& input : graph.inputs) inputs.push_back(input.name);
    const bool has_specs = chance();
    if (has_specs && chance()) {
      std::vector<std::string> used = output_names;
      used.insert(used.end(), inputs.begin(), inputs.end());  // a name of another input is refused as unclear
      inputs = distinct_names(inputs.size(), used);
    }
    for (std::size_t i = 0; has_specs && i < inputs.size(); ++i) {
      const Dtype own = graph.inputs[i].dtype;
      const bool is_narrow = own == Dtype::kInt64 && request.truncate_64bit_io && chance();
      request.input_specs.push_back(
          {.name = inputs[i], .shape = graph.inputs[i].shape, .dtype = is_narrow ? Dtype::kInt32 : own});
    }
    std::vector<std::string> outputs = output_names;
    if (chance()) {
      outputs = distinct_names(outputs.size(), inputs);
      request.output_names = outputs;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const bool is_passed_through = std::ranges::find(outputs, inputs[i]) != outputs.end();
      if (chance() && has_channels(graph.inputs[i]) && !is_passed_through) {
        request.channel_last_inputs.push_back(inputs[i]);
      }
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const bool is_there =
          std::ranges::find(request.channel_last_outputs, outputs[i]) != request.channel_last_outputs.end();
      if (chance() && has_channels(graph.outputs[i]) && !is_there) request.channel_last_outputs.push_back(outputs[i]);
    }
    return request;
  }

 private:
  bool chance() { return random_() % 2 == 0; }
  static bool has_channels(const tensor::TensorSpec& spec) { return spec.shape.size() >= 3 && spec.shape.size() <= 5; }

  std::vector<std::string> distinct_names(std::size_t count, const std::vector<std::string>& others) {
    std::vector<std::string> names = onnx_graph::testing::likely_names();
    std::shuffle(names.begin(), names.end(), random_);
    std::erase_if(names, [&](const auto& name) { return std::ranges::find(others, name) != others.end(); });
    while (names.size() < count) names.push_back(fmt::format("more_{}", names.size()));
    names.resize(count);
    return names;
  }

  std::mt19937_64 random_;
};

std::string described(const CompileRequest& request) {
  std::string specs;
  for (const auto& spec : request.input_specs) {
    specs += fmt::format(" {}={}", spec.name, tensor::to_string(spec.dtype, spec.shape));
  }
  return fmt::format("specs{}; output names {}; io {}, tensors {}; channel last {} -> {}", specs, request.output_names,
                     request.truncate_64bit_io, request.truncate_64bit_tensors, request.channel_last_inputs,
                     request.channel_last_outputs);
}

enum class Verdict { kEqual, kSourceRefused, kRefused, kWrong };

class RewriteProperty : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!runtime::testing::environment()) GTEST_SKIP() << "needs ONNX Runtime";
  }

  static Result<std::unique_ptr<runtime::Session>> load(const std::filesystem::path& model) {
    runtime::SessionOptions options;
    options.graph_optimization = runtime::GraphOptimization::kDisabled;
    options.record_placement = false;
    options.intra_op_threads = 1;
    return runtime::Session::load(runtime::testing::environment(), model, options);
  }

  /// @return  nothing when all is as it should be
  /// @error   ONNX Runtime loads the source and does not run it
  static Result<std::string> difference(const RandomGraph& graph, const Prepared& prepared, runtime::Session& source,
                                        runtime::Session& result, std::uint64_t seed) {
    std::vector<tensor::TensorSpec> specs = prepared.summary.inputs;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      // Where the first size is open the graph is made for one of its own.
      if (!specs[i].shape.empty() && specs[i].shape[0] < 0) specs[i].shape[0] = graph.inputs[i].shape[0];
    }
    const auto inputs = runtime::random_inputs(specs, seed);
    if (!inputs) return inputs.error().message;
    const auto source_inputs = to_source_inputs(prepared.boundary, *inputs);
    if (!source_inputs) return source_inputs.error().message;
    auto expected = source.run(*source_inputs);
    if (!expected) return std::unexpected(expected.error());
    const auto found = result.run(*inputs);
    if (!found) return found.error().message;
    const auto moved = from_source_outputs(prepared.boundary, std::move(*expected));
    if (!moved) return moved.error().message;
    if (moved->size() != found->size()) return "another number of outputs";
    for (std::size_t i = 0; i < found->size(); ++i) {
      const auto agreement = tensor::compare((*moved)[i].tensor, (*found)[i].tensor);
      if (!agreement) return fmt::format("output {}: {}", (*found)[i].name, agreement.error().message);
      if (agreement->equal != agreement->count) {
        return fmt::format("output {} differs by {}", (*found)[i].name, agreement->max_abs);
      }
    }
    return "";
  }

  Verdict judge(std::uint64_t seed) {
    const RandomGraph graph = onnx_graph::testing::random_graph(seed);
    const auto model = folder_.path() / "source.onnx";
    onnx_graph::testing::write(model, graph.bytes);
    const auto source = load(model);
    if (!source) {
      if (std::getenv("SLIPWAY_REWRITE_VERBOSE") != nullptr) fmt::print("seed {}: {}\n", seed, source.error().message);
      return Verdict::kSourceRefused;
    }
    std::vector<std::string> outputs;
    for (const auto& output : (*source)->outputs()) outputs.push_back(output.name);
    CompileRequest request = RandomOptions(seed).choose(graph, outputs);
    request.model = model;
    request.output_folder = folder_.path();
    const auto prepared = prepare(runtime::testing::environment(), request, [](std::string_view) {});
    if (!prepared) {
      if (std::getenv("SLIPWAY_REWRITE_VERBOSE") != nullptr) {
        fmt::print("seed {}: {}\n  {}\n", seed, prepared.error().message, described(request));
      }
      return prepared.error().code == base::Code::kInvalidArgument ? Verdict::kRefused
                                                                   : fail(seed, request, prepared.error().message);
    }
    const auto result = load(prepared->model);
    if (!result) return fail(seed, request, result.error().message);
    const auto words = difference(graph, *prepared, **source, **result, seed);
    if (!words) return Verdict::kSourceRefused;
    return words->empty() ? Verdict::kEqual : fail(seed, request, *words);
  }

  static Verdict fail(std::uint64_t seed, const CompileRequest& request, const std::string& words) {
    ADD_FAILURE() << "seed " << seed << ": " << words << "\n  " << described(request);
    return Verdict::kWrong;
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("rewrite-property").value();
};

TEST_F(RewriteProperty, graphs_that_found_a_fault_once_stay_right) {
  for (const std::uint64_t seed : kRegressionSeeds) EXPECT_EQ(judge(seed), Verdict::kEqual) << seed;
}

TEST_F(RewriteProperty, random_graphs_compute_the_same_after_random_sets_of_options) {
  const std::uint64_t count = number_from_environment("SLIPWAY_REWRITE_GRAPHS", kDefaultGraphs);
  const std::uint64_t first = number_from_environment("SLIPWAY_REWRITE_SEED", 1);
  std::array<std::uint64_t, 4> verdicts{};
  for (std::uint64_t seed = first; seed < first + count; ++seed) ++verdicts[static_cast<std::size_t>(judge(seed))];
  fmt::print("{} graphs: {} equal, {} sources refused by ONNX Runtime, {} options refused, {} wrong\n", count,
             verdicts[0], verdicts[1], verdicts[2], verdicts[3]);
  // Were most graphs or options refused, the rest would prove little.
  EXPECT_GE(verdicts[0] * 10, count * 8);
}

/// All inner values as outputs, run once: the oracle of our own inference.
void expect_inferred_types_hold(const RandomGraph& graph, const std::filesystem::path& folder, std::uint64_t seed,
                                std::array<std::size_t, 2>& known_of) {
  auto model = Model::parse(graph.bytes, folder);
  ASSERT_TRUE(model);
  std::vector<onnx_graph::ValueType> inferred;
  {
    Rewriter rewriter(*model);
    std::vector<onnx_graph::Value*> values;
    for (const onnx_graph::Node* node : rewriter.main().nodes()) {
      for (onnx_graph::Value* output : node->outputs()) values.push_back(output);
    }
    const onnx_graph::InferredTypes types(rewriter);
    for (const onnx_graph::Value* output : rewriter.main().outputs()) inferred.push_back(types.type(*output));
    for (onnx_graph::Value* value : values) {
      inferred.push_back(types.type(*value));
      rewriter.add_output(*value);
    }
  }
  ASSERT_TRUE(model->write(folder / "all.onnx"));
  runtime::SessionOptions options;
  options.graph_optimization = runtime::GraphOptimization::kDisabled;
  options.record_placement = false;
  const auto session = runtime::Session::load(runtime::testing::environment(), folder / "all.onnx", options);
  ASSERT_TRUE(session) << seed << ": " << session.error().message;
  const auto inputs = runtime::random_inputs(graph.inputs, seed);
  const auto outputs = (*session)->run(*inputs);
  if (!outputs) return;  // a source that loads and does not run, counted by what is known
  ASSERT_EQ(outputs->size(), inferred.size());
  for (std::size_t i = 0; i < inferred.size(); ++i) {
    const auto& [name, tensor] = (*outputs)[i];
    const auto& [element_type, shape] = inferred[i];
    EXPECT_EQ(element_type.value_or(onnx_graph::element_type_of_dtype(tensor.dtype())),
              onnx_graph::element_type_of_dtype(tensor.dtype()))
        << "seed " << seed << ", " << name;
    EXPECT_TRUE(tensor::shape_accepts(shape.value_or(tensor.shape()), tensor.shape()))
        << "seed " << seed << ", " << name << ": " << onnx_graph::to_string(inferred[i]) << " but ONNX Runtime gives "
        << tensor::to_string(tensor.dtype(), tensor.shape());
    known_of[0] += element_type && shape ? 1 : 0;
    ++known_of[1];
  }
}

TEST_F(RewriteProperty, inferred_types_are_those_of_what_onnx_runtime_computes) {
  const std::uint64_t count = number_from_environment("SLIPWAY_REWRITE_GRAPHS", kDefaultGraphs);
  std::array<std::size_t, 2> known_of{};
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    expect_inferred_types_hold(onnx_graph::testing::random_graph(seed), folder_.path(), seed, known_of);
  }
  fmt::print("{} of {} types known\n", known_of[0], known_of[1]);
  EXPECT_GT(known_of[1], count) << "most graphs ran";
  EXPECT_GE(known_of[0] * 10, known_of[1] * 7);
}

}  // namespace
}  // namespace slipway::compile
