#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/domain/kinds/kind.hpp"
#include "hub/domain/kinds/output_agreement.hpp"

namespace slipway::hub::domain::kinds {

/// What numbers of a quantised model are stored in; the wire's numbers (QuantizeDtype), as far as a client can read
/// them.
enum class NumberType { kInt8 = 1, kInt16 = 3, kInt4 = 5 };
inline constexpr std::array kNumberTypes = {NumberType::kInt8, NumberType::kInt16, NumberType::kInt4};
[[nodiscard]] std::string_view number_type_name(NumberType type);  ///< "INT8" …

/// A float ONNX model becomes a QDQ one, with samples of what it is given.
struct Quantize {
  std::string model_id;
  std::string dataset_id;  ///< calibration data
  NumberType weights = NumberType::kInt8, activations = NumberType::kInt8;
  std::string target_model_id;

  struct Result {
    std::string target_file;  ///< the quantised model, one file (folders are zipped)
    bool target_is_directory = false;
    std::vector<ModelTensor> target_inputs, target_outputs;
    std::vector<OutputAgreement> agreement;
    std::string agreement_note;  ///< on what and by whom both were run, or why nothing was compared
    /// Every setting, and what it came to: enough to do it again. In the order in which it is shown.
    std::vector<std::pair<std::string, std::string>> recipe;

    [[nodiscard]] std::vector<std::string> files() const {
      return target_file.empty() ? std::vector<std::string>{} : std::vector{target_file};
    }

    template <typename Archive, typename Self>
    static void fields(Archive& archive, Self& self) {
      archive("target_file", self.target_file);
      archive("target_is_directory", self.target_is_directory);
      archive("target_inputs", self.target_inputs);
      archive("target_outputs", self.target_outputs);
      archive("agreement", self.agreement);
      archive("agreement_note", self.agreement_note);
      archive("recipe", self.recipe);
    }
  };

  [[nodiscard]] JobInputs inputs() const { return {.model_ids = {model_id}, .dataset_id = dataset_id}; }
  [[nodiscard]] JobState running_state() const { return JobState::kQuantizingModel; }
  [[nodiscard]] static base::Result<Verdict> judge(const Quantize& payload, const JobFacts& facts);
  [[nodiscard]] static base::Result<ExecutionPlan> plan(const Quantize& payload, const JobFacts& facts);
  [[nodiscard]] static base::Result<void> complete(const Job& job, const Quantize& payload, const Result& result,
                                                   const ResultFiles& files, Products& products);
  [[nodiscard]] static ModelType target_type(const JobFacts& /*facts*/) { return ModelType::kOnnx; }
  [[nodiscard]] static Origin origin(const Job& job, const Quantize& payload);

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive("model_id", self.model_id);
    archive("dataset_id", self.dataset_id);
    archive("weights", self.weights);
    archive("activations", self.activations);
    archive("target_model_id", self.target_model_id);
  }

  static constexpr std::array kRunning = {JobState::kQuantizingModel};
  static constexpr auto kOptions = std::to_array<std::string_view>({"--range_scheme"});
  static constexpr KindEntry kEntry = {.name = "quantize",
                                       .number = JobKind{4},
                                       .running = kRunning,
                                       .options = kOptions,
                                       .budget = TimeBudget::kCompile,
                                       .dataset_input = DatasetInput::kRequired};
};

}  // namespace slipway::hub::domain::kinds
