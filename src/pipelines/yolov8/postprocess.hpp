#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "media/fit.hpp"
#include "pipelines/common/box.hpp"
#include "pipelines/common/plausibility.hpp"
#include "pipelines/common/real_values.hpp"
#include "pipelines/yolov8/config.hpp"
#include "pipelines/yolov8/signature.hpp"
#include "tensor/tensor.hpp"

namespace slipway::pipelines::yolov8 {

/// Which pixels of an image belong to an object: a rectangle of whole pixels, row by row, 1 inside.
struct Mask {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> inside;

  [[nodiscard]] bool at(int px, int py) const {
    return px >= x && py >= y && px < x + width && py < y + height &&
           inside[static_cast<std::size_t>(py - y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(px - x)] != 0;
  }
};

/// One object in the image.
struct Object {
  Box box;          ///< in image pixels, clipped to the image
  float score = 0;  ///< in 0 … 1
  int class_id = 0;
  int anchor = 0;  ///< the cell it comes from
};

/// Decodes the network's outputs into objects, best score first.
///
/// An anchor's class is its best one (the lower number of equal ones); it counts when its score is at least score_min.
/// Greedy suppression within a class drops what overlaps a better object by more than iou_max; the best 300 stay.
/// Anchors whose box is not finite give no object.
/// A mask pixel belongs to the object when coefficients · prototypes, interpolated there, is above 0 and its centre
/// lies in the box.
///
/// @thread one object belongs to one thread
/// @cost   one pass over the scores; nothing is allocated once the buffers have grown
/// @source python/reference/yolov8/postprocess.py::postprocess
/// @golden tests/golden/yolov8/postprocess.npz, tolerance 1e-4 pixels
class Postprocess {
 public:
  Postprocess(Signature signature, Config config);

  /// @param outputs    the model's outputs, in its order
  /// @param entry      of the batch
  /// @param placement  where the image lies in the input
  /// @param objects    replaced
  /// @error kInvalidArgument: a tensor's size or dtype differs from the signature (the message names both); scores or
  ///        boxes that are none (Plausibility)
  [[nodiscard]] base::Result<void> run(const tensor::NamedTensors& outputs, std::size_t entry,
                                       const media::Placement& placement, int image_width, int image_height,
                                       std::vector<Object>& objects);

  /// From here on only these; empty: all.
  void choose_classes(std::vector<std::int32_t> classes) { config_.only_classes = std::move(classes); }

  /// The masks of objects that run() found in the same entry; `masks` is empty where the network gives none.
  /// @param masks  replaced, one an object; its memory is reused
  [[nodiscard]] base::Result<void> read_masks(const tensor::NamedTensors& outputs, std::size_t entry,
                                              const media::Placement& placement, int image_width, int image_height,
                                              const std::vector<Object>& objects, std::vector<Mask>& masks);

 private:
  struct Candidate {
    float score;
    std::int32_t anchor;
    std::int32_t class_id;
  };

  template <typename T>
  void choose_by_class(const T* scores, std::size_t first, const RealValues& real);
  void add_candidate(float score, std::int32_t anchor, std::int32_t class_id);
  [[nodiscard]] base::Result<void> check_scores(const tensor::NamedTensors& outputs, std::size_t entry) const;
  [[nodiscard]] base::Result<void> find_candidates(const tensor::NamedTensors& outputs, std::size_t entry);

  Signature signature_;
  Config config_;
  Plausibility plausibility_{"YOLOv8 detectors"};
  std::vector<std::int32_t> best_class_;  // of an anchor; -1: no class reaches the threshold
  std::vector<float> best_storage_;       // its score, as stored (at most four bytes each)
  std::vector<float> widened_;            // scores stored as float16
  std::vector<Candidate> candidates_;
  std::vector<Object> decoded_;
  std::vector<Box> boxes_;
  std::vector<std::int32_t> classes_;
  std::vector<std::size_t> kept_;
  std::vector<float> mask_logits_;
};

}  // namespace slipway::pipelines::yolov8
