#include "compile/compiler_profile.hpp"

#include <algorithm>
#include <sstream>
#include <vector>

#include "base/files.hpp"
#include "base/text.hpp"

namespace slipway::compile {
namespace {

constexpr std::uint64_t kLargestProfile = 256U << 20;

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const auto comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

struct Columns {
  std::size_t time, unit, event;
};

std::optional<Columns> columns_of(const std::vector<std::string_view>& header) {
  const auto find = [&](std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(header, name) - header.begin());
  };
  const Columns columns{.time = find("Time"), .unit = find("Unit of Measurement"), .event = find("Event Identifier")};
  if (std::max({columns.time, columns.unit, columns.event}) >= header.size()) return std::nullopt;
  return columns;
}

void add_prediction(CompilerProfile& profile, std::string_view event, std::uint64_t value) {
  const auto estimate = [&]() -> CompilerEstimate& {
    if (!profile.estimate) profile.estimate.emplace();
    return *profile.estimate;
  };
  const auto traffic = [&]() -> CompilerTraffic& {
    if (!profile.traffic) profile.traffic.emplace();
    return *profile.traffic;
  };
  const auto time_us = static_cast<double>(value);
  if (event == "Simulated (Accelerator exec time us)") estimate().nominal_us += time_us;
  if (event == "Simulated (Accelerator exec time us (lower estimate))") estimate().lower_us += time_us;
  if (event == "Simulated (Accelerator exec time us (upper estimate))") estimate().upper_us += time_us;
  if (event == "Input Fill") traffic().input_fill += value;
  if (event == "Intermediate Fill") traffic().intermediate_fill += value;
  if (event == "Intermediate Spill") traffic().intermediate_spill += value;
  if (event == "Output Spill") traffic().output_spill += value;
}

}  // namespace

base::Result<CompilerProfile> read_compiler_profile(const std::filesystem::path& csv) {
  SLIPWAY_ASSIGN(const std::string text, base::read_file(csv, kLargestProfile));
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  const auto columns = columns_of(fields_of(line));
  if (!columns) {
    return base::fail(base::Code::kInvalidArgument,
                      "{}: expected columns Time, Unit of Measurement and Event Identifier, found \"{}\"",
                      csv.filename().string(), line);
  }
  CompilerProfile profile;
  while (std::getline(lines, line)) {
    if (line.ends_with('\r')) line.pop_back();
    const auto fields = fields_of(line);
    if (fields.size() <= std::max({columns->time, columns->unit, columns->event})) continue;
    std::string_view time = fields[columns->time];
    const auto value = base::consume_number<std::uint64_t>(time);
    if (!value) continue;
    const auto unit = fields[columns->unit];
    if (unit == "US" || unit == "BYTES") add_prediction(profile, fields[columns->event], *value);
  }
  return profile;
}

}  // namespace slipway::compile
