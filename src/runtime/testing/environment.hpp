#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "runtime/session.hpp"
#include "tensor/npz.hpp"

namespace slipway::runtime::testing {

inline const std::filesystem::path kModels = "tests/golden/models";

/// The environment of the test program; one for all tests, as a process has one.
inline std::shared_ptr<Environment> test_environment() {
  static const std::shared_ptr<Environment> environment = [] {
    const auto paths = locate_libraries();
    EXPECT_TRUE(paths) << paths.error().message;
    auto opened = Environment::open(*paths);
    EXPECT_TRUE(opened) << opened.error().message;
    return *opened;
  }();
  return environment;
}

inline bool has_qnn() {
  for (const ProviderStatus& status : test_environment()->providers()) {
    if (status.row.accepts_htp) return status.available;
  }
  return false;
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
  return Session::load(test_environment(), kModels / (model + ".onnx"), options);
}

}  // namespace slipway::runtime::testing
