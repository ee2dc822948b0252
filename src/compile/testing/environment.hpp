#pragma once

#include <algorithm>
#include <memory>

#include "runtime/environment.hpp"

namespace slipway::compile::testing {

/// The one environment of a test program; nothing when ONNX Runtime is not installed.
inline std::shared_ptr<runtime::Environment> environment() {
  static const auto opened = []() -> std::shared_ptr<runtime::Environment> {
    const auto paths = runtime::locate_libraries();
    if (!paths) return nullptr;
    auto environment = runtime::Environment::open(*paths);
    return environment ? std::move(*environment) : nullptr;
  }();
  return opened;
}

/// Whether Qualcomm's compiler is there.
inline bool has_qnn() {
  if (!environment()) return false;
  const auto providers = environment()->providers();
  return std::ranges::any_of(providers,
                             [](const auto& status) { return status.row.name == "qnn" && status.available; });
}

}  // namespace slipway::compile::testing
