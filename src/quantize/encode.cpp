#include "quantize/encode.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::quantize {

using compile::onnx_graph::Node;
using compile::onnx_graph::Value;

namespace {

/// Sets of tensors that share an encoding.
class Groups {
 public:
  explicit Groups(std::size_t count) : parents_(count) { std::iota(parents_.begin(), parents_.end(), std::size_t{0}); }
  std::size_t root(std::size_t member) {
    while (parents_[member] != member) member = parents_[member] = parents_[parents_[member]];
    return member;
  }
  /// The first member in the graph's order stays the root.
  void join(std::size_t one, std::size_t other) {
    const auto [first, second] = std::minmax({root(one), root(other)});
    parents_[second] = first;
  }

 private:
  std::vector<std::size_t> parents_;
};

struct Member {
  Value* value;
  Range observed, range;
  RangeScheme scheme = RangeScheme::kMinMax;
  bool has_range = false;  ///< false: nothing was observed, or it is no float
  bool is_float_after_all = false;
};

/// Whether a value comes to an output of the model by nothing but movers.
bool only_moves_to_output(const Value& value) {
  std::vector<const Value*> open = {&value};
  std::set<const Value*> seen = {&value};
  bool reaches = false;
  while (!open.empty()) {
    const Value* const next = open.back();
    open.pop_back();
    reaches |= next->is_output();
    for (const auto& use : next->uses()) {
      const auto* const rule = find_rule(*use.node);
      const bool is_mover =
          rule != nullptr && (rule->handling == Handling::kMoves || rule->handling == Handling::kJoins);
      if (!is_mover) return false;
      for (const Value* output : data_outputs(*rule, *use.node)) {
        if (seen.insert(output).second) open.push_back(output);
      }
    }
  }
  return reaches;
}

class Encoder {
 public:
  Encoder(const Choice& choice, const Calibration& calibration, const Options& options)
      : choice_(choice), calibration_(calibration), options_(options) {
    for (Value* value : choice.activations) add(value);
    for (Value* value : choice.constants) add(value);
  }

  Encodings encode() {
    for (Member& member : members_) observe(member);
    bound();
    Groups groups(members_.size());
    for (const auto& [node, rule] : choice_.nodes) {
      if (rule->handling == Handling::kMoves) share(groups, *rule, *node);
    }
    groups_ = &groups;
    merge();
    for (const auto& [node, rule] : choice_.nodes) {
      if (rule->handling == Handling::kJoins) join(groups, *rule, *node);
    }
    merge();
    drop_clips();
    write(groups);
    return std::move(encodings_);
  }

 private:
  void add(Value* value) {
    places_.emplace(value, members_.size());
    members_.push_back({.value = value, .observed = {}, .range = {}});
  }
  std::optional<std::size_t> place(const Value* value) const {
    const auto found = places_.find(value);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }

  void observe(Member& member) {
    if (member.value->is_constant()) {
      const auto numbers = member.value->floats();
      if (!numbers || numbers->empty()) return;
      TensorStatistics statistics(false);
      statistics.add(*numbers);
      if (statistics.not_finite() > 0) {
        encodings_.without.push_back({member.value->name(), "a constant that holds NaN or infinities"});
        return;
      }
      member.observed = member.range = statistics.range();
      member.has_range = true;
      return;
    }
    const auto found = calibration_.tensors.find(member.value->name());
    if (found == calibration_.tensors.end()) return;
    if (found->second.count() == 0) {
      encodings_.without.push_back({member.value->name(), "calibration saw no finite number in it"});
      return;
    }
    const ChosenRange chosen = choose_range(found->second, options_.scheme, options_.activations);
    member.observed = found->second.range();
    member.range = chosen.range;
    member.scheme = chosen.scheme;
    member.has_range = true;
  }

  /// Operators that set their range themselves.
  void bound() {
    for (const auto& [node, rule] : choice_.nodes) {
      const auto natural = natural_range(*node, options_.activations);
      const auto found = natural ? place(node->output(0)) : std::nullopt;
      if (!found || !members_[*found].has_range) continue;
      members_[*found].range = *natural;
      members_[*found].scheme = RangeScheme::kMinMax;
    }
  }

  void share(Groups& groups, const OperatorRule& rule, const Node& node) {
    const auto inputs = data_inputs(rule, node);
    const auto first = inputs.empty() ? std::nullopt : place(node.input(inputs.front()));
    if (!first) return;
    for (const Value* output : data_outputs(rule, node)) {
      if (const auto found = place(output)) groups.join(*first, *found);
    }
  }

