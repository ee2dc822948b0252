#include "convert/aten/functionalize.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <string_view>
#include <utility>

#include "convert/aten/internal/alias.hpp"

namespace slipway::convert::aten {
namespace {

using base::Code;
using base::fail;
using internal::Alias;
using internal::bare_name;
using internal::is_one_of;

/// The operator that gives a new value instead of changing its first argument; "" when it changes none.
std::string functional_name(const std::string& operator_name) {
  const std::string_view name = bare_name(operator_name);
  std::string functional;
  if (name.starts_with("__i") && name.ends_with("__") && name.size() > 5) {  // __iadd__, __iand__, but not __is__
    const std::string_view inner = name.substr(3, name.size() - 5);
    if (!is_one_of(inner, {"add", "sub", "mul", "div", "and", "or", "xor", "lshift", "rshift"})) return {};
    const bool is_plain = is_one_of(inner, {"add", "sub", "mul", "div"});
    functional = is_plain ? std::string(inner) : "__" + std::string(inner) + "__";
  } else if (name.ends_with('_') && !name.ends_with("__")) {
    functional = name.substr(0, name.size() - 1);
  } else {
    return {};
  }
  return operator_name.substr(0, 5) + functional + operator_name.substr(5 + name.size());
}

class Functionalizer {
 public:
  explicit Functionalizer(Graph& graph) : graph_(graph) {}

  base::Result<void> run() {
    grow();
    for (const StoredValue& stored : graph_.stored) states_[stored.value].stored = &stored;
    std::vector<Node> nodes = std::exchange(graph_.nodes, {});
    for (Node& node : nodes) {
      if (auto done = step(std::move(node)); !done) return done;
    }
    for (GraphOutput& output : graph_.outputs) {
      SLIPWAY_TRY(read_anew(output.argument, "the output '" + output.name + "'"));
    }
    sweep();
    return {};
  }

 private:
  struct State {
    ValueId current = 0;             ///< the value that holds what it holds now
    std::optional<ValueId> same_as;  ///< the value that it is another name of
    std::optional<ValueId> parent;   ///< whose memory it shows
    Node view;                       ///< by which it does
    std::size_t output = 0, element = 0;
    std::size_t version = 0;           ///< of its root, up to which `current` is right
    std::size_t written = 0;           ///< a root: how often its memory was written to
    std::optional<ValueId> maybe_of;   ///< a root that may be memory of this value
    std::vector<ValueId> maybe_views;  ///< roots that may be memory of this root
    std::string spoiled_by;            ///< a root: the write that it may or may not have got
    const StoredValue* stored = nullptr;
  };

  void grow() {
    while (states_.size() < graph_.values.size()) {
      states_.emplace_back();
      states_.back().current = static_cast<ValueId>(states_.size() - 1);
    }
  }
  /// A further value with another's name and type.
  ValueId fresh_value(ValueId like) {
    const Value& model = graph_.values[like];
    const ValueId value = graph_.add_value(model.name, model.meta);
    grow();
    return value;
  }

  ValueId named(ValueId value) const {
    while (states_[value].same_as) value = *states_[value].same_as;
    return value;
  }
  ValueId root_of(ValueId value) const {
    value = named(value);
    while (states_[value].parent) value = named(*states_[value].parent);
    return value;
  }

  static base::Error place(base::Error error, const Node& node) {
    std::string where = node.operator_name;
    if (!node.source.module_path.empty()) where += " in module '" + node.source.module_path + "'";
    if (!node.source.line.empty()) where += " (" + node.source.line + ")";
    return error.with(where);
  }

  /// The value that holds now what `value` names.
  base::Result<ValueId> read(ValueId value, std::string_view reader) {
    value = named(value);
    const ValueId root = root_of(value);
    if (!states_[root].spoiled_by.empty()) {
      return fail(Code::kUnimplemented,
                  "{} reads '{}' after {}, and only strides and dtypes say whether both are the same memory: put "
                  ".clone() before the write",
                  reader, graph_.values[value].name, states_[root].spoiled_by);
    }
    if (!states_[value].parent || states_[value].version == states_[root].written) return states_[value].current;
    SLIPWAY_ASSIGN(const ValueId base_value, read(*states_[value].parent, reader));
    Node again = states_[value].view;
    again.arguments[0].argument = Reference{base_value};
    for (Output& output : again.outputs) {
      for (ValueId& one : output.values) one = fresh_value(one);
    }
    State& state = states_[value];
    state.current = again.outputs[state.output].values[state.element];
    state.version = states_[root].written;
    graph_.nodes.push_back(std::move(again));
    return states_[value].current;
  }
  base::Result<void> read_anew(Argument& argument, std::string_view reader) {
    base::Result<void> outcome;
    for_each_reference(argument, [&](ValueId& value) {
      if (!outcome) return;
      if (auto now = read(value, reader)) {
        value = *now;
      } else {
        outcome = std::unexpected(now.error());
      }
    });
    return outcome;
  }

