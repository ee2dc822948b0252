#include "apps/cli/source_arguments.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "apps/cli/interrupt.hpp"

namespace slipway::cli {

void SourceArguments::add_to(CLI::App& verb) {
  verb.add_flag("--recursive", is_recursive, "Folders: take also what lies in the folders below them");
  verb.add_flag("--no-audio", no_audio, "Leave the sound of a video out of the drawn-over one; otherwise it is copied");
  verb.add_flag("--stats", stats,
                "Say once a second how many frames went through, how long they took from arrival to result, and how "
                "many of a camera were dropped");
  verb.add_option("--max-pixels", max_pixels, "Refuse larger pictures before they take memory")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

base::Result<pipelines::FrameSource> SourceArguments::open(const std::vector<std::string>& inputs,
                                                           bool writes_videos) const {
  SLIPWAY_ASSIGN(
      pipelines::FrameSource source,
      pipelines::FrameSource::open(inputs, {.max_pixels = max_pixels}, interrupt_token(),
                                   {.is_recursive = is_recursive, .wants_sound = writes_videos && !no_audio}));
  for (const std::string& line : source.left_out()) fmt::print(stderr, "{}\n", line);
  return source;
}

}  // namespace slipway::cli
