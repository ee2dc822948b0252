#include "apps/cli/samurai_detect.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "apps/cli/border_quantization.hpp"
#include "apps/cli/model_argument.hpp"

namespace slipway::cli {

namespace fs = std::filesystem;
namespace samurai = pipelines::samurai;
using base::Code;

base::Result<PromptDetector> PromptDetector::load(std::shared_ptr<runtime::Environment> environment,
                                                  const DetectArguments& arguments,
                                                  const runtime::SessionOptions& options) {
  PromptDetector found;
  pipelines::yolov8::Config config;
  config.score_min = arguments.score_min;
  ModelArgument named;
  named.path = arguments.model;
  SLIPWAY_ASSIGN(const fs::path file, named.file());
  config.quantization = border_quantization(file);
  pipelines::StandbyOptions run;
  run.primary = options;
  run.primary.allow_spinning = false;
  const fs::path model = fs::exists(arguments.model / "model.yaml") ? arguments.model : file;
  SLIPWAY_ASSIGN(found.detector_, pipelines::yolov8::Yolov8::load(std::move(environment), model, run, config));
  const std::vector<std::string>& labels = found.detector_->labels();
  for (const std::string& name : arguments.classes) {
    const auto at = std::ranges::find(labels, name);
    if (at == labels.end()) {
      return base::fail(Code::kInvalidArgument, "--detect {}: {} knows no such class; it knows: {}", name,
                        arguments.model.string(), fmt::join(labels, ", "));
    }
    found.names_.push_back(name);
    found.classes_.push_back(static_cast<int>(at - labels.begin()));
  }
  return found;
}

base::Result<std::vector<samurai::Prompt>> PromptDetector::find(media::ImageView frame) {
  SLIPWAY_TRY(detector_->run(frame, detections_));
  std::vector<samurai::Prompt> prompts;
  std::vector<bool> is_assigned(detections_.objects.size());
  found_.clear();
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    // Best first, so the first one that is still free is the best one.
    std::size_t at = 0;
    while (at < is_assigned.size() && (is_assigned[at] || detections_.objects[at].class_id != classes_[i])) ++at;
    if (at == is_assigned.size()) return std::vector<samurai::Prompt>();
    is_assigned[at] = true;
    const pipelines::yolov8::Object& object = detections_.objects[at];
    const pipelines::Box& box = object.box;
    found_ += fmt::format("{}{} {:.2f} at {:.0f},{:.0f} of {:.0f}x{:.0f} pixels", i > 0 ? ", " : "", names_[i],
                          object.score, box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1);
    samurai::Prompt prompt;
    prompt.box = box;
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

std::string PromptDetector::wanted() const {
  return fmt::format("{}", fmt::join(names_, " and "));
}

}  // namespace slipway::cli
