#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace slipway::pipelines::yolov8 {

/// The 80 classes of COCO in the order that YOLO networks give them.
[[nodiscard]] const std::vector<std::string>& coco_labels();

/// The name of a class; "class 7" where the list does not reach.
[[nodiscard]] std::string label_of(const std::vector<std::string>& labels, int class_id);

/// Numbers of the classes that a user names, by name or number.
/// @error kInvalidArgument: a class that the list lacks; the message names what it has
[[nodiscard]] base::Result<std::vector<std::int32_t>> class_numbers(const std::vector<std::string>& names,
                                                                    const std::vector<std::string>& labels);

}  // namespace slipway::pipelines::yolov8
