#include <algorithm>
#include <unordered_map>

#include "runtime/provider_setup.hpp"
#include "runtime/stdout_guard.hpp"

namespace slipway::runtime {

using base::Code;

namespace {

namespace fs = std::filesystem;

base::Result<void> register_qnn(Environment::State& state, const ProviderRow& row) {
  if (state.paths.qnn_folder.empty()) {
    return base::fail(Code::kUnavailable, "the QNN provider is not installed; it needs {}", row.needs);
  }
  for (const std::string_view name : {kQnnPlugin, kQnnHtpBackend}) {
    if (!fs::exists(state.paths.qnn_folder / name)) {
      return base::fail(Code::kUnavailable, "{} is not in {}; the QNN provider needs {}", name,
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

/// The devices that the plug-in offers; registers it on first use.
/// @error kUnavailable: no plug-in, or it does not load; the message says what to install
base::Result<std::vector<Ort::ConstEpDevice>> qnn_devices(Environment::State& state, const ProviderRow& row) {
  {
    // Not under the mutex: the library logs while it is registered, and record_line takes it.
    static std::mutex registering;
    const std::scoped_lock one_at_a_time(registering);
    if (!state.qnn_registration) state.qnn_registration = register_qnn(state, row);
    if (!*state.qnn_registration) {
      const base::Error& error = state.qnn_registration->error();
      return std::unexpected(base::Error{Code::kUnavailable, error.message});
    }
  }
  return guarded("listing QNN devices", [&]() -> base::Result<std::vector<Ort::ConstEpDevice>> {
    std::vector<Ort::ConstEpDevice> devices;
    for (const Ort::ConstEpDevice& device : state.env.GetEpDevices()) {
      if (row.execution_provider == device.EpName()) devices.push_back(device);
    }
    // The NPU first where the plug-in lists several units of a chip.
    std::ranges::stable_sort(devices, [](const Ort::ConstEpDevice& a, const Ort::ConstEpDevice& b) {
      return (a.Device().Type() == OrtHardwareDeviceType_NPU) > (b.Device().Type() == OrtHardwareDeviceType_NPU);
    });
    if (devices.empty()) {
      return base::fail(Code::kUnavailable, "the QNN plug-in in {} offers no device on this machine",
                        state.paths.qnn_folder.string());
    }
    return devices;
  });
}

}  // namespace

base::Result<void> configure_qnn(const ProviderSetup& setup) {
  const ProviderRequest& request = setup.request;
  SLIPWAY_ASSIGN(const std::vector<Ort::ConstEpDevice> devices, qnn_devices(setup.environment, setup.row));
  std::unordered_map<std::string, std::string> options(request.options.begin(), request.options.end());
  // Placement reports the NPU and marks the emulator, so the backend must be the one that is true of.
  if (options.contains("backend_type") ||
      (options.contains("backend_path") && fs::path(options["backend_path"]).filename() != kQnnHtpBackend)) {
    return base::fail(Code::kInvalidArgument,
                      "the qnn provider always runs on {}: backend_path and backend_type cannot be set",
                      kQnnHtpBackend);
  }
  options["backend_path"] = (setup.environment.paths.qnn_folder / kQnnHtpBackend).string();
  if (request.htp) {
    // Both always: for some chips the library falls back to v68 when only the chip is named.
    options["soc_model"] = std::to_string(request.htp->soc_model);
    options["htp_arch"] = std::to_string(request.htp->htp_arch);
  }
  setup.session_options.AppendExecutionProvider_V2(setup.environment.env, {devices.front()}, options);
  return {};
}

base::Result<std::string> find_qnn(const Environment& environment, const ProviderRow& row) {
  SLIPWAY_TRY(qnn_devices(environment.state(), row));
  return fmt::format("QAIRT {}{}", environment.qairt_version().value_or("of an unknown version"),
                     row.is_emulator ? ", Qualcomm's HTP emulator (no NPU here)" : "");
}

}  // namespace slipway::runtime
