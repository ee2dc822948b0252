#pragma once

#include <concepts>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hub/domain/kinds/list.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

namespace internal {
template <typename List>
struct Variants;
template <typename... Kinds>
struct Variants<KindList<Kinds...>> {
  using Payload = std::variant<Kinds...>;
  using Result = std::variant<std::monostate, typename Kinds::Result...>;
};
}  // namespace internal

/// What a job of some kind is asked for and makes. There is no other way to its parts than by its kind: std::visit, or
/// part().
using JobPayload = internal::Variants<JobKinds>::Payload;
/// What the process of a job of some kind wrote; std::monostate: it never got so far.
using JobResult = internal::Variants<JobKinds>::Result;

/// The alternative that a variant holds, if it is a Part or derives from one; else null.
template <typename Part, typename... Alternatives>
[[nodiscard]] const Part* part(const std::variant<Alternatives...>& value) {
  static_assert((std::derived_from<Alternatives, Part> || ...), "no kind has such a part");
  return std::visit(
      [](const auto& alternative) -> const Part* {
        if constexpr (std::derived_from<std::remove_cvref_t<decltype(alternative)>, Part>) return &alternative;
        return nullptr;
      },
      value);
}
template <typename Part, typename... Alternatives>
[[nodiscard]] Part* part(std::variant<Alternatives...>& value) {
  return const_cast<Part*>(part<Part>(std::as_const(value)));
}

/// What a job's process writes. Files are names below the job folder's out/, turned into blobs by the agent.
struct JobOutcome {
  bool succeeded = false;
  FailureType failure_type = FailureType::kUnspecified;
  std::string failure_reason;
  std::string error_details;  ///< last log lines and the like
  JobResult result;           ///< of the job's kind

  struct File {
    ArtifactType type = ArtifactType::kHubLog;
    std::string filename;
  };
  std::vector<File> artifacts;
  std::vector<std::string> warnings;  ///< of a job that succeeded: what nobody may overlook about its result
  std::vector<std::string> remarks;   ///< honest statements shown with the result: emulated, recompiled …
  std::vector<std::pair<std::string, std::string>> tool_versions;
  std::string sandbox;  ///< level reached, e.g. "bubblewrap + seccomp + landlock + limits"
};

/// Everything about one job.
struct Job {
  std::string id;
  JobPayload payload;
  std::string owner_id;
  std::string name;
  std::string options;  ///< as submitted, stripped
  std::string project_id;
  std::optional<Device> device;

  JobState state = JobState::kCreated;
  base::Time created;
  std::optional<base::Time> started, completed;
  base::Time updated;
  std::vector<Artifact> artifacts;
  std::optional<JobOutcome> outcome;

  std::string needs;        ///< what an agent must offer: empty (nothing), "qnn", or "device:" and its name
  int attempt = 0;          ///< times leased
  std::string agent_id;     ///< of the current or last attempt
  std::string lease_token;  ///< fencing token of the current attempt, or of the one that ended the job
  std::optional<base::Time> lease_until;
};

/// A submission as the wire gives it.
struct Submission {
  JobPayload payload;
  std::string name;
  std::string options;
  std::string project_id;
  std::vector<Device> devices;  ///< name, os and attributes as the client sends them
};

template <typename Kind>
inline constexpr JobKind kKindOf = Kind::kEntry.number;

/// The row of a kind in the table; null: this hub has no such kind.
[[nodiscard]] const KindEntry* find_kind(JobKind kind);
[[nodiscard]] const KindEntry& entry_of(const JobPayload& payload);
[[nodiscard]] inline JobKind kind_of(const Job& job) {
  return entry_of(job.payload).number;
}
/// "compile" …; "unknown" for a kind that this hub does not have.
[[nodiscard]] std::string_view kind_name(JobKind kind);
/// The kinds that users submit and see in lists.
[[nodiscard]] std::vector<JobKind> submitted_kinds();

/// The state that a job is in while an agent works on it.
[[nodiscard]] JobState running_state(const Job& job);

/// An empty payload of a kind, and an empty result. Nothing: this hub has no such kind.
[[nodiscard]] std::optional<JobPayload> empty_payload(JobKind kind);
[[nodiscard]] JobResult empty_result(const JobPayload& payload);

[[nodiscard]] JobInputs inputs_of(const JobPayload& payload);
/// The model that a job makes; empty: its kind makes none.
[[nodiscard]] std::string target_model_of(const Job& job);
/// The dataset that a job made; empty: none.
[[nodiscard]] std::string output_dataset_of(const Job& job);
/// Where the models that a job makes come from; nothing for a job that makes none.
[[nodiscard]] std::optional<Origin> origin_of(const Job& job);

/// Every name below out/ that an outcome speaks of, each once.
[[nodiscard]] std::set<std::string> files_of(const JobOutcome& outcome);

/// The outcome of a job that failed for this reason, before or without a process of its own.
[[nodiscard]] JobOutcome failure(FailureType type, std::string reason);

}  // namespace slipway::hub::domain