  /// The members of each group get the range of all of them.
  void merge() {
    ranges_.clear();
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].has_range) continue;
      const auto [found, is_new] = ranges_.try_emplace(groups_->root(i), members_[i].range);
      // What moves gives no more than it was given, so a scheme's shorter range of it does not count.
      if (!is_new && !is_moved(*members_[i].value)) found->second = united(found->second, members_[i].range);
    }
  }

  static bool is_moved(const Value& value) {
    const Node* const producer = value.producer();
    const auto* const rule = producer != nullptr ? find_rule(*producer) : nullptr;
    return rule != nullptr && rule->handling == Handling::kMoves;
  }

  /// Inputs of a Concat share one encoding with what it gives, unless they are too unlike.
  void join(Groups& groups, const OperatorRule& rule, const Node& node) {
    std::vector<std::size_t> joined;
    std::optional<Range> all;
    double finest = 0;
    for (const std::size_t input : data_inputs(rule, node)) {
      const auto found = place(node.input(input));
      if (!found || !members_[*found].has_range) continue;
      joined.push_back(*found);
      const Range range = ranges_.at(groups.root(*found));
      all = all ? united(*all, range) : range;
      const double width = encoding_of(range, options_.activations).range().width();
      if (range.width() > 0) finest = finest == 0 ? width : std::min(finest, width);
    }
    const auto output = place(node.output(0));
    if (joined.empty() || !output) return;
    const double width = encoding_of(*all, options_.activations).range().width();
    if (finest > 0 && width > kMostUnlike * finest) {
      encodings_.parted_joins.push_back(node.name());
      if (only_moves_to_output(*node.output(0))) leave_in_float(*node.output(0));
      return;
    }
    for (const std::size_t member : joined) groups.join(member, *output);
    ranges_[groups.root(*output)] = *all;
    members_[*output].range = *all;
  }

  /// What unlike inputs were joined to, and what only moves it on to an output.
  void leave_in_float(const Value& value) {
    const auto found = place(&value);
    if (!found || members_[*found].is_float_after_all) return;
    members_[*found].is_float_after_all = true;
    encodings_.without.push_back(
        {value.name(), "joins tensors of unlike ranges on the way to an output: each keeps the encoding of its own"});
    for (const auto& use : value.uses()) {
      const auto* const rule = find_rule(*use.node);
      for (const Value* output : data_outputs(*rule, *use.node)) leave_in_float(*output);
    }
  }

  [[nodiscard]] bool is_encoded(std::size_t member) const {
    return members_[member].has_range && !members_[member].is_float_after_all;
  }

  /// A Relu or Clip behind a node that is quantised is part of the encoding, where that stores nothing beyond it.
  void drop_clips() {
    for (const auto& [node, rule] : choice_.nodes) {
      const auto clips_to = clipping_range(*node);
      if (!clips_to) continue;
      Value* const before = node->input(0);
      const auto input = place(before), output = place(node->output(0));
      if (!input || !output || !is_encoded(*output) || !is_encoded(*input)) continue;
      if (before->producer() == nullptr || before->is_output() || before->uses().size() != 1) continue;
      const bool is_computed = std::ranges::any_of(choice_.nodes, [&](const auto& chosen) {
        const auto handling = chosen.rule->handling;
        return chosen.node == before->producer() && handling != Handling::kMoves && handling != Handling::kJoins &&
               handling != Handling::kBounded;
      });
      if (!is_computed) continue;
      const Encoding encoding = encoding_of(ranges_.at(groups_->root(*output)), options_.activations);
      const double slack = static_cast<double>(encoding.scale) / 2;
      const Range held = encoding.range();
      if (held.lowest < clips_to->lowest - slack || held.highest > clips_to->highest + slack) continue;
      encodings_.needless_clips.push_back(node);
      skipped_.insert(before);
    }
  }

  void write(Groups& groups) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const Member& member = members_[i];
      if (!is_encoded(i) || skipped_.contains(member.value)) continue;
      const std::size_t root = groups.root(i);
      encodings_.tensors.emplace(member.value,
                                 EncodedTensor{.name = member.value->name(),
                                               .encoding = encoding_of(ranges_.at(root), options_.activations),
                                               .observed = member.observed,
                                               .scheme = member.scheme,
                                               .group = members_[root].value->name()});
    }
  }

  const Choice& choice_;
  const Calibration& calibration_;
  const Options& options_;
  std::vector<Member> members_;
  std::unordered_map<const Value*, std::size_t> places_;
  std::map<std::size_t, Range> ranges_;  ///< of the roots
  Groups* groups_ = nullptr;
  std::set<const Value*> skipped_;
  Encodings encodings_;
};

}  // namespace

Encodings encode(const Choice& choice, const Calibration& calibration, const Options& options) {
  return Encoder(choice, calibration, options).encode();
}

}  // namespace slipway::quantize
