#include "base/text.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace slipway::base {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string uppercased(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Row i changes the first i letters of a into the first j of b; a swap looks back two rows.
  std::vector<std::size_t> two_before, before(b.size() + 1), here(b.size() + 1);
  std::iota(before.begin(), before.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    here[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      here[j] = std::min({before[j] + 1, here[j - 1] + 1, replaced});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) here[j] = std::min(here[j], two_before[j - 2] + 1);
    }
    two_before = std::exchange(before, here);
  }
  return before.back();
}

bool is_near(std::string_view typed, std::size_t distance) {
  constexpr std::size_t kLongestWord = 256;
  return typed.size() <= kLongestWord && distance <= std::max<std::size_t>(2, typed.size() / 3);
}

}  // namespace slipway::base
