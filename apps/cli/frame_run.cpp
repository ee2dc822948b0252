#include "apps/cli/frame_run.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "apps/cli/frame_report.hpp"
#include "apps/cli/progress_bar.hpp"
#include "apps/cli/table.hpp"

namespace slipway::cli {

base::Result<FrameRun> FrameRun::open(Context& context, const SourceArguments& arguments,
                                      const std::vector<std::string>& inputs,
                                      const std::vector<std::filesystem::path>& models,
                                      const std::filesystem::path& output, std::string schema) {
  SLIPWAY_ASSIGN(pipelines::FrameSource source, arguments.open(inputs, !output.empty()));
  auto overlay = OverlayOutput::open(output, source.files());
  if (!overlay) return context.wrong_use(std::move(overlay).error());
  // Folders are named, and with --recursive files below them are read.
  std::vector<std::filesystem::path> read = files_read(models, inputs);
  std::ranges::copy_if(source.files(), std::back_inserter(read), [](const auto& file) { return file != "-"; });
  SLIPWAY_TRY(context.check_outputs(read, overlay->planned()));
  SLIPWAY_TRY(overlay->make_folder());
  if (overlay->names_by_content()) source.find_single_images();
  return FrameRun(context, std::move(source), *std::move(overlay), std::move(schema), arguments.stats);
}

nlohmann::ordered_json FrameRun::json_of(const pipelines::SourceFrame& source) const {
  return frame_json(source, overlay_.target(source));
}

base::Result<void> FrameRun::outcome() const {
  if (failures_ == 0) return {};
  return base::fail(base::Code::kDataLoss, "{} could not be read, or not to the end", counted(failures_, "input"));
}

base::Result<void> FrameRun::tell(const FrameReport& report) {
  context_->print(report.text);
  return context_->emit(schema_, report.json);
}

base::Result<void> FrameRun::tell_failure(const pipelines::SourceFrame& source) {
  ++failures_;
  progress_->advance();
  ProgressBar::wipe();
  fmt::print(stderr, "slipway: {}\n", source.error->message);
  return context_->emit(schema_, failure_json(source));
}

base::Result<void> FrameRun::end_overlay() {
  if (const auto video = overlay_.video_under_way(); video && was_interrupted()) context_->note_cut_short(*video);
  return overlay_.finish();
}

}  // namespace slipway::cli
