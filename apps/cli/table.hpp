#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/measured_time.hpp"

namespace slipway::cli {

enum class Align { kLeft, kRight };

/// A table of fixed-width columns for people.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// @pre as many cells as columns
  void add(std::vector<std::string> cells);

  /// Title line, rule, rows. Columns are as wide as their widest cell counts code points.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Binary units with three figures: "46.7 MiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// In the unit that reads best: "12.3 us", "4.56 ms", "1.20 s"; "-" for what an emulator took, of which nothing is
/// kept. There is no other way to a time's text: whoever prints one says where it was taken.
[[nodiscard]] std::string time_text(const runtime::MeasuredTime& time);

/// The same for microseconds that Qualcomm's compiler estimates, which nothing measured.
[[nodiscard]] std::string compiler_estimate_text(double microseconds);

/// A number with its noun: "1 face", "2 faces", "0 faces".
/// @param plural  of nouns that take more than an s: counted(n, "box", "boxes")
[[nodiscard]] std::string counted(std::int64_t count, std::string_view singular, std::string_view plural = "");

/// "1 234 567"
[[nodiscard]] std::string count_text(std::int64_t count);

/// Bold on a terminal, plain elsewhere and with NO_COLOR.
[[nodiscard]] std::string heading(const std::string& text);

}  // namespace slipway::cli
