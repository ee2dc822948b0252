#pragma once

#include "hub/domain/kinds/run/run.hpp"

namespace slipway::hub::domain::kinds {

/// A model is measured on a device, on random inputs; older clients may send inputs.
struct Profile : Run {
  struct Result : RunResult {};
  static constexpr KindEntry kEntry = {.name = "profile",
                                       .number = JobKind{1},
                                       .running = kRunning,
                                       .options = kOptions,
                                       .family = kFamily,
                                       .budget = TimeBudget::kRun,
                                       .dataset_input = DatasetInput::kOptional};
};

}  // namespace slipway::hub::domain::kinds
