#ifdef __x86_64__
#include <cpuid.h>
#endif

#include <algorithm>

#include "runtime/assignment.hpp"
#include "runtime/lookup_op.hpp"
#include "runtime/provider_setup.hpp"
#include "runtime/session_state.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;
using base::Code;

GraphOptimizationLevel level_of(GraphOptimization level) {
  switch (level) {
    case GraphOptimization::kDisabled:
      return ORT_DISABLE_ALL;
    case GraphOptimization::kBasic:
      return ORT_ENABLE_BASIC;
    case GraphOptimization::kExtended:
      return ORT_ENABLE_EXTENDED;
    case GraphOptimization::kAll:
      return ORT_ENABLE_ALL;
  }
  return ORT_ENABLE_ALL;
}

base::Result<const ProviderRow*> row_for(const ProviderRequest& request) {
  SLIPWAY_ASSIGN(const ProviderRow* row, find_provider(request.name));
  if (request.precision != Precision::kFloat32 && !row->accepts_bfloat16) {
    return base::fail(
        Code::kInvalidArgument,
        "bf16 is what the openvino provider computes in on request; the {} provider runs a model as it is", row->name);
  }
  if (request.htp && !row->accepts_htp) {
    return base::fail(Code::kInvalidArgument, "a Snapdragon chip was named, which only the qnn provider takes, not {}",
                      row->name);
  }
  return row;
}

/// Whether the CPU provider adds products of int8 in 16 bits. With VNNI it adds them in 32, and its pass for exact sums
/// would only make it half as fast.
bool adds_int8_in_16_bits() {
#ifdef __x86_64__
  constexpr unsigned kAvxVnni = 1U << 4U;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  const bool has_avx_vnni = __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & kAvxVnni) != 0;
  return !has_avx_vnni && __builtin_cpu_supports("avx512vnni") == 0;
#else
  return false;
#endif
}

}  // namespace

base::Result<Ort::SessionOptions> make_session_options(Environment::State& environment, const SessionOptions& options,
                                                       SessionLog& log, bool has_exact_int8) {
  if (options.intra_op_threads < 0 || options.inter_op_threads < 0) {
    return base::fail(Code::kInvalidArgument, "a number of threads is 0 (ONNX Runtime's choice) or more, got {}",
                      std::min(options.intra_op_threads, options.inter_op_threads));
  }
  SLIPWAY_ASSIGN(const ProviderRow* row, row_for(options.provider));
  Ort::SessionOptions made;
  Ort::ThrowOnError(Ort::GetApi().SetUserLoggingFunction(made, SessionLog::receive, &log));
  const bool wants_reasons = row->refuses_when_verbose && options.record_placement;
  made.SetLogSeverityLevel(wants_reasons ? ORT_LOGGING_LEVEL_VERBOSE : ORT_LOGGING_LEVEL_WARNING);
  if (options.intra_op_threads > 0) made.SetIntraOpNumThreads(options.intra_op_threads);
  if (options.inter_op_threads > 0) made.SetInterOpNumThreads(options.inter_op_threads);
  if (options.parallel_execution) made.SetExecutionMode(ORT_PARALLEL);
  if (!options.enable_memory_pattern) made.DisableMemPattern();
  if (!options.enable_cpu_memory_arena) made.DisableCpuMemArena();
  if (!options.allow_spinning) {
    made.AddConfigEntry("session.intra_op.allow_spinning", "0");
    made.AddConfigEntry("session.inter_op.allow_spinning", "0");
  }
  if (!options.spin_between_runs) made.AddConfigEntry("session.force_spinning_stop", "1");
  made.SetGraphOptimizationLevel(level_of(options.graph_optimization));
  if (options.fallback == Fallback::kForbid && !row->is_fallback) {
    made.AddConfigEntry("session.disable_cpu_ep_fallback", "1");
  }
  if (options.record_placement && can_read_assignment(*environment.base)) made.AddConfigEntry(kRecordAssignment, "1");
  if (has_exact_int8 && row->is_fallback && adds_int8_in_16_bits()) {
    made.AddConfigEntry("session.x64quantprecision", "1");
  }
  for (const auto& [key, value] : options.config_entries) made.AddConfigEntry(key.c_str(), value.c_str());
  add_lookup_op(made);
  // After the entries: a library may read them.
  for (const fs::path& library : options.custom_op_libraries) made.RegisterCustomOpsLibrary(library.c_str());
  if (!options.profile_prefix.empty()) made.EnableProfiling(options.profile_prefix.c_str());
  SLIPWAY_TRY(row->configure({*row, environment, options.provider, options.intra_op_threads, made}));
  return made;
}

}  // namespace slipway::runtime
