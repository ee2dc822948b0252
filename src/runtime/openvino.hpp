#pragma once

#include <string>
#include <unordered_map>

#include "base/error.hpp"
#include "runtime/provider.hpp"

namespace slipway::runtime {

/// Options of the OpenVINO provider for a request: its CPU device, the precision and the threads as OpenVINO's own
/// configuration (`load_config`).
///
/// Checked here because the provider does not: of a precision that it does not know it says nothing, and after JSON
/// that it cannot read the model runs on ONNX Runtime's CPU provider.
/// @param threads  0: OpenVINO's choice
/// @error kInvalidArgument: another device, a `load_config` that is no object of devices or names another precision;
///        kUnavailable: this processor would compute bf16 as float32
[[nodiscard]] base::Result<std::unordered_map<std::string, std::string>> openvino_options(
    const ProviderRequest& request, int threads);

}  // namespace slipway::runtime
