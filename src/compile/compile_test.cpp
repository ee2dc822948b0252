#include "compile/compile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/value_of.hpp"
#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/rewriter.hpp"
#include "compile/onnx_graph/testing/python_oracle.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "runtime/session.hpp"
#include "runtime/testing/environment.hpp"

namespace slipway::compile {
namespace {

using base::testing::value_of;
namespace models = onnx_graph::testing;
using base::Code;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CompileToOnnx : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!runtime::testing::environment()) GTEST_SKIP() << "needs ONNX Runtime";
    std::filesystem::create_directory(folder() / "out");
    request_.output_folder = folder() / "out";
  }
  std::filesystem::path folder() const { return folder_.path(); }

  base::Result<CompileResult> compile_bytes(const std::string& bytes) {
    request_.model = folder() / "net.onnx";
    models::write(request_.model, bytes);
    return compile(runtime::testing::environment(), request_, {});
  }

  /// The comparison was run on the uploaded model and the artifact, and both agree to the last bits.
  static void expect_equal_results(const CompileResult& result, std::size_t outputs) {
    ASSERT_THAT(result.agreement, SizeIs(outputs)) << result.agreement_note;
    EXPECT_THAT(result.warnings, IsEmpty());
    EXPECT_EQ(result.standing, Standing::kAgrees);
    for (const auto& output : result.agreement) EXPECT_LT(output.agreement.relative_max, 1e-6) << output.output;
  }

  CompileRequest request_;
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("compile-test").value();
};

TEST_F(CompileToOnnx, every_request_about_the_boundary_is_met_and_the_result_agrees) {
  request_.input_specs = {{.name = "picture", .shape = {2, 3, 16, 16}, .dtype = tensor::Dtype::kFloat32}};
  request_.output_names = {"classes"};
  request_.channel_last_inputs = {"picture"};
  request_.channel_last_outputs = {"classes"};
  const auto result = value_of(compile_bytes(models::conv_net(true)));
  EXPECT_EQ(result.inputs[0].name, "picture");
  EXPECT_EQ(result.inputs[0].shape, (tensor::Shape{2, 16, 16, 3}));
  EXPECT_EQ(result.outputs[0].name, "classes");
  EXPECT_EQ(result.outputs[0].shape, (tensor::Shape{2, 8, 8, 4}));
  EXPECT_FALSE(result.artifact_is_folder);
  EXPECT_THAT(result.agreement_note, HasSubstr("against the result on the CPU"));
  expect_equal_results(result, 1);
  EXPECT_FALSE(result.estimate);

  if (!models::has_python_oracle()) return;
  const auto answer = models::ask_python_oracle({"same", request_.model, result.artifact});
  EXPECT_EQ(answer.status, 0) << answer.err;
}

TEST_F(CompileToOnnx, truncation_takes_specs_of_either_width) {
  request_.truncate_64bit_io = true;
  request_.truncate_64bit_tensors = true;
  for (const auto dtype : {tensor::Dtype::kInt32, tensor::Dtype::kInt64}) {
    request_.input_specs = {{.name = "ids", .shape = {6}, .dtype = dtype},
                            {.name = "offset", .shape = {1}, .dtype = dtype}};
    const auto result = value_of(compile_bytes(models::lookup_net()));
    EXPECT_EQ(result.inputs[0].dtype, tensor::Dtype::kInt32);
    EXPECT_EQ(result.outputs[1].dtype, tensor::Dtype::kInt32);
    expect_equal_results(result, 3);
  }
}

TEST_F(CompileToOnnx, inputs_that_lose_bits_and_that_nothing_bounds_are_named_in_the_log) {
  const auto warnings = [&](const std::string& bytes) {
    std::vector<std::string> lines;
    const auto result = compile_bytes(bytes);
    EXPECT_TRUE(result) << result.error().message;
    for (const auto& line : result->log) {
      if (line.starts_with("warning: the 64-bit inputs")) lines.push_back(line);
    }
    return lines;
  };
  EXPECT_THAT(warnings(models::lookup_net()), IsEmpty()) << "64 bits stay what they are";
  request_.truncate_64bit_tensors = true;
  EXPECT_THAT(warnings(models::lookup_net()),
              ::testing::ElementsAre(HasSubstr("ids, offset are computed with 32 bits (--truncate_64bit_tensors)")));
  request_.truncate_64bit_io = true;
  EXPECT_THAT(warnings(models::lookup_net()),
              ::testing::ElementsAre(HasSubstr("ids, offset have 32 bits now (--truncate_64bit_io)")));
  EXPECT_THAT(warnings(models::masked_lookup_net()), IsEmpty()) << "rows of a table, and a mask";
}

TEST_F(CompileToOnnx, output_sizes_that_the_file_leaves_open_are_filled_in) {
  // The output's size follows from the input's, but the two share no symbol.
  request_.input_specs = {{.name = "image", .shape = {3, 3, 16, 16}, .dtype = tensor::Dtype::kFloat32}};
  std::string bytes = models::conv_net(true);
  bytes.replace(bytes.find("batch", bytes.rfind("scores")), 5, "other");
  const auto result = value_of(compile_bytes(bytes));
  EXPECT_EQ(result.outputs[0].shape, (tensor::Shape{3, 4, 8, 8}));
}

