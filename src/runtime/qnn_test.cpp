#include <cstdio>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"
#include "runtime/session_log.hpp"
#include "runtime/testing/environment.hpp"
#include "tensor/compare.hpp"

namespace slipway::runtime {
namespace {

using base::testing::value_of;
using namespace testing;  // NOLINT(google-build-using-namespace): one test
using base::Code;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Sessions on the HTP (its emulator on x86) as an SM8650 has it.
class Qnn : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_qnn()) GTEST_SKIP() << "no QNN plug-in here";
    options_.provider.name = "qnn";
    options_.provider.htp = HtpTarget{.soc_model = 57, .htp_arch = 75};
    options_.provider.options["enable_htp_fp16_precision"] = "1";
  }
  SessionOptions options_;
};

TEST_F(Qnn, runs_the_whole_model_on_the_npu_and_says_that_it_is_emulated) {
  const auto session = value_of(load_tiny("conv", options_));
  const PlacementReport& placement = session.get()->placement();
  EXPECT_EQ(placement.nodes_on(ComputeUnit::kCpu), 0) << placement.summary();
  EXPECT_GE(placement.nodes_on(ComputeUnit::kNpu), 2);
  EXPECT_EQ(placement.partitions, 1);
  EXPECT_TRUE(placement.is_emulated);
  EXPECT_THAT(placement.summary(), AllOf(HasSubstr("on the NPU in 1 partition"), HasSubstr("HTP emulator")));

  const Golden golden = golden_of("conv");
  const auto outputs = value_of(session.get()->run(golden.inputs));
  const auto agreement = tensor::compare(golden.outputs[0].tensor, outputs.at(0).tensor);
  ASSERT_TRUE(agreement);
  EXPECT_LT(agreement->relative_max, 1e-2);
  EXPECT_GT(agreement->max_abs, 0) << "half precision leaves a trace; without one the CPU may have run it";
}

TEST_F(Qnn, names_the_nodes_it_refuses_when_fallback_is_forbidden) {
  const auto session = load_tiny("unsupported_on_npu", options_);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(session.error().message, AllOf(HasSubstr("Erf 'erf'"), HasSubstr("Det 'det'"), HasSubstr("2 nodes"),
                                             HasSubstr("SoC 57"), HasSubstr("not supported"), Not(HasSubstr("relu"))));
}

TEST_F(Qnn, reports_cpu_nodes_and_partitions_when_fallback_is_allowed) {
  options_.fallback = Fallback::kAllow;
  const auto session = value_of(load_tiny("unsupported_on_npu", options_));
  const PlacementReport& placement = session.get()->placement();
  EXPECT_EQ(placement.partitions, 3);
  std::vector<std::string> on_cpu, on_npu;
  for (const LayerPlacement& layer : placement.layers) {
    (layer.unit == ComputeUnit::kCpu ? on_cpu : on_npu).push_back(layer.name);
  }
  EXPECT_THAT(on_cpu, ::testing::UnorderedElementsAre("erf", "det"));
  EXPECT_THAT(on_npu, ::testing::IsSupersetOf({"conv", "relu", "sigmoid"}));

  const Golden golden = golden_of("unsupported_on_npu");
  const auto outputs = value_of(session.get()->run(golden.inputs));
  EXPECT_LT(tensor::compare(golden.outputs[0].tensor, outputs.at(0).tensor)->max_abs, 1e-2);
}

TEST_F(Qnn, refuses_another_backend_than_the_htp) {
  options_.provider.options["backend_path"] = "/somewhere/libQnnCpu.so";
  const auto session = load_tiny("conv", options_);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::kInvalidArgument);
}

TEST_F(Qnn, says_that_a_file_is_no_model) {
  const auto session = Session::load(environment(), "tests/golden/models/conv.npz", options_);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Code::kInvalidArgument) << session.error().message;
}

TEST_F(Qnn, leaves_standard_output_to_the_program) {
  ::testing::internal::CaptureStdout();
  { ASSERT_TRUE(load_tiny("conv", options_)); }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST(UnsupportedNodes, are_read_from_the_providers_line) {
  const auto nodes =
      parse_unsupported_nodes("Unsupported nodes in QNN EP: { name: erf, type: Erf }{ name: a, b, type: Det }");
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].name, "erf");
  EXPECT_EQ(nodes[0].op_type, "Erf");
  EXPECT_EQ(nodes[1].name, "a, b");
  EXPECT_EQ(nodes[1].op_type, "Det");
  EXPECT_TRUE(parse_unsupported_nodes("something else { name: x").empty());
}

