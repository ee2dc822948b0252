#include "convert/aten/functionalize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "convert/aten/internal/alias.hpp"

namespace slipway::convert::aten {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Builds a graph call by call and prints it as such: "b = relu(a)".
class Trace {
 public:
  Argument input(const std::string& name) {
    const ValueId value = graph_.add_value(name);
    graph_.inputs.push_back({value, name});
    return Reference{value};
  }
  Argument stored(const std::string& name, StoredKind kind) {
    const ValueId value = graph_.add_value(name);
    graph_.stored.push_back({value, kind, name, {}});
    return Reference{value};
  }
  /// What the archive says of it: float32 of these sizes and strides.
  Argument declare(Argument value, const std::vector<std::int64_t>& sizes, std::vector<std::int64_t> strides,
                   ScalarType dtype = ScalarType::kFloat32) {
    TensorMeta meta{dtype, {}, std::move(strides)};
    for (const std::int64_t size : sizes) meta.sizes.push_back({size, ""});
    graph_.values[value.get<Reference>()->value].meta = std::move(meta);
    return value;
  }
  Argument call(const std::string& name, const std::string& operator_name, std::vector<Argument> arguments) {
    return calls({name}, operator_name, std::move(arguments), false)[0];
  }
  std::vector<Argument> calls(const std::vector<std::string>& names, const std::string& operator_name,
                              std::vector<Argument> arguments, bool is_list = true) {
    Node node{operator_name, {}, {{{}, is_list}}, {"module", "net.py:3"}};
    for (Argument& argument : arguments) node.arguments.push_back({"", std::move(argument)});
    std::vector<Argument> given;
    for (const std::string& name : names) {
      node.outputs[0].values.push_back(graph_.add_value(name));
      given.emplace_back(Reference{node.outputs[0].values.back()});
    }
    graph_.nodes.push_back(std::move(node));
    return given;
  }
  base::Result<void> finish(std::vector<Argument> outputs) {
    for (Argument& output : outputs) graph_.outputs.push_back({std::move(output), "output"});
    return functionalize(graph_);
  }

  /// Values by number in the order in which they are made, so that one that was made anew has a number of its own.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::map<ValueId, std::string> names;
    const auto shown = [&](const Argument& argument, auto&& self) -> std::string {
      if (const auto* const reference = argument.get<Reference>()) return names[reference->value];
      if (const auto* const number = argument.get<std::int64_t>()) return std::to_string(*number);
      if (const auto* const list = argument.get<List>()) {
        std::string text;
        for (const Argument& element : *list) text += (text.empty() ? "" : " ") + self(element, self);
        return "[" + text + "]";
      }
      return argument.is_none() ? "None" : "?";
    };
    for (const GraphInput& one : graph_.inputs) names[one.value] = one.name;
    for (const StoredValue& one : graph_.stored) names[one.value] = one.name;
    std::vector<std::string> lines;
    int count = 0;
    for (const Node& node : graph_.nodes) {
      std::string arguments, results;
      for (const NamedArgument& argument : node.arguments) {
        arguments += (arguments.empty() ? "" : ", ") + shown(argument.argument, shown);
      }
      for (const ValueId value : node.outputs[0].values) {
        names[value] = "v" + std::to_string(count++);
        results += (results.empty() ? "" : " ") + names[value];
      }
      lines.push_back(results + " = " + node.operator_name.substr(5) + "(" + arguments + ")");
    }
    std::string outputs = "return";
    for (const GraphOutput& output : graph_.outputs) outputs += " " + shown(output.argument, shown);
    lines.push_back(outputs);
    return lines;
  }

 private:
  Graph graph_;
};

TEST(Functionalize, an_operator_in_place_gives_a_new_value_that_later_readers_read) {
  Trace trace;
  const Argument x = trace.input("x");
  const Argument y = trace.call("y", "aten.abs", {x});
  const Argument z = trace.call("z", "aten.relu_", {y});
  const Argument sum = trace.call("sum", "aten.add.Tensor", {y, z});
  ASSERT_TRUE(trace.finish({sum}));
  EXPECT_THAT(trace.lines(), ElementsAre("v0 = abs(x)", "v1 = relu(v0)", "v2 = add.Tensor(v1, v1)", "return v2"));
}

TEST(Functionalize, a_write_through_views_reaches_their_base_and_other_views_of_it) {
  Trace trace;
  const Argument y = trace.call("y", "aten.abs", {trace.input("x")});
  const Argument row = trace.call("row", "aten.slice", {y, std::int64_t{0}, std::int64_t{0}, std::int64_t{2}});
  const Argument other = trace.call("other", "aten.transpose.int", {y, std::int64_t{0}, std::int64_t{1}});
  const Argument column = trace.call("column", "aten.select", {row, std::int64_t{1}, std::int64_t{0}});
  trace.call("filled", "aten.fill_", {column, std::int64_t{7}});
  ASSERT_TRUE(trace.finish({y, other}));
  EXPECT_THAT(trace.lines(),
              ElementsAre("v0 = abs(x)", "v1 = slice(v0, 0, 0, 2)", "v2 = select(v1, 1, 0)", "v3 = fill(v2, 7)",
                          "v4 = select_scatter.default(v1, v3, 1, 0)", "v5 = slice_scatter.default(v0, v4, 0, 0, 2, 1)",
                          "v6 = transpose.int(v5, 0, 1)", "return v5 v6"));
}