  base::Result<void> step(Node node) {
    std::optional<ValueId> first;
    if (!node.arguments.empty()) {
      if (const auto* const reference = node.arguments[0].argument.get<Reference>()) first = reference->value;
    }
    // A name of what it is given: no memory of its own, no node.
    const Alias alias = internal::alias_of(node, graph_);
    if (alias == Alias::kSame && node.outputs.size() == 1 && node.outputs[0].values.size() == 1) {
      states_[node.outputs[0].values[0]].same_as = named(*first);
      return {};
    }
    const std::string functional = functional_name(node.operator_name);
    for (NamedArgument& argument : node.arguments) {
      if (auto done = read_anew(argument.argument, node.operator_name); !done) {
        return std::unexpected(place(done.error(), node));
      }
    }
    if (!functional.empty()) {
      if (!first)
        return std::unexpected(place({Code::kUnimplemented, "it changes no tensor that could be followed"}, node));
      return write(named(*first), functional, std::move(node));
    }
    if (std::ranges::any_of(node.arguments, [](const NamedArgument& one) { return one.name == "out"; })) {
      return std::unexpected(place({Code::kUnimplemented, "it writes to a tensor that is given as 'out'"}, node));
    }
    for (std::size_t o = 0; o < node.outputs.size() && alias != Alias::kNone; ++o) {
      for (std::size_t e = 0; e < node.outputs[o].values.size(); ++e) {
        const ValueId value = node.outputs[o].values[e];
        State& state = states_[value];
        const ValueId root = root_of(*first);
        if (alias == Alias::kView) {
          state.parent = named(*first);
          state.view = node;
          state.output = o, state.element = e;
          state.version = states_[root].written;
        } else {
          state.maybe_of = root;
          states_[root].maybe_views.push_back(value);
        }
      }
    }
    graph_.nodes.push_back(std::move(node));
    return {};
  }

  /// `node`, whose arguments are already those of now, changes `value`.
  base::Result<void> write(ValueId value, const std::string& functional, Node node) {
    const ValueId root = root_of(value);
    const std::string bare(bare_name(node.operator_name));  // its name changes on the way
    const auto refuse = [&](std::string message) {
      return std::unexpected(place({Code::kUnimplemented, std::move(message)}, node));
    };
    if (const StoredValue* const stored = states_[root].stored) {
      return refuse(
          fmt::format("the model changes its {} '{}' while it runs, and an ONNX model keeps nothing between "
                      "two runs: take it as an input and return it as an output",
                      stored->kind == StoredKind::kParameter ? "parameter"
                      : stored->kind == StoredKind::kBuffer  ? "buffer"
                                                             : "constant",
                      stored->name));
    }
    if (is_one_of(bare, {"set_", "resize_", "resize_as_", "as_strided_", "squeeze_", "unsqueeze_", "transpose_", "t_",
                         "swapaxes_", "swapdims_"})) {
      return refuse("it changes the shape of a tensor in place: use the operator without '_'");
    }
    if (node.outputs.size() != 1 || node.outputs[0].values.size() != 1) return refuse("it gives not one tensor");
    const ValueId given = node.outputs[0].values[0];
    const std::string described = fmt::format("{} changed '{}'", node.operator_name, graph_.values[value].name);
    const Source source = node.source;

    // The new value of what is written to, of its own dtype whatever the other operand has.
    const ValueId before = node.arguments[0].argument.get<Reference>()->value;
    ValueId now = fresh_value(given);
    node.operator_name = functional;
    node.outputs[0].values[0] = now;
    const auto* const other = node.arguments.size() > 1 ? node.arguments[1].argument.get<Reference>() : nullptr;
    const bool may_promote = other != nullptr && !are_of_one_dtype(before, other->value) &&
                             is_one_of(bare, {"add_", "sub_", "mul_", "div_", "pow_", "__iadd__", "__isub__",
                                              "__imul__", "__idiv__", "addcmul_", "addcdiv_", "lerp_"});
    graph_.nodes.push_back(std::move(node));
    if (may_promote) now = add("aten.type_as.default", {Reference{now}, Reference{before}}, given, source);

    // Upwards to the memory itself.
    std::vector<std::pair<ValueId, ValueId>> changed{{value, now}};
    for (ValueId at = value; states_[at].parent;) {
      const ValueId parent = named(*states_[at].parent);
      SLIPWAY_ASSIGN(const ValueId base_value, read(parent, described));
      auto put_back = inverse(states_[at], base_value, changed.back().second, source);
      if (!put_back) return std::unexpected(put_back.error().with(described));
      changed.emplace_back(parent, *put_back);
      at = parent;
    }
    const std::size_t version = ++states_[root].written;
    for (const auto& [which, holds] : changed) {
      states_[which].current = holds;
      states_[which].version = version;
    }
    states_[given].same_as = value;

    for (const ValueId beside : states_[root].maybe_views) states_[root_of(beside)].spoiled_by = described;
    if (states_[root].maybe_of) spoil(*states_[root].maybe_of, root, described);
    return {};
  }

