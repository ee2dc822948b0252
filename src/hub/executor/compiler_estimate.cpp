#include "hub/executor/internal/compiler_estimate.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

namespace slipway::hub::executor {

void add_compiler_estimate(const JobContext& job, const compile::CompileResult& result,
                           domain::CompilerAccount& account, domain::JobOutcome& outcome) {
  if (!result.estimate && !result.traffic) return;
  nlohmann::ordered_json document;
  document["schema"] = "slipway-compiler-estimate/1";
  document["about"] =
      "What Qualcomm's compiler estimates for the part of the graph on the NPU. Its own cost model; nothing was "
      "measured "
      "on a device.";
  for (const auto& [key, value] : result.metadata) document["compiler"][key] = value;
  if (result.estimate) {
    account.compiler_estimate = {result.estimate->nominal_us, result.estimate->lower_us, result.estimate->upper_us};
    document["estimated_latency_us"] = {{"nominal", result.estimate->nominal_us},
                                        {"lower", result.estimate->lower_us},
                                        {"upper", result.estimate->upper_us}};
  }
  if (result.traffic) {
    const auto& traffic = *result.traffic;
    account.compiler_traffic_bytes = {{"input fill", traffic.input_fill},
                                      {"intermediate fill", traffic.intermediate_fill},
                                      {"intermediate spill", traffic.intermediate_spill},
                                      {"output spill", traffic.output_spill}};
    for (const auto& [name, bytes] : account.compiler_traffic_bytes) document["traffic_bytes"][name] = bytes;
    job.log(fmt::format("the compiler counts {} bytes in, {} out, {} and {} spilled and filled between DDR and VTCM",
                        traffic.input_fill, traffic.output_spill, traffic.intermediate_spill,
                        traffic.intermediate_fill));
  }
  const std::string name = job.spec.job.id + "_compiler_estimate.json";
  std::ofstream file(job.out() / name, std::ios::binary);
  file << document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  if (file.good()) outcome.artifacts.push_back({domain::ArtifactType::kQhasSummary, name});
}

}  // namespace slipway::hub::executor
