#include "apps/cli/notes.hpp"

#include <atomic>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "apps/cli/seekable_input.hpp"

namespace slipway::cli {
namespace {

std::atomic<bool> are_silent = false;

}  // namespace

void note(std::string_view line) {
  if (!are_silent) fmt::print(stderr, "{}\n", with_given_names(std::string(line)));
}

void silence_notes() {
  are_silent = true;
}

}  // namespace slipway::cli
