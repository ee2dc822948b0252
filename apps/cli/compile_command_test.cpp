#include "apps/cli/compile_command.hpp"

#include <csignal>
#include <fstream>
#include <thread>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "apps/cli/catalogue.hpp"
#include "apps/cli/child_process.hpp"
#include "apps/cli/model_argument.hpp"
#include "base/files.hpp"

namespace slipway::cli {
namespace {

using base::Code;
using nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(InputSpec, is_a_name_sizes_and_a_dtype) {
  const auto spec = parse_input_spec("serving:0=1x3x224x224:uint8");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->name, "serving:0");
  EXPECT_THAT(spec->shape, ElementsAre(1, 3, 224, 224));
  EXPECT_EQ(spec->dtype, tensor::Dtype::kUint8);
  EXPECT_EQ(parse_input_spec("x=4")->dtype, tensor::Dtype::kFloat32);
  EXPECT_THAT(parse_input_spec("scalar=:int32")->shape, IsEmpty());
}

TEST(InputSpec, other_forms_are_refused) {
  for (const char* text : {"", "x", "=1x2", "x=1x", "x=x1", "x=1,2", "x=0x2", "x=-1x2", "x=1x2:half",
                           "x=1x2:", "x=99999999999999999999"}) {
    const auto spec = parse_input_spec(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_THAT(spec.error().message, HasSubstr("image=1x3x224x224:float32"));
  }
}

TEST(ChildProcess, results_and_log_lines_come_back) {
  std::vector<std::string> lines;
  const auto result = run_in_child(
      [](const LogLine& log) -> base::Result<ordered_json> {
        log("first\nwith a break");
        log("second \xff");  // not UTF-8: replaced, not fatal
        return ordered_json{{"pid", ::getpid()}};
      },
      [&](std::string_view line) { lines.emplace_back(line); });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_NE((*result)["pid"].get<int>(), ::getpid());
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "first\nwith a break");
}

TEST(ChildProcess, errors_keep_their_code) {
  const auto result = run_in_child(
      [](const LogLine&) -> base::Result<ordered_json> { return base::fail(Code::kUnavailable, "no QNN here"); }, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kUnavailable);
  EXPECT_EQ(result.error().message, "no QNN here");
}

TEST(ChildProcess, a_crash_is_an_error_that_names_the_signal_and_the_last_words) {
  const auto result = run_in_child(
      [](const LogLine& log) -> base::Result<ordered_json> {
        log("compiling for SM8650");
        ::signal(SIGSEGV, SIG_DFL);
        ::raise(SIGSEGV);
        return ordered_json{};
      },
      {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kInternal);
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("signal 11"), HasSubstr("compiling for SM8650")));
}

TEST(ChildProcess, an_early_exit_is_an_error) {
  const auto result = run_in_child([](const LogLine&) -> base::Result<ordered_json> { ::_exit(7); }, {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("status 7"));
}

TEST(ChildProcess, what_never_ends_is_ended) {
  const auto result = run_in_child(
      [](const LogLine& log) -> base::Result<ordered_json> {
        log("thinking");
        std::this_thread::sleep_for(std::chrono::minutes(5));
        return ordered_json{};
      },
      {}, std::chrono::seconds(1));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kDeadlineExceeded);
  EXPECT_THAT(result.error().message, HasSubstr("thinking"));
}

class Placing : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(work() / "compiled"); }
  std::filesystem::path root() const { return folder_->path(); }
  std::filesystem::path work() const { return root() / "work"; }
  std::string make(const std::filesystem::path& path) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "bytes";
    return path.string();
  }
  base::Result<base::TemporaryFolder> folder_ = base::TemporaryFolder::create("placing-test");
};

TEST_F(Placing, a_path_with_the_targets_extension_is_the_file) {
  ordered_json report = {{"artifact", make(work() / "compiled/model.dlc")}, {"artifact_is_folder", false}};
  ASSERT_TRUE(place_results(report, compile::Target::kQnnDlc, root() / "face.dlc"));
  EXPECT_TRUE(std::filesystem::is_regular_file(root() / "face.dlc"));
  EXPECT_EQ(report["artifact"], (root() / "face.dlc").string());
}

TEST_F(Placing, any_other_path_is_a_folder) {
  ordered_json report = {{"artifact", make(work() / "compiled/model_qnn.bin")},
                         {"artifact_is_folder", false},
                         {"wrapper", make(work() / "compiled/model.onnx")}};
  ASSERT_TRUE(place_results(report, compile::Target::kQnnContextBinary, root() / "face"));
  EXPECT_TRUE(std::filesystem::is_regular_file(root() / "face" / "model_qnn.bin"));
  EXPECT_TRUE(std::filesystem::is_regular_file(root() / "face" / "model.onnx"));
  EXPECT_EQ(report["wrapper"], (root() / "face" / "model.onnx").string());
}

TEST_F(Placing, weights_beside_the_model_need_a_folder) {
  make(work() / "source/model.data");
  make(work() / "source/model.onnx");
  ordered_json report = {{"artifact", (work() / "source").string()}, {"artifact_is_folder", true}};
  const auto refused = place_results(report, compile::Target::kOnnx, root() / "face.onnx");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("without an extension"));
  ASSERT_TRUE(place_results(report, compile::Target::kOnnx, root() / "face"));
  EXPECT_TRUE(std::filesystem::is_regular_file(root() / "face" / "model.data"));
}

