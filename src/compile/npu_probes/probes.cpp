#include "compile/npu_probes/probes.hpp"

#include <fmt/format.h>

namespace slipway::compile::npu_probes {

std::string Probe::id() const {
  return fmt::format("{}, {}, {}", operator_name, row_of(kind).name, shape);
}

std::vector<Probe> all_probes() {
  std::vector<Probe> probes;
  add_known_faults(probes);
  add_elementwise_operators(probes);
  add_moving_operators(probes);
  add_network_operators(probes);
  return probes;
}

void add_known_faults(std::vector<Probe>& probes) {
  for (const auto& fault : npu_faults::known_faults()) {
    for (const bool is_rewritten : {false, true}) {
      if (is_rewritten && fault.is_remark_only()) continue;
      probes.push_back({.operator_name = fmt::format("fault {}", fault.id),
                        .shape = is_rewritten ? "rewritten" : "as it is",
                        .fault = &fault,
                        .is_rewritten = is_rewritten});
    }
  }
}

void add(std::vector<Probe>& probes, const char* name, const char* shape, const Kinds& kinds,
         const std::function<void(Sketch&)>& draw, std::int64_t opset) {
  for (const ElementKind kind : kinds) {
    probes.push_back({.operator_name = name, .kind = kind, .shape = shape, .draw = draw, .opset = opset});
  }
}

Kinds float_kinds() {
  return {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kQuantizedInt8,
          ElementKind::kQuantizedUint16};
}

Kinds number_kinds() {
  Kinds kinds = float_kinds();
  kinds.insert(kinds.end(), {ElementKind::kInt32, ElementKind::kInt64});
  return kinds;
}

Kinds all_kinds() {
  Kinds kinds = number_kinds();
  kinds.insert(kinds.end(), {ElementKind::kUint8, ElementKind::kBool});
  return kinds;
}

const std::vector<NamedShape>& named_shapes() {
  static const std::vector<NamedShape> kShapes = {
      {"rank 4", {1, 3, 4, 8}},
      {"scalar", {}},
      {"rank 1", {24}},
      {"rank 2", {3, 8}},
      {"rank 3", {2, 3, 8}},
      {"rank 5", {1, 2, 3, 4, 8}},
      {"rank 6", {1, 2, 2, 3, 4, 8}},
      {"no elements", {0, 8}},
  };
  return kShapes;
}

}  // namespace slipway::compile::npu_probes
