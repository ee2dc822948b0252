#include "apps/cli/samurai_prompts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "apps/cli/notes.hpp"
#include "base/text.hpp"
#include "media/mask_file.hpp"

namespace slipway::cli {

namespace samurai = pipelines::samurai;
using base::Code;

namespace {

/// "1,2.5,3" as so many numbers.
base::Result<std::vector<double>> numbers_of(const std::string& text, std::size_t count, std::string_view option,
                                             std::string_view form) {
  std::vector<double> numbers;
  std::string_view rest = text;
  while (const auto number = base::consume_number<double>(rest)) {
    numbers.push_back(*number);
    if (!rest.starts_with(',')) break;
    rest.remove_prefix(1);
  }
  const bool are_numbers = std::ranges::all_of(numbers, [](double number) { return std::isfinite(number); });
  if (rest.empty() && !text.ends_with(',') && are_numbers && numbers.size() == count) return numbers;
  return base::fail(Code::kInvalidArgument, "{} takes {} in pixels of the first frame, got '{}'", option, form, text);
}

/// Says on standard error what was understood.
base::Result<samurai::PromptMask> mask_of(const std::string& file) {
  SLIPWAY_ASSIGN(media::Mask read, media::read_mask(file));
  int left = read.width, top = read.height, right = 0, bottom = 0;
  std::int64_t count = 0;
  for (int y = 0; y < read.height; ++y) {
    for (int x = 0; x < read.width; ++x) {
      const std::size_t at =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(read.width) + static_cast<std::size_t>(x);
      if (read.inside[at] == 0) continue;
      ++count;
      left = std::min(left, x);
      top = std::min(top, y);
      right = std::max(right, x + 1);
      bottom = std::max(bottom, y + 1);
    }
  }
  if (count == 0) {
    return base::fail(Code::kInvalidArgument,
                      "--mask {}: none of its {} pixels is the object: expected any value but 0 where it is", file,
                      read.inside.size());
  }
  note(fmt::format("{}: {} of {} pixels are the object, in the box {},{},{},{}", file, count, read.inside.size(), left,
                   top, right - left, bottom - top));
  return samurai::PromptMask{read.width, read.height, std::move(read.inside)};
}

}  // namespace

base::Result<std::vector<samurai::Prompt>> read_prompts(const PromptArguments& arguments) {
  std::vector<samurai::Prompt> prompts;
  for (const std::string& text : arguments.boxes) {
    SLIPWAY_ASSIGN(const auto box, numbers_of(text, 4, "--box", "x,y,w,h"));
    if (!(box[2] > 0 && box[3] > 0)) {
      return base::fail(Code::kInvalidArgument, "--box {}: the box has no area: width and height must be above 0",
                        text);
    }
    samurai::Prompt prompt;
    prompt.box = pipelines::Box{box[0], box[1], box[0] + box[2], box[1] + box[3]};
    prompts.push_back(std::move(prompt));
  }
  for (const std::string& file : arguments.masks) {
    SLIPWAY_ASSIGN(auto mask, mask_of(file));
    samurai::Prompt prompt;
    prompt.mask = std::move(mask);
    prompts.push_back(std::move(prompt));
  }
  if (arguments.points.empty() && prompts.empty()) {
    return base::fail(
        Code::kInvalidArgument,
        "what is to be followed? Give --box x,y,w,h, --point x,y,label or --mask FILE of the first frame");
  }
  if (arguments.points.empty()) return prompts;
  if (prompts.size() > 1) {
    return base::fail(Code::kInvalidArgument, "--point belongs to one object, but {} were shown", prompts.size());
  }
  if (prompts.empty()) prompts.emplace_back();
  for (const std::string& text : arguments.points) {
    SLIPWAY_ASSIGN(const auto point, numbers_of(text, 3, "--point", "x,y,label (1: the object, 0: not)"));
    if (point[2] != 0 && point[2] != 1) {
      return base::fail(Code::kInvalidArgument, "--point {}: expected the label 1 (the object) or 0 (not), found {}",
                        text, point[2]);
    }
    prompts.front().points.push_back({point[0], point[1], point[2] == 1});
  }
  return prompts;
}

base::Result<std::vector<samurai::Prompt>> read_prompts(const PromptArguments& arguments,
                                                        const DetectArguments& detect) {
  if (detect.classes.empty() && detect.model.empty()) return read_prompts(arguments);
  if (detect.classes.empty()) {
    return base::fail(Code::kInvalidArgument, "--detector {}: what is it to find? Add --detect CLASS, e.g. person",
                      detect.model.string());
  }
  if (detect.model.empty()) {
    return base::fail(Code::kInvalidArgument, "--detect {} needs --detector MODEL, a YOLOv8 network",
                      detect.classes.front());
  }
  if (!arguments.boxes.empty() || !arguments.points.empty() || !arguments.masks.empty()) {
    return base::fail(Code::kInvalidArgument, "--detect finds the objects itself: leave out --box, --point and --mask");
  }
  return std::vector<samurai::Prompt>();
}

}  // namespace slipway::cli
