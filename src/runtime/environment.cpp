#include "runtime/environment.hpp"

#include <algorithm>

#include "runtime/environment_state.hpp"
#include "runtime/library.hpp"
#include "runtime/stdout_guard.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;

void ORT_API_CALL keep_line(void* parameter, OrtLoggingLevel severity, const char*, const char*, const char*,
                            const char* message) {
  if (severity < ORT_LOGGING_LEVEL_WARNING) return;
  auto& state = *static_cast<Environment::State*>(parameter);
  const std::scoped_lock lock(state.mutex);
  if (state.log.size() == Environment::State::kLogLimit) state.log.erase(state.log.begin());
  state.log.emplace_back(message);
}

base::Result<void> register_qnn(Environment::State& state) {
  const ProviderRow& row = provider_table()[1];
  if (state.paths.qnn_folder.empty()) {
    return base::fail(base::Code::kUnavailable, "the QNN provider is not installed; it needs {}", row.needs);
  }
  for (const std::string_view name : {kQnnPlugin, kQnnHtpBackend}) {
    if (!fs::exists(state.paths.qnn_folder / name)) {
      return base::fail(base::Code::kUnavailable, "{} is not in {}; the QNN provider needs {}", name,
                        state.paths.qnn_folder.string(), row.needs);
    }
  }
  return guarded("registering the QNN provider", [&]() -> base::Result<void> {
    const StdoutGuard guard;
    state.env.RegisterExecutionProviderLibrary(std::string(row.execution_provider).c_str(),
                                               (state.paths.qnn_folder / kQnnPlugin).string());
    return {};
  });
}

}  // namespace

base::Result<std::vector<Ort::ConstEpDevice>> Environment::State::qnn_devices() {
  {
    // Not under the mutex: the library logs while it is registered, and keep_line takes it.
    static std::mutex registering;
    const std::scoped_lock one_at_a_time(registering);
    if (!qnn_registration) qnn_registration = register_qnn(*this);
    if (!*qnn_registration) {
      const base::Error& error = qnn_registration->error();
      return std::unexpected(base::Error{base::Code::kUnavailable, error.message});
    }
  }
  return guarded("listing QNN devices", [&]() -> base::Result<std::vector<Ort::ConstEpDevice>> {
    std::vector<Ort::ConstEpDevice> devices;
    for (const Ort::ConstEpDevice& device : env.GetEpDevices()) {
      if (provider_table()[1].execution_provider == device.EpName()) devices.push_back(device);
    }
    // The NPU first where the plug-in lists several units of a chip.
    std::ranges::stable_sort(devices, [](const Ort::ConstEpDevice& a, const Ort::ConstEpDevice& b) {
      return (a.Device().Type() == OrtHardwareDeviceType_NPU) > (b.Device().Type() == OrtHardwareDeviceType_NPU);
    });
    if (devices.empty()) {
      return base::fail(base::Code::kUnavailable, "the QNN plug-in in {} offers no device on this machine",
                        paths.qnn_folder.string());
    }
    return devices;
  });
}

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
    state->env = Ort::Env(ORT_LOGGING_LEVEL_WARNING, "slipway", keep_line, state.get());
    state->carried = Ort::GetAvailableProviders();
    if (!paths.qnn_folder.empty()) state->qairt_version = qairt_version_of(paths.qnn_folder / kQnnHtpBackend);
    std::shared_ptr<Environment> environment(new Environment(std::move(state)));
    current = environment;
    return environment;
  });
}

std::string Environment::onnxruntime_version() const {
  return state_->base->GetVersionString();
}

std::optional<std::string> Environment::qairt_version() const {
  if (state_->qairt_version.empty()) return std::nullopt;
  return state_->qairt_version;
}

const LibraryPaths& Environment::paths() const {
  return state_->paths;
}

std::vector<ProviderStatus> Environment::providers() const {
  std::vector<ProviderStatus> statuses;
  for (const ProviderRow& row : provider_table()) {
    ProviderStatus status{.row = row, .available = false, .is_emulator = false, .detail = {}};
    if (row.name == "qnn") {
      const auto devices = state_->qnn_devices();
      status.available = devices.has_value();
      status.is_emulator = htp_is_emulated();
      status.detail = devices ? fmt::format("QAIRT {}{}", state_->qairt_version,
                                            status.is_emulator ? ", Qualcomm's HTP emulator (no NPU here)" : "")
                              : devices.error().message;
    } else {
      status.available = std::ranges::find(state_->carried, row.execution_provider) != state_->carried.end();
      status.detail =
          status.available ? fmt::format("ONNX Runtime {}", onnxruntime_version()) : fmt::format("needs {}", row.needs);
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

}  // namespace slipway::runtime