compile::CompileResult example() {
  compile::CompileResult result;
  result.artifact = "out.bin";
  result.inputs = {{"image", tensor::Dtype::kFloat32, {1, 3, 8, 8}, std::nullopt}};
  result.outputs = {{"scores", tensor::Dtype::kFloat32, {1, 4}, std::nullopt}};
  result.placement.is_emulated = true;
  result.standing = compile::Standing::kAgrees;
  result.agreement = {{.output = "scores", .agreement = {.count = 4}}};
  result.agreement_note = "the source on the CPU against the result on the HTP emulator";
  result.metadata["chip"] = "SA8255 (HTP v73)";
  return result;
}

TEST(CompileReport, says_what_was_emulated_and_what_was_only_estimated) {
  auto result = example();
  result.estimate = compile::CompilerEstimate{.nominal_us = 148, .lower_us = 125, .upper_us = 177};
  const auto report = report_of(result, compile::Target::kQnnContextBinary);
  EXPECT_EQ(report["compiler_estimate"]["is_measurement"], false);
  EXPECT_EQ(report["placement"]["is_emulated"], true);
  EXPECT_THAT(text_of(report), AllOf(HasSubstr("HTP emulator"),
                                     HasSubstr("estimate (SA8255 (HTP v73) class), not a "
                                               "measurement"),
                                     HasSubstr("148")));
}

TEST(CompileReport, says_first_what_nobody_may_overlook_and_that_is_an_alarm) {
  auto result = example();
  EXPECT_FALSE(is_alarm(report_of(result, compile::Target::kOnnx)));
  result.standing = compile::Standing::kDiffers;
  result.warnings = {"Output 'scores' does not agree with the source: signal to noise is 3.9 dB."};
  result.agreement[0].agreement.not_comparable = 1;
  result.agreement[0].alarm = "signal to noise is 3.9 dB";
  const auto report = report_of(result, compile::Target::kOnnx);
  EXPECT_TRUE(is_alarm(report));
  EXPECT_EQ(report["standing"], "differs");
  EXPECT_THAT(text_of(report),
              AllOf(::testing::StartsWith("WARNING: Output 'scores'"), HasSubstr("1 of 4"), HasSubstr("ALARM")));
  result.standing = compile::Standing::kNotCompared;
  EXPECT_TRUE(is_alarm(report_of(result, compile::Target::kOnnx)));
  result.standing = compile::Standing::kLeftOut;
  EXPECT_FALSE(is_alarm(report_of(result, compile::Target::kOnnx))) << "the user did not want to know";
}

TEST(CompileReport, shows_no_estimate_where_there_is_none) {
  const auto report = report_of(example(), compile::Target::kQnnContextBinary);
  EXPECT_FALSE(report.contains("compiler_estimate"));
  EXPECT_THAT(text_of(report), Not(HasSubstr("estimate")));
}

TEST(DeclaredRanges, are_those_of_the_graph_that_was_chosen_and_bad_ones_are_refused) {
  const auto folder = base::TemporaryFolder::create("ranges");
  ASSERT_TRUE(folder);
  const auto describe = [&](const std::string& range) {
    std::ofstream(folder->path() / "model.yaml") << "schema: 1\ngraphs:\n  a:\n    file: a.onnx\n    inputs: [{name: "
                                                    "x, range: [-3, 3]}]\n  b:\n    file: b.onnx\n"
                                                 << "    inputs: [{name: x, range: " << range << "}, {name: y}]\n";
  };
  const ModelArgument model{.path = folder->path(), .graph = "b"};
  describe("[0, 2.5]");
  const auto ranges = model.declared_ranges();
  ASSERT_TRUE(ranges) << ranges.error().message;
  ASSERT_EQ(ranges->size(), 1U);
  EXPECT_EQ(ranges->at("x").lowest, 0);
  EXPECT_EQ(ranges->at("x").highest, 2.5);
  for (const char* bad : {"[1]", "[2, 1]", "[0, .nan]", "[0, many]", "wide"}) {
    describe(bad);
    EXPECT_FALSE(model.declared_ranges()) << bad;
  }
}

TEST(Catalogue, devices_are_found_by_name_and_by_alias) {
  const auto device = find_device("Samsung Galaxy S24", {});
  ASSERT_TRUE(device) << device.error().message;
  EXPECT_EQ(device->chip.htp_arch, 75);
  const auto family = find_device("Samsung Galaxy S24 (Family)", {});
  ASSERT_TRUE(family) << family.error().message;
  EXPECT_EQ(family->chip.soc_model, device->chip.soc_model);
  const auto old = find_device("Samsung Galaxy Tab S7", {});
  ASSERT_TRUE(old);
  EXPECT_FALSE(old->chip.has_htp());
}

TEST(Catalogue, an_unknown_name_gets_the_nearest_one) {
  EXPECT_THAT(find_device("Samsung Galaxy S42", {}).error().message, HasSubstr("did you mean \"Samsung Galaxy S2"));
}

}  // namespace
}  // namespace slipway::cli
