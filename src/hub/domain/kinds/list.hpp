#pragma once

#include "hub/domain/kinds/compile/compile.hpp"
#include "hub/domain/kinds/inference/inference.hpp"
#include "hub/domain/kinds/inspect/inspect.hpp"
#include "hub/domain/kinds/kind.hpp"
#include "hub/domain/kinds/profile/profile.hpp"
#include "hub/domain/kinds/quantize/quantize.hpp"

namespace slipway::hub::domain {

/// The kinds of jobs. An entry here is all that a kind needs beside its folders and its message.
using JobKinds = KindList<kinds::Profile, kinds::Inference, kinds::Compile, kinds::Quantize, kinds::Inspect>;

}  // namespace slipway::hub::domain
