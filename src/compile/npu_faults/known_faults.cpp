#include "compile/npu_faults/known_faults.hpp"

#include <array>

#include <fmt/format.h>

#include "compile/npu_faults/broadcast_faults.hpp"
#include "compile/npu_faults/cast_faults.hpp"
#include "compile/npu_faults/clip_faults.hpp"
#include "compile/npu_faults/empty_tensor_faults.hpp"
#include "compile/npu_faults/index_faults.hpp"
#include "compile/npu_faults/integer_faults.hpp"
#include "compile/npu_faults/normalization_faults.hpp"
#include "compile/npu_faults/pad_faults.hpp"
#include "compile/npu_faults/pair_faults.hpp"
#include "compile/npu_faults/pool_faults.hpp"
#include "compile/npu_faults/remainder_faults.hpp"
#include "compile/npu_faults/resize_faults.hpp"
#include "compile/npu_faults/sigmoid_faults.hpp"
#include "compile/npu_faults/tile_faults.hpp"

namespace slipway::compile::npu_faults {
namespace {

constexpr int kNewest = 85;
constexpr std::string_view kSaidInTheLog = "nothing; the place is said in the log";

constexpr std::array kFaults = {
    KnownFault{.id = "empty-tensors",
               .effect = "a tensor without elements is refused, or ends the compiler's process",
               .remedy = "nodes that give no elements become constants",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .avoid = fold_empty_tensors,
               .remaining = empty_tensors,
               .probe = empty_tensor_probe},
    KnownFault{.id = "uint8-to-float",
               .effect = "a Cast from uint8 to float32 gives 1 for every number but 0",
               .remedy = "the Cast goes through int32",
               .oldest_htp = 69,
               .newest_htp = kNewest,
               .only_with_fp16 = true,
               .observed_in_qairt = "2.50, 2.51",
               .avoid = cast_uint8_through_int32,
               .probe = uint8_to_float_probe},
    KnownFault{.id = "integer-to-bool",
               .effect = "a Cast to bool gives false for negative int32 and int64, and the byte itself for uint8",
               .remedy = "the number is compared with 0",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50, 2.51",
               .avoid = compare_integers_with_zero,
               .probe = integer_to_bool_probe},
    KnownFault{.id = "wide-integers",
               .effect = "64-bit integers are computed with 32 bits",
               .remedy = "nothing has the same values",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .remaining = wide_constants,
               .probe = wide_constant_probe},
    KnownFault{.id = "integer-remainder",
               .effect = "a Mod of integers is computed in half precision",
               .remedy = "it becomes the number less its quotient times the divisor, with Mod's sign",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .avoid = subtract_quotients,
               .remaining = remainders_of_other_types,
               .probe = remainder_probe},
    KnownFault{.id = "wide-clip",
               .effect = "a Clip of integers is computed in float32, which rounds beyond 2^24",
               .remedy = "it becomes Max and Min",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .avoid = clip_by_max_and_min,
               .probe = wide_clip_probe},
    KnownFault{.id = "sums-in-float",
               .effect = "ReduceSum, CumSum and TopK of integers are computed in float32, which rounds beyond 2^24",
               .remedy = kSaidInTheLog,
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .remaining = sums_in_float,
               .refuses_remaining = false,
               .probe = large_sum_probe},
    KnownFault{.id = "saturation",
               .effect = "integers that leave 32 bits stop at the largest number instead of starting again",
               .remedy = kSaidInTheLog,
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .remaining = large_factors,
               .refuses_remaining = false,
               .probe = overflow_probe},
    KnownFault{.id = "unsigned-integers",
               .effect = "uint32 numbers from 2^31 on are taken for negative ones",
               .remedy = kSaidInTheLog,
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .remaining = unsigned_arithmetic,
               .refuses_remaining = false,
               .probe = unsigned_probe},
    KnownFault{.id = "narrowing-cast",
               .effect = "a Cast to uint8 makes 0 or 255 of integers outside, where ONNX takes their last eight bits",
               .remedy = kSaidInTheLog,
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .remaining = narrowing_casts,
               .refuses_remaining = false,
               .probe = narrowing_cast_probe},
    KnownFault{.id = "negative-indices",
               .effect = "a computed index that counts from the end picks another element",
               .remedy = "the size is added to negative indices",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .avoid = count_indices_from_the_start,
               .probe = negative_index_probe},
    KnownFault{.id = "tile-of-ones",
               .effect = "a Tile that repeats nothing, of a tensor of five dimensions, crashes the compiler",
               .remedy = "it is taken out",
               .oldest_htp = 69,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50, 2.51",
               .avoid = drop_tiles_of_ones,
               .probe = tile_of_ones_probe},
    KnownFault{.id = "nearest-resize",
               .effect = "a nearest Resize rounds coordinates in its own way, whatever nearest_mode says",
               .remedy = "it becomes Gathers of the right places",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .avoid = gather_nearest_places,
               .probe = nearest_resize_probe},
    KnownFault{.id = "edge-pad",
               .effect = "a Pad that repeats the edge gives other numbers",
               .remedy = "it becomes Gathers of the right places",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .avoid = gather_edges,
               .probe = edge_pad_probe},
    KnownFault{.id = "last-window",
               .effect = "an AveragePool with sizes rounded up counts places outside in its last windows",
               .remedy = "the missing places become pads that are not counted",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .avoid = pad_last_windows,
               .remaining = counted_last_windows,
               .probe = last_window_probe},
    KnownFault{.id = "wide-slopes",
               .effect = "a PRelu whose slopes have more rows than its data gives the data's shape",
               .remedy = "the data is expanded first",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .avoid = expand_data_of_slopes,
               .probe = wide_slope_probe},
    KnownFault{.id = "coarse-sigmoid",
               .effect = "a Sigmoid of what a Conv, a Gemm or a sum of two tensors gives is off by up to 0.004",
               .remedy = "where its numbers are an output's it becomes exp(min(x, 0)) / (1 + exp(-abs(x)))",
               .oldest_htp = 69,
               .newest_htp = kNewest,
               .only_with_fp16 = true,
               .observed_in_qairt = "2.50",
               .avoid = write_out_sigmoids_of_outputs,
               .probe = sigmoid_probe},
    KnownFault{.id = "long-rows",
               .effect = "an InstanceNormalization over a long row, or of many in a batch, takes the compiler minutes",
               .remedy = "it is computed on rows folded to [1, rows, height, width]",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .observed_in_qairt = "2.50",
               .avoid = fold_long_rows,
               .remaining = rows_that_do_not_fold,
               .refuses_remaining = false,
               .is_slow = true,
               .probe = long_row_probe},
    KnownFault{
        .id = "many-pairs",
        .effect = "two million numbers or more taken as pairs, as rotary positions are, take the compiler very long",
        .remedy = kSaidInTheLog,
        .oldest_htp = 73,
        .newest_htp = 81,
        .only_with_fp16 = true,
        .observed_in_qairt = "2.50",
        .remaining = many_pairs,
        .refuses_remaining = false,
        .is_slow = true,
        .probe = many_pairs_probe},
};

}  // namespace

std::span<const KnownFault> known_faults() {
  return kFaults;
}

base::Result<Avoided> avoid(const KnownFault& fault, onnx_graph::Model& model) {
  Avoided avoided{.fault = &fault, .places = 0, .remaining = {}};
  if (fault.avoid != nullptr) {
    onnx_graph::Rewriter graph(model);
    avoided.places = fault.avoid(graph, onnx_graph::InferredTypes(graph));
  }
  if (fault.remaining != nullptr) {
    onnx_graph::Rewriter graph(model);
    avoided.remaining = fault.remaining(graph, onnx_graph::InferredTypes(graph));
  }
  if (!avoided.remaining.empty() && fault.refuses_remaining) {
    return std::unexpected(base::Error{
        base::Code::kUnimplemented,
        fmt::format("{} on this chip's compiler, and nothing can be written in its place: {}; change the graph there, "
                    "or use the target onnx",
                    fault.effect, fmt::join(avoided.remaining, "; ")),
        base::Reason::kUnsupportedOperator});
  }
  return avoided;
}

base::Result<std::vector<Avoided>> avoid_known_faults(onnx_graph::Model& model, int htp_arch, bool with_fp16) {
  std::vector<Avoided> all;
  if (!onnx_graph::Rewriter(model).opset()) return all;
  for (const KnownFault& fault : kFaults) {
    const bool shows =
        htp_arch >= fault.oldest_htp && htp_arch <= fault.newest_htp && (with_fp16 || !fault.only_with_fp16);
    if (!shows) continue;
    SLIPWAY_ASSIGN(Avoided avoided, avoid(fault, model));
    if (avoided.places > 0 || !avoided.remaining.empty()) all.push_back(std::move(avoided));
  }
  return all;
}

std::string to_string(const Avoided& avoided) {
  std::string text = fmt::format("{} on this chip's compiler", avoided.fault->effect);
  if (avoided.places > 0) text += fmt::format("; avoided in {} place(s): {}", avoided.places, avoided.fault->remedy);
  if (!avoided.remaining.empty()) text += fmt::format("; left as it is: {}", fmt::join(avoided.remaining, "; "));
  return text;
}

}  // namespace slipway::compile::npu_faults
