#include "compile/npu_probes/probes.hpp"

namespace slipway::compile::npu_probes {
namespace {

using Ints = std::vector<std::int64_t>;
using onnx_graph::Attributes;
using tensor::Dtype;
using tensor::Shape;

const Kinds kReal = {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kQuantizedInt8,
                     ElementKind::kQuantizedUint16};
std::function<void(Sketch&)> weighted(const char* op_type, const Shape& input, const Shape& weight,
                                      const Attributes& attributes = {}, Range range = {.low = -1, .high = 1}) {
  return [=](Sketch& sketch) {
    auto* const data = sketch.input(input, range);
    sketch.output(sketch.node(op_type, {data, sketch.weight(weight)}, attributes));
  };
}

std::function<void(Sketch&)> alone(const char* op_type, const Shape& input, const Attributes& attributes = {},
                                   Range range = {}) {
  return [=](Sketch& sketch) { sketch.output(sketch.node(op_type, {sketch.input(input, range)}, attributes)); };
}

void add_convolutions(std::vector<Probe>& probes) {
  add(probes, "Conv", "1-D", kReal, weighted("Conv", {1, 4, 32}, {8, 4, 3}, {{"pads", Ints{1, 1}}}));
  add(probes, "Conv", "2-D", kReal, weighted("Conv", {1, 4, 16, 16}, {8, 4, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
  add(probes, "Conv", "2-D, stride 2", kReal,
      weighted("Conv", {1, 4, 16, 16}, {8, 4, 3, 3}, {{"strides", Ints{2, 2}}}));
  add(probes, "Conv", "2-D, dilated", kReal,
      weighted("Conv", {1, 4, 16, 16}, {8, 4, 3, 3}, {{"dilations", Ints{2, 2}}, {"pads", Ints{2, 2, 2, 2}}}));
  add(probes, "Conv", "2-D, groups", kReal,
      weighted("Conv", {1, 4, 16, 16}, {8, 2, 3, 3}, {{"group", std::int64_t{2}}}));
  add(probes, "Conv", "2-D, depthwise", kReal,
      weighted("Conv", {1, 8, 16, 16}, {8, 1, 3, 3}, {{"group", std::int64_t{8}}}));
  add(probes, "Conv", "2-D, uneven pads", kReal,
      weighted("Conv", {1, 4, 16, 16}, {8, 4, 3, 3}, {{"pads", Ints{0, 1, 2, 0}}}));
  add(probes, "Conv", "3-D", kReal, weighted("Conv", {1, 2, 6, 8, 8}, {4, 2, 3, 3, 3}));
  add(probes, "Conv", "weights are an input", kOnlyFloat, [](Sketch& sketch) {
    auto* const data = sketch.input({1, 4, 16, 16});
    sketch.output(sketch.node("Conv", {data, sketch.input({8, 4, 3, 3})}));
  });
  add(probes, "ConvTranspose", "1-D", kReal, weighted("ConvTranspose", {1, 4, 16}, {4, 8, 4}, {{"strides", Ints{2}}}));
  add(probes, "ConvTranspose", "2-D", kReal,
      weighted("ConvTranspose", {1, 4, 8, 8}, {4, 8, 2, 2}, {{"strides", Ints{2, 2}}}));
  add(probes, "ConvTranspose", "2-D, groups", kReal,
      weighted("ConvTranspose", {1, 4, 8, 8}, {4, 4, 4, 4},
               {{"strides", Ints{2, 2}}, {"group", std::int64_t{2}}, {"pads", Ints{1, 1, 1, 1}}}));
  add(probes, "ConvTranspose", "2-D, output padding", kReal,
      weighted("ConvTranspose", {1, 4, 8, 8}, {4, 8, 3, 3}, {{"strides", Ints{2, 2}}, {"output_padding", Ints{1, 1}}}));
  add(probes, "ConvTranspose", "3-D", kOnlyFloat,
      weighted("ConvTranspose", {1, 2, 4, 4, 4}, {2, 4, 2, 2, 2}, {{"strides", Ints{2, 2, 2}}}));
}

void add_pools(std::vector<Probe>& probes) {
  const Attributes two = {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  const Attributes three = {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}};
  const Attributes up = {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}};
  for (const char* name : {"MaxPool", "AveragePool"}) {
    add(probes, name, "1-D", kReal, alone(name, {1, 4, 16}, {{"kernel_shape", Ints{2}}, {"strides", Ints{2}}}));
    add(probes, name, "2-D", kReal, alone(name, {1, 4, 8, 8}, two));
    add(probes, name, "2-D, padded", kReal, alone(name, {1, 4, 8, 8}, three));
    add(probes, name, "2-D, sizes rounded up", kReal, alone(name, {1, 4, 7, 7}, up));
    add(probes, name, "3-D", kOnlyFloat, alone(name, {1, 2, 4, 8, 8}, {{"kernel_shape", Ints{2, 2, 2}}}));
  }
  add(probes, "AveragePool", "2-D, padding counted", kReal,
      alone("AveragePool", {1, 4, 8, 8},
            {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}, {"count_include_pad", std::int64_t{1}}}));
  add(probes, "LpPool", "2-D", kOnlyFloat, alone("LpPool", {1, 4, 8, 8}, two));
  for (const char* name : {"GlobalAveragePool", "GlobalMaxPool"}) {
    add(probes, name, "rank 4", kReal, alone(name, {1, 4, 8, 8}));
    add(probes, name, "rank 3", kOnlyFloat, alone(name, {1, 4, 16}));
  }
}

void add_normalizations(std::vector<Probe>& probes) {
  add(probes, "BatchNormalization", "rank 4", kReal, [](Sketch& sketch) {
    auto* const data = sketch.input({1, 4, 8, 8});
    sketch.output(
        sketch.node("BatchNormalization", {data, sketch.floats({1, 0.5F, 2, 1}), sketch.floats({0, 1, -1, 0.5F}),
                                           sketch.floats({0, 0.5F, -0.5F, 1}), sketch.floats({1, 2, 0.5F, 1})}));
  });
  const auto scaled = [](const char* name, const Shape& shape, std::int64_t channels, const Attributes& attributes) {
    return [=](Sketch& sketch) {
      auto* const data = sketch.input(shape);
      std::vector<float> scale;
      std::vector<float> bias;
      for (std::int64_t i = 0; i < channels; ++i) {
        scale.push_back(0.5F + static_cast<float>(i % 5) * 0.25F);
        bias.push_back(static_cast<float>(i % 3) - 1.0F);
      }
      sketch.output(sketch.node(name, {data, sketch.floats(scale), sketch.floats(bias)}, attributes));
    };
  };
  add(probes, "InstanceNormalization", "rank 3", kReal, scaled("InstanceNormalization", {1, 4, 16}, 4, {}));
  add(probes, "InstanceNormalization", "rank 4", kReal, scaled("InstanceNormalization", {1, 4, 8, 8}, 4, {}));
  add(probes, "InstanceNormalization", "long rows", kOnlyFloat, scaled("InstanceNormalization", {1, 1, 4096}, 1, {}));
  add(probes, "InstanceNormalization", "a row of a million", kOnlyFloat,
      scaled("InstanceNormalization", {1, 1, 1058400}, 1, {}));
  add(probes, "LayerNormalization", "last axis", kReal, scaled("LayerNormalization", {1, 6, 32}, 32, {}));
  add(probes, "LayerNormalization", "rank 4", kReal, scaled("LayerNormalization", {1, 4, 6, 32}, 32, {}));
  add(probes, "GroupNormalization", "rank 4", kOnlyFloat,
      scaled("GroupNormalization", {1, 8, 4, 4}, 8, {{"num_groups", std::int64_t{2}}}), 21);
  add(probes, "LRN", "rank 4", kOnlyFloat, alone("LRN", {1, 8, 4, 4}, {{"size", std::int64_t{5}}}));
  add(probes, "LpNormalization", "last axis", kReal, alone("LpNormalization", {2, 6, 16}));
  add(probes, "MeanVarianceNormalization", "rank 4", kOnlyFloat, alone("MeanVarianceNormalization", {1, 4, 8, 8}));
  for (const char* name : {"Softmax", "LogSoftmax"}) {
    add(probes, name, "last axis", kReal, alone(name, {2, 6, 16}));
    add(probes, name, "axis 1 of rank 4", kReal, alone(name, {1, 8, 4, 6}, {{"axis", std::int64_t{1}}}));
    add(probes, name, "rank 5", kOnlyFloat, alone(name, {1, 2, 3, 4, 8}));
  }
  add(probes, "Clip", "rank 4",
      {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kInt32, ElementKind::kInt64},
      [](Sketch& sketch) {
        auto* const data = sketch.input({1, 4, 8, 8}, {.low = -8, .high = 8});
        sketch.output(sketch.node("Clip", {data, sketch.number(-3), sketch.number(5)}));
      });
}

void add_products(std::vector<Probe>& probes) {
  const auto both = [](const Shape& left, const Shape& right) {
    return [=](Sketch& sketch) {
      auto* const first = sketch.input(left, {.low = -1, .high = 1});
      sketch.output(sketch.node("MatMul", {first, sketch.input(right, {.low = -1, .high = 1})}));
    };
  };
  add(probes, "MatMul", "with weights", kReal, weighted("MatMul", {1, 8, 16}, {16, 12}));
  add(probes, "MatMul", "rank 2", kReal, both({8, 16}, {16, 12}));
  add(probes, "MatMul", "rank 3", kReal, both({2, 8, 16}, {2, 16, 12}));
  add(probes, "MatMul", "rank 4", kReal, both({1, 2, 8, 16}, {1, 2, 16, 12}));
  add(probes, "MatMul", "rank 5", kOnlyFloat, both({1, 2, 2, 8, 16}, {1, 2, 2, 16, 12}));
  add(probes, "MatMul", "rank 6", kOnlyFloat, both({1, 1, 2, 2, 8, 16}, {1, 1, 2, 2, 16, 12}));
  add(probes, "MatMul", "broadcast", kOnlyFloat, both({4, 8, 16}, {1, 16, 12}));
  add(probes, "MatMul", "vectors", kOnlyFloat, both({16}, {16, 12}));
  add(probes, "MatMul", "integers", {ElementKind::kInt32, ElementKind::kInt64}, both({8, 16}, {16, 12}));
  const auto gemm = [](std::int64_t transposed) {
    return [=](Sketch& sketch) {
      auto* const data = sketch.input({4, 16}, {.low = -1, .high = 1});
      const Shape shape = transposed != 0 ? Shape{12, 16} : Shape{16, 12};
      sketch.output(sketch.node("Gemm", {data, sketch.weight(shape)}, {{"transB", transposed}}));
    };
  };
  add(probes, "Gemm", "rank 2", kReal, gemm(0));
  add(probes, "Gemm", "transposed weights", kReal, gemm(1));
  add(probes, "Gemm", "alpha and beta", kOnlyFloat, [](Sketch& sketch) {
    auto* const data = sketch.input({4, 16});
    auto* const weight = sketch.weight({16, 12});
    sketch.output(sketch.node("Gemm", {data, weight, sketch.weight({12})}, {{"alpha", 0.5F}, {"beta", 2.0F}}));
  });
  const auto einsum = [](const char* equation, const Shape& left, const Shape& right) {
    return [=](Sketch& sketch) {
      auto* const first = sketch.input(left);
      sketch.output(sketch.node("Einsum", {first, sketch.input(right)}, {{"equation", std::string(equation)}}));
    };
  };
  add(probes, "Einsum", "attention scores", kOnlyFloat, einsum("bhid,bhjd->bhij", {1, 2, 6, 8}, {1, 2, 5, 8}));
  add(probes, "Einsum", "matrix product", kOnlyFloat, einsum("ij,jk->ik", {6, 8}, {8, 5}));
  add(probes, "Einsum", "rank 5", kOnlyFloat, einsum("bhwqc,bhkc->bhwqk", {1, 2, 3, 4, 8}, {1, 2, 5, 8}));
}

void add_reductions(std::vector<Probe>& probes) {
  const Kinds numbers = {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kInt32, ElementKind::kInt64};
  for (const char* name : {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                           "ReduceLogSumExp", "ReduceSumSquare"}) {
    const Range range{.low = 0.2, .high = 2};
    const bool is_extreme = std::string_view(name).ends_with("Max") || std::string_view(name).ends_with("Min");
    const auto reduce = [=](const Shape& shape, const Ints& axes, std::int64_t keepdims) {
      return alone(name, shape, {{"axes", axes}, {"keepdims", keepdims}},
                   is_extreme ? Range{.low = -90, .high = 90} : range);
    };
    add(probes, name, "last axis", is_extreme ? numbers : Kinds{ElementKind::kFloat32, ElementKind::kQuantizedUint8},
        reduce({2, 6, 8}, {-1}, 1));
    add(probes, name, "two axes, not kept", kOnlyFloat, reduce({1, 4, 6, 8}, {2, 3}, 0));
    add(probes, name, "everything", kOnlyFloat, reduce({2, 6, 8}, {0, 1, 2}, 0));
  }
  for (const auto& [shape_name, axes] : std::vector<std::pair<const char*, Ints>>{
           {"last axis", {-1}}, {"two axes", {1, 2}}, {"everything", {0, 1, 2}}}) {
    add(probes, "ReduceSum", shape_name, numbers, [axes = axes](Sketch& sketch) {
      auto* const data = sketch.input({2, 6, 8});
      sketch.output(sketch.node("ReduceSum", {data, sketch.integers(axes)}));
    });
  }
}

void add_resizing(std::vector<Probe>& probes) {
  const auto resize = [](const char* mode, const char* coordinates, const char* rounding, const Ints& sizes) {
    return [=](Sketch& sketch) {
      Attributes attributes = {{"mode", std::string(mode)},
                               {"coordinate_transformation_mode", std::string(coordinates)}};
      if (*rounding != '\0') attributes.emplace_back("nearest_mode", std::string(rounding));
      auto* const data = sketch.input({1, 3, 6, 8});
      sketch.output(sketch.node("Resize", {data, nullptr, nullptr, sketch.integers(sizes)}, attributes));
    };
  };
  const Kinds kinds = {ElementKind::kFloat32, ElementKind::kQuantizedUint8, ElementKind::kQuantizedUint16,
                       ElementKind::kUint8};
  const Ints twice = {1, 3, 12, 16};
  const Ints uneven = {1, 3, 9, 13};
  const Ints smaller = {1, 3, 3, 4};
  add(probes, "Resize", "nearest, asymmetric, floor", kinds, resize("nearest", "asymmetric", "floor", twice));
  add(probes, "Resize", "nearest, half pixel", kinds, resize("nearest", "half_pixel", "round_prefer_floor", twice));
  add(probes, "Resize", "nearest, half pixel, uneven", kinds,
      resize("nearest", "half_pixel", "round_prefer_floor", uneven));
  add(probes, "Resize", "nearest, smaller", kinds, resize("nearest", "asymmetric", "floor", smaller));
  add(probes, "Resize", "linear, half pixel", kinds, resize("linear", "half_pixel", "", twice));
  add(probes, "Resize", "linear, half pixel, uneven", kinds, resize("linear", "half_pixel", "", uneven));
  add(probes, "Resize", "linear, align corners", kinds, resize("linear", "align_corners", "", twice));
  add(probes, "Resize", "linear, asymmetric", kinds, resize("linear", "asymmetric", "", twice));
  add(probes, "Resize", "linear, smaller", kinds, resize("linear", "half_pixel", "", smaller));
  add(probes, "Resize", "cubic, half pixel", kOnlyFloat, resize("cubic", "half_pixel", "", twice));
  for (const char* mode : {"linear", "nearest"}) {
    add(probes, "GridSample", mode, kOnlyFloat, [mode](Sketch& sketch) {
      const char* name = std::string_view(mode) == "linear" ? "bilinear" : "nearest";
      auto* const data = sketch.input({1, 3, 6, 8});
      sketch.output(sketch.node("GridSample", {data, sketch.input({1, 4, 5, 2}, {.low = -0.9, .high = 0.9})},
                                {{"mode", std::string(name)}}));
    });
  }
}

void add_recurrent(std::vector<Probe>& probes) {
  const auto recurrent = [](const char* name, std::int64_t gates) {
    return [=](Sketch& sketch) {
      auto* const data = sketch.input({5, 1, 6}, {.low = -1, .high = 1});
      auto* const input_weight = sketch.weight({1, gates * 4, 6}, {.low = -0.5, .high = 0.5});
      auto* const state_weight = sketch.weight({1, gates * 4, 4}, {.low = -0.5, .high = 0.5});
      sketch.output(sketch.node(name, {data, input_weight, state_weight}, {{"hidden_size", std::int64_t{4}}}));
    };
  };
  add(probes, "LSTM", "one way", kOnlyFloat, recurrent("LSTM", 4));
  add(probes, "GRU", "one way", kOnlyFloat, recurrent("GRU", 3));
  add(probes, "RNN", "one way", kOnlyFloat, recurrent("RNN", 1));
}

}  // namespace

void add_network_operators(std::vector<Probe>& probes) {
  add_convolutions(probes);
  add_pools(probes);
  add_normalizations(probes);
  add_products(probes);
  add_reductions(probes);
  add_resizing(probes);
  add_recurrent(probes);
}

}  // namespace slipway::compile::npu_probes
