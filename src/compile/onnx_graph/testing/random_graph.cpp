#include "compile/onnx_graph/testing/random_graph.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <span>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph::testing {
namespace {

using tensor::Dtype;
using tensor::Shape;
using Integers = std::vector<std::int64_t>;

constexpr int kDeepestGraph = 2;

/// A value with what it is when the graph runs.
struct Made {
  Value* value;
  Dtype dtype;
  Shape shape;
};
using Pool = std::vector<Made>;

class Generator {
 public:
  explicit Generator(std::uint64_t seed)
      : random_(seed), model_(Model::create(pick(Integers{13, 17, 21}), 10, "random", "slipway-tests")) {
    rewriter_.emplace(model_);
  }

  RandomGraph run() {
    RandomGraph graph;
    if (chance(30)) make_function();
    Pool pool;
    make_inputs(pool, graph);
    grow(rewriter_->main(), pool, 4 + below(9), 0);
    make_outputs(pool, graph);
    rewriter_.reset();
    graph.bytes = model_.bytes();
    return graph;
  }

 private:
  // Chance. ---------------------------------------------------------------------------------------------------------
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_() % count); }
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  template <typename List>
  typename List::value_type pick(const List& list) {
    return list[below(list.size())];
  }
  std::optional<Made> pick(const Pool& pool, auto&& fits) {
    std::vector<const Made*> found;
    for (const Made& made : pool) {
      if (fits(made)) found.push_back(&made);
    }
    if (found.empty()) return std::nullopt;
    return *found[below(found.size())];
  }
  std::optional<Made> pick(const Pool& pool, Dtype dtype) {
    return pick(pool, [&](const Made& made) { return made.dtype == dtype; });
  }
  std::string name() { return pick(likely_names()); }

  // Parts. ----------------------------------------------------------------------------------------------------------
  static int number(Dtype dtype) { return element_type_of_dtype(dtype); }

  Value& constant(Scope& scope, const Shape& shape, const Integers& elements) {
    const TensorBytes tensor{number(Dtype::kInt64), shape, std::as_bytes(std::span(elements))};
    if (&scope != &rewriter_->main() || chance(70)) return rewriter_->add_initializer(scope, name(), tensor);
    if (shape.size() == 1 && chance(50)) {
      return *rewriter_->add_node(scope, "Constant", {}, {name()}, {{"value_ints", elements}}).output(0);
    }
    return *rewriter_->add_node(scope, "Constant", {}, {name()}, {{"value", tensor}}).output(0);
  }
  Value& floats(Scope& scope, const Shape& shape) {
    std::vector<float> elements(static_cast<std::size_t>(*tensor::element_count(shape)));
    for (float& element : elements) element = static_cast<float>(random_() % 64) / 16.0F - 2.0F;
    return rewriter_->add_initializer(scope, name(),
                                      {number(Dtype::kFloat32), shape, std::as_bytes(std::span(elements))});
  }
  Value& node(Scope& scope, const char* op_type, const std::vector<Value*>& inputs, const Attributes& attributes = {}) {
    return *rewriter_->add_node(scope, op_type, inputs, {name()}, attributes, chance(50) ? name() : "").output(0);
  }
  void declare(const Made& made) { rewriter_->set_type(*made.value, {number(made.dtype), made.shape}); }

  /// Two values that Add and its like take: the same dtype, and a shape that the other's takes up.
  std::optional<Made> partner(const Pool& pool, const Made& first) {
    return pick(pool, [&](const Made& made) {
      return made.dtype == first.dtype && (made.shape == first.shape || made.shape.empty());
    });
  }

  /// An index that is right for an axis of two elements or more.
  Value& index(Scope& scope, Value& value) {
    Value& two = constant(scope, {}, {2});
    return node(scope, "Mod", {&value, &two});
  }

  // Operators. Each adds one value, or none when nothing fits. -------------------------------------------------------
  void grow(Scope& scope, Pool& pool, std::size_t steps, int depth) {
    for (std::size_t i = 0; i < steps; ++i) {
      std::optional<Made> made = chance(depth < kDeepestGraph ? 18 : 0) ? control_flow(scope, pool, depth)
                                 : chance(55)                           ? integers(scope, pool)
                                                                        : reals(scope, pool);
      if (!made) continue;
      if (chance(25)) declare(*made);
      pool.push_back(*made);
    }
  }

  std::optional<Made> reals(Scope& scope, const Pool& pool) {
    const auto first = pick(pool, Dtype::kFloat32);
    if (!first) return std::nullopt;
    switch (below(7)) {
      case 0:
        return Made{&node(scope, "Transpose", {first->value}), Dtype::kFloat32,
                    Shape(first->shape.rbegin(), first->shape.rend())};
      case 1: {
        const auto second = partner(pool, *first);
        if (!second) return std::nullopt;
        return Made{&node(scope, pick(std::vector<const char*>{"Add", "Sub", "Max"}), {first->value, second->value}),
                    Dtype::kFloat32, first->shape};
      }
      case 2: {
        if (first->shape.empty() || first->shape[0] < 2) return std::nullopt;
        const auto ids =
            pick(pool, [](const Made& made) { return made.dtype == Dtype::kInt64 && made.shape.size() < 3; });
        if (!ids) return std::nullopt;
        Shape shape = ids->shape;
        shape.insert(shape.end(), first->shape.begin() + 1, first->shape.end());
        if (shape.size() > 5) return std::nullopt;
        return Made{&node(scope, "Gather", {first->value, &index(scope, *ids->value)}), Dtype::kFloat32, shape};
      }
      case 3: {
        // Clip with its lower bound left out.
        Value& high = rewriter_->add_initializer(scope, name(),
                                                 {number(Dtype::kFloat32), {}, std::as_bytes(std::span(&kOne, 1))});
        return Made{&node(scope, "Clip", {first->value, nullptr, &high}), Dtype::kFloat32, first->shape};
      }
      case 4: {
        const auto wide = pick(pool, Dtype::kInt64);
        if (!wide) return std::nullopt;
        return Made{&node(scope, "Cast", {wide->value}, {{"to", std::int64_t{number(Dtype::kFloat32)}}}),
                    Dtype::kFloat32, wide->shape};
      }
      default:
        return Made{&node(scope, pick(std::vector<const char*>{"Relu", "Neg", "Abs", "Identity"}), {first->value}),
                    Dtype::kFloat32, first->shape};
    }
  }

  std::optional<Made> integers(Scope& scope, const Pool& pool) {
    const auto first = pick(pool, Dtype::kInt64);
    if (!first) return std::nullopt;
    const auto rank = static_cast<std::int64_t>(first->shape.size());
    switch (below(15)) {
      case 0:
      case 1: {
        const auto any = pick(pool);
        return Made{&node(scope, "Shape", {any.value}), Dtype::kInt64, {static_cast<std::int64_t>(any.shape.size())}};
      }
      case 2: {
        if (rank == 0) return std::nullopt;
        const auto axis = static_cast<std::int64_t>(below(first->shape.size()));
        if (tensor::element_count(first->shape) == 0) return std::nullopt;  // the largest of none
        Shape shape = first->shape;
        shape.erase(shape.begin() + axis);
        return Made{&node(scope, "ArgMax", {first->value}, {{"axis", axis}, {"keepdims", std::int64_t{0}}}),
                    Dtype::kInt64, shape};
      }
      case 3:
      case 4: {
        const auto second = partner(pool, *first);
        if (!second) return std::nullopt;
        return Made{&node(scope, pick(std::vector<const char*>{"Add", "Sub", "Min"}), {first->value, second->value}),
                    Dtype::kInt64, first->shape};
      }
      case 5:
        return Made{&node(scope, "Mul", {first->value, &constant(scope, {}, {3})}), Dtype::kInt64, first->shape};
      case 6: {
        if (rank != 1) return std::nullopt;
        const auto second = pick(pool, [](const Made& made) {
          return made.dtype == Dtype::kInt64 && made.shape.size() == 1 && made.shape[0] < 8;
        });
        if (!second) return std::nullopt;
        return Made{&node(scope, "Concat", {first->value, second->value}, {{"axis", std::int64_t{0}}}),
                    Dtype::kInt64,
                    {first->shape[0] + second->shape[0]}};
      }
      case 7: {
        if (rank == 0 || first->shape[0] < 2) return std::nullopt;
        // Slice with its axes left out and steps given, or with neither.
        Value& from = constant(scope, {1}, {0});
        Value& to = constant(scope, {1}, {first->shape[0] - 1});
        std::vector<Value*> inputs = {first->value, &from, &to};
        if (chance(50)) {
          inputs.push_back(nullptr);
          inputs.push_back(&constant(scope, {1}, {1}));
        }
        Shape shape = first->shape;
        --shape[0];
        return Made{&node(scope, "Slice", inputs), Dtype::kInt64, shape};
      }
      case 8: {
        if (rank > 3) return std::nullopt;
        Shape shape = first->shape;
        shape.insert(shape.begin(), 1);
        return Made{&node(scope, "Unsqueeze", {first->value, &constant(scope, {1}, {0})}), Dtype::kInt64, shape};
      }
      case 9: {
        const auto condition = pick(pool, Dtype::kBool);
        const auto second = partner(pool, *first);
        if (!condition || !condition->shape.empty() || !second || second->shape != first->shape) return std::nullopt;
        return Made{&node(scope, "Where", {condition->value, first->value, second->value}), Dtype::kInt64,
                    first->shape};
      }
      case 10: {
        // A range as long as an axis, which is where positions come from.
        const auto any = pick(pool);
        if (any.shape.empty()) return std::nullopt;
        Value& size = node(scope, "Shape", {any.value});
        Value& first_size = node(scope, "Gather", {&size, &constant(scope, {}, {0})});
        Value& range = node(scope, "Range", {&constant(scope, {}, {0}), &first_size, &constant(scope, {}, {1})});
        return Made{&range, Dtype::kInt64, {any.shape[0]}};
      }
      case 11: {
        if (rank != 1 || first->shape[0] < 1) return std::nullopt;
        Node& top = rewriter_->add_node(scope, "TopK", {first->value, &constant(scope, {1}, {1})}, {name(), name()});
        return Made{top.output(below(2)), Dtype::kInt64, {1}};
      }
      case 12: {
        const auto second = partner(pool, *first);
        if (!second) return std::nullopt;
        Value& equal = node(scope, pick(std::vector<const char*>{"Equal", "Less"}), {first->value, second->value});
        return Made{&node(scope, "Cast", {&equal}, {{"to", std::int64_t{number(Dtype::kInt64)}}}), Dtype::kInt64,
                    first->shape};
      }
      case 13: {
        if (function_ == nullptr) return std::nullopt;
        Node& call = rewriter_->add_node(scope, "Twice", {first->value}, {name()}, {}, "", "own");
        return Made{call.output(0), Dtype::kInt64, first->shape};
      }
      default:
        return Made{&node(scope, pick(std::vector<const char*>{"Identity", "Abs", "Neg"}), {first->value}),
                    Dtype::kInt64, first->shape};
    }
  }

  // Graphs in graphs. -----------------------------------------------------------------------------------------------
  std::optional<Made> control_flow(Scope& scope, const Pool& pool, int depth) {
    switch (below(3)) {
      case 0:
        return branch(scope, pool, depth);
      case 1:
        return loop(scope, pool, depth);
      default:
        return scan(scope, pool, depth);
    }
  }

  /// A value of this type for a graph to give: one of the pool's, in a node of its own, since no graph may hand out
  /// what is outside of it.
  Value& result(Scope& scope, const Pool& pool, Dtype dtype, const Shape& shape) {
    const auto same = pick(pool, [&](const Made& made) { return made.dtype == dtype && made.shape == shape; });
    Value& given = node(scope, "Identity", {same->value});
    rewriter_->add_output(given, scope);
    rewriter_->set_type(given, {number(dtype), chance(70) ? std::optional(shape) : std::nullopt});
    if (chance(40)) reuse_name(given);
    return given;
  }

  /// Gives a value of an inner graph a name that another graph uses, where ONNX allows it: not one that is seen here.
  void reuse_name(Value& value) {
    const std::string wanted = name();
    if (value.scope().find(wanted) == nullptr) rewriter_->rename(value, wanted);
  }

  std::optional<Made> branch(Scope& scope, const Pool& pool, int depth) {
    const auto condition =
        pick(pool, [](const Made& made) { return made.dtype == Dtype::kBool && made.shape.empty(); });
    const Made type = pick(pool);
    if (!condition || type.dtype == Dtype::kBool) return std::nullopt;
    Node& node = rewriter_->add_node(scope, "If", {condition->value}, {name()});
    for (const char* attribute : {"then_branch", "else_branch"}) {
      Scope& inner = rewriter_->add_inner_graph(node, attribute, attribute);
      Pool visible = pool;
      grow(inner, visible, 1 + below(3), depth + 1);
      result(inner, visible, type.dtype, type.shape);
    }
    return Made{node.output(0), type.dtype, type.shape};
  }

  std::optional<Made> loop(Scope& scope, const Pool& pool, int depth) {
    const Made start = pick(pool);
    if (start.dtype == Dtype::kBool) return std::nullopt;
    Value& trips = constant(scope, {}, {2});
    Node& node = rewriter_->add_node(scope, "Loop", {&trips, nullptr, start.value}, {name()});
    Scope& body = rewriter_->add_inner_graph(node, "body", "body");
    Pool visible = pool;
    visible.push_back({&rewriter_->add_input(body, name(), {number(Dtype::kInt64), Shape{}}), Dtype::kInt64, {}});
    Value& goes_on = rewriter_->add_input(body, name(), {number(Dtype::kBool), Shape{}});
    visible.push_back(
        {&rewriter_->add_input(body, name(), {number(start.dtype), start.shape}), start.dtype, start.shape});
    grow(body, visible, 1 + below(3), depth + 1);
    visible.push_back({&goes_on, Dtype::kBool, {}});
    result(body, {{&goes_on, Dtype::kBool, {}}}, Dtype::kBool, {});
    result(body, visible, start.dtype, start.shape);
    return Made{node.output(0), start.dtype, start.shape};
  }

  std::optional<Made> scan(Scope& scope, const Pool& pool, int depth) {
    const Made start = pick(pool);
    if (start.dtype == Dtype::kBool || start.shape.empty() || start.shape[0] < 1) return std::nullopt;
    const Shape slice(start.shape.begin() + 1, start.shape.end());
    Node& node = rewriter_->add_node(scope, "Scan", {start.value}, {name()}, {{"num_scan_inputs", std::int64_t{1}}});
    Scope& body = rewriter_->add_inner_graph(node, "body", "body");
    Pool visible = pool;
    visible.push_back({&rewriter_->add_input(body, name(), {number(start.dtype), slice}), start.dtype, slice});
    grow(body, visible, 1 + below(3), depth + 1);
    result(body, visible, start.dtype, slice);
    return Made{node.output(0), start.dtype, start.shape};
  }

  void make_function() {
    rewriter_->import_domain("own", 1);
    function_ = &rewriter_->add_function("own", "Twice", {name()});
    Value& x = *function_->inputs()[0];
    Node& sum = rewriter_->add_node(*function_, "Add", {&x, &x}, {name()});
    Node& given = rewriter_->add_node(*function_, "Identity", {sum.output(0)}, {name()});
    rewriter_->add_output(*given.output(0), *function_);
  }

  // The boundary. ---------------------------------------------------------------------------------------------------
  void make_inputs(Pool& pool, RandomGraph& graph) {
    struct Kind {
      Dtype dtype;
      Shape shape;
    };
    const std::vector<Kind> kinds = {{Dtype::kInt64, {2}},         {Dtype::kInt64, {2, 3}},
                                     {Dtype::kInt64, {1, 2, 3}},   {Dtype::kFloat32, {2, 3}},
                                     {Dtype::kFloat32, {2, 2, 3}}, {Dtype::kFloat32, {1, 2, 3, 2}},
                                     {Dtype::kInt64, {}}};
    std::vector<Kind> chosen = {{Dtype::kInt64, {2, 3}}, {Dtype::kBool, {}}};
    for (std::size_t i = below(3); i > 0; --i) chosen.push_back(pick(kinds));
    std::shuffle(chosen.begin(), chosen.end(), random_);
    for (const Kind& kind : chosen) {
      Shape declared = kind.shape;
      const bool is_open = !declared.empty() && chance(30);
      if (is_open) declared[0] = -1;
      Value& value = rewriter_->add_input(rewriter_->main(), name(), {number(kind.dtype), declared});
      if (is_open && chance(70)) rewriter_->set_dimension_names(value, {fmt::format("n{}", kind.shape[0])});
      pool.push_back({&value, kind.dtype, kind.shape});
      graph.inputs.push_back({value.name(), kind.dtype, kind.shape, std::nullopt});
    }
    pool.push_back({&floats(rewriter_->main(), {4, 3}), Dtype::kFloat32, {4, 3}});
    pool.push_back({&constant(rewriter_->main(), {2}, {1, 0}), Dtype::kInt64, {2}});
  }

  void make_outputs(const Pool& pool, RandomGraph& graph) {
    const auto give = [&](const Made& made) {
      rewriter_->add_output(*made.value);
      if (!made.value->is_input()) {
        Shape declared = made.shape;
        for (std::int64_t& size : declared) size = chance(30) ? -1 : size;
        rewriter_->set_type(*made.value, {number(made.dtype), chance(85) ? std::optional(declared) : std::nullopt});
      }
      graph.outputs.push_back({made.value->name(), made.dtype, made.shape, std::nullopt});
    };
    give(pool.back());
    for (std::size_t i = below(4); i > 0; --i) give(pick(pool));  // may be an input, a constant, or there already
    for (auto& output : graph.outputs)
      output.name = rewriter_->main().outputs()[static_cast<std::size_t>(&output - graph.outputs.data())]->name();
  }

  static constexpr float kOne = 1.0F;
  std::mt19937_64 random_;
  Model model_;
  std::optional<Rewriter> rewriter_;
  Scope* function_ = nullptr;
};

}  // namespace

const std::vector<std::string>& likely_names() {
  static const std::vector<std::string> names = {"x",
                                                 "y",
                                                 "ids",
                                                 "mask",
                                                 "y/Cast",
                                                 "x/Transpose",
                                                 "ids_64bit",
                                                 "y_32bit",
                                                 "y_64bit",
                                                 "x_channel_first",
                                                 "y_inner",
                                                 "ids_2",
                                                 "ids_64bit/Cast",
                                                 "out",
                                                 "y_channel_first/Transpose",
                                                 "y_renamed",
                                                 "z",
                                                 "x_inner",
                                                 "hidden",
                                                 "y_64bit_32bit"};
  return names;
}

RandomGraph random_graph(std::uint64_t seed) {
  return Generator(seed).run();
}

}  // namespace slipway::compile::onnx_graph::testing
