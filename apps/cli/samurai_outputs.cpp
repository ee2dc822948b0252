#include "apps/cli/samurai_outputs.hpp"

#include <algorithm>
#include <cerrno>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
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

base::Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), folder.string()));
  return {};
}

}  // namespace

std::vector<PlannedOutput> SamuraiOutputs::planned(const Paths& paths, std::size_t objects) {
  std::vector<PlannedOutput> planned = {{.option = "--output-video", .path = paths.video},
                                        {.option = "--masks", .path = paths.masks, .is_folder = true}};
  for (std::size_t i = 0; i < objects; ++i) {
    if (!paths.masks.empty()) {
      planned.push_back({.option = "--masks", .path = mask_folder(paths.masks, i, objects), .is_folder = true});
    }
    if (!paths.trace.empty()) planned.push_back({.option = "--trace", .path = numbered(paths.trace, i)});
  }
  return planned;
}

base::Result<SamuraiOutputs> SamuraiOutputs::open(const Paths& paths, std::size_t objects) {
  SamuraiOutputs outputs;
  outputs.paths_ = paths;
  outputs.objects_ = objects;
  if (!paths.video.empty() && !media::has_video_ending(paths.video)) {
    return base::fail(Code::kInvalidArgument,
                      "--output-video {}: expected a name that ends in .mp4, .mkv, .mov or .avi", paths.video.string());
  }
  if (!paths.masks.empty()) {
    for (std::size_t i = 0; i < objects; ++i) {
      SLIPWAY_TRY(make_folder(mask_folder(paths.masks, i, objects)));
    }
  }
  if (!paths.trace.empty()) {
    for (std::size_t i = 0; i < objects; ++i) {
      const fs::path path = numbered(paths.trace, i);
      std::FILE* const file = std::fopen(path.c_str(), "w");
      if (file == nullptr) return std::unexpected(base::errno_error(errno, path.string()));
      outputs.traces_.emplace_back(file);
      SLIPWAY_TRY(outputs.put(i, "{\"frames\": ["));
    }
  }
  return outputs;
}

base::Result<void> SamuraiOutputs::put(std::size_t object, const std::string& text) {
  std::FILE* const file = traces_[object].get();
  if (std::fwrite(text.data(), 1, text.size(), file) == text.size()) return {};
  return std::unexpected(base::errno_error(errno, numbered(paths_.trace, object).string()));
}

base::Result<void> SamuraiOutputs::write_trace(const samurai::FrameResult& result) {
  for (std::size_t i = 0; i < traces_.size(); ++i) {
    nlohmann::ordered_json row = samurai::json_of(result.objects[i].seen);
    row.update(samurai::json_of(result.objects[i].decision));
    SLIPWAY_TRY(put(i, fmt::format("{}\n  {}", result.frame > 0 ? "," : "", row.dump())));
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
    SLIPWAY_ASSIGN(video_, media::VideoWriter::create(paths_.video, image.width(), image.height(),
                                                      frame.video.rate_numerator, frame.video.rate_denominator));
  }
  return video_->write(image.view());
}

base::Result<void> SamuraiOutputs::finish() {
  for (std::size_t i = 0; i < traces_.size(); ++i) {
    SLIPWAY_TRY(put(i, "\n]}\n"));
    if (std::fclose(traces_[i].release()) != 0) {
      return std::unexpected(base::errno_error(errno, numbered(paths_.trace, i).string()));
    }
  }
  traces_.clear();
  if (!video_) return {};
  const auto done = video_->finish();
  video_.reset();
  return done;
}

}  // namespace slipway::cli
