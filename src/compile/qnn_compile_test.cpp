#include "compile/qnn_compile.hpp"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/value_of.hpp"
#include "compile/npu_faults/known_faults.hpp"
#include "compile/onnx_graph/context_nodes.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "runtime/session.hpp"
#include "runtime/testing/environment.hpp"

/// Everything here runs Qualcomm's own compiler and, to compare, its HTP emulator.
namespace slipway::compile {
namespace {

using base::testing::value_of;
namespace models = onnx_graph::testing;
using base::Code;
using runtime::HtpTarget;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr HtpTarget kSm8650{.soc_model = 57, .htp_arch = 75};
constexpr HtpTarget kSa8255{.soc_model = 52, .htp_arch = 73};  // one of the few chips with a cost model
constexpr HtpTarget kSm7325{.soc_model = 35, .htp_arch = 68};  // integers only

class CompileForQnn : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!runtime::testing::has_qnn()) GTEST_SKIP() << "needs the QNN plug-in";
    std::filesystem::create_directory(folder() / "out");
    request_.output_folder = folder() / "out";
    request_.htp = kSm8650;
  }
  std::filesystem::path folder() const { return folder_.path(); }

  base::Result<CompileResult> compile_bytes(const std::string& bytes) {
    request_.model = folder() / "net.onnx";
    models::write(request_.model, bytes);
    return compile(runtime::testing::environment(), request_, {});
  }

  static void expect_agreement(const CompileResult& result, double relative_max) {
    ASSERT_THAT(result.agreement, SizeIs(result.outputs.size())) << result.agreement_note;
    for (const auto& output : result.agreement) {
      EXPECT_LT(output.agreement.relative_max, relative_max) << output.output;
    }
    EXPECT_THAT(result.warnings, ::testing::IsEmpty());
  }

  CompileRequest request_;
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("qnn-test").value();
};

TEST_F(CompileForQnn, a_precompiled_onnx_holds_the_binary_and_runs) {
  request_.target = Target::kPrecompiledQnnOnnx;
  const auto result = value_of(compile_bytes(models::conv_net()));
  const auto nodes = onnx_graph::context_nodes(*onnx_graph::Model::read(result.artifact));
  ASSERT_THAT(nodes, SizeIs(1));
  EXPECT_TRUE(nodes[0].is_embedded);
  EXPECT_EQ(result.metadata.at("graph_names"), nodes[0].graph_name);
  EXPECT_THAT(result.metadata.at("qairt_version"), ::testing::MatchesRegex("v2\\.[0-9]+\\..*"));
  EXPECT_EQ(result.metadata.at("soc_model"), "57");
  EXPECT_EQ(result.metadata.at("htp_arch"), "75");
  EXPECT_TRUE(result.wrapper.empty());
  EXPECT_EQ(result.placement.nodes_on(runtime::ComputeUnit::kNpu), result.placement.node_count());
  EXPECT_THAT(result.agreement_note, AllOf(HasSubstr("HTP emulator"), HasSubstr("SM8650")));
  expect_agreement(result, 0.02);  // FP16 against FP32
  EXPECT_FALSE(result.estimate) << "this chip has no cost model";
}

TEST_F(CompileForQnn, what_leaves_the_range_of_float16_is_an_alarm) {
  request_.target = Target::kPrecompiledQnnOnnx;
  request_.model = "tests/golden/compile/q_fp16_overflow.onnx";
  const auto result = value_of(compile(runtime::testing::environment(), request_, {}));
  EXPECT_EQ(result.standing, Standing::kDiffers);
  EXPECT_THAT(result.warnings, ::testing::ElementsAre(HasSubstr("Output 'y' does not agree with the source")));
  EXPECT_TRUE(std::filesystem::exists(result.artifact)) << "the result is kept";
}

