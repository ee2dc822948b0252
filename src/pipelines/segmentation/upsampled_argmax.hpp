#pragma once

#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "media/fit.hpp"
#include "pipelines/segmentation/label_map.hpp"
#include "pipelines/segmentation/signature.hpp"
#include "tensor/tensor.hpp"

namespace slipway::pipelines::segmentation {

/// The best class of every input pixel under the image: bilinear interpolation of the logits to the input's size
/// (no corner alignment), then argmax (the lower class of equal ones), without ever building the logits at that size.
///
/// Between four cells that agree on their best class it stays the best one everywhere, because interpolation is a
/// weighted mean of theirs: such a square is filled. In the others only classes whose highest corner reaches the best
/// lowest corner can win, mostly two or three; those are interpolated.
///
/// @thread one object belongs to one thread
/// @cost   one pass over the logits and one byte a pixel; nothing is allocated once the buffers have grown
/// @source python/reference/segmentation/reading.py::label_map
/// @golden tests/golden/segmentation/argmax.npz: equal but where two classes differ by less than rounding
class UpsampledArgmax {
 public:
  explicit UpsampledArgmax(const Signature& signature);

  /// @param logits     the network's output
  /// @param entry      of the batch
  /// @param placement  where the image lies in the input
  /// @param map        replaced; its memory is reused
  /// @error kInvalidArgument: another size or dtype than the signature's
  [[nodiscard]] base::Result<void> run(const tensor::Tensor& logits, std::size_t entry,
                                       const media::Placement& placement, LabelMap& map);

 private:
  /// Where an input row or column reads: cell `first` and the one after it, with the latter's weight.
  struct Tap {
    int first = 0;
    float weight = 0;
  };
  struct Run {  ///< pixels [begin, end) that read the same two cells
    int first = 0;
    int begin = 0;
    int end = 0;
  };

  void place(const media::Placement& placement);
  void load_row(const tensor::Tensor& logits, std::size_t entry, int row, std::vector<float>& values) const;
  void best_of_row(const std::vector<float>& values, std::vector<std::uint8_t>& best);
  void fill_rows(const Run& rows, LabelMap& map);
  void fill_square(const Run& rows, const Run& columns, LabelMap& map);

  Signature signature_;
  media::Placement placement_;
  std::vector<Tap> x_taps_, y_taps_;
  std::vector<Run> x_runs_, y_runs_;
  std::vector<float> upper_, lower_;  // logits of two rows of cells, [C][columns + 1]
  std::vector<std::uint8_t> upper_best_, lower_best_;
  std::vector<float> best_values_;
  std::vector<std::uint8_t> candidates_;
};

}  // namespace slipway::pipelines::segmentation
