#include "hub/domain/document.hpp"

#include <cmath>
#include <limits>
#include <type_traits>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "hub/domain/document_fields.hpp"

namespace slipway::hub::domain {
namespace {

using Json = nlohmann::json;
using internal::fields;
using internal::values_of;

// Writer and Reader walk the lists of document_fields.hpp. What has a fields() is an object; the rest are values.

class Writer {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    json_[name] = encode(value);
  }
  // A variant's fields stand beside those of what holds it.
  void payload(const char* name, const JobPayload& value) {
    json_[name] = static_cast<std::uint32_t>(entry_of(value).number);
    std::visit([&]<typename Kind>(const Kind& alternative) { Kind::fields(*this, alternative); }, value);
  }
  void result(const JobResult& value) {
    std::visit(
        [&]<typename Result>(const Result& alternative) {
          if constexpr (!std::is_same_v<Result, std::monostate>) Result::fields(*this, alternative);
        },
        value);
  }
  [[nodiscard]] Json release() { return std::move(json_); }

  template <typename T>
  static Json encode(const T& value);

 private:
  Json json_ = Json::object();
};

class Reader {
 public:
  Reader(const Json& json, std::string path, std::string& problem)
      : json_(json), path_(std::move(path)), problem_(problem) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    if (!problem_.empty()) return;
    const auto found = json_.find(name);
    if (found != json_.end()) decode(*found, path_ + "/" + name, value, problem_);
  }

  void payload(const char* name, JobPayload& value) {
    std::uint32_t number = 0;
    (*this)(name, number);
    if (!problem_.empty()) return;
    auto empty = empty_payload(JobKind{number});
    if (!empty) {
      problem_ = fmt::format("{}/{}: {} is the number of no kind of jobs that is known here", path_, name, number);
      return;
    }
    value = std::move(*empty);
    std::visit([&]<typename Kind>(Kind& alternative) { Kind::fields(*this, alternative); }, value);
  }
  // Into the result of the kind that the caller has put there.
  void result(JobResult& value) {
    std::visit(
        [&]<typename Result>(Result& alternative) {
          if constexpr (!std::is_same_v<Result, std::monostate>) Result::fields(*this, alternative);
        },
        value);
  }

  template <typename T>
  static void decode(const Json& json, const std::string& path, T& value, std::string& problem);

 private:
  const Json& json_;
  std::string path_;
  std::string& problem_;
};

template <typename T>
concept HasFields = requires(Writer& writer, const T& value) { fields(writer, value); };

template <typename>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename>
struct IsList : std::false_type {};
template <typename T>
struct IsList<std::vector<T>> : std::true_type {};
template <typename>
struct IsMap : std::false_type {};
template <typename K, typename V>
struct IsMap<std::map<K, V>> : std::true_type {};

Json encode_number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

template <typename T>
Json Writer::encode(const T& value) {
  if constexpr (HasFields<T>) {
    Writer writer;
    fields(writer, value);
    return writer.release();
  } else if constexpr (IsOptional<T>::value) {
    return value ? encode(*value) : Json(nullptr);
  } else if constexpr (IsList<T>::value) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(encode(item));
    return list;
  } else if constexpr (IsMap<T>::value) {
    Json object = Json::object();
    for (const auto& [key, item] : value) object[fmt::format("{}", key)] = encode(item);
    return object;
  } else if constexpr (std::is_same_v<T, std::pair<std::string, std::string>>) {
    return Json::array({value.first, value.second});
  } else if constexpr (std::is_same_v<T, tensor::Dtype>) {
    return std::string(tensor::dtype_name(value));
  } else if constexpr (internal::HasWords<T>) {
    for (const auto& [known, word] : internal::Words<T>::kTable) {
      if (known == value) return word;
    }
    return nullptr;
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<int>(value);
  } else if constexpr (std::is_same_v<T, base::Time>) {
    return value.time_since_epoch().count();
  } else if constexpr (std::is_same_v<T, std::chrono::seconds>) {
    return value.count();
  } else if constexpr (std::is_floating_point_v<T>) {
    return encode_number(value);
  } else {
    return value;
  }
}