TEST_F(CompileForQnn, nodes_without_names_are_named_by_their_place_with_advice_that_the_target_allows) {
  request_.model = "tests/golden/compile/q_multi_partition.onnx";
  for (const Target target : {Target::kPrecompiledQnnOnnx, Target::kQnnContextBinary, Target::kQnnDlc}) {
    request_.target = target;
    const auto result = compile(runtime::testing::environment(), request_, {});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("node 2 (Det, output 'd')"));
    const bool allows_fallback = target == Target::kPrecompiledQnnOnnx;
    EXPECT_EQ(result.error().message.find("Allow the fallback") != std::string::npos, allows_fallback)
        << result.error().message;
  }
}

TEST_F(CompileForQnn, the_comparison_can_be_left_out_and_the_note_says_so) {
  request_.target = Target::kPrecompiledQnnOnnx;
  request_.comparing = Comparing::kLeftOut;
  const auto result = value_of(compile_bytes(models::conv_net()));
  EXPECT_TRUE(result.agreement.empty());
  EXPECT_EQ(result.agreement_note, "not compared: left out as asked");
  EXPECT_TRUE(std::filesystem::exists(result.artifact));
}

TEST_F(CompileForQnn, known_faults_of_the_compiler_are_avoided_and_said) {
  request_.target = Target::kPrecompiledQnnOnnx;
  request_.model = folder() / "net.onnx";
  const auto fault = std::ranges::find(npu_faults::known_faults(), "uint8-to-float", &npu_faults::KnownFault::id);
  ASSERT_TRUE(fault->probe().write(request_.model));
  const auto result = value_of(compile(runtime::testing::environment(), request_, {}));
  EXPECT_THAT(result.log, Contains(AllOf(HasSubstr("Cast from uint8"), HasSubstr("avoided in 1 place"))));
  EXPECT_EQ(result.metadata.at("avoided_compiler_faults"), "uint8-to-float");

  // All 256 numbers, which the compiler turns into 0 and 1 without the rewrite.
  auto input = tensor::Tensor::zeros(tensor::Dtype::kUint8, result.inputs[0].shape);
  for (std::size_t i = 0; i < input->size_bytes(); ++i) input->bytes()[i] = static_cast<std::byte>(i % 256);
  tensor::NamedTensors inputs;
  inputs.push_back({"x0", *std::move(input)});
  runtime::SessionOptions options;
  options.provider = {.name = std::string(runtime::htp_provider().name), .options = {}, .htp = kSm8650};
  const auto session = value_of(runtime::Session::load(runtime::testing::environment(), result.artifact, options));
  const auto outputs = value_of(session->run(inputs));
  EXPECT_EQ(tensor::compare(inputs[0].tensor, outputs[0].tensor)->max_abs, 0);
}

TEST_F(CompileForQnn, a_context_binary_has_a_wrapper_that_runs_it) {
  request_.target = Target::kQnnContextBinary;
  const auto result = value_of(compile_bytes(models::conv_net()));
  EXPECT_EQ(result.artifact.filename(), kContextBinaryFile);
  EXPECT_GT(std::filesystem::file_size(result.artifact), 1000U);
  EXPECT_EQ(result.wrapper.parent_path(), result.artifact.parent_path());
  EXPECT_EQ(onnx_graph::context_nodes(*onnx_graph::Model::read(result.wrapper))[0].file, kContextBinaryFile);
  expect_agreement(result, 0.02);
}

TEST_F(CompileForQnn, a_dlc_is_written_and_its_comparison_says_what_was_run) {
  request_.target = Target::kQnnDlc;
  const auto result = value_of(compile_bytes(models::conv_net()));
  EXPECT_EQ(result.artifact.extension(), ".dlc");
  // A DLC is a zip archive.
  std::ifstream file(result.artifact, std::ios::binary);
  std::string magic(2, '\0');
  file.read(magic.data(), 2);
  EXPECT_EQ(magic, "PK");
  EXPECT_THAT(result.agreement_note, HasSubstr("a DLC cannot be read back here"));
  expect_agreement(result, 0.02);
}

