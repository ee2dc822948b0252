#pragma once

#include <string>
#include <vector>

namespace slipway::pipelines::yolov8 {

/// The 80 classes of COCO in the order that YOLO networks give them.
[[nodiscard]] const std::vector<std::string>& coco_labels();

/// The name of a class; "class 7" where the list does not reach.
[[nodiscard]] std::string label_of(const std::vector<std::string>& labels, int class_id);

}  // namespace slipway::pipelines::yolov8
