#include "convert/torch_export/read.hpp"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/utf8.hpp"

namespace slipway::convert::torch_export {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

/// A zip archive of stored entries; `deflated` names one that is packed, as one block that deflate leaves as it is.
std::string zip_of(const std::vector<std::pair<std::string, std::string>>& entries, std::string_view deflated = "") {
  const auto number = [](std::uint64_t value, int width) {
    std::string bytes;
    for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFFU);
    return bytes;
  };
  std::string zip, directory;
  for (const auto& [name, content] : entries) {
    const bool is_deflated = name == deflated;
    const std::string stored =
        is_deflated ? "\1" + number(content.size(), 2) + number(~content.size(), 2) + content : content;
    const std::string common = number(20, 2) + number(0, 2) + number(is_deflated ? 8 : 0, 2) + number(0, 4) +
                               number(crc32_of(content), 4) + number(stored.size(), 4) + number(content.size(), 4) +
                               number(name.size(), 2) + number(0, 2);
    directory += std::string("PK\1\2") + number(20, 2) + common + number(0, 10) + number(zip.size(), 4) + name;
    zip += std::string("PK\3\4") + common + name + stored;
  }
  const std::size_t begin = zip.size();
  return zip + directory + "PK\5\6" + number(0, 4) + number(entries.size(), 2) + number(entries.size(), 2) +
         number(directory.size(), 4) + number(begin, 4) + number(0, 2);
}

json tensor_meta(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides) {
  json meta = {{"dtype", 7},
               {"sizes", json::array()},
               {"strides", json::array()},
               {"storage_offset", {{"as_int", 0}}},
               {"device", {{"type", "cpu"}, {"index", nullptr}}},
               {"layout", 7},
               {"requires_grad", false}};
  for (const auto size : sizes) meta["sizes"].push_back({{"as_int", size}});
  for (const auto stride : strides) meta["strides"].push_back({{"as_int", stride}});
  return meta;
}

json tensor_named(const std::string& name) {
  return {{"as_tensor", {{"name", name}}}};
}

/// y = x + w, as PyTorch 2.11 writes it down: w [2, 3] of the module "block".
struct Program {
  json model = {{"schema_version", {{"major", 8}, {"minor", 17}}},
                {"torch_version", "2.11.0"},
                {"opset_version", {{"aten", 10}}},
                {"range_constraints", {{"s0", {{"min_val", 0}, {"max_val", nullptr}}}}},
                {"graph_module",
                 {{"graph",
                   {{"inputs", {tensor_named("w"), tensor_named("x")}},
                    {"outputs", {tensor_named("add")}},
                    {"nodes",
                     {{{"target", "torch.ops.aten.add.Tensor"},
                       {"inputs",
                        {{{"name", "self"}, {"arg", tensor_named("x")}, {"kind", 1}},
                         {{"name", "other"}, {"arg", tensor_named("w")}, {"kind", 1}}}},
                       {"outputs", {tensor_named("add")}},
                       {"metadata",
                        {{"stack_trace",
                          "File \"/home/me/net.py\", line 10, in forward\n    return x + self.w\n  File "
                          "\"/lib/torch/nn/module.py\", line 5, in call\n    inner()\n  File "
                          "\"<eval_with_key>.41\", line 9, in forward\n    add = l_x_ + l_w_"},
                         {"nn_module_stack", "L__self__,,net.Net;L__self__block,block,net.Block"}}}}}},
                    {"tensor_values",
                     {{"w", tensor_meta({2, 3}, {3, 1})},
                      {"x", tensor_meta({2, 3}, {3, 1})},
                      {"add", tensor_meta({2, 3}, {3, 1})}}},
                    {"sym_int_values", json::object()}}},
                  {"signature",
                   {{"input_specs",
                     {{{"parameter", {{"arg", {{"name", "w"}}}, {"parameter_name", "block.w"}}}},
                      {{"user_input", {{"arg", tensor_named("x")}}}}}},
                    {"output_specs", {{{"user_output", {{"arg", tensor_named("add")}}}}}}}}}}};
  json weight = {{"path_name", "weight_0"},
                 {"is_param", true},
                 {"use_pickle", false},
                 {"tensor_meta", tensor_meta({2, 3}, {3, 1})}};
  std::string bytes = std::string(24, '\1');

  json& graph() { return model["graph_module"]["graph"]; }
  json& node() { return graph()["nodes"][0]; }

  base::Result<aten::Graph> read() {
    const json list = {{"config", {{"block.w", weight}}}};
    zip = zip_of({{"net/models/model.json", text.empty() ? model.dump() : text},
                  {"net/data/weights/model_weights_config.json", list.dump()},
                  {"net/data/weights/weight_0", bytes},
                  {"net/archive_format", "pt2"}},
                 deflated);
    SLIPWAY_ASSIGN(const auto archive, archive::ZipArchive::over(std::as_bytes(std::span(zip.data(), zip.size()))));
    EXPECT_TRUE(is_torch_export(archive));
    return torch_export::read(archive);
  }
  std::string text, zip, deflated;
};

