#include <array>

#include "convert/operators/internal/families.hpp"

/// Recurrent layers: one ONNX node for each layer, both directions in it.
namespace slipway::convert::operators::internal {
namespace {

/// Rows of a parameter in ONNX's order of gates.
Tensor reordered(Call& call, const Tensor& parameter, const Integers& order) {
  const std::int64_t hidden = parameter.shape.at(0) / static_cast<std::int64_t>(order.size());
  std::vector<Tensor> gates;
  for (const std::int64_t gate : order) gates.push_back(call.slice(parameter, 0, gate * hidden, (gate + 1) * hidden));
  return call.concat(gates, 0);
}

/// The state of one layer: rows `first` to `first + count` of all layers'.
Tensor rows(Call& call, const Tensor& states, std::int64_t first, std::int64_t count) {
  return call.slice(states, 0, first, first + count);
}

Operand recurrent(Call& call, const std::string& op_type, const Integers& order, const std::vector<Tensor>& states,
                  const Attributes& further) {
  if (call.flag("train") && call.real("dropout") != 0)
    refuse("the model was exported in training mode; call eval() first");
  Tensor x = call.tensor("input");
  if (x.rank() != 3) refuse("a batch of sequences is expected, found a tensor of rank {}", x.rank());
  const bool has_biases = call.flag("has_biases"), is_batch_first = call.flag("batch_first");
  const std::int64_t layers = call.integer("num_layers"), directions = call.flag("bidirectional") ? 2 : 1;
  const std::vector<Tensor> parameters = call.tensors("params");
  const std::size_t each = has_biases ? 4 : 2;
  if (layers < 1 || parameters.size() != static_cast<std::size_t>(layers * directions) * each) {
    refuse("{} layers in {} directions take {} parameters, found {}", layers, directions,
           static_cast<std::size_t>(layers * directions) * each, parameters.size());
  }
  if (is_batch_first) x = call.transpose(x, {1, 0, 2});
  std::vector<std::vector<Tensor>> last(states.size());
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    std::vector<Tensor> inner, outer, biases;
    for (std::int64_t direction = 0; direction < directions; ++direction) {
      const std::size_t first = static_cast<std::size_t>(layer * directions + direction) * each;
      inner.push_back(call.unsqueeze(reordered(call, parameters[first], order), {0}));
      outer.push_back(call.unsqueeze(reordered(call, parameters[first + 1], order), {0}));
      if (!has_biases) continue;
      const Tensor both = call.concat(
          {reordered(call, parameters[first + 2], order), reordered(call, parameters[first + 3], order)}, 0);
      biases.push_back(call.unsqueeze(both, {0}));
    }
    std::vector<Tensor> inputs = {x, call.concat(inner, 0), call.concat(outer, 0),
                                  has_biases ? call.concat(biases, 0) : Tensor{}, Tensor{}};
    for (const Tensor& state : states) inputs.push_back(rows(call, state, layer * directions, directions));
    Attributes attributes = further;
    attributes.emplace_back("hidden_size", outer.front().shape.at(2));
    attributes.emplace_back("direction", std::string(directions == 2 ? "bidirectional" : "forward"));
    const std::vector<Tensor> given = call.builder().add_several(op_type, inputs, 1 + states.size(), attributes);
    // [steps, directions, batch, hidden] to [steps, batch, directions · hidden]
    x = directions == 1 ? call.squeeze(given[0], {1})
                        : call.reshape(call.transpose(given[0], {0, 2, 1, 3}),
                                       {given[0].shape.at(0), given[0].shape.at(2), directions * given[0].shape.at(3)});
    for (std::size_t i = 0; i < states.size(); ++i) last[i].push_back(given[i + 1]);
  }
  if (is_batch_first) x = call.transpose(x, {1, 0, 2});
  Operands results = {x};
  for (const std::vector<Tensor>& of_layers : last) results.push_back(call.concat(of_layers, 0));
  return results;
}

Operand lstm(Call& call) {
  // ATen's gates: input, forget, cell, output; ONNX's: input, output, forget, cell.
  return recurrent(call, "LSTM", {0, 3, 1, 2}, call.tensors("hx"), {});
}
Operand gru(Call& call) {
  return recurrent(call, "GRU", {1, 0, 2}, {call.tensor("hx")}, {{"linear_before_reset", std::int64_t{1}}});
}
template <bool is_tanh>
Operand rnn(Call& call) {
  const std::string activation = is_tanh ? "Tanh" : "Relu";
  std::vector<std::string> activations = {activation};
  if (call.flag("bidirectional")) activations.push_back(activation);
  return recurrent(call, "RNN", {0}, {call.tensor("hx")}, {{"activations", activations}});
}

Tensor gates(Call& call, const Tensor& x, std::string_view weight, std::string_view bias) {
  std::vector<Tensor> inputs = {x, call.tensor(weight)};
  if (call.has(bias)) inputs.push_back(call.tensor(bias));
  return call.add("Gemm", inputs, {{"transB", std::int64_t{1}}});
}
Operand lstm_cell(Call& call) {
  const std::vector<Tensor> state = call.tensors("hx");
  if (state.size() != 2) refuse("'hx' must hold two tensors, found {}", state.size());
  const Tensor all =
      call.add("Add", {gates(call, call.tensor("input"), "w_ih", "b_ih"), gates(call, state[0], "w_hh", "b_hh")});
  const std::int64_t hidden = all.shape.at(1) / 4;
  const auto gate = [&](std::int64_t place) { return call.slice(all, 1, place * hidden, (place + 1) * hidden); };
  const Tensor retained = call.add("Mul", {call.add("Sigmoid", {gate(1)}), state[1]});
  const Tensor fresh = call.add("Mul", {call.add("Sigmoid", {gate(0)}), call.add("Tanh", {gate(2)})});
  const Tensor cell = call.add("Add", {retained, fresh});
  return Operands{call.add("Mul", {call.add("Sigmoid", {gate(3)}), call.add("Tanh", {cell})}), cell};
}

#define SLIPWAY_LAYERS \
  "bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first)"

constexpr auto kRecurrentOperators = std::to_array<Operator>({
    {"aten.lstm.input(Tensor input, Tensor[] hx, Tensor[] params, " SLIPWAY_LAYERS, lstm},
    {"aten.gru.input(Tensor input, Tensor hx, Tensor[] params, " SLIPWAY_LAYERS, gru},
    {"aten.rnn_tanh.input(Tensor input, Tensor hx, Tensor[] params, " SLIPWAY_LAYERS, rnn<true>},
    {"aten.rnn_relu.input(Tensor input, Tensor hx, Tensor[] params, " SLIPWAY_LAYERS, rnn<false>},
    {"aten.lstm_cell.default(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? "
     "b_hh=None)",
     lstm_cell},
});

}  // namespace

std::span<const Operator> recurrent_operators() {
  return kRecurrentOperators;
}

}  // namespace slipway::convert::operators::internal