TEST(Functionalize, a_write_through_a_reshaped_permuted_or_split_view_is_put_back) {
  Trace trace;
  const Argument y = trace.call("y", "aten.abs", {trace.input("x")});
  const Argument turned =
      trace.call("turned", "aten.permute", {y, List{std::int64_t{2}, std::int64_t{0}, std::int64_t{1}}});
  const Argument flat = trace.call("flat", "aten.view", {turned, List{std::int64_t{-1}}});
  const auto halves = trace.calls({"a", "b"}, "aten.split.Tensor", {flat, std::int64_t{4}});
  trace.call("r", "aten.relu_", {halves[1]});
  ASSERT_TRUE(trace.finish({y}));
  EXPECT_THAT(trace.lines(), ElementsAre("v0 = abs(x)", "v1 = permute(v0, [2 0 1])", "v2 = view(v1, [-1])",
                                         "v3 v4 = split.Tensor(v2, 4)", "v5 = relu(v4)",
                                         "v6 = slice_scatter.default(v2, v5, 0, 4, 8, 1)",
                                         "v7 = view_as.default(v6, v1)", "v8 = permute(v7, [1 2 0])", "return v8"));
}

TEST(Functionalize, the_result_of_a_write_keeps_the_dtype_of_what_is_written_to) {
  Trace trace;
  const Argument x = trace.input("x"), other = trace.input("other");
  const Argument y = trace.call("y", "aten.abs", {x});
  const Argument sum = trace.call("sum", "aten.add_", {y, other});
  ASSERT_TRUE(trace.finish({sum}));
  EXPECT_THAT(trace.lines(),
              ElementsAre("v0 = abs(x)", "v1 = add(v0, other)", "v2 = type_as.default(v1, v0)", "return v2"));
}

TEST(Functionalize, what_nothing_reads_is_left_out) {
  Trace trace;
  const Argument x = trace.input("x");
  trace.call("unread", "aten.an_operator_that_is_not_known", {x});
  ASSERT_TRUE(trace.finish({trace.call("y", "aten.abs", {x})}));
  EXPECT_THAT(trace.lines(), ElementsAre("v0 = abs(x)", "return v0"));
}

TEST(Functionalize, a_changed_buffer_is_refused_by_name) {
  Trace trace;
  const Argument count = trace.stored("norm.num_batches_tracked", StoredKind::kBuffer);
  const Argument view = trace.call("view", "aten.view", {count, List{std::int64_t{1}}});
  trace.call("more", "aten.add_.Scalar", {view, std::int64_t{1}});
  const auto done = trace.finish({trace.input("x")});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, base::Code::kUnimplemented);
  EXPECT_THAT(done.error().message, HasSubstr("its buffer 'norm.num_batches_tracked'"));
  EXPECT_THAT(done.error().message, HasSubstr("net.py:3"));
}

TEST(Functionalize, what_only_strides_would_tell_is_refused_where_it_matters) {
  for (const bool is_read_later : {false, true}) {
    for (const bool base_is_written : {false, true}) {
      Trace trace;
      const Argument y = trace.call("y", "aten.abs", {trace.input("x")});
      const Argument flat = trace.call("flat", "aten.reshape", {y, List{std::int64_t{-1}}});
      trace.call("r", "aten.relu_", {base_is_written ? y : flat});
      const Argument written = base_is_written ? y : flat, other = base_is_written ? flat : y;
      const auto done = trace.finish({is_read_later ? other : written});
      ASSERT_EQ(done.has_value(), !is_read_later);
      if (is_read_later) {
        EXPECT_THAT(done.error().message, HasSubstr("only strides and dtypes say"));
      }
    }
  }
}

TEST(Functionalize, a_reshape_is_a_view_or_a_copy_as_the_strides_have_it) {
  for (const bool is_packed : {true, false}) {
    Trace trace;
    const Argument y = trace.declare(trace.call("y", "aten.abs", {trace.input("x")}), {2, 3},
                                     is_packed ? std::vector<std::int64_t>{3, 1} : std::vector<std::int64_t>{1, 2});
    const Argument flat = trace.declare(trace.call("flat", "aten.reshape", {y, List{std::int64_t{-1}}}), {6}, {1});
    trace.call("r", "aten.relu_", {flat});
    ASSERT_TRUE(trace.finish({y, flat}));
    if (is_packed) {
      EXPECT_THAT(trace.lines(), ElementsAre("v0 = abs(x)", "v1 = reshape(v0, [-1])", "v2 = relu(v1)",
                                             "v3 = view_as.default(v2, v0)", "return v3 v2"));
    } else {
      EXPECT_THAT(trace.lines(), ElementsAre("v0 = abs(x)", "v1 = reshape(v0, [-1])", "v2 = relu(v1)", "return v0 v2"));
    }
  }
}

