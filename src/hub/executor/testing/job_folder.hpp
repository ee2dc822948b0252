#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "hub/domain/job_rules.hpp"
#include "hub/executor/execute.hpp"

/// Whole jobs in a folder, as the job's process executes them.
namespace slipway::hub::executor::testing {

inline domain::Device this_cpu() {
  domain::Device device;
  device.name = "this CPU";
  device.presence = domain::DevicePresence::kAttached;
  return device;
}

inline domain::Device snapdragon() {
  domain::Device device;
  device.name = "Samsung Galaxy S24 (Family)";
  device.chip = {.name = "sm8650", .soc_model = 57, .htp_arch = 75, .supports_fp16 = true};
  return device;
}

/// One job in a folder of its own, on whatever ONNX Runtime there is.
class JobFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::create("slipway-execute-test-");
    ASSERT_TRUE(folder);
    root_.emplace(std::move(*folder));
    for (const char* name : {"in", "work", "out"}) std::filesystem::create_directories(job() / name);
    const auto libraries = runtime::locate_libraries();
    if (libraries) tools_.libraries = *libraries;
    tools_.slipway_version = "test";
    tools_.open_environment = [libraries]() -> base::Result<std::shared_ptr<runtime::Environment>> {
      if (!libraries) return std::unexpected(libraries.error());
      return runtime::Environment::open(*libraries);
    };
    spec_ = spec_of_a_model();
  }
  static domain::JobSpec spec_of_a_model() {
    domain::JobSpec spec;
    spec.job.id = "jtest";
    spec.models.resize(1);
    spec.models[0].model.type = domain::ModelType::kOnnx;
    spec.models[0].file = "model.onnx";
    return spec;
  }
  static domain::kinds::Inference profiling() {
    domain::kinds::Inference inference;
    inference.is_profiling = true;
    return inference;
  }
  static const domain::kinds::RunResult& run_result(const domain::JobOutcome& outcome) {
    return *domain::part<domain::kinds::RunResult>(outcome.result);
  }
  void set_job(domain::JobPayload payload, domain::Device device) {
    spec_.job.payload = std::move(payload);
    spec_.job.device = std::move(device);
  }
  /// What is to run where, as the hub says when it hands the job out.
  void plan() {
    domain::JobFacts facts;
    facts.options = spec_.options;
    facts.models = {{.model = spec_.models[0].model, .origin = origin_}};
    if (spec_.job.device) facts.devices = {*spec_.job.device};
    const auto planned = domain::plan(spec_.job.payload, facts);
    ASSERT_TRUE(planned) << planned.error().message;
    spec_.plan = *planned;
  }
  [[nodiscard]] std::filesystem::path job() const { return root_->path() / "job"; }
  [[nodiscard]] std::filesystem::path out(const std::string& name) const { return job() / "out" / name; }
  [[nodiscard]] std::filesystem::path model() const { return job() / "in" / "model.onnx"; }

  domain::JobOutcome run() {
    plan();
    return execute_as_planned();
  }
  domain::JobOutcome execute_as_planned() {
    log_.clear();
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(job() / "work");  // the compiler leaves files in the working folder
    auto outcome = execute(spec_, job(), tools_, [&](std::string_view line) { log_.emplace_back(line); });
    std::filesystem::current_path(before);
    return outcome;
  }
  /// Outputs of an earlier run are in the way of the next.
  void clear() {
    for (const char* name : {"work", "out"}) {
      std::filesystem::remove_all(job() / name);
      std::filesystem::create_directories(job() / name);
    }
  }
  domain::Inspection inspect() {
    spec_.job.payload = domain::kinds::Inspect{};
    const auto outcome = run();
    EXPECT_TRUE(outcome.succeeded) << outcome.failure_reason;
    return std::get<domain::kinds::Inspect::Result>(outcome.result).inspection.value_or(domain::Inspection{});
  }
  void need_npu() {
    if (tools_.libraries.qnn_folder.empty()) GTEST_SKIP() << "needs the QNN provider (make setup)";
  }

  std::optional<base::TemporaryFolder> root_;
  Tools tools_;
  domain::JobSpec spec_;
  std::optional<domain::Origin> origin_;
  std::vector<std::string> log_;
};

}  // namespace slipway::hub::executor::testing
