#pragma once

#include "hub/domain/kinds/compile/compile.hpp"
#include "hub/domain/kinds/inference/inference.hpp"
#include "hub/domain/kinds/inspect/inspect.hpp"
#include "hub/domain/kinds/kind.hpp"
#include "hub/domain/kinds/profile/profile.hpp"
#include "hub/domain/kinds/quantize/quantize.hpp"
#include "hub/domain/kinds/toy/toy.hpp"

// Stands before src/ when the hub's sources are built for this test: the production list and one entry more.
namespace slipway::hub::domain {

using JobKinds =
    KindList<kinds::Profile, kinds::Inference, kinds::Compile, kinds::Quantize, kinds::Inspect, kinds::Toy>;

}  // namespace slipway::hub::domain
