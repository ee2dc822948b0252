#include "hub/protocol/query.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "base/text.hpp"
#include "hub/domain/job.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/protocol/internal/wire.hpp"

namespace slipway::hub::protocol {
namespace {

constexpr std::size_t kMostParameters = 256;
constexpr std::uint64_t kMostEntries = 1000;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

/// The states that a job can be in here. The wire knows more.
std::vector<std::pair<std::string_view, domain::JobState>> states() {
  std::vector<std::pair<std::string_view, domain::JobState>> states;
  for (const domain::JobState state : domain::all_states()) states.emplace_back(domain::state_name(state), state);
  return states;
}

/// Every type of jobs that the wire knows, whether this hub has such a kind or not.
std::vector<std::pair<std::string_view, domain::JobKind>> kinds_of_wire() {
  constexpr std::string_view kPrefix = "JOB_TYPE_";
  std::vector<std::pair<std::string_view, domain::JobKind>> kinds;
  const auto& types = *internal::api::JobType_descriptor();
  for (int i = 0; i < types.value_count(); ++i) {
    const auto& type = *types.value(i);
    if (type.number() == 0) continue;
    kinds.emplace_back(std::string_view(type.name()).substr(kPrefix.size()),
                       domain::JobKind{static_cast<std::uint32_t>(type.number())});
  }
  return kinds;
}

/// Looks a word or number up in one of the tables above. Words may come with the prefix that the wire's enum has.
template <typename Table, typename Value = typename Table::value_type::second_type>
base::Result<Value> lookup(const Table& table, const std::string& word, std::string_view parameter,
                           std::string_view prefix) {
  std::string name = base::uppercased(word);
  if (name.starts_with(prefix)) name.erase(0, prefix.size());
  const auto number = base::parse_number<int>(word);
  for (const auto& [known, value] : table) {
    if (name == known || (number && *number == static_cast<int>(value))) return value;
  }
  std::string all;
  for (const auto& [known, value] : table) {
    all += fmt::format("{}{} ({})", all.empty() ? "" : ", ", known, static_cast<int>(value));
  }
  return base::fail(base::Code::kInvalidArgument, "{}: expected one of {}; found \"{}\"", parameter, all, word);
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, PlusMeans plus) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == PlusMeans::kSpace) {
      result += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      result += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_unreserved(c)) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return result;
}

base::Result<Query> Query::parse(std::string_view text) {
  Query query;
  std::size_t count = 0;
  for (const std::string& pair : split(text, '&')) {
    if (++count > kMostParameters) {
      return base::fail(base::Code::kInvalidArgument, "expected at most {} parameters in the query", kMostParameters);
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view raw = pair;
    const auto key = percent_decoded(raw.substr(0, equals), PlusMeans::kSpace);
    const auto value = percent_decoded(raw.substr(std::min(equals + 1, raw.size())), PlusMeans::kSpace);
    if (!key || !value) {
      return base::fail(base::Code::kInvalidArgument, "a percent sign in the query is not followed by two digits 0-F");
    }
    query.values_[*key].push_back(*value);
  }
  return query;
}

std::string Query::first(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? std::string() : found->second.front();
}

std::vector<std::string> Query::all(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

base::Result<bool> Query::flag(const std::string& key) const {
  const std::string text = base::uppercased(first(key));
  if (text == "TRUE" || text == "1") return true;
  if (text == "FALSE" || text == "0" || text.empty()) return false;
  return base::fail(base::Code::kInvalidArgument, "{}: expected true or false, found \"{}\"", key, first(key));
}

base::Result<std::uint64_t> Query::number(const std::string& key, std::uint64_t otherwise) const {
  if (!has(key)) return otherwise;
  const auto value = base::parse_number<std::int64_t>(first(key));
  if (!value || *value < 0) {
    return base::fail(base::Code::kInvalidArgument, "{}: expected a whole number of 0 or more, found \"{}\"", key,
                      first(key));
  }
  return static_cast<std::uint64_t>(*value);
}

base::Result<domain::DeviceQuery> device_query(const Query& query) {
  SLIPWAY_ASSIGN(const bool select, query.flag("select"));
  return domain::DeviceQuery{
      .name = query.first("name"), .os = query.first("os"), .attributes = query.all("attributes"), .select = select};
}

base::Result<domain::Page> page_of(const Query& query) {
  domain::Page page;
  SLIPWAY_ASSIGN(page.offset, query.number("offset", page.offset));
  SLIPWAY_ASSIGN(page.limit, query.number("limit", page.limit));
  page.limit = std::min(page.limit, kMostEntries);
  return page;
}

base::Result<domain::JobFilter> job_filter(const Query& query) {
  domain::JobFilter filter;
  for (const std::string& list : query.all("state")) {
    for (const std::string& word : split(list, ',')) {
      // The official client's list of running states holds UNSPECIFIED and such as no kind here runs in, and a newer
      // one may know more: what no job can be in matches nothing.
      if (!filter.states) filter.states.emplace();
      if (const auto state = lookup(states(), word, "state", "JOB_STATE_")) filter.states->push_back(*state);
    }
  }
  for (const std::string& list : query.all("type")) {
    for (const std::string& word : split(list, ',')) {
      SLIPWAY_ASSIGN(const domain::JobKind kind, lookup(kinds_of_wire(), word, "type", "JOB_TYPE_"));
      const auto& entries = domain::JobKinds::kEntries;
      const auto entry = std::ranges::find(entries, kind, &domain::KindEntry::number);
      if (entry == entries.end() || entry->family.empty()) {
        filter.kinds.push_back(kind);
        continue;
      }
      for (const domain::KindEntry& other : entries) {
        if (other.family == entry->family) filter.kinds.push_back(other.number);
      }
    }
  }
  return filter;
}

base::Result<PlanForm> plan_form(const Query& query) {
  SLIPWAY_ASSIGN(const bool wrapped, query.flag("supports_s3_credentials"));
  return wrapped ? PlanForm::kWrapped : PlanForm::kBare;
}

}  // namespace slipway::hub::protocol