TEST(Functionalize, casts_contiguous_and_dropout_are_names_or_copies_as_the_archive_has_it) {
  struct Case {
    std::string call;
    std::vector<Argument> arguments;
    std::vector<std::int64_t> strides, then;
    ScalarType dtype;
    bool is_same;
  };
  const std::vector<Case> cases = {
      {"aten.contiguous", {}, {3, 1}, {3, 1}, ScalarType::kFloat32, true},
      {"aten.contiguous", {}, {1, 2}, {3, 1}, ScalarType::kFloat32, false},
      {"aten.to.dtype", {ScalarType::kFloat32}, {1, 2}, {1, 2}, ScalarType::kFloat32, true},
      {"aten.to.dtype", {ScalarType::kFloat32, false, true}, {3, 1}, {3, 1}, ScalarType::kFloat32, false},
      {"aten.to.dtype", {ScalarType::kFloat16}, {3, 1}, {3, 1}, ScalarType::kFloat16, false},
      {"aten.dropout", {0.5, false}, {3, 1}, {3, 1}, ScalarType::kFloat32, true},
      {"aten.dropout", {0.5, true}, {3, 1}, {3, 1}, ScalarType::kFloat32, false},
  };
  for (const Case& one : cases) {
    Trace trace;
    const Argument y = trace.declare(trace.call("y", "aten.abs", {trace.input("x")}), {2, 3}, one.strides);
    std::vector<Argument> arguments{y};
    arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
    const Argument other = trace.declare(trace.call("other", one.call, arguments), {2, 3}, one.then, one.dtype);
    trace.call("r", "aten.relu_", {y});
    ASSERT_TRUE(trace.finish({other})) << one.call;
    const bool reads_what_was_written = trace.lines().at(1) == "v1 = relu(v0)";
    EXPECT_EQ(reads_what_was_written, one.is_same) << one.call;
  }
}

TEST(Functionalize, sizes_are_seen_where_they_lie_as_pytorch_sees_them) {
  struct Case {
    std::vector<std::int64_t> sizes, strides, to;
    std::optional<bool> is_view;
  };
  // As torch.empty_strided(sizes, strides).view(to) has it.
  const std::vector<Case> cases = {
      {{4, 6}, {6, 1}, {24}, true},           {{4, 6}, {6, 1}, {2, 2, 3, 2}, true},
      {{4, 6}, {1, 4}, {24}, false},          {{4, 6}, {1, 4}, {2, 2, 3, 2}, true},
      {{4, 6}, {1, 4}, {8, 3}, false},        {{4, 6}, {12, 2}, {24}, true},
      {{4, 6}, {13, 2}, {24}, false},         {{2, 1, 3}, {3, 99, 1}, {6}, true},
      {{1, 5}, {7, 1}, {5, 1, 1}, true},      {{}, {}, {1, 1}, true},
      {{3, 4}, {0, 1}, {12}, false},          {{3, 4}, {0, 1}, {3, 2, 2}, true},
      {{0, 4}, {4, 1}, {4, 0}, std::nullopt}, {{1LL << 40, 1LL << 40}, {1, 1}, {2}, std::nullopt},
      {{-2, 4}, {4, 1}, {8}, std::nullopt},   {{2, 2}, {1LL << 62, 1LL << 62}, {4}, std::nullopt},
  };
  const auto meta = [](const std::vector<std::int64_t>& sizes) {
    TensorMeta made;
    for (const std::int64_t size : sizes) made.sizes.push_back({size, ""});
    return made;
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    TensorMeta from = meta(cases[i].sizes);
    EXPECT_EQ(internal::is_viewable(from, meta(cases[i].to)), std::nullopt) << "case " << i << ", without strides";
    from.strides = cases[i].strides;
    EXPECT_EQ(internal::is_viewable(from, meta(cases[i].to)), cases[i].is_view) << "case " << i;
  }
}

TEST(Functionalize, a_view_that_has_no_inverse_is_not_written_through) {
  Trace trace;
  const Argument y = trace.call("y", "aten.abs", {trace.input("x")});
  const Argument wide = trace.call("wide", "aten.expand", {y, List{std::int64_t{4}, std::int64_t{-1}}});
  trace.call("r", "aten.relu_", {wide});
  const auto done = trace.finish({y});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("made by aten.expand, through which nothing can be written"));
}

}  // namespace
}  // namespace slipway::convert::aten
