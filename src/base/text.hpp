#pragma once

#include <charconv>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>

namespace slipway::base {

/// Without blanks, tabs and ends of lines on both sides.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Letters of ASCII in lower case, all else as it is.
[[nodiscard]] std::string lowered(std::string_view text);

/// Letters of ASCII in upper case, all else as it is.
[[nodiscard]] std::string uppercased(std::string_view text);

/// The number that the whole text is, in the way of std::from_chars: no sign of plus, no blanks, nothing behind it.
template <typename Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The number that the text begins with, and takes it off the text; nothing, and the text as it was, when there is
/// none.
template <typename Number>
[[nodiscard]] std::optional<Number> consume_number(std::string_view& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour to make one word of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// Whether a word at this distance may have been meant: up to two slips, in longer words up to a third of the letters.
/// Words of more than 256 letters were typed by no one.
[[nodiscard]] bool is_near(std::string_view typed, std::size_t distance);

/// The candidate nearest to what was typed, when it is near enough to be what was meant; the first of equals.
/// @param candidates  strings or string views
template <std::ranges::input_range Words>
[[nodiscard]] std::optional<std::string> nearest(std::string_view typed, const Words& candidates) {
  if (!is_near(typed, 0)) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    if (!is_near(candidate, 0)) continue;
    const std::size_t here = edit_distance(typed, candidate);
    if (!is_near(typed, here) || (best && here >= best_distance)) continue;
    best = candidate;
    best_distance = here;
  }
  return best;
}

}  // namespace slipway::base
