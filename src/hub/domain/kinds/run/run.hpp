#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/domain/kinds/compiler_account.hpp"
#include "hub/domain/kinds/kind.hpp"
#include "hub/domain/kinds/run/profile_evidence.hpp"

namespace slipway::hub::domain::kinds {

/// What the process of a profile or inference job writes.
struct RunResult : CompilerAccount {
  std::optional<ProfileEvidence> profile;
  std::string output_dataset_file;  ///< h5
  std::optional<Inspection> output_dataset_inspection;

  [[nodiscard]] std::vector<std::string> files() const {
    return output_dataset_file.empty() ? std::vector<std::string>{} : std::vector{output_dataset_file};
  }

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive("compiler_estimate", self.compiler_estimate);
    archive("compiler_traffic_bytes", self.compiler_traffic_bytes);
    archive("profile", self.profile);
    archive("output_dataset_file", self.output_dataset_file);
    archive("output_dataset_inspection", self.output_dataset_inspection);
  }
};

/// What profile and inference jobs have in common: a model is run on one device.
struct Run {
  std::string model_id;
  std::string dataset_id;  ///< inputs; empty: random ones, and no outputs are kept
  bool is_profiling = false;
  bool answer_as_profile_job = false;  ///< submitted by an older client in the profile_job arm
  std::string output_dataset_id;

  [[nodiscard]] JobInputs inputs() const { return {.model_ids = {model_id}, .dataset_id = dataset_id}; }
  [[nodiscard]] JobState running_state() const {
    return is_profiling ? JobState::kMeasuringPerformance : JobState::kRunningInference;
  }
  [[nodiscard]] static base::Result<Verdict> judge(const Run& payload, const JobFacts& facts);
  [[nodiscard]] static base::Result<ExecutionPlan> plan(const Run& payload, const JobFacts& facts);
  [[nodiscard]] static base::Result<void> complete(const Job& job, const Run& payload, const RunResult& result,
                                                   const ResultFiles& files, Products& products);

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive("model_id", self.model_id);
    archive("dataset_id", self.dataset_id);
    archive("is_profiling", self.is_profiling);
    archive("answer_as_profile_job", self.answer_as_profile_job);
    archive("output_dataset_id", self.output_dataset_id);
  }

 protected:
  static constexpr std::array kRunning = {JobState::kMeasuringPerformance, JobState::kRunningInference};
  static constexpr std::string_view kFamily = "run";
  static constexpr auto kOptions = std::to_array<std::string_view>(
      {"--compute_unit", "--qairt_version", "--qnn_options", "--max_profiler_iterations", "--max_profiler_time",
       "--dequantize_outputs", "--onnx_options", "--onnx_execution_providers", "--allow_emulation"});
};

}  // namespace slipway::hub::domain::kinds
