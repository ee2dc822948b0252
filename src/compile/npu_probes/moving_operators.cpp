#include "compile/npu_probes/probes.hpp"

namespace slipway::compile::npu_probes {
namespace {

using Ints = std::vector<std::int64_t>;
using onnx_graph::Attributes;
using tensor::Dtype;
using tensor::Shape;

const Kinds& everything() {
  static const Kinds kKinds = {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kQuantizedUint16,
                               ElementKind::kInt32,   ElementKind::kInt64,          ElementKind::kUint8,
                               ElementKind::kBool};
  return kKinds;
}
const Kinds& numbers() {
  static const Kinds kKinds = {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kInt32,
                               ElementKind::kInt64};
  return kKinds;
}
const Kinds& images() {
  static const Kinds kKinds = {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kQuantizedUint16,
                               ElementKind::kUint8};
  return kKinds;
}

/// One node on one input of this shape, and integers as its further inputs.
std::function<void(Sketch&)> node(const char* op_type, const Shape& shape, const Attributes& attributes = {},
                                  const std::vector<Ints>& further = {}) {
  return [=](Sketch& sketch) {
    std::vector<Sketch::Value*> inputs = {sketch.input(shape)};
    for (const Ints& each : further) inputs.push_back(sketch.integers(each));
    sketch.output(sketch.node(op_type, inputs, attributes));
  };
}

void add_layout(std::vector<Probe>& probes) {
  add(probes, "Reshape", "rank 4 to 3", everything(), node("Reshape", {1, 4, 6, 8}, {}, {{4, 6, 8}}));
  add(probes, "Reshape", "rank 4 to 6", kOnlyFloat, node("Reshape", {1, 4, 6, 8}, {}, {{1, 2, 2, 3, 2, 8}}));
  add(probes, "Flatten", "rank 4", everything(), node("Flatten", {2, 3, 4, 5}));
  add(probes, "Squeeze", "rank 4", everything(), node("Squeeze", {1, 3, 1, 8}, {}, {{0, 2}}));
  add(probes, "Unsqueeze", "rank 2", everything(), node("Unsqueeze", {3, 8}, {}, {{0, 2}}));
  add(probes, "Unsqueeze", "rank 5 to 6", kOnlyFloat, node("Unsqueeze", {1, 2, 3, 4, 8}, {}, {{0}}));
  const auto transpose = [](const Shape& shape, const Ints& order) {
    return node("Transpose", shape, {{"perm", order}});
  };
  add(probes, "Transpose", "rank 2", kOnlyFloat, transpose({6, 8}, {1, 0}));
  add(probes, "Transpose", "rank 3", kOnlyFloat, transpose({4, 6, 8}, {2, 0, 1}));
  add(probes, "Transpose", "rank 4", everything(), transpose({1, 4, 6, 8}, {0, 2, 3, 1}));
  add(probes, "Transpose", "rank 5", everything(), transpose({1, 2, 3, 4, 8}, {0, 2, 4, 1, 3}));
  add(probes, "Transpose", "rank 6", everything(), transpose({1, 2, 2, 3, 4, 8}, {0, 2, 4, 1, 3, 5}));
  add(probes, "Transpose", "long", kOnlyFloat, transpose({4096, 1, 64}, {1, 0, 2}));
  add(probes, "Transpose", "very long", kOnlyFloat, transpose({28736, 1, 64}, {1, 0, 2}));
  add(probes, "DepthToSpace", "depth first", images(),
      node("DepthToSpace", {1, 8, 4, 4}, {{"blocksize", std::int64_t{2}}, {"mode", std::string("DCR")}}));
  add(probes, "DepthToSpace", "columns first", images(),
      node("DepthToSpace", {1, 8, 4, 4}, {{"blocksize", std::int64_t{2}}, {"mode", std::string("CRD")}}));
  add(probes, "SpaceToDepth", "rank 4", images(), node("SpaceToDepth", {1, 2, 8, 8}, {{"blocksize", std::int64_t{2}}}));
}

void add_parts(std::vector<Probe>& probes) {
  add(probes, "Slice", "one axis", everything(), node("Slice", {1, 3, 6, 8}, {}, {{1}, {5}, {2}}));
  add(probes, "Slice", "steps", everything(), node("Slice", {1, 3, 6, 8}, {}, {{0, 1}, {6, 8}, {2, 3}, {2, 3}}));
  add(probes, "Slice", "backwards", everything(), node("Slice", {1, 3, 6, 8}, {}, {{5}, {-1000}, {2}, {-1}}));
  add(probes, "Slice", "to nothing", kOnlyFloat, node("Slice", {1, 3, 6, 8}, {}, {{6}, {9}, {2}}));
  add(probes, "Slice", "rank 5", kOnlyFloat, node("Slice", {1, 2, 3, 4, 8}, {}, {{1}, {3}, {2}}));
  add(probes, "Slice", "rank 6", kOnlyFloat, node("Slice", {1, 2, 2, 3, 4, 8}, {}, {{1}, {3}, {4}}));
  const auto split = [](const Shape& shape, std::int64_t axis) {
    return [=](Sketch& sketch) {
      for (auto* part : sketch.node_of(2, "Split", {sketch.input(shape), sketch.integers({1, 2})}, {{"axis", axis}})) {
        sketch.output(part);
      }
    };
  };
  add(probes, "Split", "rank 4", everything(), split({1, 3, 4, 8}, 1));
  add(probes, "Split", "rank 5", kOnlyFloat, split({1, 2, 3, 4, 8}, 2));
  const auto concat = [](const Shape& shape, std::int64_t axis) {
    return [=](Sketch& sketch) {
      auto* const first = sketch.input(shape);
      sketch.output(sketch.node("Concat", {first, sketch.input(shape)}, {{"axis", axis}}));
    };
  };
  add(probes, "Concat", "rank 1", everything(), concat({8}, 0));
  add(probes, "Concat", "rank 4", everything(), concat({1, 3, 4, 8}, 1));
  add(probes, "Concat", "rank 5", kOnlyFloat, concat({1, 2, 3, 4, 8}, 2));
  add(probes, "Concat", "rank 6", kOnlyFloat, concat({1, 2, 2, 3, 4, 8}, 4));
  add(probes, "Tile", "rank 4", everything(), node("Tile", {1, 3, 2, 4}, {}, {{1, 2, 2, 1}}));
  add(probes, "Expand", "rank 4", everything(), node("Expand", {1, 3, 1, 4}, {}, {{2, 3, 5, 4}}));
  add(probes, "Expand", "rank 5", kOnlyFloat, node("Expand", {1, 3, 1, 4, 1}, {}, {{2, 3, 5, 4, 2}}));
  const auto pad = [](const char* mode) {
    return node("Pad", {1, 3, 6, 8}, {{"mode", std::string(mode)}}, {{0, 0, 1, 2, 0, 0, 3, 1}});
  };
  add(probes, "Pad", "zeros", images(), pad("constant"));
  add(probes, "Pad", "reflect", images(), pad("reflect"));
  add(probes, "Pad", "edge", images(), pad("edge"));
  add(probes, "Pad", "a number, int32", {ElementKind::kInt32, ElementKind::kInt64}, [](Sketch& sketch) {
    sketch.output(
        sketch.node("Pad", {sketch.input({1, 3, 6, 8}), sketch.integers({0, 0, 1, 2, 0, 0, 3, 1}), sketch.number(3)}));
  });
  for (const std::int64_t upper : {0, 1}) {
    add(probes, "Trilu", upper != 0 ? "upper" : "lower", numbers(), node("Trilu", {2, 6, 6}, {{"upper", upper}}));
  }
}

void add_indexed(std::vector<Probe>& probes) {
  const auto gather = [](const Shape& data, Dtype indices, const Shape& shape, std::int64_t axis) {
    return [=](Sketch& sketch) {
      const auto last = static_cast<double>(data[static_cast<std::size_t>(axis)] - 1);
      auto* const table = sketch.input(data);
      sketch.output(
          sketch.node("Gather", {table, sketch.input_of(indices, shape, {.low = 0, .high = last})}, {{"axis", axis}}));
    };
  };
  add(probes, "Gather", "rows by int64", everything(), gather({16, 8}, Dtype::kInt64, {2, 5}, 0));
  add(probes, "Gather", "rows by int32", everything(), gather({16, 8}, Dtype::kInt32, {2, 5}, 0));
  add(probes, "Gather", "axis 2", kOnlyFloat, gather({2, 3, 8}, Dtype::kInt32, {5}, 2));
  add(probes, "Gather", "negative indices", numbers(), [](Sketch& sketch) {
    auto* const table = sketch.input({16, 8});
    sketch.output(sketch.node("Gather", {table, sketch.input_of(Dtype::kInt64, {5}, {.low = -16, .high = -1})}));
  });
  add(probes, "Gather", "a constant index", everything(), [](Sketch& sketch) {
    sketch.output(
        sketch.node("Gather", {sketch.input({2, 3, 8}), sketch.integers({1}, {})}, {{"axis", std::int64_t{1}}}));
  });
  add(probes, "Gather", "a constant index from the end", everything(), [](Sketch& sketch) {
    sketch.output(
        sketch.node("Gather", {sketch.input({2, 3, 8}), sketch.integers({-1}, {})}, {{"axis", std::int64_t{1}}}));
  });
  for (const Dtype indices : {Dtype::kInt32, Dtype::kInt64}) {
    add(probes, "GatherElements", indices == Dtype::kInt32 ? "by int32" : "by int64", numbers(),
        [indices](Sketch& sketch) {
          auto* const data = sketch.input({4, 6, 8});
          sketch.output(sketch.node("GatherElements",
                                    {data, sketch.input_of(indices, {4, 3, 8}, {.low = 0, .high = 5})},
                                    {{"axis", std::int64_t{1}}}));
        });
  }
  add(probes, "GatherND", "rows", numbers(), [](Sketch& sketch) {
    auto* const data = sketch.input({4, 6, 8});
    sketch.output(sketch.node("GatherND", {data, sketch.input_of(Dtype::kInt64, {5, 2}, {.low = 0, .high = 3})}));
  });
  add(probes, "ScatterND", "rows", numbers(), [](Sketch& sketch) {
    auto* const data = sketch.input({6, 8});
    sketch.output(sketch.node("ScatterND", {data, sketch.integers({1, 4, 5}, {3, 1}), sketch.input({3, 8})}));
  });
  add(probes, "ScatterElements", "axis 1", numbers(), [](Sketch& sketch) {
    auto* const data = sketch.input({2, 8});
    sketch.output(sketch.node("ScatterElements",
                              {data, sketch.integers({1, 4, 5, 0, 7, 3}, {2, 3}), sketch.input({2, 3})},
                              {{"axis", std::int64_t{1}}}));
  });
  add(probes, "OneHot", "depth 8", kOnlyFloat, [](Sketch& sketch) {
    sketch.output(sketch.node("OneHot", {sketch.input_of(Dtype::kInt64, {5}, {.low = 0, .high = 7}),
                                         sketch.integers({8}), sketch.floats({0, 1})}));
  });
  for (const char* name : {"ArgMax", "ArgMin"}) {
    add(probes, name, "axis 1", numbers(), [name](Sketch& sketch) {
      sketch.output_of_other_type(
          sketch.node(name, {sketch.input({2, 19, 6}, {.low = -100, .high = 100})}, {{"axis", std::int64_t{1}}}));
    });
  }
  add(probes, "TopK", "largest 3", numbers(), [](Sketch& sketch) {
    const auto both =
        sketch.node_of(2, "TopK", {sketch.input({2, 64}, {.low = -100, .high = 100}), sketch.integers({3})});
    sketch.output(both[0]);
  });
  add(probes, "TopK", "indices", kOnlyFloat, [](Sketch& sketch) {
    const auto both =
        sketch.node_of(2, "TopK", {sketch.input({2, 64}, {.low = -100, .high = 100}), sketch.integers({3})});
    sketch.output_of_other_type(both[1]);
  });
  add(probes, "NonZero", "rank 2", kOnlyFloat, [](Sketch& sketch) {
    sketch.output_of_other_type(sketch.node("NonZero", {sketch.input({3, 4}, {.low = 0.5, .high = 1})}));
  });
  add(probes, "CumSum", "axis 1", {ElementKind::kFloat32, ElementKind::kInt32, ElementKind::kInt64},
      [](Sketch& sketch) {
        sketch.output(sketch.node("CumSum", {sketch.input({2, 16}), sketch.integers({1}, {})}));
      });
  add(probes, "ReverseSequence", "batch 2", kOnlyFloat, [](Sketch& sketch) {
    sketch.output(sketch.node("ReverseSequence", {sketch.input({5, 2, 4}), sketch.integers({3, 5})}));
  });
}

}  // namespace

void add_moving_operators(std::vector<Probe>& probes) {
  add_layout(probes);
  add_parts(probes);
  add_indexed(probes);
}

}  // namespace slipway::compile::npu_probes
