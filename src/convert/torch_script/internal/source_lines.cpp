#include "convert/torch_script/internal/source_lines.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "convert/torch_script/internal/pickle.hpp"

namespace slipway::convert::torch_script::internal {
namespace {

constexpr std::uint64_t kMostBytes = 8U << 20U;
constexpr std::size_t kMostShown = 120;

const Sequence* sequence_of(const Object* object, std::size_t smallest) {
  const auto* const sequence = object->get<Sequence>();
  return sequence != nullptr && sequence->elements.size() >= smallest ? sequence : nullptr;
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// "net.py:40: forward" of a line of a stack, "/home/ann/net.py(40): forward".
std::optional<std::string> frame_of(std::string_view line) {
  const auto open = line.find('('), close = line.find("): ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  return fmt::format("{}:{}: {}", file_name(line.substr(0, open)), line.substr(open + 1, close - open - 1),
                     line.substr(close + 3));
}

/// The texts that sources share, and what each source says: (lines as places of texts, file, number of the first line).
class Sources {
 public:
  explicit Sources(const Sequence& texts) : texts_(texts) {}

  /// @param range  (source, first character, last character)
  std::string describe(const Object* range) {
    const auto* const parts = sequence_of(range, 3);
    const auto* const source = parts == nullptr ? nullptr : sequence_of(parts->elements[0], 3);
    const auto begin = parts == nullptr ? std::nullopt : integer_of(*parts->elements[1]);
    if (source == nullptr || !begin) return {};
    const auto key = std::pair(source, *begin);
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    return known_.emplace(key, describe(*source, *begin)).first->second;
  }

 private:
  std::string_view text(const Object* place) const {
    const auto number = integer_of(*place);
    const auto index = number ? place_of(*number, texts_.elements.size()) : std::nullopt;
    const auto* const held = index ? texts_.elements[*index]->get<std::string>() : nullptr;
    return held == nullptr ? std::string_view() : std::string_view(*held);
  }

  std::string describe(const Sequence& source, std::int64_t begin) const {
    const auto* const lines = sequence_of(source.elements[0], 1);
    const auto first_line = integer_of(*source.elements[2]);
    if (lines == nullptr || !first_line || begin < 0) return {};
    // A trace: the frames of the stack, the innermost first. Those of PyTorch's own modules are passed over.
    std::optional<std::string> innermost;
    for (const Object* const each : lines->elements) {
      const std::string_view line = base::trimmed(text(each));
      auto frame = frame_of(line);
      if (!frame) break;
      if (line.find("/torch/nn/") == std::string_view::npos) return *frame;
      if (!innermost) innermost = std::move(frame);
    }
    if (innermost) return *innermost;
    // A script: the text of the function.
    std::int64_t at = 0, number = *first_line;
    for (const Object* const each : lines->elements) {
      const std::string_view line = text(each);
      at += static_cast<std::int64_t>(line.size());
      if (begin < at) {
        const std::string_view file = file_name(text(source.elements[1]));
        return file.empty() ? std::string() : fmt::format("{}:{}: {}", file, number, base::trimmed(line));
      }
      if (__builtin_add_overflow(number, 1, &number)) return {};
    }
    return {};
  }

  struct HashOfKey {
    std::size_t operator()(const std::pair<const Sequence*, std::int64_t>& key) const {
      return std::hash<const void*>()(key.first) * 31 + static_cast<std::size_t>(key.second);
    }
  };
  const Sequence& texts_;
  std::unordered_map<std::pair<const Sequence*, std::int64_t>, std::string, HashOfKey> known_;
};

}  // namespace

std::vector<std::string> origins_of(const archive::ZipArchive& archive, const std::string& file,
                                    const std::vector<std::string>& lines) {
  const std::string entry = file + ".debug_pkl";
  const auto* const found = archive.find(entry);
  if (found == nullptr || found->size_bytes > kMostBytes) return {};
  Heap heap;
  const auto pickle = read_pickle_entry(archive, entry, heap);
  // ("FORMAT_WITH_STRING_TABLE", texts, ((place in the code, range, tag) …)), as PyTorch writes it since 1.11.
  const auto* const parts = pickle ? sequence_of(*pickle, 3) : nullptr;
  const auto* const format = parts == nullptr ? nullptr : parts->elements[0]->get<std::string>();
  const auto* const texts = parts == nullptr ? nullptr : sequence_of(parts->elements[1], 1);
  const auto* const ranges = parts == nullptr ? nullptr : sequence_of(parts->elements[2], 1);
  if (format == nullptr || *format != "FORMAT_WITH_STRING_TABLE" || texts == nullptr || ranges == nullptr) return {};
  Sources sources(*texts);
  std::vector<std::string> origins(lines.size());
  std::size_t line = 0;
  std::int64_t end = lines.empty() ? 0 : static_cast<std::int64_t>(lines[0].size()) + 1;
  for (const Object* const element : ranges->elements) {
    const auto* const range = sequence_of(element, 2);
    const auto place = range == nullptr ? std::nullopt : integer_of(*range->elements[0]);
    if (!place) return origins;
    while (line < lines.size() && *place >= end) {
      if (++line < lines.size()) end += static_cast<std::int64_t>(lines[line].size()) + 1;
    }
    if (line >= lines.size()) break;
    // The first of a line that says something is the outermost call.
    if (origins[line].empty()) {
      origins[line] = base::valid_utf8(sources.describe(range->elements[1])).substr(0, kMostShown);
    }
  }
  return origins;
}

}  // namespace slipway::convert::torch_script::internal
