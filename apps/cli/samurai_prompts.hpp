#pragma once

#include <string>
#include <vector>

#include "apps/cli/samurai_detect.hpp"
#include "base/error.hpp"
#include "pipelines/samurai/prompt.hpp"

namespace slipway::cli {

/// What the user typed to show the objects.
struct PromptArguments {
  std::vector<std::string> boxes;   ///< "x,y,w,h", one an object
  std::vector<std::string> points;  ///< "x,y,label", of the one object
  std::vector<std::string> masks;   ///< image files, one an object
};

/// Boxes make one object each, as do masks; points belong to the one object there is, or make one.
/// @error kInvalidArgument: nothing shown, another form, or points with several objects; as media::read_image
[[nodiscard]] base::Result<std::vector<pipelines::samurai::Prompt>> read_prompts(const PromptArguments& arguments);

/// The same for a command that can also have the objects found: no prompts when it is to do so.
/// @error kInvalidArgument: objects shown and to be found, or a detector missing or left over
[[nodiscard]] base::Result<std::vector<pipelines::samurai::Prompt>> read_prompts(const PromptArguments& arguments,
                                                                                 const DetectArguments& detect);

}  // namespace slipway::cli
