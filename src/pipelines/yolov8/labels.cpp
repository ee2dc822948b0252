#include "pipelines/yolov8/labels.hpp"

#include <algorithm>
#include <span>

#include <fmt/ranges.h>

#include "base/text.hpp"

namespace slipway::pipelines::yolov8 {

const std::vector<std::string>& coco_labels() {
  static const std::vector<std::string> kLabels = {
      "person",         "bicycle",    "car",           "motorcycle",    "airplane",     "bus",           "train",
      "truck",          "boat",       "traffic light", "fire hydrant",  "stop sign",    "parking meter", "bench",
      "bird",           "cat",        "dog",           "horse",         "sheep",        "cow",           "elephant",
      "bear",           "zebra",      "giraffe",       "backpack",      "umbrella",     "handbag",       "tie",
      "suitcase",       "frisbee",    "skis",          "snowboard",     "sports ball",  "kite",          "baseball bat",
      "baseball glove", "skateboard", "surfboard",     "tennis racket", "bottle",       "wine glass",    "cup",
      "fork",           "knife",      "spoon",         "bowl",          "banana",       "apple",         "sandwich",
      "orange",         "broccoli",   "carrot",        "hot dog",       "pizza",        "donut",         "cake",
      "chair",          "couch",      "potted plant",  "bed",           "dining table", "toilet",        "tv",
      "laptop",         "mouse",      "remote",        "keyboard",      "cell phone",   "microwave",     "oven",
      "toaster",        "sink",       "refrigerator",  "book",          "clock",        "vase",          "scissors",
      "teddy bear",     "hair drier", "toothbrush"};
  return kLabels;
}

std::string label_of(const std::vector<std::string>& labels, int class_id) {
  const auto index = static_cast<std::size_t>(class_id);
  return class_id >= 0 && index < labels.size() ? labels[index] : fmt::format("class {}", class_id);
}

base::Result<std::vector<std::int32_t>> class_numbers(const std::vector<std::string>& names,
                                                      const std::vector<std::string>& labels) {
  std::vector<std::int32_t> numbers;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(labels, name);
    const auto number = base::parse_number<std::int32_t>(name);
    if (found != labels.end()) {
      numbers.push_back(static_cast<std::int32_t>(found - labels.begin()));
    } else if (number && *number >= 0 && (labels.empty() || static_cast<std::size_t>(*number) < labels.size())) {
      numbers.push_back(*number);
    } else {
      constexpr std::size_t kMostNamed = 12;
      const auto some = std::span(labels).first(std::min(labels.size(), kMostNamed));
      return base::fail(base::Code::kInvalidArgument, "the network has no class '{}'; {}", name,
                        labels.empty() ? "its file does not name them, so give numbers"
                                       : fmt::format("it has {}{}, and their numbers from 0", fmt::join(some, ", "),
                                                     some.size() < labels.size() ? ", …" : ""));
    }
  }
  return numbers;
}

}  // namespace slipway::pipelines::yolov8
