#include "pipelines/segmentation/labels.hpp"

#include <algorithm>
#include <array>

namespace slipway::pipelines::segmentation {
namespace {

constexpr std::array<media::Colour, 19> kColours = {{{128, 64, 128},
                                                     {244, 35, 232},
                                                     {70, 70, 70},
                                                     {102, 102, 156},
                                                     {190, 153, 153},
                                                     {153, 153, 153},
                                                     {250, 170, 30},
                                                     {220, 220, 0},
                                                     {107, 142, 35},
                                                     {152, 251, 152},
                                                     {70, 130, 180},
                                                     {220, 20, 60},
                                                     {255, 0, 0},
                                                     {0, 0, 142},
                                                     {0, 0, 70},
                                                     {0, 60, 100},
                                                     {0, 80, 100},
                                                     {0, 0, 230},
                                                     {119, 11, 32}}};

}  // namespace

const std::vector<std::string>& cityscapes_labels() {
  static const std::vector<std::string> kLabels = {
      "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
      "sky",  "person",   "rider",    "car",  "truck", "bus",  "train",         "motorcycle",   "bicycle"};
  return kLabels;
}

std::vector<media::Colour> colours_of(const std::vector<std::string>& labels) {
  std::vector<media::Colour> colours;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& known = cityscapes_labels();
    const auto found = std::ranges::find(known, labels[i]);
    if (found != known.end()) {
      colours.push_back(kColours[static_cast<std::size_t>(found - known.begin())]);
    } else {
      colours.push_back({static_cast<std::uint8_t>(40 + i * 67 % 200), static_cast<std::uint8_t>(40 + i * 131 % 200),
                         static_cast<std::uint8_t>(40 + i * 29 % 200)});
    }
  }
  return colours;
}

}  // namespace slipway::pipelines::segmentation