  /// Whatever may share memory with `root`, upwards and beside it.
  void spoil(ValueId other, ValueId writer, const std::string& described) {
    other = root_of(other);
    if (states_[other].spoiled_by.empty()) {
      states_[other].spoiled_by = described;
      for (const ValueId beside : states_[other].maybe_views) {
        if (root_of(beside) != writer) states_[root_of(beside)].spoiled_by = described;
      }
      if (states_[other].maybe_of) spoil(*states_[other].maybe_of, writer, described);
    }
  }

  [[nodiscard]] bool are_of_one_dtype(ValueId a, ValueId b) const {
    const auto& one = graph_.values[a].meta;
    const auto& other = graph_.values[b].meta;
    return one && other && one->dtype == other->dtype;
  }

  ValueId add(std::string operator_name, std::vector<Argument> arguments, ValueId like, const Source& source) {
    Node node{std::move(operator_name), {}, {}, source};
    for (Argument& argument : arguments) node.arguments.push_back({"", std::move(argument)});
    const ValueId value = fresh_value(like);
    node.outputs.push_back({{value}, false});
    graph_.nodes.push_back(std::move(node));
    return value;
  }

  /// The base with `part` where the view shows it.
  base::Result<ValueId> inverse(const State& state, ValueId base_value, ValueId part, const Source& source) {
    const std::string_view bare = bare_name(state.view.operator_name);
    const std::vector<NamedArgument>& given = state.view.arguments;
    const Argument whole = Reference{base_value}, written = Reference{part};
    constexpr auto kParameters = std::to_array<std::string_view>({"self", "dim", "start", "end", "step"});
    // An argument by its place or its name; `slice` and `narrow` call them so.
    const auto argument = [&](std::size_t i, Argument otherwise) {
      if (i < given.size() && given[i].name.empty()) return given[i].argument;
      for (const NamedArgument& one : given) {
        if (i < kParameters.size() && one.name == kParameters[i]) return one.argument;
      }
      return otherwise;
    };
    const auto number = [&](std::size_t i, std::int64_t otherwise) -> std::optional<std::int64_t> {
      const Argument found = argument(i, Argument(otherwise));
      const auto* const integer = found.get<std::int64_t>();
      return integer == nullptr ? std::nullopt : std::optional(*integer);
    };
    const auto slice = [&](std::int64_t axis, Argument start, Argument end) {
      return add("aten.slice_scatter.default",
                 {whole, written, axis, std::move(start), std::move(end), std::int64_t{1}}, base_value, source);
    };
    const auto element = static_cast<std::int64_t>(state.element);
    if (bare == "select" && given.size() >= 3) {
      return add("aten.select_scatter.default", {whole, written, given[1].argument, given[2].argument}, base_value,
                 source);
    }
    if (bare == "slice") {
      return add("aten.slice_scatter.default",
                 {whole, written, argument(1, std::int64_t{0}), argument(2, None{}), argument(3, None{}),
                  argument(4, std::int64_t{1})},
                 base_value, source);
    }
    if (bare == "narrow") {
      const auto axis = number(1, 0), start = number(2, 0), length = number(3, 0);
      if (axis && start && length) return slice(*axis, *start, *start + *length);
    }
    if (is_one_of(bare, {"transpose", "t", "swapaxes", "swapdims", "numpy_T", "mT"})) {
      std::vector<Argument> arguments{written};
      for (std::size_t i = 1; i < given.size(); ++i) arguments.push_back(given[i].argument);
      return add(state.view.operator_name, std::move(arguments), base_value, source);
    }
    if (bare == "permute" && given.size() > 1) {
      if (const auto* const order = given[1].argument.get<List>()) {
        List back(order->size());
        const auto rank = static_cast<std::int64_t>(order->size());
        bool is_order = true;
        for (std::int64_t i = 0; i < rank; ++i) {
          const auto* const from = (*order)[static_cast<std::size_t>(i)].get<std::int64_t>();
          is_order = is_order && from != nullptr && *from >= -rank && *from < rank;
          if (is_order) back[static_cast<std::size_t>(*from < 0 ? *from + rank : *from)] = i;
        }
        if (is_order) return add(state.view.operator_name, {written, back}, base_value, source);
      }
    }
    if (is_one_of(bare, {"view", "_unsafe_view", "view_as", "unsqueeze", "squeeze", "unflatten", "reshape",
                         "reshape_as", "flatten", "ravel", "_reshape_alias"})) {
      return add("aten.view_as.default", {written, whole}, base_value, source);
    }
    if (bare == "diagonal") {
      std::vector<Argument> arguments{whole, written};
      for (std::size_t i = 1; i < given.size(); ++i) arguments.push_back(given[i].argument);
      return add("aten.diagonal_scatter.default", std::move(arguments), base_value, source);
    }
    if (bare == "unbind") {
      if (const auto axis = number(1, 0)) {
        return add("aten.select_scatter.default", {whole, written, *axis, element}, base_value, source);
      }
    }
    if ((bare == "split" || bare == "split_with_sizes") && given.size() > 1) {
      const auto axis = number(2, 0);
      const auto* const each = given[1].argument.get<std::int64_t>();
      if (axis && each != nullptr) return slice(*axis, element * *each, (element + 1) * *each);
      if (const auto* const sizes = given[1].argument.get<List>(); sizes != nullptr && axis) {
        std::int64_t begin = 0;
        bool are_known = state.element < sizes->size();
        for (std::size_t i = 0; i <= state.element && are_known; ++i) {
          const auto* const size = (*sizes)[i].get<std::int64_t>();
          are_known = size != nullptr;
          if (!are_known) break;
          if (i == state.element) return slice(*axis, begin, begin + *size);
          begin += *size;
        }
      }
    }
    return fail(Code::kUnimplemented,
                "it is a view made by {}, through which nothing can be written here: put .clone() before the write",
                state.view.operator_name);
  }

  /// Leaves out what no output needs.
  void sweep() {
    std::vector<bool> is_read(graph_.values.size());
    const auto mark = [&](const Argument& argument) {
      for_each_reference(argument, [&](ValueId value) { is_read[value] = true; });
    };
    for (const GraphOutput& output : graph_.outputs) mark(output.argument);
    std::vector<Node> used;
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      Node& node = graph_.nodes[i];
      const bool is_needed = std::ranges::any_of(node.outputs, [&](const Output& output) {
        return std::ranges::any_of(output.values, [&](ValueId value) { return is_read[value]; });
      });
      if (!is_needed) continue;
      for (const NamedArgument& argument : node.arguments) mark(argument.argument);
      used.push_back(std::move(node));
    }
    std::ranges::reverse(used);
    graph_.nodes = std::move(used);
    std::erase_if(graph_.stored, [&](const StoredValue& stored) { return !is_read[stored.value]; });
  }

  Graph& graph_;
  std::deque<State> states_;  // grows while its elements are looked at
};

}  // namespace

base::Result<void> functionalize(Graph& graph) {
  return Functionalizer(graph).run();
}

}  // namespace slipway::convert::aten