TEST_F(CompileForQnn, a_quantized_graph_runs_on_a_chip_without_fp16) {
  request_.target = Target::kQnnContextBinary;
  request_.htp = kSm7325;
  request_.chip_supports_fp16 = false;
  const auto result = value_of(compile_bytes(models::quantized_conv_net()));
  EXPECT_EQ(result.placement.nodes_on(runtime::ComputeUnit::kCpu), 0) << result.placement.summary();
  ASSERT_THAT(result.agreement, SizeIs(1));
  EXPECT_LE(result.agreement[0].agreement.max_abs, 0.0201) << "one quantum of the output";
}

TEST_F(CompileForQnn, a_float_graph_is_refused_on_a_chip_without_fp16) {
  request_.target = Target::kQnnDlc;
  request_.htp = kSm7325;
  request_.chip_supports_fp16 = false;
  const auto result = compile_bytes(models::conv_net());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("SM7325"), HasSubstr("quantise the model first")));
}

TEST_F(CompileForQnn, the_compilers_own_refusal_of_float_names_node_and_chip) {
  request_.target = Target::kPrecompiledQnnOnnx;
  request_.htp = kSm7325;  // claimed to have FP16: the compiler knows better
  const auto result = compile_bytes(models::conv_net());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUnimplemented) << result.error().message;
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("SM7325"), HasSubstr("Conv"), HasSubstr("conv1")));
}

TEST_F(CompileForQnn, an_operator_that_the_chip_lacks_is_named) {
  request_.target = Target::kQnnContextBinary;
  const auto result = compile_bytes(models::determinant_net());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUnimplemented) << result.error().message;
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("determinant"), HasSubstr("Det"), HasSubstr("SM8650")));
}

TEST_F(CompileForQnn, a_graph_of_which_nothing_can_run_on_the_chip_is_refused_with_its_operators) {
  for (const Target target : {Target::kPrecompiledQnnOnnx, Target::kQnnContextBinary, Target::kQnnDlc}) {
    for (const auto fallback : {runtime::Fallback::kForbid, runtime::Fallback::kAllow}) {
      request_.target = target;
      request_.fallback = fallback;
      const auto result = compile_bytes(models::determinant_alone());
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, Code::kUnimplemented) << result.error().message;
      EXPECT_THAT(result.error().message, AllOf(HasSubstr("takes no node"), HasSubstr("Det 'determinant'"),
                                                HasSubstr("SM8650"), HasSubstr("target onnx")));
    }
  }
}

TEST_F(CompileForQnn, with_fallback_the_onnx_target_reports_what_the_cpu_runs) {
  request_.target = Target::kPrecompiledQnnOnnx;
  request_.fallback = runtime::Fallback::kAllow;
  const auto result = value_of(compile_bytes(models::determinant_net()));
  EXPECT_GE(result.placement.nodes_on(runtime::ComputeUnit::kCpu), 1) << result.placement.summary();
  EXPECT_GE(result.placement.nodes_on(runtime::ComputeUnit::kNpu), 1) << result.placement.summary();
  EXPECT_THAT(result.agreement, SizeIs(1)) << result.agreement_note;
}

TEST_F(CompileForQnn, fallback_never_makes_a_binary_of_half_a_model) {
  request_.target = Target::kQnnContextBinary;
  request_.fallback = runtime::Fallback::kAllow;
  EXPECT_FALSE(compile_bytes(models::determinant_net()));
}

TEST_F(CompileForQnn, a_chip_with_a_cost_model_gives_an_estimate_and_traffic) {
  request_.target = Target::kQnnContextBinary;
  request_.htp = kSa8255;
  const auto result = value_of(compile_bytes(models::conv_net()));
  ASSERT_TRUE(result.estimate);
  EXPECT_GT(result.estimate->lower_us, 0);
  EXPECT_LE(result.estimate->lower_us, result.estimate->nominal_us);
  EXPECT_LE(result.estimate->nominal_us, result.estimate->upper_us);
  ASSERT_TRUE(result.traffic);
  EXPECT_GT(result.traffic->input_fill, 0U);
  EXPECT_THAT(result.extra_files, SizeIs(1));
  EXPECT_THAT(result.log, Contains(HasSubstr("not a measurement")));
}

