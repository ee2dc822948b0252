#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/files.hpp"

/// Oracles that nobody here wrote: NumPy, h5py, and the official client in .deps/venv.
namespace slipway::hub::executor::testing_support {

inline std::filesystem::path python_program() {
  return std::filesystem::absolute(".deps/venv/bin/python");
}

/// Runs a Python program with arguments; a failure of it fails the test with its output.
inline void run_python(const std::string& program, const std::vector<std::filesystem::path>& arguments) {
  const auto folder = base::TemporaryFolder::create("slipway-python-").value();
  std::ofstream(folder.path() / "program.py") << program;
  std::string command = fmt::format("{} {}/program.py", python_program().string(), folder.path().string());
  for (const auto& argument : arguments) command += fmt::format(" '{}'", argument.string());
  command += fmt::format(" > {}/log 2>&1", folder.path().string());
  const int status = std::system(command.c_str());
  EXPECT_EQ(status, 0) << base::read_file(folder.path() / "log", 1U << 20).value_or("");
}

}  // namespace slipway::hub::executor::testing_support

#define SLIPWAY_NEEDS_PYTHON()                                                             \
  if (!std::filesystem::exists(slipway::hub::executor::testing_support::python_program())) \
  GTEST_SKIP() << "needs .deps/venv (make setup) and the repository as working directory"
