#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/child_process.hpp"
#include "base/files.hpp"

namespace slipway::base::testing {

/// How a command of the shell ended, and what it wrote.
struct ShellResult {
  int status = -1;  ///< -1 after a signal
  std::string out, err;
};

/// Runs a command as a user would type it.
[[nodiscard]] inline ShellResult run_in_shell(const std::string& command) {
  const auto folder = TemporaryFolder::create("slipway-shell-");
  if (!folder) return {.status = -1, .out = {}, .err = folder.error().message};
  const auto err = folder->path() / "err";
  std::FILE* const pipe = ::popen(fmt::format("( {}\n) 2>'{}'", command, err.string()).c_str(), "r");
  if (pipe == nullptr) return {};
  ShellResult result;
  std::array<char, 4096> bytes{};
  while (const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), pipe)) {
    result.out.append(bytes.data(), count);
  }
  result.status = process_end_of(::pclose(pipe)).status;
  result.err = read_file(err, 1U << 20U).value_or("");
  return result;
}

/// The Python environment of `make setup`, with the packages that tests compare with. Tests begin in the repository.
[[nodiscard]] inline std::filesystem::path python_program() {
  return std::filesystem::absolute(".deps/venv/bin/python");
}

/// Runs Python with arguments that have no single quotes: a script, or "-c" and a program, and what it is given.
[[nodiscard]] inline ShellResult run_python(const std::vector<std::string>& arguments) {
  std::string command = python_program().string();
  for (const std::string& argument : arguments) command += fmt::format(" '{}'", argument);
  return run_in_shell(command);
}

}  // namespace slipway::base::testing
