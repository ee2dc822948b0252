#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/samurai/prompt.hpp"
#include "pipelines/yolov8/pipeline.hpp"

namespace slipway::cli {

/// What the user typed to have the objects found.
struct DetectArguments {
  std::vector<std::string> classes;  ///< one object each; a class named twice: its two best
  std::filesystem::path model;       ///< of a YOLOv8 network
  float score_min = pipelines::yolov8::kAppScoreMin;
};

/// Shows the tracker its objects: the best of each class that a YOLOv8 network finds.
/// @thread one object belongs to one thread
class PromptDetector {
 public:
  /// @error kInvalidArgument: a class that the network does not know (the message names those it does); as Yolov8::load
  [[nodiscard]] static base::Result<PromptDetector> load(std::shared_ptr<runtime::Environment> environment,
                                                         const DetectArguments& arguments,
                                                         const runtime::SessionOptions& options);

  /// One box a class in the order they were asked for, or nothing when one of them is not on this frame.
  /// @error as Yolov8::run
  [[nodiscard]] base::Result<std::vector<pipelines::samurai::Prompt>> find(media::ImageView frame);

  /// What was found by the last find(): "person 0.89 at 228,217 of 215x337 pixels".
  [[nodiscard]] const std::string& found() const { return found_; }
  /// What was asked for: "person and dog".
  [[nodiscard]] std::string wanted() const;

 private:
  PromptDetector() = default;

  std::unique_ptr<pipelines::yolov8::Yolov8> detector_;
  std::vector<std::string> names_;
  std::vector<int> classes_;
  pipelines::yolov8::Detections detections_;
  std::string found_;
};

}  // namespace slipway::cli
