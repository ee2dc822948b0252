#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/shell.hpp"

/// Oracles that nobody here wrote: NumPy, h5py, and the official client in .deps/venv.
namespace slipway::hub::datasets::testing {

using base::testing::python_program;

/// Runs a Python program with arguments; a failure of it fails the test with its output.
inline void run_python(const std::string& program, const std::vector<std::filesystem::path>& arguments) {
  const auto folder = base::TemporaryFolder::create("slipway-python-").value();
  std::ofstream(folder.path() / "program.py") << program;
  std::vector<std::string> words = {folder.path() / "program.py"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto done = base::testing::run_python(words);
  EXPECT_EQ(done.status, 0) << done.out << done.err;
}

}  // namespace slipway::hub::datasets::testing

#define SLIPWAY_NEEDS_PYTHON()                                                     \
  if (!std::filesystem::exists(slipway::hub::datasets::testing::python_program())) \
  GTEST_SKIP() << "needs .deps/venv (make setup) and the repository as working directory"
