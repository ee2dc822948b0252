#include "hub/domain/kinds/run/run.hpp"

#include "hub/domain/job.hpp"
#include "hub/domain/option_effects.hpp"

namespace slipway::hub::domain::kinds {

using base::Code;
using base::Result;

Result<ExecutionPlan> Run::plan(const Run& /*payload*/, const JobFacts& facts) {
  SLIPWAY_ASSIGN(const ExecutionPlan plan, plan_run(facts));
  SLIPWAY_TRY(check_against_model(facts.models.front().model, {}, facts.dataset, facts.options));
  return plan;
}

Result<Verdict> Run::judge(const Run& payload, const JobFacts& facts) {
  if (facts.devices.size() > 1) {
    return base::fail(Code::kInvalidArgument, "a profile or inference job runs on one device, {} are given",
                      facts.devices.size());
  }
  if (!facts.dataset && !payload.is_profiling) {
    return base::fail(Code::kInvalidArgument, "an inference job needs a dataset with inputs, or profiling");
  }
  if (facts.devices.empty()) return base::fail(Code::kInvalidArgument, "the job names no device");
  const Device& device = facts.devices.front();
  Verdict verdict;
  verdict.device = device;
  const bool is_attached = device.presence == DevicePresence::kAttached;
  if (!is_attached && !facts.dataset && !facts.options.allow_emulation) {
    verdict.fails_as = FailureType::kUnsupported;
    verdict.reason = fmt::format(
        "no {} is attached to this hub, so nothing can be measured on one. Attach an agent that offers it, name an "
        "upstream hub that has it, or pass --allow_emulation to see where its layers would run (without times)",
        device.name);
    return verdict;
  }
  SLIPWAY_ASSIGN(const ExecutionPlan plan, Run::plan(payload, facts));
  SLIPWAY_TRY(check_offered(plan, facts));
  verdict.needs = needs_of(plan, device);
  verdict.remarks = options_without_effect(facts.options, {.device = device.name,
                                                           .is_on_npu = plan.provider == Provider::kQnn,
                                                           .is_measured = plan.figures == Figures::kMeasured,
                                                           .is_profiling = payload.is_profiling || !facts.dataset,
                                                           .has_data = facts.dataset.has_value()});
  if (plan.runs_on == ExecutionTarget::kHtpEmulator) {
    verdict.remarks.push_back(fmt::format(
        "no agent offers {}: it runs on the HTP emulator for {} (soc model {}, HTP v{}); nothing is measured on the "
        "device",
        device.name, device.chip.name, device.chip.soc_model, device.chip.htp_arch));
  }
  return verdict;
}

Result<void> Run::complete(const Job& /*job*/, const Run& payload, const RunResult& result, const ResultFiles& files,
                           Products& products) {
  if (payload.dataset_id.empty()) {
    products.output.reset();
    return {};
  }
  SLIPWAY_ASSIGN(products.output->content, file_of(files, result.output_dataset_file, "the output dataset"));
  products.output->inspection = result.output_dataset_inspection;
  return {};
}

}  // namespace slipway::hub::domain::kinds
