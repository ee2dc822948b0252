#include "hub/domain/devices.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include "base/text.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(separator, start), text.size());
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// One line of comma separated values; a value in double quotes may hold commas, and a quote as two.
std::vector<std::string> csv_values(std::string_view line) {
  std::vector<std::string> values(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      values.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      values.emplace_back();
    } else if (c != '\r') {
      values.back() += c;
    }
  }
  return values;
}

// One line of a file with the names of its columns.
struct Line {
  std::string where;  ///< "devices.csv:3"
  std::map<std::string, std::string> values;

  [[nodiscard]] const std::string& at(const std::string& column) const { return values.at(column); }
  [[nodiscard]] Result<int> number(const std::string& column) const {
    const std::string& text = at(column);
    const auto value = base::parse_number<int>(text);
    if (!value || *value < 0) {
      return base::fail(Code::kInvalidArgument, "{}: column {}: expected a whole number, found '{}'", where, column,
                        text);
    }
    return *value;
  }
  [[nodiscard]] Result<bool> yes_or_no(const std::string& column) const {
    if (at(column) == "yes" || at(column) == "no") return at(column) == "yes";
    return base::fail(Code::kInvalidArgument, "{}: column {}: expected yes or no, found '{}'", where, column,
                      at(column));
  }
};

constexpr std::array kDeviceColumns = {"name",       "vendor",         "format",     "os",
                                       "os_version", "chipsets",       "soc_model",  "hexagon",
                                       "fp16",       "weight_sharing", "description"};
constexpr std::array kAliasColumns = {"name", "device", "vendor", "format", "chipsets"};

struct Table {
  bool is_aliases = false;
  std::vector<Line> lines;
};

Result<Table> read_table(const CatalogueFile& file) {
  const auto lines = split(file.content, '\n');
  const auto columns = csv_values(lines.front());
  const auto has = [&](const char* column) { return std::ranges::find(columns, column) != columns.end(); };
  Table table;
  table.is_aliases = has("device");
  const auto wanted =
      table.is_aliases ? std::span<const char* const>(kAliasColumns) : std::span<const char* const>(kDeviceColumns);
  for (const char* column : wanted) {
    if (!has(column)) {
      return base::fail(Code::kInvalidArgument, "{}:1: column {} is missing", file.name, column);
    }
  }
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty() || lines[i] == "\r") continue;
    Line line{.where = fmt::format("{}:{}", file.name, i + 1), .values = {}};
    const auto values = csv_values(lines[i]);
    if (values.size() != columns.size()) {
      return base::fail(Code::kInvalidArgument, "{}: expected {} values, found {}", line.where, columns.size(),
                        values.size());
    }
    for (std::size_t c = 0; c < columns.size(); ++c) line.values[columns[c]] = values[c];
    if (line.at("name").empty()) return base::fail(Code::kInvalidArgument, "{}: column name is empty", line.where);
    table.lines.push_back(std::move(line));
  }
  return table;
}

// What a line says, before it is turned into attributes, so that an alias can say parts of it anew.
struct Entry {
  std::string vendor, format, os, chipsets;
  Device device;
};

std::string abi_of(std::string_view os) {
  if (os == "windows") return "aarch64-windows";
  return os == "android" ? "aarch64-android" : "aarch64-linux";
}

void set_attributes(Entry& entry) {
  Chip& chip = entry.device.chip;
  auto& attributes = entry.device.attributes;
  attributes = {"format:" + entry.format, "vendor:" + entry.vendor, "os:" + entry.os, "framework:onnx"};
  if (chip.has_htp()) attributes.emplace_back("framework:qnn");
  if (entry.os != "windows") attributes.emplace_back("framework:tflite");
  std::vector<std::string> names = split(entry.chipsets, ' ');
  std::erase(names, "");
  for (const std::string& name : names) attributes.push_back("chipset:" + name);
  const auto silicon = std::find_if(names.rbegin(), names.rend(),
                                    [](const std::string& name) { return !name.starts_with("qualcomm-"); });
  chip.name = silicon != names.rend() ? *silicon : names.empty() ? "" : names.front();
  attributes.push_back(fmt::format("hexagon:v{}", chip.htp_arch));
  attributes.push_back(fmt::format("soc-model:{}", chip.soc_model));
  attributes.push_back("abi:" + abi_of(entry.os));
  if (chip.supports_fp16) attributes.emplace_back("htp-supports-fp16:true");
  if (chip.supports_weight_sharing) attributes.emplace_back("htp-supports-weight-sharing:true");
}

Result<Entry> device_of(const Line& line) {
  Entry entry{.vendor = line.at("vendor"),
              .format = line.at("format"),
              .os = line.at("os"),
              .chipsets = line.at("chipsets"),
              .device = {}};
  entry.device.name = line.at("name");
  entry.device.os = line.at("os_version");
  entry.device.soc_description = line.at("description");
  SLIPWAY_ASSIGN(entry.device.chip.soc_model, line.number("soc_model"));
  SLIPWAY_ASSIGN(entry.device.chip.htp_arch, line.number("hexagon"));
  SLIPWAY_ASSIGN(entry.device.chip.supports_fp16, line.yes_or_no("fp16"));
  SLIPWAY_ASSIGN(entry.device.chip.supports_weight_sharing, line.yes_or_no("weight_sharing"));
  return entry;
}

