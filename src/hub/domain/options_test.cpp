#include "hub/domain/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"
#include "hub/domain/kinds/list.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::testing::value_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// What dash says to `printf '<%s>' …` with the same text.
TEST(SplitWords, splits_as_a_shell_does) {
  struct Row {
    std::string text;
    std::vector<std::string> words;
  };
  const std::vector<Row> rows = {
      {"", {}},
      {"   \t\n ", {}},
      {" --a  b ", {"--a", "b"}},
      {R"(--a "b c" 'd e')", {"--a", "b c", "d e"}},
      {R"(a"b c"d)", {"ab cd"}},
      {R"("")", {""}},
      {R"(a '' b)", {"a", "", "b"}},
      {R"("a\"b\\c\d")", {R"(a"b\c\d)"}},
      {R"('a\b')", {R"(a\b)"}},
      {R"(a\ b\'c)", {"a b'c"}},
      {R"(--qnn_options 'a=b;c=d')", {"--qnn_options", "a=b;c=d"}},
      {R"(it"'"s)", {"it's"}},
      {"ä\tö", {"ä", "ö"}},
  };
  for (const Row& row : rows) {
    const auto words = split_words(row.text);
    ASSERT_TRUE(words) << row.text;
    EXPECT_EQ(*words, row.words) << row.text;
  }
}

TEST(SplitWords, refuses_a_quote_that_is_not_closed) {
  for (const char* text : {"'a", "\"a", "a 'b c", "\"a\\\""}) {
    const auto words = split_words(text);
    ASSERT_FALSE(words) << text;
    EXPECT_EQ(words.error().code, Code::kInvalidArgument);
    EXPECT_THAT(words.error().message, HasSubstr("is not closed"));
  }
}

TEST(ParseOptions, gives_the_defaults_for_no_options) {
  const auto options = parse_options(kinds::Compile::kEntry, "  ");
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->target_runtime);
  EXPECT_TRUE(options->allow_npu && options->allow_gpu && options->allow_cpu);
  EXPECT_FALSE(options->compute_unit_given);
  EXPECT_EQ(options->max_profiler_iterations, 100);
  EXPECT_EQ(options->max_profiler_time, std::chrono::seconds(600));
  EXPECT_FALSE(options->dequantize_outputs.has_value());
  EXPECT_FALSE(options->allow_emulation);
}

TEST(ParseOptions, takes_what_official_exports_send) {
  const auto options = parse_options(kinds::Compile::kEntry,
                                     " --target_runtime onnx --output_names heatmap,bbox,landmark --truncate_64bit_io");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->target_runtime, "onnx");
  EXPECT_THAT(options->output_names, ElementsAre("heatmap", "bbox", "landmark"));
  EXPECT_TRUE(options->truncate_64bit_io);

  const auto channels =
      value_of(parse_options(kinds::Compile::kEntry,
                             "--target_runtime qnn_dlc --force_channel_last_input a,b --force_channel_last_output c "
                             "--qairt_version 2.50 --quantize_io false"));
  EXPECT_THAT(channels.force_channel_last_input, ElementsAre("a", "b"));
  EXPECT_THAT(channels.force_channel_last_output, ElementsAre("c"));
  EXPECT_EQ(channels.qairt_version, "2.50");
}

TEST(ParseOptions, takes_values_behind_blanks_and_equals_signs_and_flags_with_and_without) {
  const auto options = value_of(
      parse_options(kinds::Inference::kEntry,
                    "--max_profiler_iterations=7 --max_profiler_time 9 --dequantize_outputs false --allow_emulation"));
  EXPECT_EQ(options.max_profiler_iterations, 7);
  EXPECT_EQ(options.max_profiler_time, std::chrono::seconds(9));
  EXPECT_EQ(options.dequantize_outputs, false);
  EXPECT_TRUE(options.allow_emulation);

  const auto flags = parse_options(kinds::Compile::kEntry,
                                   "--truncate_64bit_io --truncate_64bit_tensors=true --target_runtime=qnn_dlc");
  ASSERT_TRUE(flags);
  EXPECT_TRUE(flags->truncate_64bit_io && flags->truncate_64bit_tensors);
  EXPECT_EQ(flags->target_runtime, "qnn_dlc");
}

TEST(ParseOptions, lets_a_later_value_win) {
  EXPECT_EQ(parse_options(kinds::Compile::kEntry, "--target_runtime onnx --target_runtime qnn_dlc")->target_runtime,
            "qnn_dlc");
}

