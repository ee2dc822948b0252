#include "apps/cli/progress_bar.hpp"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include <fmt/format.h>

namespace slipway::cli {
namespace {

constexpr int kWidth = 30;

}  // namespace

ProgressBar::ProgressBar() : is_visible_(isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  if (is_visible_ && !shown_.empty()) std::fputs("\r\033[K", stderr);
}

void ProgressBar::update(std::string_view what, std::int64_t done, std::int64_t total) {
  if (!is_visible_) return;
  const auto now = std::chrono::steady_clock::now();
  const bool is_same_step = shown_.starts_with(what);
  if (is_same_step && done < total && now - last_ < std::chrono::milliseconds(50)) return;
  last_ = now;
  if (total > 0) {
    const auto filled = static_cast<std::size_t>(std::clamp<std::int64_t>(done * kWidth / total, 0, kWidth));
    shown_ =
        fmt::format("{}  [{}{}] {}/{}", what, std::string(filled, '#'), std::string(kWidth - filled, '.'), done, total);
  } else {
    shown_ = fmt::format("{} ...", what);
  }
  fmt::print(stderr, "\r\033[K{}", shown_);
  std::fflush(stderr);
}

}  // namespace slipway::cli
