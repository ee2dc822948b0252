#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/rewriter.hpp"

/// What Qualcomm's compiler is known to do wrong with graphs that it takes or should take, and how it is avoided.
namespace slipway::compile::npu_faults {

/// One row of the table of faults. Whether it still shows is asked with its probe, by `slipway doctor --npu-probes`.
struct KnownFault {
  std::string_view id;      ///< "uint8-to-float"
  std::string_view effect;  ///< what happens without the rewrite, for people
  std::string_view remedy;  ///< what is written in its place, for people
  int oldest_htp;           ///< Hexagon versions on whose compiler it was seen
  int newest_htp;
  bool only_with_fp16;                 ///< it does not show on chips that compute with integers only
  std::string_view observed_in_qairt;  ///< releases in which it was seen
  /// Rewrites the places of a graph where it would show, to the same values. nullptr: nothing has the same values.
  /// @return how many
  int (*avoid)(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types) = nullptr;
  /// The places that avoid() leaves, in words: "Add 'sum' reads the constant 1099511627776". nullptr: there are none.
  std::vector<std::string> (*remaining)(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types) = nullptr;
  /// Whether such a place is an error, so that the compiler does not crash or give other values; otherwise a remark.
  bool refuses_remaining = true;
  bool is_slow = false;  ///< it costs time alone, and its probe takes minutes
  /// A graph of a few nodes on which it shows. Its inputs are those of the probes (compile/npu_probes).
  onnx_graph::Model (*probe)();
  /// Whether nothing is done about it but saying where it may show.
  [[nodiscard]] bool is_remark_only() const { return avoid == nullptr && !refuses_remaining; }
};
[[nodiscard]] std::span<const KnownFault> known_faults();

/// A fault that a graph would have met.
struct Avoided {
  const KnownFault* fault;
  int places;                          ///< rewritten
  std::vector<std::string> remaining;  ///< left as they are
};

/// Rewrites a graph so that a chip's compiler meets none of the known faults. Every rewrite gives the values of the
/// ONNX operators that it replaces, so it is right also where the fault is gone.
/// @return what was rewritten, and what could not be; empty when the model is as it was
/// @error  kUnimplemented: a place that cannot be rewritten and that the compiler would crash on or get wrong
[[nodiscard]] base::Result<std::vector<Avoided>> avoid_known_faults(onnx_graph::Model& model, int htp_arch,
                                                                    bool with_fp16);

/// Rewrites a graph where one fault would show. @error as avoid_known_faults()
[[nodiscard]] base::Result<Avoided> avoid(const KnownFault& fault, onnx_graph::Model& model);

/// "a Cast from uint8 … avoided in 2 place(s): …", for logs.
[[nodiscard]] std::string to_string(const Avoided& avoided);

}  // namespace slipway::compile::npu_faults
