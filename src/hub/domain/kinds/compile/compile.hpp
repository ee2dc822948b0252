#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hub/domain/kinds/compiler_account.hpp"
#include "hub/domain/kinds/kind.hpp"
#include "hub/domain/kinds/output_agreement.hpp"

namespace slipway::hub::domain::kinds {

/// An ONNX model is compiled for a device, or a context binary is embedded in ONNX.
struct Compile {
  std::string model_id;
  std::string dataset_id;  ///< calibration data
  InputSpecs input_specs;
  std::vector<Device> devices;  ///< all that it is made for; the job's own is the first
  std::string target_model_id;

  struct Result : CompilerAccount {
    std::string target_file;  ///< the produced model, one file (folders are zipped)
    bool target_is_directory = false;
    std::map<std::string, std::string> companion_files;
    std::vector<ModelTensor> target_inputs, target_outputs;
    std::map<std::uint32_t, std::string> target_metadata;
    std::vector<OutputAgreement> agreement;
    std::string agreement_note;  ///< who ran what, or why nothing was compared

    [[nodiscard]] std::vector<std::string> files() const;

    template <typename Archive, typename Self>
    static void fields(Archive& archive, Self& self) {
      archive("target_file", self.target_file);
      archive("target_is_directory", self.target_is_directory);
      archive("companion_files", self.companion_files);
      archive("target_inputs", self.target_inputs);
      archive("target_outputs", self.target_outputs);
      archive("target_metadata", self.target_metadata);
      archive("agreement", self.agreement);
      archive("agreement_note", self.agreement_note);
      archive("compiler_estimate", self.compiler_estimate);
      archive("compiler_traffic_bytes", self.compiler_traffic_bytes);
    }
  };

  [[nodiscard]] JobInputs inputs() const { return {.model_ids = {model_id}, .dataset_id = dataset_id}; }
  [[nodiscard]] JobState running_state() const { return JobState::kOptimizingModel; }
  [[nodiscard]] static base::Result<Verdict> judge(const Compile& payload, const JobFacts& facts);
  [[nodiscard]] static base::Result<ExecutionPlan> plan(const Compile& payload, const JobFacts& facts);
  [[nodiscard]] static base::Result<void> complete(const Job& job, const Compile& payload, const Result& result,
                                                   const ResultFiles& files, Products& products);
  [[nodiscard]] static ModelType target_type(const JobFacts& facts);
  [[nodiscard]] static Origin origin(const Job& job, const Compile& payload);

  template <typename Archive, typename Self>
  static void fields(Archive& archive, Self& self) {
    archive("model_id", self.model_id);
    archive("dataset_id", self.dataset_id);
    archive("input_specs", self.input_specs);
    archive("devices", self.devices);
    archive("target_model_id", self.target_model_id);
  }

  static constexpr std::array kRunning = {JobState::kOptimizingModel};
  static constexpr auto kOptions = std::to_array<std::string_view>(
      {"--target_runtime", "--output_names", "--compute_unit", "--qairt_version", "--truncate_64bit_io",
       "--truncate_64bit_tensors", "--force_channel_last_input", "--force_channel_last_output", "--quantize_io",
       "--qnn_options", "--qnn_graph_name", "--qnn_context_binary_vtcm", "--qnn_context_binary_optimization_level",
       "--compare_limit"});
  static constexpr KindEntry kEntry = {.name = "compile",
                                       .number = JobKind{3},
                                       .running = kRunning,
                                       .options = kOptions,
                                       .budget = TimeBudget::kCompile,
                                       .dataset_input = DatasetInput::kOptional};
};

}  // namespace slipway::hub::domain::kinds