void complain(const std::string& path, std::string_view expected, const Json& json, std::string& problem) {
  if (problem.empty()) problem = fmt::format("{}: expected {}, found {}", path, expected, json.type_name());
}

template <typename T>
void decode_integer(const Json& json, const std::string& path, T& value, std::string& problem) {
  if (!json.is_number_integer()) return complain(path, "a whole number", json, problem);
  const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>())
                                              : std::in_range<T>(json.get<std::int64_t>());
  if (!fits) {
    problem = fmt::format("{}: {} is out of range", path, json.dump());
    return;
  }
  value = json.get<T>();
}

template <typename T>
void decode_real(const Json& json, const std::string& path, T& value, std::string& problem) {
  if (json.is_number()) {
    value = json.get<T>();
  } else if (json == "inf") {
    value = std::numeric_limits<T>::infinity();
  } else if (json == "-inf") {
    value = -std::numeric_limits<T>::infinity();
  } else if (json == "nan") {
    value = std::numeric_limits<T>::quiet_NaN();
  } else {
    complain(path, "a number", json, problem);
  }
}

template <typename K, typename V>
void decode_map(const Json& json, const std::string& path, std::map<K, V>& value, std::string& problem) {
  if (!json.is_object()) return complain(path, "an object", json, problem);
  value.clear();
  for (const auto& [text, item] : json.items()) {
    K key{};
    if constexpr (std::is_same_v<K, std::string>) {
      key = text;
    } else {
      const auto number = base::parse_number<K>(text);
      if (!number) {
        problem = fmt::format("{}: expected a number as key, found '{}'", path, text);
        return;
      }
      key = *number;
    }
    Reader::decode(item, path + "/" + text, value[key], problem);
  }
}

template <typename T>
void Reader::decode(const Json& json, const std::string& path, T& value, std::string& problem) {
  if (!problem.empty()) return;
  if constexpr (HasFields<T>) {
    if (!json.is_object()) return complain(path, "an object", json, problem);
    Reader reader(json, path, problem);
    fields(reader, value);
  } else if constexpr (IsOptional<T>::value) {
    value.reset();
    if (!json.is_null()) decode(json, path, value.emplace(), problem);
  } else if constexpr (IsList<T>::value) {
    if (!json.is_array()) return complain(path, "a list", json, problem);
    value.clear();
    value.reserve(json.size());
    for (const Json& item : json) {
      const std::string place = fmt::format("{}/{}", path, value.size());
      decode(item, place, value.emplace_back(), problem);
    }
  } else if constexpr (IsMap<T>::value) {
    decode_map(json, path, value, problem);
  } else if constexpr (std::is_same_v<T, std::pair<std::string, std::string>>) {
    if (!json.is_array() || json.size() != 2 || !json[0].is_string() || !json[1].is_string()) {
      return complain(path, "two texts", json, problem);
    }
    value = {json[0].get<std::string>(), json[1].get<std::string>()};
  } else if constexpr (std::is_same_v<T, tensor::Dtype>) {
    const auto dtype = json.is_string() ? tensor::dtype_from_name(json.get_ref<const std::string&>()) : std::nullopt;
    if (!dtype) return complain(path, "the name of a dtype", json, problem);
    value = *dtype;
  } else if constexpr (internal::HasWords<T>) {
    if (!json.is_string()) return complain(path, "a text", json, problem);
    for (const auto& [known, word] : internal::Words<T>::kTable) {
      if (json.get_ref<const std::string&>() != word) continue;
      value = known;
      return;
    }
    if (problem.empty()) problem = fmt::format("{}: {} is none of the known words", path, json.dump());
  } else if constexpr (std::is_enum_v<T>) {
    int number = 0;
    decode_integer(json, path, number, problem);
    for (const T candidate : values_of(T{})) {
      if (static_cast<int>(candidate) == number) {
        value = candidate;
        return;
      }
    }
    if (problem.empty()) problem = fmt::format("{}: {} is none of the known values", path, number);
  } else if constexpr (std::is_same_v<T, base::Time>) {
    std::int64_t microseconds = 0;
    decode_integer(json, path, microseconds, problem);
    value = base::Time(std::chrono::microseconds(microseconds));
  } else if constexpr (std::is_same_v<T, std::chrono::seconds>) {
    std::int64_t seconds = 0;
    decode_integer(json, path, seconds, problem);
    value = std::chrono::seconds(seconds);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) return complain(path, "true or false", json, problem);
    value = json.get<bool>();
  } else if constexpr (std::is_floating_point_v<T>) {
    decode_real(json, path, value, problem);
  } else if constexpr (std::is_integral_v<T>) {
    decode_integer(json, path, value, problem);
  } else {
    static_assert(std::is_same_v<T, std::string>, "a field of a type that documents do not know");
    if (!json.is_string()) return complain(path, "a text", json, problem);
    value = json.get<std::string>();
  }
}