void expect_refused(Program program, base::Code code, std::string_view said) {
  const auto graph = program.read();
  ASSERT_FALSE(graph) << said;
  EXPECT_EQ(graph.error().code, code) << graph.error().message;
  EXPECT_THAT(graph.error().message, HasSubstr(said));
}

TEST(TorchExport, reads_calls_with_their_module_and_the_line_of_the_users_own_code) {
  Program program;
  const auto graph = program.read();
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->producer, "PyTorch 2.11.0");
  ASSERT_EQ(graph->nodes.size(), 1U);
  EXPECT_EQ(graph->nodes[0].operator_name, "aten.add.Tensor");
  EXPECT_EQ(graph->nodes[0].source.module_path, "block");
  EXPECT_EQ(graph->nodes[0].source.line, "net.py:10: return x + self.w");
  ASSERT_EQ(graph->stored.size(), 1U);
  EXPECT_EQ(graph->stored[0].name, "block.w");
  EXPECT_EQ(graph->stored[0].tensor.bytes.size(), 24U);
  EXPECT_GE(reinterpret_cast<const char*>(graph->stored[0].tensor.bytes.data()), program.zip.data()) << "a view";
  EXPECT_EQ(graph->inputs.at(0).name, "x");
  EXPECT_EQ(graph->outputs.at(0).name, "add");
}

TEST(TorchExport, passes_over_fields_it_does_not_know) {
  Program program;
  program.model["a_field_of_the_future"] = {1, 2, 3};
  program.node()["and_another"] = "word";
  program.model["schema_version"]["minor"] = 99;
  EXPECT_TRUE(program.read());
}

TEST(TorchExport, refuses_another_major_of_the_schema_by_its_number) {
  Program program;
  program.model["schema_version"]["major"] = 9;
  expect_refused(program, base::Code::kUnimplemented, "expected schema major 8, found 9");
}

