#include "runtime/session.hpp"

#include <algorithm>

#include "base/file_kind.hpp"
#include "runtime/assignment.hpp"
#include "runtime/rank.hpp"
#include "runtime/session_state.hpp"
#include "runtime/stdout_guard.hpp"
#include "runtime/trace.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;
using base::Code;
using tensor::NamedTensors;
using tensor::TensorSpec;

base::Result<TensorSpec> spec_of(const OrtApiBase& base, std::string name, const Ort::TypeInfo& info) {
  if (info.GetONNXType() != ONNX_TYPE_TENSOR) {
    return base::fail(Code::kUnimplemented, "'{}' is a sequence, map or optional; only tensors are supported", name);
  }
  const auto tensor_info = info.GetTensorTypeAndShapeInfo();
  const auto dtype = dtype_of(tensor_info.GetElementType());
  if (!dtype) {
    return base::fail(Code::kUnimplemented, "'{}' has an element type ({}) that tensors here cannot have", name,
                      static_cast<int>(tensor_info.GetElementType()));
  }
  tensor::Shape shape = tensor_info.GetShape();
  for (std::int64_t& size : shape) size = size < 0 ? -1 : size;
  return TensorSpec{.name = std::move(name),
                    .dtype = *dtype,
                    .shape = std::move(shape),
                    .quantization = std::nullopt,
                    .has_rank = has_rank(base, tensor_info)};
}

base::Result<void> read_signature(const OrtApiBase& base, Session::State& state) {
  Ort::AllocatorWithDefaultOptions allocator;
  for (std::size_t i = 0; i < state.session.GetInputCount(); ++i) {
    SLIPWAY_ASSIGN(TensorSpec spec, spec_of(base, state.session.GetInputNameAllocated(i, allocator).get(),
                                            state.session.GetInputTypeInfo(i)));
    state.inputs.push_back(std::move(spec));
  }
  for (std::size_t i = 0; i < state.session.GetOutputCount(); ++i) {
    SLIPWAY_ASSIGN(TensorSpec spec, spec_of(base, state.session.GetOutputNameAllocated(i, allocator).get(),
                                            state.session.GetOutputTypeInfo(i)));
    state.outputs.push_back(std::move(spec));
  }
  const Ort::ModelMetadata metadata = state.session.GetModelMetadata();
  for (const Ort::AllocatedStringPtr& key : metadata.GetCustomMetadataMapKeysAllocated(allocator)) {
    state.metadata[key.get()] = metadata.LookupCustomMetadataMapAllocated(key.get(), allocator).get();
  }
  return {};
}

base::Result<void> check_file(const fs::path& model) {
  std::error_code error;
  const auto status = fs::status(model, error);
  if (!fs::exists(status)) return base::fail(Code::kNotFound, "{}: no such file", model.string());
  if (!fs::is_regular_file(status)) {
    return base::fail(Code::kInvalidArgument, "{}: expected an .onnx file, found {}", model.string(),
                      fs::is_directory(status) ? "a folder" : "something that is no plain file");
  }
  return {};
}

/// A provider that did not start takes no node, and with fallback allowed ONNX Runtime would only log why.
base::Result<void> check_started(const Session::State& state, const ProviderRequest& provider,
                                 const std::string& name) {
  SLIPWAY_ASSIGN(const ProviderRow* row, find_provider(provider.name));
  const std::vector<std::string> errors = state.log.errors();
  if (row->is_plugin || errors.empty()) return {};
  if (state.placement.nodes_per_provider.contains(std::string(row->execution_provider))) return {};
  return base::fail(Code::kUnavailable, "{}: the {} provider took no node: {}", name, provider.name,
                    fmt::join(errors, "; "));
}

/// Whether ONNX Runtime found no model in a file, for which it has words of its libraries alone.
bool is_no_model(const Ort::Exception& exception) {
  const std::string_view what = exception.what();
  return what.find("Protobuf parsing failed") != std::string_view::npos ||
         what.find("No graph was found in the protobuf") != std::string_view::npos;
}

}  // namespace

std::vector<const char*> Session::State::output_names() const {
  std::vector<const char*> names;
  for (const TensorSpec& spec : outputs) names.push_back(spec.name.c_str());
  return names;
}

