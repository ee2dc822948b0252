#include "apps/cli/seekable_input.hpp"

#include "apps/cli/interrupt.hpp"
#include "media/input_stream.hpp"

namespace slipway::cli {

base::Result<SeekableInput> SeekableInput::of(const std::filesystem::path& path) {
  SeekableInput input;
  input.path_ = path;
  if (path.empty() || !media::is_stream(path)) return input;
  SLIPWAY_ASSIGN(input.folder_, base::TemporaryFolder::create("slipway-input"));
  input.path_ = input.folder_->path() / "input";
  SLIPWAY_TRY(media::save_stream(path, input.path_, interrupt_token()));
  return input;
}

}  // namespace slipway::cli