Result<Entry> alias_of(const Line& line, const std::vector<Entry>& entries) {
  const auto found = std::ranges::find(entries, line.at("device"), [](const Entry& e) { return e.device.name; });
  if (found == entries.end()) {
    return base::fail(Code::kInvalidArgument, "{}: no device {} in the catalogue", line.where, line.at("device"));
  }
  Entry entry = *found;
  entry.device.name = line.at("name");
  if (!line.at("vendor").empty()) entry.vendor = line.at("vendor");
  if (!line.at("format").empty()) entry.format = line.at("format");
  if (!line.at("chipsets").empty()) entry.chipsets = line.at("chipsets");
  return entry;
}

// The client splits attributes at their one colon and fails on a second.
Result<void> check_attributes(const Line& line, const Device& device) {
  for (const std::string& attribute : device.attributes) {
    if (std::ranges::count(attribute, ':') != 1 || attribute.ends_with(':')) {
      return base::fail(Code::kInvalidArgument, "{}: '{}' is no key:value with one colon", line.where, attribute);
    }
  }
  return {};
}

struct Interval {
  std::string low, high;  ///< empty: open
};

Result<std::optional<Interval>> interval_of(const std::string& os) {
  if (os.find_first_of("[]()") == std::string::npos) return std::nullopt;
  const auto comma = os.find(',');
  if (!os.starts_with('[') || !os.ends_with(')') || comma == std::string::npos ||
      os.find_first_of("[](),", 1) != comma || os.find_first_of("[](),", comma + 1) != os.size() - 1) {
    return base::fail(Code::kInvalidArgument, "os '{}': expected a version, or a half-open interval such as [12,15)",
                      os);
  }
  const auto trimmed = [](std::string text) {
    std::erase(text, ' ');
    return text;
  };
  return Interval{trimmed(os.substr(1, comma - 1)), trimmed(os.substr(comma + 1, os.size() - comma - 2))};
}

bool holds(const std::vector<std::string>& attributes, const std::string& wanted) {
  return std::ranges::find(attributes, wanted) != attributes.end();
}

}  // namespace

Result<std::vector<Device>> read_catalogue(const std::vector<CatalogueFile>& files) {
  std::vector<Entry> entries;
  for (const auto& file : files) {
    SLIPWAY_ASSIGN(const Table table, read_table(file));
    for (const Line& line : table.lines) {
      SLIPWAY_ASSIGN(Entry entry, table.is_aliases ? alias_of(line, entries) : device_of(line));
      set_attributes(entry);
      SLIPWAY_TRY(check_attributes(line, entry.device));
      const auto same = std::ranges::find(entries, entry.device.name, [](const Entry& e) { return e.device.name; });
      if (same != entries.end()) {
        *same = std::move(entry);
      } else {
        entries.push_back(std::move(entry));
      }
    }
  }
  std::vector<Device> devices;
  devices.reserve(entries.size());
  for (Entry& entry : entries) devices.push_back(std::move(entry.device));
  return devices;
}

Result<std::vector<Device>> match_devices(const std::vector<Device>& devices, const DeviceQuery& query) {
  SLIPWAY_ASSIGN(const auto interval, interval_of(query.os));
  const auto os_fits = [&](const std::string& os) {
    if (!interval) return query.os.empty() || compare_versions(os, query.os) == 0;
    return (interval->low.empty() || compare_versions(os, interval->low) >= 0) &&
           (interval->high.empty() || compare_versions(os, interval->high) < 0);
  };
  std::vector<Device> matches;
  for (const Device& device : devices) {
    if (!query.name.empty() && device.name != query.name) continue;
    if (!os_fits(device.os)) continue;
    const bool has_all = std::ranges::all_of(
        query.attributes, [&](const std::string& attribute) { return holds(device.attributes, attribute); });
    if (has_all) matches.push_back(device);
  }
  if (query.select && matches.size() > 1) {
    // The first of equals, so that a device that an agent offers wins over the catalogue.
    auto best = matches.begin();
    for (auto it = matches.begin() + 1; it != matches.end(); ++it) {
      if (compare_versions(it->os, best->os) > 0) best = it;
    }
    matches = {Device(*best)};
  }
  return matches;
}

int compare_versions(std::string_view a, std::string_view b) {
  const auto left = split(a, '.');
  const auto right = split(b, '.');
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const std::string l = i < left.size() ? left[i] : "0";
    const std::string r = i < right.size() ? right[i] : "0";
    const auto left_number = base::parse_number<std::uint32_t>(l), right_number = base::parse_number<std::uint32_t>(r);
    const auto order = left_number && right_number ? *left_number <=> *right_number : l <=> r;
    if (order != std::strong_ordering::equal) return order < 0 ? -1 : 1;
  }
  return 0;
}

}  // namespace slipway::hub::domain
