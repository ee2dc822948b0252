#include "apps/cli/samurai_outputs.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/text.hpp"
#include "media/image_file.hpp"
#include "pipelines/samurai/overlay.hpp"
#include "pipelines/samurai/trace.hpp"

namespace slipway::cli {

namespace fs = std::filesystem;
namespace samurai = pipelines::samurai;
using base::Code;

namespace {

fs::path numbered(const fs::path& path, std::size_t object) {
  if (object == 0) return path;
  fs::path result = path;
  return result.replace_filename(fmt::format("{}-{}{}", path.stem().string(), object + 1, path.extension().string()));
}

fs::path mask_folder(const fs::path& masks, std::size_t object, std::size_t objects) {
  return objects == 1 ? masks : masks / fmt::format("object_{}", object + 1);
}

/// "00042.png"
bool is_mask_name(std::string_view name) {
  constexpr std::size_t kFewestDigits = 5;
  const std::string_view number = name.substr(0, name.find('.'));
  return name.ends_with(".png") && number.size() + 4 == name.size() && number.size() >= kFewestDigits &&
         base::parse_number<std::uint64_t>(number).has_value();
}

base::Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), folder.string()));
  return {};
}

}  // namespace

std::vector<PlannedOutput> SamuraiOutputs::planned(const Paths& paths, std::size_t objects) {
  std::vector<PlannedOutput> planned = {{.option = "--output", .path = paths.video},
                                        {.option = "--masks", .path = paths.masks, .is_folder = true}};
  for (std::size_t i = 0; i < objects; ++i) {
    if (!paths.masks.empty()) {
      const fs::path folder = mask_folder(paths.masks, i, objects);
      planned.push_back({.option = "--masks", .path = folder, .is_folder = true});
      // How many frames there will be is not known: masks of an earlier run count as names that this one gives.
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (is_mask_name(entry.path().filename().string())) {
          planned.push_back({.option = "--masks", .path = entry.path(), .is_named = false});
        }
      }
    }
    if (!paths.trace.empty()) {
      planned.push_back({.option = "--trace", .path = numbered(paths.trace, i), .is_named = i == 0});
    }
  }
  return planned;
}

base::Result<SamuraiOutputs> SamuraiOutputs::open(const Paths& paths, std::size_t objects) {
  SamuraiOutputs outputs;
  outputs.paths_ = paths;
  outputs.objects_ = objects;
  if (!paths.video.empty() && !media::has_video_ending(paths.video)) {
    return base::fail(Code::kInvalidArgument, "--output {}: expected a name that ends in .mp4, .mkv, .mov or .avi",
                      paths.video.string());
  }
  if (!paths.masks.empty()) {
    for (std::size_t i = 0; i < objects; ++i) {
      SLIPWAY_TRY(make_folder(mask_folder(paths.masks, i, objects)));
    }
  }
  if (!paths.trace.empty()) {
    for (std::size_t i = 0; i < objects; ++i) {
      SLIPWAY_ASSIGN(base::OutputFile file, base::OutputFile::create(numbered(paths.trace, i)));
      SLIPWAY_TRY(file.write("{\"frames\": ["));
      outputs.traces_.push_back(std::move(file));
    }
  }
  return outputs;
}

base::Result<void> SamuraiOutputs::write_trace(const samurai::FrameResult& result) {
  for (std::size_t i = 0; i < traces_.size(); ++i) {
    nlohmann::ordered_json row = samurai::json_of(result.objects[i].trace);
    row.update(samurai::json_of(result.objects[i].decision));
    SLIPWAY_TRY(traces_[i].write(fmt::format("{}\n  {}", result.frame > 0 ? "," : "", row.dump())));
  }
  return {};
}

base::Result<void> SamuraiOutputs::write_masks(const samurai::FrameResult& result) {
  if (paths_.masks.empty()) return {};
  for (std::size_t i = 0; i < result.objects.size(); ++i) {
    const samurai::Mask& mask = result.objects[i].mask;
    SLIPWAY_TRY(mask_image_.resize(mask.width, mask.height));
    const std::uint8_t* inside = mask.pixels.data();
    for (int y = 0; y < mask.height; ++y) {
      std::uint8_t* pixel = mask_image_.row(y);
      for (int x = 0; x < mask.width; ++x, pixel += 3) std::fill_n(pixel, 3, *inside++ != 0 ? 255 : 0);
    }
    const fs::path folder = mask_folder(paths_.masks, i, objects_);
    SLIPWAY_TRY(media::write_image(folder / fmt::format("{:05}.png", result.frame), mask_image_.view()));
  }
  return {};
}

base::Result<void> SamuraiOutputs::write(pipelines::SourceFrame& frame, const samurai::FrameResult& result) {
  SLIPWAY_TRY(write_trace(result));
  SLIPWAY_TRY(write_masks(result));
  if (paths_.video.empty()) return {};
  media::Image& image = frame.frame.image;
  samurai::draw_objects(image, result);
  if (!video_) {
    SLIPWAY_ASSIGN(video_, media::VideoWriter::create(paths_.video, image.width(), image.height(), frame.video));
    if (!video_->sound_note().empty()) fmt::print(stderr, "warning: {}\n", video_->sound_note());
  }
  if (!frame.is_video) return video_->write(image.view());
  return video_->write(image.view(), frame.frame.time_s, frame.frame.duration_s);
}

std::vector<fs::path> SamuraiOutputs::under_way() const {
  std::vector<fs::path> files;
  for (const base::OutputFile& trace : traces_) files.push_back(trace.path());
  if (video_) files.push_back(paths_.video);
  return files;
}

base::Result<void> SamuraiOutputs::finish() {
  for (base::OutputFile& trace : traces_) {
    SLIPWAY_TRY(trace.write("\n]}\n"));
    SLIPWAY_TRY(trace.publish());
  }
  traces_.clear();
  if (!video_) return {};
  const auto done = video_->finish();
  video_.reset();
  return done;
}

}  // namespace slipway::cli
