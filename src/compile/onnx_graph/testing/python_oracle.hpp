#pragma once

#include <string>
#include <vector>

namespace slipway::compile::onnx_graph::testing {

/// Whether the Python environment with `onnx` and `onnxruntime` is there.
[[nodiscard]] bool has_python_oracle();

/// Runs onnx_oracle.py. @return its exit status and what it printed
struct OracleAnswer {
  int exit_status = -1;
  std::string text;
};
[[nodiscard]] OracleAnswer ask_python_oracle(const std::vector<std::string>& arguments);

}  // namespace slipway::compile::onnx_graph::testing
