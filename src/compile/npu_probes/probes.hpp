#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compile/npu_faults/known_faults.hpp"
#include "compile/npu_probes/element_kind.hpp"
#include "compile/npu_probes/sketch.hpp"

/// Graphs of one operator, or of the few nodes of a known fault, on which an NPU's compiler shows how it behaves.
namespace slipway::compile::npu_probes {

/// One operator on elements of one kind in one class of shapes.
struct Probe {
  std::string operator_name;  ///< "Conv"; for a known fault "fault uint8-to-float"
  ElementKind kind = ElementKind::kFloat32;
  std::string shape;  ///< "rank 4", "broadcast", "depthwise"
  std::function<void(Sketch&)> draw = {};
  std::int64_t opset = 17;
  const npu_faults::KnownFault* fault = nullptr;  ///< of the probe of a known fault, which is not drawn
  bool is_rewritten = false;                      ///< … and whose rewrite is applied

  [[nodiscard]] std::string id() const;  ///< "Conv, float32, depthwise"
};

/// Every probe, in the order of the page.
[[nodiscard]] std::vector<Probe> all_probes();

void add_known_faults(std::vector<Probe>& probes);

// The families of operators, one in a file of its name.
void add_elementwise_operators(std::vector<Probe>& probes);
void add_moving_operators(std::vector<Probe>& probes);
void add_network_operators(std::vector<Probe>& probes);

using Kinds = std::vector<ElementKind>;
inline const Kinds kOnlyFloat = {ElementKind::kFloat32};
[[nodiscard]] Kinds float_kinds();   ///< float32 and the quantised kinds
[[nodiscard]] Kinds number_kinds();  ///< these, int32 and int64
[[nodiscard]] Kinds all_kinds();     ///< these, uint8 and bool

/// The same graph on elements of each kind.
void add(std::vector<Probe>& probes, const char* name, const char* shape, const Kinds& kinds,
         const std::function<void(Sketch&)>& draw, std::int64_t opset = 17);

/// The shapes of ranks 0 to 6, and one without elements.
struct NamedShape {
  std::string name;
  tensor::Shape shape;
};
[[nodiscard]] const std::vector<NamedShape>& named_shapes();

}  // namespace slipway::compile::npu_probes
