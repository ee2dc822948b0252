#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "runtime/session.hpp"
#include "tensor/tensor.hpp"

namespace slipway::pipelines::samurai {

/// How far one output of one component is from the reference, given the reference's own inputs.
struct ComponentError {
  std::string component;
  std::int64_t frame = 0;  ///< on which the reference took these inputs
  std::string output;
  double relative = 0;  ///< largest |difference| over the reference's largest |value|; infinite for what is no number
};

/// Runs each recorded component alone on recorded inputs, so that no error is carried from one to the next.
/// @param model     model folder
/// @param recorded  arrays named COMPONENT/FRAME/in/TENSOR and COMPONENT/FRAME/out/TENSOR
/// @param name      what messages call the recording, e.g. its path
/// @return by component, in the order of the recording
/// @error kInvalidArgument: another name, or an output that the component does not have or of another shape;
///        otherwise as ModelFolder::open, ModelFolder::graph and Session::load and run
/// @source python/reference/samurai/components.py
[[nodiscard]] base::Result<std::vector<ComponentError>> check_each_component(
    std::shared_ptr<runtime::Environment> environment, const std::filesystem::path& model,
    const runtime::SessionOptions& options, tensor::NamedTensors recorded, const std::string& name);

}  // namespace slipway::pipelines::samurai