TEST(LayoutRefusal, names_node_and_operator) {
  const SessionLog log;
  const Ort::Exception exception(
      "Node 'up' OpType:Resize with domain:com.ms.internal.nhwc was inserted using the NHWC format as requested by "
      "QNNExecutionProvider, but was not selected by that EP.",
      ORT_FAIL);
  SessionOptions options;
  options.provider.name = "qnn";
  options.provider.htp = HtpTarget{35, 68};
  const auto error = explain_load_failure(exception, log, options, "m.onnx");
  EXPECT_EQ(error.code, Code::kUnimplemented);
  EXPECT_THAT(error.message, AllOf(HasSubstr("Resize 'up'"), HasSubstr("SoC 35"), HasSubstr("v68")));
}

TEST(LoadFailure, tells_no_place_in_the_source_of_onnxruntime) {
  const auto told = [](const char* what) {
    SessionOptions options;
    options.provider.name = "cpu";
    return explain_load_failure(Ort::Exception(what, ORT_INVALID_PROTOBUF), SessionLog(), options, "m.onnx").message;
  };
  const std::string start = "m.onnx: ONNX Runtime does not take this model: ";
  EXPECT_EQ(told("Load model failed:/onnxruntime_src/core/model.cc:256 onnxruntime::Model::Model(onnx::ModelProto&&, "
                 "const std::function<void(int)>&) const Unsupported model IR version: 99"),
            start + "Load model failed:Unsupported model IR version: 99");
  EXPECT_EQ(told("/onnxruntime_src/a.cc:1 f::operator()() const x was false."), start + "x was false.");
  EXPECT_EQ(told("/onnxruntime_src/a.cc:1 f("), start + "/onnxruntime_src/a.cc:1 f(");
  EXPECT_EQ(told("/onnxruntime_src/a.cc:1 f()"), start);
}

TEST(LoadFailure, names_files_without_the_folder_that_they_lie_in) {
  const auto error = [](const char* message) { return base::Error{Code::kInvalidArgument, message}; };
  EXPECT_EQ(without_folder(error("m.onnx: Load model from /a/.work-x/m.onnx failed: /a/.work-x/m.data"), "/a/.work-x")
                .message,
            "m.onnx: Load model from m.onnx failed: m.data");
  EXPECT_EQ(without_folder(error("axis 1/2 of /m.onnx"), "/").message, "axis 1/2 of /m.onnx");
  EXPECT_EQ(without_folder(error("axis 1/2"), "").message, "axis 1/2");
}

TEST(SessionLog, leaves_out_what_is_said_of_every_model) {
  SessionLog log;
  const auto say = [&](OrtLoggingLevel severity, const char* message) {
    SessionLog::receive(&log, severity, "", "", "", message);
  };
  say(ORT_LOGGING_LEVEL_WARNING, "File mapped weights feature is only available on Windows arm64 devices for QNN API");
  say(ORT_LOGGING_LEVEL_WARNING, "Unable to get producer node for OrtValueInfo 'd' that is not owned by an OrtGraph.");
  say(ORT_LOGGING_LEVEL_WARNING, "Rerunning with verbose output on a non-minimal build will show node assignments.");
  say(ORT_LOGGING_LEVEL_WARNING, "Removing initializer 'w'. It is not used by any node");
  say(ORT_LOGGING_LEVEL_ERROR, "Unable to get producer node for OrtValueInfo");
  EXPECT_THAT(log.lines(), ::testing::ElementsAre("warning: Removing initializer 'w'. It is not used by any node",
                                                  "error: Unable to get producer node for OrtValueInfo"));
}

TEST(SessionLog, gives_nodes_without_names_no_reason_of_another) {
  const auto refused = [](const char* line) {
    SessionLog log;
    for (const char* said :
         {line,
          "Validation FAILED for 1 node REASON : Operators of type `Erf` are not supported. Erf node "
          "`` will not be assigned to QNN EP. Node name:  Node index: 1"}) {
      SessionLog::receive(&log, ORT_LOGGING_LEVEL_WARNING, "", "", "", said);
    }
    return log.refused_nodes();
  };
  const auto alone = refused("Unsupported nodes in QNN EP: { name: , type: Erf }");
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_THAT(alone[0].reason, HasSubstr("`Erf`"));
  for (const auto& node : refused("Unsupported nodes in QNN EP: { name: , type: Erf }{ name: , type: Det }")) {
    EXPECT_EQ(node.reason, "") << node.op_type;
  }
}

}  // namespace
}  // namespace slipway::runtime
