#include <algorithm>

#include "runtime/session_state.hpp"

namespace slipway::runtime {

using base::Code;
using tensor::NamedTensors;

struct BoundRun::State {
  Session::State* session = nullptr;
  Ort::IoBinding binding{nullptr};
  std::vector<Ort::Value> input_values;
  NamedTensors outputs;  ///< bound where static, filled from ONNX Runtime's values otherwise
  std::vector<bool> is_preallocated;
  bool has_dynamic = false;
  bool is_fetched = false;  ///< dynamic outputs were copied since the last run

  /// Lets ONNX Runtime allocate every output.
  void bind_outputs_dynamically();
};

void BoundRun::State::bind_outputs_dynamically() {
  binding.ClearBoundOutputs();
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  for (const tensor::TensorSpec& spec : session->outputs) binding.BindOutput(spec.name.c_str(), memory);
  is_preallocated.assign(session->outputs.size(), false);
  has_dynamic = true;
}

BoundRun::BoundRun(std::unique_ptr<State> state) : state_(std::move(state)) {}
BoundRun::~BoundRun() = default;

base::Result<std::unique_ptr<BoundRun>> BoundRun::bind(Session& session, const NamedTensors& inputs) {
  SLIPWAY_ASSIGN(const std::vector<const tensor::Tensor*> ordered, match_inputs(session.inputs(), inputs));
  return guarded("binding inputs and outputs", [&]() -> base::Result<std::unique_ptr<BoundRun>> {
    auto state = std::make_unique<State>();
    state->session = &session.state();
    state->binding = Ort::IoBinding(session.state().session);
    for (std::size_t i = 0; i < ordered.size(); ++i) {
      state->input_values.push_back(value_over(*ordered[i]));
      state->binding.BindInput(session.inputs()[i].name.c_str(), state->input_values.back());
    }
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
    for (const tensor::TensorSpec& spec : session.outputs()) {
      const bool is_static = tensor::element_count(spec.shape).has_value();
      state->is_preallocated.push_back(is_static);
      if (!is_static) {
        state->has_dynamic = true;
        state->binding.BindOutput(spec.name.c_str(), memory);
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
    const CancellableRun run(cancel);
    state_->is_fetched = false;
    const auto run_bound = [&] { state_->session->session.Run(run.options(), state_->binding); };
    try {
      run_bound();
    } catch (const Ort::Exception&) {
      if (run.is_cancelled()) return base::fail(Code::kCancelled, "the run was cancelled");
      // A model may declare another output shape than it gives. With buffers of its own ONNX Runtime only warns of it,
      // so a failure counts only when it happens with those.
      if (std::ranges::find(state_->is_preallocated, true) == state_->is_preallocated.end()) throw;
      state_->bind_outputs_dynamically();
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
