#pragma once

#include <chrono>

#include "hub/protocol/jobs.hpp"

/// Jobs with every field set that the codecs read, for their tests.
namespace slipway::hub::protocol::testing {

inline JobView sample_compile_job() {
  using namespace domain;
  JobView view;
  view.hub_version = "0.1.0";
  view.owner = {.id = "u1", .email = "ada@example.org", .role = Role::kMember, .created = {}};
  Job& job = view.job;
  job.id = "jcompile";
  job.name = "net";
  job.options = "--target_runtime qnn_context_binary";
  Device device;
  device.name = "Samsung Galaxy S24 (Family)";
  device.os = "14";
  device.attributes = {"os:android", "hexagon:v75"};
  device.chip = {.name = "sm8650", .soc_model = 57, .htp_arch = 75};
  job.device = device;
  kinds::Compile compile;
  compile.devices = {device};
  compile.model_id = "minput";
  compile.input_specs = {
      {.name = "image", .dtype = tensor::Dtype::kFloat32, .shape = {1, 3, 8, 8}, .quantization = {}}};
  job.state = JobState::kDone;
  job.created = base::Time(std::chrono::seconds(1'700'000'000));
  job.started = job.created + std::chrono::seconds(1);
  job.completed = job.created + std::chrono::seconds(3);
  job.updated = *job.completed;
  compile.target_model_id = "mtarget";
  job.payload = compile;
  job.artifacts = {{.type = ArtifactType::kHubLog, .filename = "jcompile.log", .content = {"aa", 3}}};
  job.attempt = 1;
  job.agent_id = "workshop";
  JobOutcome outcome;
  outcome.succeeded = true;
  kinds::Compile::Result result;
  result.target_inputs = {
      {.spec = {.name = "image", .dtype = tensor::Dtype::kFloat32, .shape = {1, 3, 8, 8}, .quantization = {}},
       .graph_name = {}},
      {.spec = {.name = "odd", .dtype = tensor::Dtype::kFloat64, .shape = {1}, .quantization = {}}, .graph_name = {}}};
  outcome.remarks = {"a remark"};
  outcome.tool_versions = {{"QAIRT", "2.50.0"}};
  outcome.sandbox = "seccomp";
  result.agreement = {{.output = "y", .max_abs = 0.5, .relative_max = 0.01, .cosine = 0.999, .psnr_db = 60}};
  result.agreement_note = "HTP emulator against the source";
  result.compiler_estimate = Estimate{.nominal_us = 100, .lower_us = 80, .upper_us = 150};
  result.compiler_traffic_bytes = {{"read", 1000}};
  outcome.result = result;
  job.outcome = outcome;

  Model model;
  model.id = "minput";
  model.name = "net.onnx";
  model.upload = UploadState::kComplete;
  model.content = {"ab", 10};
  model.inspection = Inspection{};
  model.inspection->format = "onnx";
  model.inspection->inputs = {
      {.spec = {.name = "image", .dtype = tensor::Dtype::kFloat32, .shape = {-1, 3, 8, 8}, .quantization = {}},
       .graph_name = {}}};
  view.models = {model};
  Model target;
  target.id = "mtarget";
  target.name = "net";
  target.type = ModelType::kQnnContextBinary;
  target.producer_job_id = "jcompile";
  target.upload = UploadState::kComplete;
  target.content = {"cd", 20};
  target.metadata = {{31, "v75"}};
  view.target = target;
  return view;
}

inline JobView sample_inference_job(bool is_emulated = false) {
  using namespace domain;
  JobView view = sample_compile_job();
  view.target.reset();
  Job& job = view.job;
  job.id = "jrun";
  job.options = "";
  kinds::Inference inference;
  inference.model_id = "minput";
  inference.is_profiling = true;
  inference.dataset_id = "dinput";
  inference.output_dataset_id = "doutput";
  job.payload = inference;
  JobOutcome outcome;
  outcome.succeeded = true;
  outcome.tool_versions = {{"ONNX Runtime", "1.31.1"}};
  outcome.remarks = {"random inputs"};
  ProfileEvidence profile({.machine = "a CPU, 2 threads", .provider = "cpu", .is_emulated = is_emulated});
  profile.set_figures({.compile = {},
                       .cold_load = {.times_us = {9000}, .increase = {1, 2}, .peak = {3, 4}},
                       .warm_load = {.times_us = {200, 300, 400}, .increase = {1, 2}, .peak = {3, 4}},
                       .inference = {.times_us = {1400, 1500, 1600}, .increase = {0, 64}, .peak = {2048, 4096}},
                       .inference_median_us = 1500,
                       .stable = true});
  profile.set_layers({{.name = "conv", .op_type = "Conv", .provider = "CPU", .unit = "CPU", .time_us = 900},
                      {.name = "relu", .op_type = "Relu", .provider = "CPU", .unit = "CPU", .time_us = {}},
                      {.name = "odd", .op_type = "X", .provider = "?", .unit = "", .time_us = 5}});
  profile.placement = "2 of 2 nodes on the CPU";
  profile.runtime_config = {{"intra_op_num_threads", "2"}};
  kinds::Inference::Result result;
  result.profile = profile;
  outcome.result = result;
  job.outcome = outcome;
  Dataset dataset;
  dataset.id = "dinput";
  dataset.name = "inputs";
  dataset.upload = UploadState::kComplete;
  dataset.expires = base::Time(std::chrono::seconds(1'800'000'000));
  dataset.content = {"ef", 30};
  view.dataset = dataset;
  Dataset output = dataset;
  output.id = "doutput";
  view.output = output;
  return view;
}

}  // namespace slipway::hub::protocol::testing