CancelFlag::CancelFlag() : state_(std::make_unique<State>()) {}
CancelFlag::~CancelFlag() = default;

void CancelFlag::cancel() {
  const std::scoped_lock lock(state_->mutex);
  state_->is_cancelled = true;
  for (Ort::RunOptions* options : state_->running) options->SetTerminate();
}

CancelFlag& every_run() {
  static auto& flag = *new CancelFlag;  // never destroyed: runs may end after the program's own objects
  return flag;
}

CancellableRun::CancellableRun(CancelFlag* flag) : flag_(flag) {
  options_.SetRunLogSeverityLevel(ORT_LOGGING_LEVEL_WARNING);  // whatever the session was made with
  for (CancelFlag* each : flags()) {
    if (each == nullptr) continue;
    const std::scoped_lock lock(each->state().mutex);
    if (each->state().is_cancelled) options_.SetTerminate();
    each->state().running.insert(&options_);
  }
}

CancellableRun::~CancellableRun() {
  for (CancelFlag* each : flags()) {
    if (each == nullptr) continue;
    const std::scoped_lock lock(each->state().mutex);
    each->state().running.erase(&options_);
  }
}

bool CancellableRun::is_cancelled() const {
  return std::ranges::any_of(flags(), [](CancelFlag* each) {
    if (each == nullptr) return false;
    const std::scoped_lock lock(each->state().mutex);
    return each->state().is_cancelled;
  });
}

base::Result<std::vector<const tensor::Tensor*>> match_inputs(const std::vector<TensorSpec>& specs,
                                                              const NamedTensors& inputs) {
  const auto names_of_specs = [&] {
    std::vector<std::string_view> names;
    for (const TensorSpec& spec : specs) names.push_back(spec.name);
    return fmt::format("{}", fmt::join(names, ", "));
  };
  std::vector<const tensor::Tensor*> ordered(specs.size(), nullptr);
  for (const tensor::NamedTensor& input : inputs) {
    const auto spec = std::ranges::find(specs, input.name, &TensorSpec::name);
    if (spec == specs.end()) {
      return base::fail(Code::kInvalidArgument, "the model has no input '{}'; its inputs are {}", input.name,
                        names_of_specs());
    }
    const tensor::Tensor*& place = ordered[static_cast<std::size_t>(spec - specs.begin())];
    if (place != nullptr) return base::fail(Code::kInvalidArgument, "input '{}' is given twice", input.name);
    if (spec->dtype != input.tensor.dtype() || !tensor::shape_accepts(*spec, input.tensor.shape())) {
      return base::fail(Code::kInvalidArgument, "input '{}': expected {}, found {}", input.name,
                        tensor::to_string(*spec), tensor::to_string(input.tensor.dtype(), input.tensor.shape()));
    }
    place = &input.tensor;
  }
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (ordered[i] == nullptr) {
      return base::fail(Code::kInvalidArgument, "input '{}' is missing: expected {}", specs[i].name,
                        tensor::to_string(specs[i]));
    }
  }
  return ordered;
}

/// Throws what ONNX Runtime throws.
base::Result<Ort::Session> open_session(Environment::State& environment, const fs::path& model,
                                        const SessionOptions& options, SessionLog& log) {
  try {
    SLIPWAY_ASSIGN(const Ort::SessionOptions exact, make_session_options(environment, options, log, true));
    return Ort::Session(environment.env, model.c_str(), exact);
  } catch (const Ort::Exception& exception) {
    // ONNX Runtime's pass for exact int8 cannot change weights that several nodes share.
    if (!std::string_view(exception.what()).contains("AddInitializerWithOrtValue")) throw;
  }
  log.begin_again(
      "nodes share int8 weights and this machine's cores have no VNNI: sums of products may lose what does not fit in "
      "16 bits");
  SLIPWAY_ASSIGN(const Ort::SessionOptions plain, make_session_options(environment, options, log, false));
  return Ort::Session(environment.env, model.c_str(), plain);
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}

Session::~Session() {
  const StdoutGuard guard;  // vendors' libraries print when they end, too
  state_->session = Ort::Session(nullptr);
}

