#include "runtime/environment.hpp"

#include "runtime/environment_state.hpp"
#include "runtime/library.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;

void ORT_API_CALL record_line(void* parameter, OrtLoggingLevel severity, const char*, const char*, const char*,
                              const char* message) {
  if (severity < ORT_LOGGING_LEVEL_WARNING) return;
  auto& state = *static_cast<Environment::State*>(parameter);
  const std::scoped_lock lock(state.mutex);
  if (state.log.size() == Environment::State::kLogLimit) state.log.erase(state.log.begin());
  state.log.emplace_back(message);
}

}  // namespace

Environment::Environment(std::unique_ptr<State> state) : state_(std::move(state)) {}
Environment::~Environment() = default;

base::Result<std::shared_ptr<Environment>> Environment::open(const LibraryPaths& paths) {
  // ONNX Runtime keeps one environment a process, and a plug-in registers with it once: so do we.
  static std::mutex mutex;
  static std::weak_ptr<Environment> current;
  const std::scoped_lock lock(mutex);
  if (auto open = current.lock()) {
    const LibraryPaths& have = open->paths();
    if (have.onnxruntime == paths.onnxruntime && have.qnn_folder == paths.qnn_folder) return open;
    return base::fail(
        base::Code::kFailedPrecondition,
        "this process already runs ONNX Runtime {} with QNN folder '{}'; close it before opening {} with '{}'",
        have.onnxruntime.string(), have.qnn_folder.string(), paths.onnxruntime.string(), paths.qnn_folder.string());
  }
  SLIPWAY_ASSIGN(const OrtApiBase* api_base, open_library(paths.onnxruntime));
  return guarded("opening ONNX Runtime", [&]() -> base::Result<std::shared_ptr<Environment>> {
    auto state = std::make_unique<State>();
    state->paths = paths;
    state->base = api_base;
    state->env = Ort::Env(ORT_LOGGING_LEVEL_WARNING, "slipway", record_line, state.get());
    state->available = Ort::GetAvailableProviders();
    std::shared_ptr<Environment> environment(new Environment(std::move(state)));
    current = environment;
    return environment;
  });
}

std::string Environment::onnxruntime_version() const {
  return state_->base->GetVersionString();
}

std::optional<std::string> Environment::qairt_version() const {
  // Found by searching a file of 100 MB, which a job for the CPU need not wait for.
  std::call_once(state_->qairt_version_read, [&] {
    const auto& folder = state_->paths.qnn_folder;
    if (!folder.empty()) state_->qairt_version = qairt_version_of(folder / kQnnHtpBackend);
  });
  if (state_->qairt_version.empty()) return std::nullopt;
  return state_->qairt_version;
}

const LibraryPaths& Environment::paths() const {
  return state_->paths;
}

std::vector<ProviderStatus> Environment::providers() const {
  std::vector<ProviderStatus> statuses;
  for (const ProviderRow& row : provider_table()) {
    auto found = row.find(*this, row);
    statuses.push_back({row, found.has_value(), found ? std::move(*found) : std::move(found).error().message});
  }
  return statuses;
}

}  // namespace slipway::runtime
