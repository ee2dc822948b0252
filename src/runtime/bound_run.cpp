#include <algorithm>
#include <optional>

#include "runtime/session_state.hpp"

namespace slipway::runtime {

using base::Code;
using tensor::NamedTensors;

struct BoundRun::State {
  explicit State(CancelFlag* cancel) : usual(cancel) {}

  Session::State* session = nullptr;
  Ort::IoBinding binding{nullptr};
  CancellableRun usual;  ///< made once: a run should allocate nothing
  std::vector<Ort::Value> input_values;
  NamedTensors outputs;  ///< bound where static, filled from ONNX Runtime's values otherwise
  std::vector<bool> is_preallocated;
  bool has_dynamic = false;
  bool is_fetched = false;  ///< dynamic outputs were copied since the last run

  /// Lets ONNX Runtime allocate the outputs that are not ours. Needed before every run: the values that it made for the
  /// last one stay bound, and it would hold the next one to their shapes.
  void bind_dynamic_outputs();
};

void BoundRun::State::bind_dynamic_outputs() {
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!is_preallocated[i]) binding.BindOutput(outputs[i].name.c_str(), memory);
  }
}

BoundRun::BoundRun(std::unique_ptr<State> state) : state_(std::move(state)) {}
BoundRun::~BoundRun() = default;

base::Result<std::unique_ptr<BoundRun>> BoundRun::bind(Session& session, const NamedTensors& inputs,
                                                       CancelFlag* cancel) {
  SLIPWAY_ASSIGN(const std::vector<const tensor::Tensor*> ordered, match_inputs(session.inputs(), inputs));
  return guarded("binding inputs and outputs", [&]() -> base::Result<std::unique_ptr<BoundRun>> {
    auto state = std::make_unique<State>(cancel);
    state->session = &session.state();
    state->binding = Ort::IoBinding(session.state().session);
    for (std::size_t i = 0; i < ordered.size(); ++i) {
      state->input_values.push_back(value_over(*ordered[i]));
      state->binding.BindInput(session.inputs()[i].name.c_str(), state->input_values.back());
    }
    for (const tensor::TensorSpec& spec : session.outputs()) {
      const bool is_static = tensor::is_static(spec);
      state->is_preallocated.push_back(is_static);
      if (!is_static) {
        state->has_dynamic = true;
        state->outputs.push_back({spec.name, {}});
        continue;
      }
      SLIPWAY_ASSIGN(tensor::Tensor output, tensor::Tensor::zeros(spec.dtype, spec.shape));
      state->outputs.push_back({spec.name, std::move(output)});
      state->binding.BindOutput(spec.name.c_str(), value_over(state->outputs.back().tensor));
    }
    return std::unique_ptr<BoundRun>(new BoundRun(std::move(state)));
  });
}

base::Result<void> BoundRun::run(CancelFlag* cancel) {
  return guarded("running the model", [&]() -> base::Result<void> {
    std::optional<CancellableRun> cancellable;
    if (cancel != nullptr) cancellable.emplace(cancel);
    const CancellableRun& this_run = cancellable ? *cancellable : state_->usual;
    state_->is_fetched = false;
    const auto run_bound = [&] {
      if (state_->has_dynamic) state_->bind_dynamic_outputs();
      state_->session->session.Run(this_run.options(), state_->binding);
    };
    try {
      run_bound();
    } catch (const Ort::Exception&) {
      if (this_run.is_cancelled()) return base::fail(Code::kCancelled, "the run was cancelled");
      // A model may declare another output shape than it gives. With buffers of its own ONNX Runtime only warns of it,
      // so a failure counts only when it happens with those.
      if (std::ranges::find(state_->is_preallocated, true) == state_->is_preallocated.end()) throw;
      state_->is_preallocated.assign(state_->outputs.size(), false);
      state_->has_dynamic = true;
      run_bound();
    }
    return {};
  });
}

base::Result<const NamedTensors*> BoundRun::outputs() {
  if (!state_->has_dynamic || state_->is_fetched) return &state_->outputs;
  return guarded("reading the outputs", [&]() -> base::Result<const NamedTensors*> {
    const std::vector<Ort::Value> values = state_->binding.GetOutputValues();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (state_->is_preallocated[i]) continue;
      SLIPWAY_ASSIGN(state_->outputs[i].tensor, tensor_from(values[i]));
    }
    state_->is_fetched = true;
    return &state_->outputs;
  });
}

}  // namespace slipway::runtime
