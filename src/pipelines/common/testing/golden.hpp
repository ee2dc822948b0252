#pragma once

#include "media/testing/golden.hpp"
#include "runtime/testing/environment.hpp"
#include "tensor/testing/golden.hpp"

// What the tests of pipelines share.
namespace slipway::pipelines::testing {

using media::testing::view_of;
using runtime::testing::environment;
using tensor::testing::named;

}  // namespace slipway::pipelines::testing
