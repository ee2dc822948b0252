#pragma once

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
  Standing standing = Standing::kLeftOut;
  std::vector<std::string> warnings;     ///< as in CompileResult
  std::vector<OutputAgreement> outputs;  ///< those that could be compared
  std::string note;                      ///< who ran what, or why nothing was run
  std::vector<std::string> remarks;
  runtime::PlacementReport placement;  ///< of the candidate, when it was loaded
};

/// Runs the model as it was uploaded on the CPU and the candidate on the same inputs (check_data.hpp), and judges each
/// output (agreement_rule.hpp). The source runs twice: an output that differs between its own two runs is said to be
/// not comparable. What keeps the comparison from being made is a warning, with two exceptions:
/// @error kInvalidArgument: ONNX Runtime refuses the source; kInternal: the candidate cannot be loaded, or it fails
///        on the CPU where its source ran
[[nodiscard]] base::Result<Comparison> compare_with_source(const std::shared_ptr<runtime::Environment>& environment,
                                                           const CompileRequest& request, const Prepared& prepared,
                                                           const Candidate& candidate);

/// Stores what was found in the result; the placement stays with the caller.
void store_comparison(Comparison comparison, CompileResult& result);

}  // namespace slipway::compile