template <typename T>
std::string write(const T& value, const char* schema) {
  Json json = Writer::encode(value);
  json["schema"] = schema;
  // Names come from uploads and may be no UTF-8: such bytes become the replacement character.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename T>
base::Result<T> read(std::string_view text, std::string_view schema, T value = {}) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object())
    return base::fail(base::Code::kInvalidArgument, "expected a {} document, found no JSON object", schema);
  const auto found = json.find("schema");
  if (found == json.end() || !found->is_string() || found->get_ref<const std::string&>() != schema) {
    return base::fail(base::Code::kInvalidArgument, "expected a document with schema {}, found {}", schema,
                      found == json.end() ? "none" : found->dump());
  }
  std::string problem;
  Reader::decode(json, "", value, problem);
  if (!problem.empty()) return base::fail(base::Code::kInvalidArgument, "{} document: {}", schema, problem);
  return value;
}

constexpr const char* kJobSpecSchema = "slipway-job-spec/2";
constexpr const char* kOutcomeSchema = "slipway-job-outcome/1";
constexpr const char* kInspectionSchema = "slipway-inspection/1";
constexpr const char* kDeviceSchema = "slipway-device/1";
constexpr const char* kModelSchema = "slipway-model/1";
constexpr const char* kDatasetSchema = "slipway-dataset/1";
constexpr const char* kJobSchema = "slipway-job/1";

}  // namespace

std::string to_document(const JobSpec& spec) {
  return write(spec, kJobSpecSchema);
}
base::Result<JobSpec> job_spec_from_document(std::string_view text) {
  return read<JobSpec>(text, kJobSpecSchema);
}
std::string to_document(const JobOutcome& outcome) {
  return write(outcome, kOutcomeSchema);
}
base::Result<JobOutcome> outcome_from_document(std::string_view text, const JobPayload& payload) {
  JobOutcome outcome;
  outcome.result = empty_result(payload);
  return read<JobOutcome>(text, kOutcomeSchema, std::move(outcome));
}
std::string to_document(const Inspection& inspection) {
  return write(inspection, kInspectionSchema);
}
base::Result<Inspection> inspection_from_document(std::string_view text) {
  return read<Inspection>(text, kInspectionSchema);
}
std::string to_document(const Device& device) {
  return write(device, kDeviceSchema);
}
base::Result<Device> device_from_document(std::string_view text) {
  return read<Device>(text, kDeviceSchema);
}
std::string to_document(const Model& model) {
  return write(model, kModelSchema);
}
base::Result<Model> model_from_document(std::string_view text) {
  return read<Model>(text, kModelSchema);
}
std::string to_document(const Dataset& dataset) {
  return write(dataset, kDatasetSchema);
}
base::Result<Dataset> dataset_from_document(std::string_view text) {
  return read<Dataset>(text, kDatasetSchema);
}
std::string to_document(const Job& job) {
  return write(job, kJobSchema);
}
base::Result<Job> job_from_document(std::string_view text) {
  return read<Job>(text, kJobSchema);
}

}  // namespace slipway::hub::domain
