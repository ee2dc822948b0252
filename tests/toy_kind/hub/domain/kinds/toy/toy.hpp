#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "hub/domain/kinds/kind.hpp"

namespace slipway::hub::domain::kinds {

/// Several models become one, their bytes one after the other. It has the number, the message and the state of a link
/// job.
struct Toy {
  std::vector<std::string> model_ids;
  std::string target_model_id;

  struct Result {
    std::string target_file;
    std::uint64_t byte_count = 0;

    [[nodiscard]] std::vector<std::string> files() const { return {target_file}; }

    template <typename Archive, typename Self>
    static void fields(Archive& archive, Self& self) {
      archive("target_file", self.target_file);
      archive("byte_count", self.byte_count);
    }
  };

  [[nodiscard]] JobInputs inputs() const { return {.model_ids = model_ids, .dataset_id = {}}; }
  [[nodiscard]] JobState running_state() const { return JobState::kLinkingModels; }
  [[nodiscard]] static base::Result<Verdict> judge(const Toy& payload, const JobFacts& facts);
  [[nodiscard]] static base::Result<ExecutionPlan> plan(const Toy& payload, const JobFacts& facts);
  [[nodiscard]] static base::Result<void> complete(const Job& job, const Toy& payload, const Result& result,
                                                   const ResultFiles& files, Products& products);
  [[nodiscard]] static ModelType target_type(const JobFacts& /*facts*/) { return ModelType::kQnnContextBinary; }
  [[nodiscard]] static Origin origin(const Job& job, const Toy& payload);

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive("model_ids", self.model_ids);
    archive("target_model_id", self.target_model_id);
  }

  static constexpr std::array kRunning = {JobState::kLinkingModels};
  static constexpr auto kOptions = std::to_array<std::string_view>({"--qairt_version", "--qnn_options"});
  static constexpr KindEntry kEntry = {.name = "toy",
                                       .number = JobKind{5},
                                       .running = kRunning,
                                       .options = kOptions,
                                       .budget = TimeBudget::kCompile,
                                       .fewest_models = 1,
                                       .most_models = 3};
};

}  // namespace slipway::hub::domain::kinds
