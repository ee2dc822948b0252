#include "apps/cli/progress_bar.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>

#include <unistd.h>

#include <fmt/format.h>

namespace slipway::cli {
namespace {

constexpr int kWidth = 30;

std::atomic<bool> is_disabled = false;
std::atomic<bool> is_shown = false;

}  // namespace

ProgressBar::ProgressBar() : is_visible_(!is_disabled && isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  wipe();
}

void ProgressBar::disable() {
  is_disabled = true;
}

void ProgressBar::wipe() {
  if (is_shown.exchange(false)) std::fputs("\r\033[K", stderr);
}

void ProgressBar::update(std::string_view what, std::int64_t done, std::int64_t total) {
  if (!is_visible_) return;
  const auto now = Clock::now();
  if (what_ != what) {
    what_ = what;
    started_ = now;
  } else if (done < total && is_shown && now - last_ < std::chrono::milliseconds(50)) {
    return;
  }
  last_ = now;
  std::string line = what_;
  if (total > 0) {
    const auto filled = static_cast<std::size_t>(std::clamp<std::int64_t>(done * kWidth / total, 0, kWidth));
    line += fmt::format("  [{}{}] {}/{}", std::string(filled, '#'), std::string(kWidth - filled, '.'), done, total);
    const double spent = std::chrono::duration<double>(now - started_).count();
    if (done > 0 && done < total) {
      line += fmt::format("  {} left",
                          duration_text(spent / static_cast<double>(done) * static_cast<double>(total - done)));
    }
  } else {
    line += done > 0 ? fmt::format(" {} ...", done) : " ...";
  }
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
  is_shown = true;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(std::clamp(seconds, 0.0, 1e7)));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace slipway::cli
