#include "hub/domain/job.hpp"

#include <algorithm>

namespace slipway::hub::domain {
namespace {

template <typename... Kinds>
std::optional<JobPayload> make_payload(JobKind kind, KindList<Kinds...> /*kinds*/) {
  std::optional<JobPayload> payload;
  ((kKindOf<Kinds> == kind ? static_cast<void>(payload.emplace(Kinds{})) : void()), ...);
  return payload;
}

}  // namespace

const KindEntry* find_kind(JobKind kind) {
  const auto* const found = std::ranges::find(JobKinds::kEntries, kind, &KindEntry::number);
  return found == JobKinds::kEntries.end() ? nullptr : found;
}

const KindEntry& entry_of(const JobPayload& payload) {
  return JobKinds::kEntries.at(payload.index());
}

std::string_view kind_name(JobKind kind) {
  const KindEntry* const entry = find_kind(kind);
  return entry == nullptr ? "unknown" : entry->name;
}

std::vector<JobKind> submitted_kinds() {
  std::vector<JobKind> kinds;
  for (const KindEntry& entry : JobKinds::kEntries) {
    if (entry.is_submitted) kinds.push_back(entry.number);
  }
  return kinds;
}

JobState running_state(const Job& job) {
  return std::visit([](const auto& payload) { return payload.running_state(); }, job.payload);
}

std::optional<JobPayload> empty_payload(JobKind kind) {
  return make_payload(kind, JobKinds{});
}

JobResult empty_result(const JobPayload& payload) {
  return std::visit(
      [](const auto& alternative) -> JobResult {
        return typename std::remove_cvref_t<decltype(alternative)>::Result{};
      },
      payload);
}

JobInputs inputs_of(const JobPayload& payload) {
  return std::visit([](const auto& alternative) { return alternative.inputs(); }, payload);
}

std::string target_model_of(const Job& job) {
  return std::visit(
      []<typename Kind>(const Kind& payload) -> std::string {
        if constexpr (MakesModel<Kind>) return payload.target_model_id;
        return {};
      },
      job.payload);
}

std::string output_dataset_of(const Job& job) {
  return std::visit(
      []<typename Kind>(const Kind& payload) -> std::string {
        if constexpr (MakesDataset<Kind>) return payload.output_dataset_id;
        return {};
      },
      job.payload);
}

std::optional<Origin> origin_of(const Job& job) {
  return std::visit(
      [&]<typename Kind>(const Kind& payload) -> std::optional<Origin> {
        if constexpr (MakesModel<Kind>) return Kind::origin(job, payload);
        return std::nullopt;
      },
      job.payload);
}

base::Result<Blob> file_of(const ResultFiles& files, const std::string& name, std::string_view role) {
  const auto found = files.find(name);
  if (found != files.end()) return found->second;
  return base::fail(base::Code::kInternal, "the job's process named '{}' as {}, but handed over no such file", name,
                    role);
}

std::set<std::string> files_of(const JobOutcome& outcome) {
  std::set<std::string> names;
  for (const JobOutcome::File& file : outcome.artifacts) names.insert(file.filename);
  std::visit(
      [&]<typename Result>(const Result& result) {
        if constexpr (!std::is_same_v<Result, std::monostate>) {
          for (const std::string& name : result.files()) names.insert(name);
        }
      },
      outcome.result);
  return names;
}

JobOutcome failure(FailureType type, std::string reason) {
  JobOutcome outcome;
  outcome.failure_type = type;
  outcome.failure_reason = std::move(reason);
  return outcome;
}

}  // namespace slipway::hub::domain
