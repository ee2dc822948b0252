#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "hub/domain/kinds/kind.hpp"

namespace slipway::hub::domain::kinds {

/// The hub's own: an upload, a model or else a dataset, is opened in the sandbox to see what it is.
struct Inspect {
  std::string model_id;
  std::string dataset_id;

  struct Result {
    std::optional<Inspection> inspection;

    [[nodiscard]] static std::vector<std::string> files() { return {}; }

    template <typename Archive, typename Self>
    static void fields(Archive& archive, Self& self) {
      archive("inspection", self.inspection);
    }
  };

  [[nodiscard]] JobInputs inputs() const {
    JobInputs inputs{.model_ids = {}, .dataset_id = dataset_id};
    if (!model_id.empty()) inputs.model_ids = {model_id};
    return inputs;
  }
  [[nodiscard]] JobState running_state() const { return JobState::kOptimizingModel; }
  [[nodiscard]] static base::Result<void> complete(const Job& job, const Inspect& payload, const Result& result,
                                                   const ResultFiles& files, Products& products);
  /// What is kept with the subject when the job failed: it must not be waited for.
  [[nodiscard]] static Inspection finding_of_failure(const std::string& reason);

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive("model_id", self.model_id);
    archive("dataset_id", self.dataset_id);
  }

  static constexpr std::array kRunning = {JobState::kOptimizingModel};
  static constexpr KindEntry kEntry = {.name = "inspect",
                                       .number = JobKind{100},
                                       .is_submitted = false,
                                       .running = kRunning,
                                       .budget = TimeBudget::kInspection,
                                       .fewest_models = 0,
                                       .dataset_input = DatasetInput::kOptional};
};

}  // namespace slipway::hub::domain::kinds
