#pragma once

#include <optional>

#include "compile/compile.hpp"
#include "compile/prepare.hpp"
#include "runtime/session.hpp"

namespace slipway::compile {

/// What is compared with the source, and how it is run.
struct Candidate {
  std::filesystem::path model;  ///< what ONNX Runtime loads
  runtime::SessionOptions session;
  std::string executor;  ///< for the note: "the HTP emulator for SM8650 (HTP v75)"
  std::string remark;    ///< appended to the note
  bool is_emulated = false;
};

struct Comparison {
  std::vector<OutputAgreement> outputs;  ///< empty when it could not be run
  std::string note;                      ///< who ran what, or why nothing was run
  runtime::PlacementReport placement;    ///< of the candidate, when it was loaded
};

/// Runs the model as it was uploaded on the CPU and the candidate on the same seeded random inputs. Never an error:
/// when one of them cannot run, or is expected to take longer than the limit, the note says so.
[[nodiscard]] Comparison compare_with_source(const std::shared_ptr<runtime::Environment>& environment,
                                             const CompileRequest& request, const Prepared& prepared,
                                             const Candidate& candidate);

}  // namespace slipway::compile
