#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/judgement.hpp"
#include "hub/domain/types.hpp"

/// What a kind of job has to say of itself. A kind is a struct: its members are what a job of it is asked for and makes
/// (the payload), its nested Result is what its process writes, and its functions are its rules. kinds/list.hpp
/// lists them; JobKindType at the end of this file is the list of what each must have.
namespace slipway::hub::domain {

struct Job;

/// What a job works on, by id.
struct JobInputs {
  std::vector<std::string> model_ids;
  std::string dataset_id;  ///< empty: none
};

enum class DatasetInput { kNone, kOptional, kRequired };

/// Which of the agent's limits on time holds for a job.
enum class TimeBudget { kInspection, kCompile, kRun };

/// A row of the table of kinds.
struct KindEntry {
  std::string_view name;  ///< "compile"
  JobKind number{};
  bool is_submitted = true;           ///< false: the hub's own, never shown to users
  std::span<const JobState> running;  ///< every state that a job of it may run in
  std::span<const std::string_view> options = {};
  std::string_view family = {};  ///< kinds of one are asked for as one: which of them a job is differs by the client
  TimeBudget budget = TimeBudget::kCompile;
  std::size_t fewest_models = 1, most_models = 1;
  DatasetInput dataset_input = DatasetInput::kNone;
};

/// Whether a row of the table may name this state: those before and after running are not for jobs that run.
[[nodiscard]] constexpr bool may_run_in(JobState state) {
  return state != JobState::kCreated && state != JobState::kDone && state != JobState::kFailed;
}

/// Files that a job's process wrote: name below out/ -> bytes.
using ResultFiles = std::map<std::string, Blob>;

/// What a job makes beside its outcome.
struct Products {
  std::optional<Model> target;
  std::optional<Dataset> output;
  std::optional<Inspection> inspection;  ///< of the job's subject
};

/// @error kInternal: the process named a file as its result and did not hand it over
[[nodiscard]] base::Result<Blob> file_of(const ResultFiles& files, const std::string& name, std::string_view role);

/// A kind that makes a model, which is there (without bytes) from submission on.
template <typename Kind>
concept MakesModel = requires(Kind payload, const Job& job, const JobFacts& facts) {
  { payload.target_model_id } -> std::same_as<std::string&>;
  { Kind::target_type(facts) } -> std::same_as<ModelType>;
  { Kind::origin(job, payload) } -> std::same_as<Origin>;
};

/// A kind that may make a dataset.
template <typename Kind>
concept MakesDataset = requires(Kind payload) {
  { payload.output_dataset_id } -> std::same_as<std::string&>;
};

/// A kind that is told the types and shapes of its model's inputs.
template <typename Kind>
concept HasInputSpecs = requires(Kind payload) {
  { payload.input_specs } -> std::same_as<std::vector<tensor::TensorSpec>&>;
};

/// A kind whose jobs are for several devices at once; the job's own is the first.
template <typename Kind>
concept ForDevices = requires(Kind payload) {
  { payload.devices } -> std::same_as<std::vector<Device>&>;
};

/// A kind that users submit: judged at submission, and planned then and again when its models are there.
template <typename Kind>
concept Submitted = requires(Kind payload, const JobFacts& facts) {
  { Kind::judge(payload, facts) } -> std::same_as<base::Result<Verdict>>;
  { Kind::plan(payload, facts) } -> std::same_as<base::Result<ExecutionPlan>>;
};

template <typename Kind>
concept JobKindType = std::default_initializable<Kind> && std::default_initializable<typename Kind::Result> &&
                      (Kind::kEntry.is_submitted == Submitted<Kind>)&&requires(
                          const Kind& payload, const Job& job, const typename Kind::Result& result,
                          const ResultFiles& files, Products& products) {
                        { payload.inputs() } -> std::same_as<JobInputs>;
                        // Names below out/ that the process says it wrote, artifacts aside.
                        { result.files() } -> std::same_as<std::vector<std::string>>;
                        { payload.running_state() } -> std::same_as<JobState>;
                        // Fills in `products` what a job that succeeded makes: `target` comes as it was at submission,
                        // `output` as an empty dataset with its id, to be reset where there is none.
                        { Kind::complete(job, payload, result, files, products) } -> std::same_as<base::Result<void>>;
                      };

/// The kinds of this hub as types, and what derives from them.
template <JobKindType... Kinds>
struct KindList {
  static constexpr std::array<KindEntry, sizeof...(Kinds)> kEntries = {Kinds::kEntry...};

  static constexpr bool all_differ() {
    for (std::size_t i = 0; i < kEntries.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (kEntries[i].number == kEntries[k].number || kEntries[i].name == kEntries[k].name) return false;
      }
    }
    return true;
  }
  static_assert(all_differ(), "each kind has a name and a number of its own");

  static constexpr bool all_run() {
    return std::ranges::all_of(kEntries, [](const KindEntry& kind) {
      return !kind.running.empty() && std::ranges::all_of(kind.running, may_run_in);
    });
  }
  static_assert(all_run(), "each kind has a state that it runs in, and none that says that a job waits or has ended");
};

}  // namespace slipway::hub::domain
