#include "hub/domain/option_effects.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/domain/kinds/list.hpp"
#include "hub/domain/option_values.hpp"

namespace slipway::hub::domain {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(OptionEffects, every_option_and_key_that_is_carried_out_says_where_it_has_effect) {
  for (const auto& option : effective_options()) EXPECT_TRUE(has_effect_rule(option)) << option;
  for (const auto& key : option_values::effective_keys()) EXPECT_TRUE(has_effect_rule(key)) << key;
}

// The whole table: an option, and the situations in which it changes nothing.
TEST(OptionEffects, are_missing_exactly_where_nothing_changes) {
  const std::map<std::string, OptionSituation> situations = {
      {"compile onnx", {.is_compile = true, .target = CompileTarget::kOnnx}},
      {"compile precompiled", {.is_compile = true, .target = CompileTarget::kPrecompiledQnnOnnx}},
      {"compile binary", {.is_compile = true, .target = CompileTarget::kQnnContextBinary}},
      {"profile here", {.is_measured = true, .is_profiling = true}},
      {"infer here", {.is_measured = true, .has_data = true}},
      {"profile emulated", {.is_on_npu = true, .is_profiling = true}},
      {"infer emulated", {.is_on_npu = true, .has_data = true}},
  };
  struct Row {
    KindEntry kind;
    std::string option;
    std::vector<std::string> without;
  };
  const std::vector<Row> rows = {
      {kinds::Compile::kEntry, "--compute_unit npu", {"compile binary", "compile onnx"}},
      {kinds::Compile::kEntry, "--qairt_version latest", {"compile onnx"}},
      {kinds::Compile::kEntry, "--quantize_io false", {"compile binary", "compile onnx", "compile precompiled"}},
      {kinds::Compile::kEntry, "--qnn_context_binary_vtcm 4", {"compile onnx"}},
      {kinds::Compile::kEntry, "--qnn_graph_name x", {"compile binary", "compile onnx", "compile precompiled"}},
      {kinds::Compile::kEntry, "--compare_limit 5", {}},
      {kinds::Compile::kEntry, "--truncate_64bit_io", {}},
      {kinds::Inference::kEntry, "--compute_unit all", {"infer here", "profile here"}},
      {kinds::Inference::kEntry, "--allow_emulation", {"infer emulated", "infer here", "profile here"}},
      {kinds::Inference::kEntry, "--max_profiler_iterations 5", {"infer emulated", "infer here", "profile emulated"}},
      {kinds::Inference::kEntry, "--max_profiler_time 5", {"infer emulated", "infer here", "profile emulated"}},
      {kinds::Inference::kEntry,
       "--dequantize_outputs",
       {"infer emulated", "infer here", "profile emulated", "profile here"}},
      {kinds::Inference::kEntry, "--qnn_options context_priority=HIGH", {"infer here", "profile here"}},
      {kinds::Inference::kEntry,
       "--onnx_options qnn_htp_performance_mode=burst",
       {"infer emulated", "infer here", "profile emulated", "profile here"}},
      {kinds::Inference::kEntry, "--onnx_options intra_op_num_threads=1", {}},
  };
  for (const Row& row : rows) {
    const auto options = parse_options(row.kind, row.option);
    ASSERT_TRUE(options) << options.error().message;
    std::vector<std::string> without;
    for (const auto& [name, situation] : situations) {
      if (situation.is_compile != (row.kind.number == kinds::Compile::kEntry.number)) continue;
      if (!options_without_effect(*options, situation).empty()) without.push_back(name);
    }
    EXPECT_EQ(without, row.without) << row.option;
  }
}

TEST(OptionEffects, are_told_by_reason) {
  const auto options = parse_options(kinds::Compile::kEntry,
                                     "--qairt_version latest --compute_unit npu --qnn_graph_name x --compute_unit all");
  ASSERT_TRUE(options);
  EXPECT_THAT(options_without_effect(*options, {.is_compile = true, .target = CompileTarget::kOnnx}),
              ElementsAre("without effect on the target onnx: --qnn_options context_enable_graphs, --qairt_version, "
                          "--compute_unit"));
  EXPECT_THAT(options_without_effect(JobOptions{}, {}), IsEmpty());
}

}  // namespace
}  // namespace slipway::hub::domain