TEST(ParseOptions, reads_compute_units) {
  struct Row {
    std::string value;
    bool npu, gpu, cpu;
  };
  for (const Row& row : std::vector<Row>{{"all", true, true, true},
                                         {"npu", true, false, false},
                                         {"cpu,npu", true, false, true},
                                         {"npu,cpu", true, false, true},
                                         {"gpu", false, true, false},
                                         {"npu,gpu,cpu", true, true, true}}) {
    const auto options = parse_options(kinds::Inference::kEntry, "--compute_unit " + row.value);
    ASSERT_TRUE(options) << row.value;
    EXPECT_EQ(options->allow_npu, row.npu) << row.value;
    EXPECT_EQ(options->allow_gpu, row.gpu) << row.value;
    EXPECT_EQ(options->allow_cpu, row.cpu) << row.value;
    EXPECT_TRUE(options->compute_unit_given);
  }
}

TEST(ParseOptions, reads_qnn_options_and_their_older_spellings) {
  const auto options = parse_options(
      kinds::Compile::kEntry,
      "--qnn_options 'default_graph_htp_optimizations=O=3;context_htp_performance_mode=burst;context_enable_graphs=g'");
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_THAT(options->qnn_options,
              ElementsAre(Pair("context_enable_graphs", "g"), Pair("context_htp_performance_mode", "BURST"),
                          Pair("default_graph_htp_optimizations", "O=3")));

  const auto older = value_of(parse_options(kinds::Compile::kEntry,
                                            "--qnn_graph_name face --qnn_context_binary_vtcm 4 "
                                            "--qnn_context_binary_optimization_level 3"));
  EXPECT_THAT(older.qnn_options,
              ElementsAre(Pair("context_enable_graphs", "face"), Pair("default_graph_htp_optimization_value", "3"),
                          Pair("default_graph_htp_vtcm_size", "4")));
}

TEST(ParseOptions, reads_onnx_options) {
  const auto options =
      parse_options(kinds::Inference::kEntry,
                    "--onnx_options execution_mode=SEQUENTIAL;intra_op_num_threads=2 --onnx_execution_providers qnn");
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_THAT(options->onnx_options,
              ElementsAre(Pair("execution_mode", "SEQUENTIAL"), Pair("intra_op_num_threads", "2")));
  EXPECT_THAT(options->onnx_execution_providers, ElementsAre("qnn"));
}

