#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "runtime/session.hpp"
#include "tensor/npz.hpp"

namespace slipway::runtime::testing {

inline const std::filesystem::path kModels = "tests/golden/models";

/// The one environment of a test program; nothing when ONNX Runtime is not installed.
inline std::shared_ptr<Environment> environment() {
  static const auto opened = []() -> std::shared_ptr<Environment> {
    const auto paths = locate_libraries();
    return paths ? Environment::open(*paths).value_or(nullptr) : nullptr;
  }();
  return opened;
}

/// Whether Qualcomm's compiler is there.
inline bool has_qnn() {
  if (!environment()) return false;
  return std::ranges::any_of(environment()->providers(),
                             [](const ProviderStatus& status) { return status.row.accepts_htp && status.available; });
}

/// Inputs and outputs that ONNX Runtime's Python package computed for a tiny model.
struct Golden {
  tensor::NamedTensors inputs;
  tensor::NamedTensors outputs;
};

inline Golden golden_of(const std::string& model) {
  Golden golden;
  auto tensors = tensor::read_npz(kModels / (model + ".npz"));
  EXPECT_TRUE(tensors) << tensors.error().message;
  for (tensor::NamedTensor& named : *tensors) {
    const bool is_input = named.name.starts_with("in.");
    named.name.erase(0, is_input ? 3 : 4);
    (is_input ? golden.inputs : golden.outputs).push_back(std::move(named));
  }
  return golden;
}

inline base::Result<std::unique_ptr<Session>> load_tiny(const std::string& model, const SessionOptions& options = {}) {
  return Session::load(environment(), kModels / (model + ".onnx"), options);
}

}  // namespace slipway::runtime::testing
