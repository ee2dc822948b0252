#pragma once

#include "hub/domain/kinds/run/run.hpp"

namespace slipway::hub::domain::kinds {

/// A model computes the outputs of a dataset on a device.
struct Inference : Run {
  struct Result : RunResult {};
  static constexpr KindEntry kEntry = {.name = "inference",
                                       .number = JobKind{2},
                                       .running = kRunning,
                                       .options = kOptions,
                                       .family = kFamily,
                                       .budget = TimeBudget::kRun,
                                       .dataset_input = DatasetInput::kRequired};
};

}  // namespace slipway::hub::domain::kinds
