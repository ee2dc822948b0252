#pragma once

#include <memory>
#include <string>

#include "compile/npu_probes/probes.hpp"
#include "runtime/environment.hpp"
#include "runtime/provider.hpp"

namespace slipway::compile::npu_probes {

enum class Verdict {
  kRight,        ///< within what the arithmetic of the kind allows
  kWrong,        ///< it compiles and runs, and gives other values
  kRefused,      ///< the compiler does not take it
  kCrashes,      ///< the compiler's process dies
  kUnfinished,   ///< the compiler was ended after the time that it had
  kNoReference,  ///< ONNX Runtime's CPU provider has no such operator either, so nothing is known
};
[[nodiscard]] std::string_view verdict_name(Verdict verdict);  ///< "right", "does not finish" …
[[nodiscard]] std::optional<Verdict> verdict_from_name(std::string_view name);

struct Outcome {
  Verdict verdict = Verdict::kRight;
  double difference = 0;    ///< largest, as a share of the reference's peak; of wrong and right ones
  std::string detail = {};  ///< the compiler's words, or what is wrong; one line
};

/// Compiles a probe for a chip with the CPU forbidden, runs it and compares it with ONNX Runtime's CPU provider, whose
/// graph optimisations are off: they replace QDQ arithmetic by kernels that saturate on processors without VNNI.
/// Float32 is computed in FP16 where `with_fp16`.
/// The compiler may crash or never end: call this in a process of its own, with a time limit.
[[nodiscard]] Outcome run_probe(const std::shared_ptr<runtime::Environment>& environment, const Probe& probe,
                                const runtime::HtpTarget& chip, bool with_fp16);

}  // namespace slipway::compile::npu_probes