TEST(ParseOptions, refuses_in_words) {
  struct Row {
    KindEntry kind;
    std::string text;
    Code code;
    std::string says;
  };
  const auto kCompile = kinds::Compile::kEntry, kInference = kinds::Inference::kEntry,
             kQuantize = kinds::Quantize::kEntry;
  const std::vector<Row> rows = {
      {kCompile, "--target_runtme onnx", Code::kInvalidArgument,
       "unknown option --target_runtme; did you mean --target_runtime?"},
      {kCompile, "--zzz", Code::kInvalidArgument, "unknown option --zzz"},
      {kCompile, "--target-runtime=onnx", Code::kInvalidArgument, "did you mean --target_runtime?"},
      {kCompile, "onnx", Code::kInvalidArgument, "unexpected word 'onnx'"},
      {kCompile, "--target_runtime", Code::kInvalidArgument, "--target_runtime needs a value"},
      {kCompile, "--target_runtime --truncate_64bit_io", Code::kInvalidArgument, "--target_runtime needs a value"},
      {kCompile, "--target_runtime qnn_dlx", Code::kInvalidArgument, "did you mean qnn_dlc?"},
      {kCompile, "--target_runtime tflite", Code::kUnimplemented, "does not make TFLite files yet"},
      {kCompile, "--target_runtime qnn_lib_aarch64_android", Code::kUnimplemented, "deprecated"},
      {kCompile, "--max_profiler_iterations 5", Code::kInvalidArgument,
       "belongs to profile and inference jobs; this is a compile job"},
      {kInference, "--target_runtime onnx", Code::kInvalidArgument,
       "belongs to compile jobs; this is an inference job"},
      {kInference, "--range_scheme auto", Code::kInvalidArgument, "belongs to quantize jobs; this is an inference job"},
      {kQuantize, "--range_scheme min_mx", Code::kInvalidArgument, "did you mean min_max?"},
      {kQuantize, "--lite_mp percentage=10;override_qtype=int16", Code::kUnimplemented, "the same precision"},
      {kQuantize, "--target_runtime onnx", Code::kInvalidArgument, "belongs to compile jobs; this is a quantize job"},
      {kCompile, "--allow_emulation", Code::kInvalidArgument, "belongs to profile and inference jobs"},
      {kCompile, "--quantize_full_type int8", Code::kUnimplemented,
       "--quantize_full_type is known and refused: compile jobs do not quantise here yet"},
      {kInference, "--quantize_full_type=int8", Code::kUnimplemented, "compile jobs do not quantise here yet"},
      {kCompile, "--quantize_weight_type float16", Code::kUnimplemented, "do not quantise"},
      {kCompile, "--quantize_io", Code::kUnimplemented, "--quantize_io"},
      {kCompile, "--quantize_io_type uint8", Code::kUnimplemented, "--quantize_io_type"},
      {kInference, "--tflite_delegates qnn", Code::kUnimplemented, "this hub runs no TFLite models"},
      {kInference, "--tflite_options a=b", Code::kUnimplemented, "--tflite_options"},
      {kInference, "--onnx_execution_providers directml", Code::kUnimplemented, "directml"},
      {kInference, "--onnx_execution_providers cuda", Code::kInvalidArgument, "cuda"},
      {kInference, "--onnx_options intra_op_threads=2", Code::kInvalidArgument, "did you mean intra_op_num_threads?"},
      {kInference, "--onnx_options execution_mode=fast", Code::kInvalidArgument, "execution_mode: expected"},
      {kInference, "--onnx_options graph_optimization_level=most", Code::kInvalidArgument,
       "graph_optimization_level: expected"},
      {kInference, "--onnx_options qnn_htp_performance_mode=turbo", Code::kInvalidArgument,
       "qnn_htp_performance_mode: expected"},
      {kInference, "--onnx_options qnn_htp_graph_optimization_mode=4", Code::kInvalidArgument, "from 0 to 3"},
      {kInference, "--onnx_options intra_op_num_threads=two", Code::kInvalidArgument, "'two'"},
      {kInference, "--max_profiler_iterations 0", Code::kInvalidArgument, "from 1 to"},
      {kInference, "--max_profiler_iterations 1e3", Code::kInvalidArgument, "'1e3'"},
      {kInference, "--max_profiler_iterations 99999999999999999999", Code::kInvalidArgument, "from 1 to"},
      {kCompile, "--truncate_64bit_io=maybe", Code::kInvalidArgument, "expected true or false, found 'maybe'"},
      {kCompile, "--compute_unit npu,tpu", Code::kInvalidArgument, "'tpu'"},
      {kCompile, "--compute_unit npu,", Code::kInvalidArgument, "with ',' between them"},
      {kCompile, "--qairt_version newest", Code::kInvalidArgument, "'newest'"},
      {kCompile, "--qairt_version 2.50.1.x", Code::kInvalidArgument, "2.50.1.x"},
      {kCompile, "--qnn_options vtcm=4", Code::kInvalidArgument, "unknown key vtcm"},
      {kCompile, "--qnn_options default_graph_htp_vtcm_sise=4", Code::kInvalidArgument,
       "did you mean default_graph_htp_vtcm_size?"},
      {kCompile, "--qnn_options default_graph_htp_optimization_value=4", Code::kInvalidArgument, "from 1 to 3"},
      {kCompile, "--qnn_options default_graph_htp_precision=INT8", Code::kInvalidArgument, "FLOAT16"},
      {kCompile, "--qnn_options context_gpu_performance_hint=HIGH", Code::kUnimplemented,
       "context_gpu_performance_hint"},
      {kCompile, "--qnn_options default_graph_htp_num_hvx_threads=4", Code::kUnimplemented,
       "ONNX Runtime's QNN provider, which has no such setting"},
      {kCompile, "--qnn_options novalue", Code::kInvalidArgument, "key=value"},
      {kCompile, "--qnn_options ''", Code::kInvalidArgument, "found nothing"},
      {kCompile, "--output_names 'a", Code::kInvalidArgument, "is not closed"},
  };
  for (const Row& row : rows) {
    const auto options = parse_options(row.kind, row.text);
    ASSERT_FALSE(options) << row.text;
    EXPECT_EQ(options.error().code, row.code) << row.text << ": " << options.error().message;
    EXPECT_THAT(options.error().message, HasSubstr(row.says)) << row.text;
  }
}

}  // namespace
}  // namespace slipway::hub::domain
