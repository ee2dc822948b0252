#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "compile/compile.hpp"
#include "runtime/session.hpp"

namespace slipway::compile {

/// Rewrites a plain graph so that a chip's compiler, which compiles it when it is loaded, meets none of the faults that
/// it is known to have: what compile() does before it compiles ahead.
/// @return the rewritten model in `folder`, or `model` where nothing was to be rewritten
/// @error  kUnimplemented: the compiler would crash on a place that cannot be rewritten, or get it wrong
[[nodiscard]] base::Result<std::filesystem::path> rewrite_for_npu(const std::filesystem::path& model,
                                                                  const runtime::HtpTarget& htp,
                                                                  bool chip_supports_fp16,
                                                                  const std::filesystem::path& folder, const Log& log);

}  // namespace slipway::compile
