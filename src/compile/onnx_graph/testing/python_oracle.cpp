#include "compile/onnx_graph/testing/python_oracle.hpp"

#include <array>
#include <cstdio>
#include <filesystem>

#include <sys/wait.h>

namespace slipway::compile::onnx_graph::testing {
namespace {

const std::string kPython = SLIPWAY_SOURCE_DIR "/.deps/venv/bin/python";
const std::string kScript = SLIPWAY_SOURCE_DIR "/src/compile/onnx_graph/testing/onnx_oracle.py";

}  // namespace

bool has_python_oracle() {
  return std::filesystem::exists(kPython);
}

OracleAnswer ask_python_oracle(const std::vector<std::string>& arguments) {
  std::string command = kPython + " " + kScript;
  for (const auto& argument : arguments) command += " '" + argument + "'";
  command += " 2>&1";
  OracleAnswer answer;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return answer;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    answer.text.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  answer.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

}  // namespace slipway::compile::onnx_graph::testing
