#include "apps/cli/table.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"

namespace slipway::cli {
namespace {

/// Code points of UTF-8 text: bytes that do not continue one.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

bool is_terminal() {
  // Before a verb reserves standard output for results: this is asked once, at the first heading, so remember the
  // answer.
  static const bool terminal = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  return terminal;
}
// Asked while the program starts, when descriptor 1 still is what the user gave.
[[maybe_unused]] const bool kAskedEarly = is_terminal();

}  // namespace

void Table::add(std::vector<std::string> cells) {
  SLIPWAY_CHECK(cells.size() == columns_.size(), "a row has a cell for every column");
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = width_of(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, width_of(row[i]));
    widths.push_back(width);
  }
  std::string out;
  const auto add_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string cell = cell_of(i);
      const std::string padding(widths[i] - width_of(cell), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].align == Align::kRight ? padding + cell : cell + padding;
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + '\n';
  };
  add_line([&](std::size_t i) { return columns_[i].title; });
  add_line([&](std::size_t i) { return std::string(widths[i], '-'); });
  for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
  return out;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, value < 10 ? 2 : value < 100 ? 1 : 0, kUnits[unit]);
}

std::string time_text(const runtime::MeasuredTime& time) {
  return time.value() ? compiler_estimate_text(*time.value()) : "-";
}

std::string compiler_estimate_text(double microseconds) {
  const auto [value, unit] = microseconds < 1e3   ? std::pair(microseconds, "us")
                             : microseconds < 1e6 ? std::pair(microseconds / 1e3, "ms")
                                                  : std::pair(microseconds / 1e6, "s");
  return fmt::format("{:.{}f} {}", value, value < 10 ? 2 : value < 100 ? 1 : 0, unit);
}

std::string counted(std::int64_t count, std::string_view singular, std::string_view plural) {
  if (count == 1) return fmt::format("1 {}", singular);
  return plural.empty() ? fmt::format("{} {}s", count, singular) : fmt::format("{} {}", count, plural);
}

std::string count_text(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ' ');
  }
  return digits;
}

std::string heading(const std::string& text) {
  return is_terminal() ? fmt::format("[1m{}[0m", text) : text;
}

}  // namespace slipway::cli