base::Result<std::unique_ptr<Session>> Session::load(std::shared_ptr<Environment> environment, const fs::path& model,
                                                     const SessionOptions& options) {
  SLIPWAY_TRY(check_file(model));
  auto state = std::make_unique<State>();
  state->environment = std::move(environment);
  state->model = model;
  state->has_profile = !options.profile_prefix.empty();
  state->is_emulated = runtime::is_emulated(options.provider.name);
  Environment::State& environment_state = state->environment->state();
  const std::string name = model.filename().string();

  const StdoutGuard guard;
  auto loaded = guarded(name, [&]() -> base::Result<void> {
    try {
      SLIPWAY_ASSIGN(state->session, open_session(environment_state, model, options, state->log));
    } catch (const Ort::Exception& exception) {
      if (is_no_model(exception)) {
        return base::fail(base::Code::kInvalidArgument, "{}: not a whole ONNX model: found {}", name,
                          base::kind_of_file(model));
      }
      return std::unexpected(
          without_folder(explain_load_failure(exception, state->log, options, name), model.parent_path()));
    }
    state->log.stop();
    state->log_lines = state->log.lines();
    if (auto signature = read_signature(*environment_state.base, *state); !signature)
      return std::unexpected(signature.error().with(name));
    if (options.record_placement && can_read_assignment(*environment_state.base)) {
      SLIPWAY_ASSIGN(state->placement, read_assignment(*environment_state.base, state->session));
      state->placement.is_emulated = state->is_emulated;
      SLIPWAY_TRY(check_started(*state, options.provider, name));
    }
    return {};
  });
  if (!loaded) return std::unexpected(std::move(loaded).error());
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

const std::vector<TensorSpec>& Session::inputs() const {
  return state_->inputs;
}
const std::vector<TensorSpec>& Session::outputs() const {
  return state_->outputs;
}
std::optional<std::string> Session::metadata(const std::string& key) const {
  const auto found = state_->metadata.find(key);
  return found == state_->metadata.end() ? std::nullopt : std::optional(found->second);
}
const PlacementReport& Session::placement() const {
  return state_->placement;
}
const std::vector<std::string>& Session::log_lines() const {
  return state_->log_lines;
}

base::Result<NamedTensors> Session::run(const NamedTensors& inputs, CancelFlag* cancel) {
  SLIPWAY_ASSIGN(const std::vector<const tensor::Tensor*> ordered, match_inputs(state_->inputs, inputs));
  return guarded("running the model", [&]() -> base::Result<NamedTensors> {
    std::vector<Ort::Value> values;
    std::vector<const char*> names;
    for (std::size_t i = 0; i < ordered.size(); ++i) {
      values.push_back(value_over(*ordered[i]));
      names.push_back(state_->inputs[i].name.c_str());
    }
    const CancellableRun run(cancel);
    const std::vector<const char*> output_names = state_->output_names();
    std::vector<Ort::Value> results;
    try {
      results = state_->session.Run(run.options(), names.data(), values.data(), values.size(), output_names.data(),
                                    output_names.size());
    } catch (const Ort::Exception&) {
      if (run.is_cancelled()) return base::fail(Code::kCancelled, "the run was cancelled");
      throw;
    }
    NamedTensors outputs;
    for (std::size_t i = 0; i < results.size(); ++i) {
      auto output = tensor_from(results[i]);
      if (!output) return std::unexpected(output.error().with(fmt::format("output '{}'", output_names[i])));
      outputs.push_back({output_names[i], std::move(*output)});
    }
    return outputs;
  });
}

base::Result<fs::path> Session::end_profiling() {
  if (!state_->has_profile) {
    return base::fail(Code::kFailedPrecondition, "the session was made without a profile prefix");
  }
  return guarded("ending the profile", [&]() -> base::Result<fs::path> {
    Ort::AllocatorWithDefaultOptions allocator;
    const fs::path trace = state_->session.EndProfilingAllocated(allocator).get();
    if (state_->placement.layers.empty()) {
      // ONNX Runtime before 1.24: the events of what ran are all there is.
      SLIPWAY_ASSIGN(const Trace events, read_trace(trace));
      state_->placement = placement_of(events);
      state_->placement.is_emulated = state_->is_emulated;
    }
    return trace;
  });
}

}  // namespace slipway::runtime
