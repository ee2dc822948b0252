#include "runtime/choice_cache.hpp"

#include <algorithm>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "runtime/environment.hpp"
#include "runtime/profiling.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;
using base::Code;
using nlohmann::json;

constexpr const char* kSchema = "provider-choice/1";
constexpr std::uint64_t kLimitBytes = std::uint64_t{1} << 20U;

/// A library as the file it is: opening it to ask its version would keep the other builds out of this process.
std::string build_of(const ProviderRow& row) {
  const auto paths = locate_libraries(row.name);
  if (!paths) return "none";
  std::error_code error;
  const fs::path file = fs::canonical(paths->onnxruntime, error);
  const auto size = error ? 0 : fs::file_size(file, error);
  return fmt::format("{}, {} bytes", file.filename().string(), size);
}

/// A model's file and what lies beside it under its name: weights may be files of their own.
base::Result<std::string> digest_of(const fs::path& model) {
  std::vector<fs::path> files = {model};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model.has_parent_path() ? model.parent_path() : ".", error)) {
    const std::string name = entry.path().filename().string();
    if (name != model.filename() && name.starts_with(model.stem().string() + ".") && entry.is_regular_file(error) &&
        entry.path().extension() != ".yaml") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files.begin() + 1, files.end());
  base::Sha256 all;
  for (const fs::path& file : files) {
    SLIPWAY_ASSIGN(const std::string digest, base::sha256_hex_of_file(file));
    all.update(digest);
  }
  return all.hex();
}

json json_of(const CandidateMeasurement& measurement) {
  return {{"provider", measurement.candidate.provider},
          {"threads", measurement.candidate.threads},
          {"median_us", measurement.median_us ? json(*measurement.median_us) : json()},
          {"difference", measurement.difference ? json(*measurement.difference) : json()},
          {"refusal", measurement.refusal}};
}

CandidateMeasurement measurement_from(const json& from) {
  CandidateMeasurement measurement{.candidate = {from.at("provider"), from.at("threads")},
                                   .median_us = std::nullopt,
                                   .difference = std::nullopt,
                                   .refusal = from.at("refusal")};
  if (!from.at("median_us").is_null()) measurement.median_us = from["median_us"].get<double>();
  if (!from.at("difference").is_null()) measurement.difference = from["difference"].get<double>();
  return measurement;
}

}  // namespace

base::Result<std::string> choice_key(const AutomaticRequest& request) {
  json models = json::array(), builds = json::object();
  for (const fs::path& model : request.models) {
    SLIPWAY_ASSIGN(const std::string digest, digest_of(model));
    models.push_back(digest);
  }
  for (const ProviderRow& row : provider_table()) {
    if (!row.is_emulator) builds[std::string(row.name)] = build_of(row);
  }
  const SessionOptions& session = request.session;
  return json({{"models", models},
               {"machine", machine_name()},
               {"program", request.program_version},
               {"builds", builds},
               {"threads", session.intra_op_threads},
               {"precision", session.provider.precision == Precision::kBfloat16 ? "bf16" : "float32"},
               {"provider_options", session.provider.options},
               {"fallback", session.fallback == Fallback::kAllow}})
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

fs::path choice_file(const fs::path& folder, const std::string& key) {
  return folder / (base::sha256_hex(key).substr(0, 32) + ".json");
}

base::Result<AutomaticChoice> read_choice(const fs::path& file, const std::string& key) {
  std::error_code error;
  if (!fs::exists(file, error)) return base::fail(Code::kNotFound, "{}: nothing is kept", file.string());
  SLIPWAY_ASSIGN(const std::string text, base::read_file(file, kLimitBytes));
  try {
    const json from = json::parse(text);
    if (from.at("schema") != kSchema || from.at("key") != json::parse(key)) {
      return base::fail(Code::kDataLoss, "{}: of another schema or model", file.string());
    }
    AutomaticChoice choice;
    choice.chosen = {from.at("provider"), from.at("threads")};
    choice.tolerance = from.at("tolerance");
    choice.measured_at = from.at("measured_at");
    for (const json& each : from.at("candidates")) choice.candidates.push_back(measurement_from(each));
    // Whoever wrote the file: an emulator is never what is chosen.
    SLIPWAY_ASSIGN(const ProviderRow* row, find_provider(choice.chosen.provider));
    const auto listed = std::ranges::find(choice.candidates, choice.chosen, &CandidateMeasurement::candidate);
    if (row->is_emulator || listed == choice.candidates.end() || !listed->refusal.empty()) {
      return base::fail(Code::kDataLoss, "{}: chooses what was not measured", file.string());
    }
    choice.file = file;
    choice.was_kept = true;
    return choice;
  } catch (const json::exception& exception) {
    return base::fail(Code::kDataLoss, "{}: {}", file.string(), exception.what());
  }
}

base::Result<void> write_choice(const AutomaticChoice& choice, const std::string& key) {
  json candidates = json::array();
  for (const CandidateMeasurement& each : choice.candidates) candidates.push_back(json_of(each));
  const json made = {{"schema", kSchema},
                     {"key", json::parse(key)},
                     {"provider", choice.chosen.provider},
                     {"threads", choice.chosen.threads},
                     {"tolerance", choice.tolerance},
                     {"measured_at", choice.measured_at},
                     {"candidates", candidates}};
  std::error_code error;
  fs::create_directories(choice.file.parent_path(), error);
  if (error) return std::unexpected(base::errno_error(error.value(), choice.file.parent_path().string()));
  return base::write_file_durably(choice.file, made.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

fs::path default_choice_folder() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  // The specification: a path that is not absolute is as if it were not set.
  if (cache != nullptr && cache[0] == '/') return fs::path(cache) / "slipway/providers";
  const char* const home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/') return {};
  return fs::path(home) / ".cache/slipway/providers";
}

}  // namespace slipway::runtime
