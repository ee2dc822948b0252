#include "compile/npu_faults/known_faults.hpp"

#include <array>

#include <fmt/format.h>

#include "compile/npu_faults/cast_faults.hpp"
#include "compile/npu_faults/tile_faults.hpp"

namespace slipway::compile::npu_faults {
namespace {

constexpr int kNewest = 85;

constexpr std::array kFaults = {
    KnownFault{.id = "uint8-to-float",
               .effect = "a Cast from uint8 to float32 gives 1 for every number but 0",
               .remedy = "the Cast goes through int32",
               .oldest_htp = 69,
               .newest_htp = kNewest,
               .only_with_fp16 = true,
               .seen_in_qairt = "2.50, 2.51",
               .avoid = cast_uint8_through_int32,
               .probe = uint8_to_float_probe},
    KnownFault{.id = "integer-to-bool",
               .effect = "a Cast from int32 or int64 to bool gives false for negative numbers",
               .remedy = "the number is compared with 0",
               .oldest_htp = 68,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .seen_in_qairt = "2.50, 2.51",
               .avoid = compare_integers_with_zero,
               .probe = integer_to_bool_probe},
    KnownFault{.id = "tile-of-ones",
               .effect = "a Tile that repeats nothing, of a tensor of five dimensions, crashes the compiler",
               .remedy = "it is taken out",
               .oldest_htp = 69,
               .newest_htp = kNewest,
               .only_with_fp16 = false,
               .seen_in_qairt = "2.50, 2.51",
               .avoid = drop_tiles_of_ones,
               .probe = tile_of_ones_probe},
};

}  // namespace

std::span<const KnownFault> known_faults() {
  return kFaults;
}

std::vector<Avoided> avoid_known_faults(onnx_graph::Model& model, int htp_arch, bool with_fp16) {
  std::vector<Avoided> avoided;
  onnx_graph::Rewriter graph(model);
  for (const KnownFault& fault : kFaults) {
    const bool shows =
        htp_arch >= fault.oldest_htp && htp_arch <= fault.newest_htp && (with_fp16 || !fault.only_with_fp16);
    const int places = shows ? fault.avoid(graph) : 0;
    if (places > 0) avoided.push_back({.fault = &fault, .places = places});
  }
  return avoided;
}

std::string to_string(const Avoided& avoided) {
  return fmt::format("{} on this chip's compiler; avoided in {} place(s): {}", avoided.fault->effect, avoided.places,
                     avoided.fault->remedy);
}

}  // namespace slipway::compile::npu_faults