TEST_F(CompileToOnnx, an_input_of_unknown_rank_is_unknown_and_not_a_scalar) {
  for (const bool types_output : {true, false}) {
    request_.input_specs.clear();
    const auto open = value_of(compile_bytes(models::net_without_shapes(types_output)));
    EXPECT_FALSE(open.inputs[0].has_rank);
    ASSERT_THAT(open.outputs, SizeIs(1)) << "its type comes from inference";
    EXPECT_FALSE(open.outputs[0].has_rank);
    EXPECT_THAT(open.agreement_note, HasSubstr("'x' is float32 of unknown rank"));

    request_.input_specs = {{.name = "x", .shape = {2, 3}, .dtype = tensor::Dtype::kFloat32}};
    const auto fixed = value_of(compile_bytes(models::net_without_shapes(types_output)));
    EXPECT_EQ(tensor::to_string(fixed.inputs[0]), "float32[2,3]");
    EXPECT_EQ(tensor::to_string(fixed.outputs[0]), "float32[2,3]");
    expect_equal_results(fixed, 1);
  }
}

TEST_F(CompileToOnnx, a_session_tells_an_unknown_rank_from_a_scalar_and_takes_data_of_any_shape) {
  models::write(folder() / "net.onnx", models::net_without_shapes(true));
  runtime::SessionOptions options;
  const auto session =
      value_of(runtime::Session::load(runtime::testing::environment(), folder() / "net.onnx", options));
  EXPECT_FALSE(session->inputs()[0].has_rank);
  for (const tensor::Shape& shape : {tensor::Shape{}, tensor::Shape{4}, tensor::Shape{2, 3}}) {
    tensor::NamedTensors inputs;
    inputs.push_back({"x", *tensor::Tensor::zeros(tensor::Dtype::kFloat32, shape)});
    const auto outputs = value_of(session->run(inputs));
    EXPECT_EQ(outputs.front().tensor.shape(), shape);
  }
}

TEST_F(CompileToOnnx, external_weights_become_a_folder_of_two_files) {
  models::write(folder() / "w.bin", std::string("\0\0\200\77\0\0\0\100", 8));  // 1 and 2
  const auto result = value_of(compile_bytes(models::external_weight_net({{"location", "w.bin"}})));
  EXPECT_TRUE(result.artifact_is_folder);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(result.artifact)) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("model.onnx", "model.data"));
  expect_equal_results(result, 1);
}

TEST_F(CompileToOnnx, specs_that_do_not_fit_are_refused_in_words) {
  request_.input_specs = {{.name = "x", .shape = {1, 4, 16, 16}, .dtype = tensor::Dtype::kFloat32}};
  const auto result = compile_bytes(models::conv_net());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kInvalidArgument);
  EXPECT_THAT(result.error().message, HasSubstr("expected float32[1,3,16,16], found float32[1,4,16,16]"));
}

TEST_F(CompileToOnnx, bytes_that_are_no_model_are_refused) {
  EXPECT_EQ(compile_bytes("no model").error().code, Code::kInvalidArgument);
  EXPECT_EQ(compile_bytes("").error().code, Code::kInvalidArgument);
}

TEST_F(CompileToOnnx, a_source_that_onnxruntime_refuses_fails_whether_it_is_compared_or_not) {
  for (const char* name : {"cycle", "undefined_value", "unknown_domain"}) {
    request_.model = fmt::format("tests/golden/compile/{}.onnx", name);
    for (const Comparing comparing : {Comparing::kWithinLimit, Comparing::kLeftOut}) {
      request_.comparing = comparing;
      const auto result = compile(runtime::testing::environment(), request_, {});
      ASSERT_FALSE(result) << name;
      EXPECT_EQ(result.error().code, Code::kInvalidArgument) << result.error().message;
    }
  }
}

TEST_F(CompileToOnnx, a_source_of_an_operator_set_that_is_too_old_to_run_fails) {
  onnx_graph::Model old = onnx_graph::Model::create(1, 3, "old", "slipway-tests");
  {
    onnx_graph::Rewriter graph(old);
    const onnx_graph::ValueType type{onnx_graph::element_type_of_dtype(tensor::Dtype::kFloat32), tensor::Shape{1, 4}};
    auto& x = graph.add_input(graph.main(), "x", type);
    auto& y = *graph.add_node(graph.main(), "Relu", {&x}, {"y"}).output(0);
    graph.set_type(y, type);
    graph.add_output(y);
  }
  request_.model = folder_.path() / "old.onnx";
  ASSERT_TRUE(old.write(request_.model));
  const auto result = compile(runtime::testing::environment(), request_, {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("Could not find an implementation for Relu(1)"));
}

TEST_F(CompileToOnnx, a_comparison_that_cannot_run_says_why) {
  // A row outside of the table: the file is valid, running it is not.
  const auto result = value_of(compile_bytes(models::lookup_net(1000)));
  EXPECT_EQ(result.standing, Standing::kNotCompared);
  EXPECT_THAT(result.warnings, ::testing::ElementsAre(HasSubstr("The result was not compared with its source")));
  EXPECT_THAT(result.agreement, IsEmpty());
  EXPECT_THAT(result.agreement_note, HasSubstr("not compared: running the source on the CPU"));
}

TEST_F(CompileToOnnx, what_the_maker_says_of_an_input_is_what_it_is_compared_on) {
  request_.input_specs = {{.name = "picture", .shape = {1, 3, 16, 16}, .dtype = tensor::Dtype::kFloat32}};
  request_.declared_ranges = {{"image", {.lowest = 0, .highest = 255}}, {"no such input", {.lowest = 0, .highest = 1}}};
  const auto result = value_of(compile_bytes(models::conv_net()));
  EXPECT_THAT(result.agreement_note, HasSubstr("(picture 0 to 255)"));
}

TEST(Targets, names_are_those_of_the_hub) {
  for (const auto* name : {"onnx", "precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc"}) {
    ASSERT_TRUE(target_from_name(name)) << name;
    EXPECT_EQ(target_name(*target_from_name(name)), name);
  }
  EXPECT_FALSE(target_from_name("tflite"));
}

}  // namespace
}  // namespace slipway::compile
