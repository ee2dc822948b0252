#include "apps/cli/old_spellings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace slipway::cli {
namespace {

enum class Form {
  kSameValue,  ///< another name for the same
  kOfRole,     ///< the value is given the role's name: --detector-provider X, --provider detector=X
};

struct OldSpelling {
  std::string_view verb, option, today;
  Form form = Form::kSameValue;
  std::string_view role = "";
};

constexpr std::array kOldSpellings = {
    OldSpelling{"infer", "--outputs", "--output"},
    OldSpelling{"samurai", "--output-video", "--output"},
    OldSpelling{"drone", "--detector-provider", "--provider", Form::kOfRole, "detector"},
    OldSpelling{"drone", "--segmenter-provider", "--provider", Form::kOfRole, "segmenter"},
};

/// `--json FILE` of samurai, when it took one: a value that is plainly no input.
bool is_json_name(std::string_view word) {
  return !word.starts_with('-') && (word.ends_with(".json") || word.ends_with(".jsonl"));
}

}  // namespace

Respelled in_todays_words(const std::vector<std::string>& words) {
  Respelled result;
  if (words.empty()) return result;
  const std::string& verb = words.front();
  bool are_options = true;
  const auto note = [&](std::string_view old, std::string_view today) {
    result.notes.push_back(fmt::format("{} is {} today", old, today));
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    are_options = are_options && word != "--";
    const auto equals = word.find('=');
    const std::string_view name = std::string_view(word).substr(0, equals);
    // The value: behind "=", or the next word.
    const bool has_own_value = equals != std::string::npos;
    const bool has_next = !has_own_value && i + 1 < words.size();
    const auto* const old = std::ranges::find_if(
        kOldSpellings, [&](const OldSpelling& each) { return each.verb == verb && each.option == name; });
    if (are_options && old != kOldSpellings.end() && (has_own_value || has_next)) {
      const std::string value = has_own_value ? word.substr(equals + 1) : words[++i];
      const std::string today = old->form == Form::kOfRole ? fmt::format("{}={}", old->role, value) : value;
      note(old->option, old->form == Form::kOfRole ? fmt::format("{} {}", old->today, today) : std::string(old->today));
      result.words.insert(result.words.end(), {std::string(old->today), today});
      continue;
    }
    if (are_options && verb == "samurai" && name == "--json" &&
        (has_own_value || (has_next && is_json_name(words[i + 1])))) {
      const std::string value = has_own_value ? word.substr(equals + 1) : words[++i];
      if (value == "-") {
        note("--json=-", "--json");
        result.words.emplace_back("--json");
      } else {
        note("--json FILE", "--json-file FILE");
        result.words.insert(result.words.end(), {"--json-file", value});
      }
      continue;
    }
    result.words.push_back(word);
  }
  return result;
}

}  // namespace slipway::cli