TEST(TorchExport, reads_strides_where_all_of_them_are_numbers) {
  Program program;
  json& values = program.graph()["tensor_values"];
  values["add"].erase("strides");
  values["x"]["strides"][0] = {{"as_expr", {{"expr_str", "Symbol('s0')"}}}};
  const auto graph = program.read();
  ASSERT_TRUE(graph) << graph.error().message;
  std::map<std::string, std::optional<std::vector<std::int64_t>>> strides;
  for (const aten::Value& value : graph->values) strides[value.name] = value.meta ? value.meta->strides : std::nullopt;
  EXPECT_EQ(strides["w"], (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(strides["x"], std::nullopt);
  EXPECT_EQ(strides["add"], std::nullopt);
}

TEST(TorchExport, reads_symbols_of_sizes_with_their_limits) {
  Program program;
  program.graph()["tensor_values"]["x"]["sizes"][0] = {
      {"as_expr", {{"expr_str", "Symbol('s0', positive=True, integer=True)"}, {"hint", {{"as_int", 2}}}}}};
  const auto graph = program.read();
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(aten::to_string(*graph->values[graph->inputs[0].value].meta), "float32[s0,3]");
  EXPECT_EQ(graph->symbols.at("s0").smallest, 0);
  EXPECT_EQ(graph->symbols.at("s0").largest, std::nullopt);
}

TEST(TorchExport, replaces_calls_that_switch_gradients_off_by_what_they_wrap) {
  Program program;
  json inner = {{"inputs", {tensor_named("a"), tensor_named("b")}},
                {"outputs", {tensor_named("sum")}},
                {"nodes", {program.node()}},
                {"tensor_values", json::object()}};
  inner["nodes"][0]["inputs"][0]["arg"] = tensor_named("a");
  inner["nodes"][0]["inputs"][1]["arg"] = tensor_named("b");
  inner["nodes"][0]["outputs"][0] = tensor_named("sum");
  program.node() = {{"target", "torch.ops.higher_order.wrap_with_set_grad_enabled"},
                    {"inputs",
                     {{{"name", ""}, {"arg", {{"as_bool", false}}}},
                      {{"name", ""}, {"arg", {{"as_graph", {{"name", "g"}, {"graph", inner}}}}}},
                      {{"name", ""}, {"arg", tensor_named("x")}},
                      {{"name", ""}, {"arg", tensor_named("w")}}}},
                    {"outputs", {tensor_named("add")}},
                    {"metadata", json::object()}};
  const auto graph = program.read();
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(graph->nodes.size(), 1U);
  EXPECT_EQ(graph->nodes[0].operator_name, "aten.add.Tensor");
  program.node()["target"] = "torch.ops.higher_order.cond";
  expect_refused(program, base::Code::kUnimplemented, "higher_order.cond");
}

TEST(TorchExport, refuses_buffers_that_the_program_changes_by_name) {
  Program program;
  program.model["graph_module"]["signature"]["output_specs"][0] = {
      {"buffer_mutation", {{"arg", {{"name", "add"}}}, {"buffer_name", "cache.keys"}}}};
  expect_refused(program, base::Code::kUnimplemented, "'cache.keys'");
}

TEST(TorchExport, tells_who_changes_an_input_in_place_to_change_a_clone) {
  Program program;
  program.model["graph_module"]["signature"]["output_specs"][0] = {
      {"user_input_mutation", {{"arg", {{"name", "add"}}}, {"user_input_name", "x"}}}};
  expect_refused(program, base::Code::kUnimplemented, "its input 'x' in place");
  expect_refused(program, base::Code::kUnimplemented, "change a clone of it");
}

TEST(TorchExport, refuses_tensors_that_their_file_does_not_hold) {
  Program shorter;
  shorter.bytes.resize(20);
  expect_refused(shorter, base::Code::kInvalidArgument, "leaves its file of 20 bytes");
  Program far;
  far.weight["tensor_meta"]["storage_offset"]["as_int"] = INT64_MAX;
  expect_refused(far, base::Code::kInvalidArgument, "leaves its file");
  Program vast;
  vast.weight["tensor_meta"] = tensor_meta({INT64_MAX, 4}, {4, 1});
  expect_refused(vast, base::Code::kInvalidArgument, "leaves its file");
  Program negative;
  negative.weight["tensor_meta"] = tensor_meta({-2, 3}, {3, 1});
  expect_refused(negative, base::Code::kInvalidArgument, "leaves its file");
  Program backwards;
  backwards.weight["tensor_meta"] = tensor_meta({2, 3}, {-3, 1});
  expect_refused(backwards, base::Code::kInvalidArgument, "leaves its file");
  Program repeated;
  repeated.weight["tensor_meta"] = tensor_meta({1 << 30, 3}, {0, 1});
  expect_refused(repeated, base::Code::kInvalidArgument, "its strides overlap");
  Program other;
  other.weight["tensor_meta"] = tensor_meta({3, 2}, {2, 1});
  expect_refused(other, base::Code::kInvalidArgument, "stored otherwise");
  Program missing;
  missing.weight["path_name"] = "weight_7";
  expect_refused(missing, base::Code::kNotFound, "weight_7");
  Program pickled;
  pickled.weight["use_pickle"] = true;
  expect_refused(pickled, base::Code::kUnimplemented, "pickle");
}

TEST(TorchExport, refuses_damaged_programs_saying_where) {
  Program cut;
  cut.text = cut.model.dump().substr(0, 500);
  expect_refused(cut, base::Code::kInvalidArgument, "models/model.json");
  Program foreign;
  foreign.text = "{\"schema_version\": \"\xff\"}";
  expect_refused(foreign, base::Code::kInvalidArgument, "ill-formed UTF-8");
  EXPECT_EQ(base::valid_utf8(foreign.read().error().message), foreign.read().error().message);
  Program wide;
  wide.graph()["tensor_values"]["x"]["sizes"] = json(std::vector<json>(100'000, json{{"as_int", 1}}));
  expect_refused(wide, base::Code::kInvalidArgument, "a tensor of 100000 dimensions");
  Program cyclic;
  cyclic.node()["inputs"][0]["arg"] = tensor_named("add");
  expect_refused(cyclic, base::Code::kInvalidArgument, "'add' is read before anything gives it");
  Program twice;
  twice.graph()["nodes"].push_back(twice.node());
  expect_refused(twice, base::Code::kInvalidArgument, "'add' is given twice");
  Program wrong_type;
  wrong_type.node()["inputs"] = 7;
  expect_refused(wrong_type, base::Code::kInvalidArgument, "aten.add.Tensor in block (net.py:10: return x + self.w)");
  Program large;
  large.node()["inputs"][1]["arg"] = {{"as_int", 18446744073709551615ULL}};
  expect_refused(large, base::Code::kInvalidArgument, "leaves 64 bits");
}

TEST(TorchExport, refuses_entries_that_are_deflated_whichever_they_are) {
  for (const std::string name :
       {"models/model.json", "data/weights/model_weights_config.json", "data/weights/weight_0"}) {
    Program program;
    program.deflated = "net/" + name;
    expect_refused(program, base::Code::kInvalidArgument, "entry '" + name + "' is deflated");
  }
}

TEST(TorchExport, refuses_graphs_nested_without_end) {
  Program program;
  json graph = {{"inputs", json::array()}, {"outputs", json::array()}, {"nodes", json::array()}};
  for (int i = 0; i < 100; ++i) {
    json node = {{"target", "torch.ops.higher_order.wrap_with_set_grad_enabled"},
                 {"inputs", {{{"name", ""}, {"arg", {{"as_graph", {{"name", "g"}, {"graph", graph}}}}}}}},
                 {"outputs", json::array()}};
    graph["nodes"] = json::array({node});
  }
  program.graph()["nodes"] = graph["nodes"];
  expect_refused(program, base::Code::kInvalidArgument, "nested too deeply");
}

}  // namespace
}  // namespace slipway::convert::torch_export