TEST_F(CompileForQnn, a_dlc_gets_the_same_estimate_as_a_binary_and_no_times_of_the_emulator) {
  request_.htp = kSa8255;
  request_.target = Target::kQnnContextBinary;
  const auto binary = compile_bytes(models::conv_net());
  request_.target = Target::kQnnDlc;
  const auto dlc = compile_bytes(models::conv_net());
  ASSERT_TRUE(binary && dlc);
  ASSERT_TRUE(binary->estimate && dlc->estimate);
  EXPECT_EQ(dlc->estimate->nominal_us, binary->estimate->nominal_us);
  EXPECT_THAT(dlc->extra_files, ::testing::IsEmpty());
}

TEST_F(CompileForQnn, chips_without_an_htp_are_refused) {
  request_.target = Target::kQnnDlc;
  for (const int arch : {0, 66}) {
    request_.htp = HtpTarget{.soc_model = 0, .htp_arch = arch};
    const auto result = compile_bytes(models::conv_net());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kFailedPrecondition);
    EXPECT_THAT(result.error().message, HasSubstr("needs an HTP (Hexagon v68 or newer)"));
  }
  request_.htp.reset();
  EXPECT_THAT(compile_bytes(models::conv_net()).error().message, HasSubstr("needs a device with an NPU"));
}

TEST_F(CompileForQnn, open_sizes_are_refused_before_the_compiler_sees_them) {
  request_.target = Target::kQnnDlc;
  const auto result = compile_bytes(models::conv_net(true));
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("input \"image\" is float32[?,3,16,16]: the NPU needs fixed sizes"));
  const auto open = compile_bytes(models::net_without_shapes(true));
  ASSERT_FALSE(open);
  EXPECT_THAT(open.error().message, HasSubstr("input \"x\" is float32 of unknown rank: the NPU needs fixed sizes"));
}

TEST_F(CompileForQnn, an_output_that_is_listed_twice_is_refused_by_name_where_a_wrapper_cannot_hold_it) {
  request_.truncate_64bit_io = true;
  for (const Target target : {Target::kPrecompiledQnnOnnx, Target::kQnnContextBinary}) {
    request_.target = target;
    const auto result = compile_bytes(models::clashing_names_net());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kInvalidArgument);
    EXPECT_THAT(result.error().message, HasSubstr("the output \"y\" is listed twice"));
  }
}

TEST_F(CompileForQnn, options_that_follow_from_the_device_cannot_be_set) {
  request_.target = Target::kQnnDlc;
  request_.qnn_options = {{"soc_model", "43"}};
  EXPECT_THAT(compile_bytes(models::conv_net()).error().message, HasSubstr("soc_model"));
}

TEST_F(CompileForQnn, options_reach_the_compiler_and_the_metadata) {
  request_.target = Target::kQnnContextBinary;
  request_.qnn_options = {{"vtcm_mb", "4"}, {"htp_graph_finalization_optimization_mode", "3"}};
  const auto result = value_of(compile_bytes(models::conv_net()));
  EXPECT_EQ(result.metadata.at("vtcm_mb"), "4");
  EXPECT_EQ(result.metadata.at("optimization_level"), "3");
}

TEST_F(CompileForQnn, nothing_is_left_in_the_working_folder_or_beside_the_results) {
  const auto before = std::filesystem::current_path();
  request_.htp = kSa8255;
  for (const auto& [target, expected] :
       {std::pair{Target::kQnnDlc, std::vector<std::string>{"model.onnx", "model.dlc"}},
        std::pair{Target::kQnnContextBinary,
                  std::vector<std::string>{"model.onnx", "model.onnx", "model_qnn.bin", "compiler_profile.csv"}}}) {
    std::filesystem::remove_all(request_.output_folder);
    std::filesystem::create_directory(request_.output_folder);
    request_.target = target;
    ASSERT_TRUE(compile_bytes(models::conv_net()));
    EXPECT_EQ(std::filesystem::current_path(), before);
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(request_.output_folder)) {
      if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
    }
    EXPECT_THAT(names, ::testing::UnorderedElementsAreArray(expected));
  }
}

}  // namespace
}  // namespace slipway::compile
