#include "pipelines/common/network_description.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "base/text.hpp"

namespace slipway::pipelines {
namespace {

constexpr std::size_t kLongestText = 1 << 20;

/// Walks the literal of a list or a dictionary, as Python and JSON write it.
class Literal {
 public:
  explicit Literal(std::string_view text) : rest_(text) {}

  bool consume(char wanted) {
    skip_blanks();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string> read_string() {
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const char quote = rest_.front();
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) return std::nullopt;
      text += rest_[i];
    }
    return std::nullopt;
  }

  std::optional<std::size_t> read_index() {
    skip_blanks();
    if (auto number = base::consume_number<std::size_t>(rest_)) return number;
    const auto text = read_string();
    return text ? base::parse_number<std::size_t>(*text) : std::nullopt;
  }

  bool is_at_end() {
    skip_blanks();
    return rest_.empty();
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  std::string_view rest_;
};

}  // namespace

NetworkDescription describe(const runtime::Session& session) {
  return {.task = session.metadata("task").value_or(""),
          .names = class_names_of(session.metadata("names").value_or(""))};
}

std::vector<std::string> class_names_of(std::string_view text) {
  if (text.size() > kLongestText) return {};
  Literal literal(text);
  const bool is_list = literal.consume('[');
  if (!is_list && !literal.consume('{')) return {};
  const char end = is_list ? ']' : '}';
  std::map<std::size_t, std::string> names;
  while (!literal.consume(end)) {
    const auto index = is_list ? names.size() : literal.read_index();
    if (!index || (!is_list && !literal.consume(':'))) return {};
    auto name = literal.read_string();
    if (!name || !names.emplace(*index, std::move(*name)).second) return {};
    if (literal.consume(',')) continue;
    if (!literal.consume(end)) return {};
    break;
  }
  if (!literal.is_at_end() || names.empty() || names.rbegin()->first != names.size() - 1) return {};
  std::vector<std::string> ordered;
  for (auto& [index, name] : names) ordered.push_back(std::move(name));
  return ordered;
}

}  // namespace slipway::pipelines
