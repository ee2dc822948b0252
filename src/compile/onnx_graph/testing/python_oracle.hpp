#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/testing/shell.hpp"

namespace slipway::compile::onnx_graph::testing {

/// Whether the Python environment with `onnx` and `onnxruntime` is there.
[[nodiscard]] inline bool has_python_oracle() {
  return std::filesystem::exists(base::testing::python_program());
}

/// Runs onnx_oracle.py.
[[nodiscard]] inline base::testing::ShellResult ask_python_oracle(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "src/compile/onnx_graph/testing/onnx_oracle.py");
  return base::testing::run_python(arguments);
}

}  // namespace slipway::compile::onnx_graph::testing
