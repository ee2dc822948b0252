#include "compile/onnx_graph/testing/tiny_models.hpp"

#include <fstream>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include <onnx.pb.h>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph::testing {
namespace {

constexpr std::int64_t kOpset = 13;
constexpr std::int64_t kIrVersion = 8;

using tensor::Dtype;
using tensor::Shape;

int number_of(Dtype dtype) {
  return element_type_of_dtype(dtype);
}

/// A model under construction, with seeded weights. Open sizes are called "batch".
struct Net {
  explicit Net(const char* name) : model(Model::create(kOpset, kIrVersion, name, "slipway-tests")) {
    rewriter.emplace(model);
  }

  Value& input(const char* name, Dtype dtype, const Shape& shape) {
    Value& value = rewriter->add_input(rewriter->main(), name, {number_of(dtype), shape});
    rewriter->set_dimension_names(value, std::vector<std::string>(shape.size(), "batch"));
    return value;
  }
  void output(Value& value, Dtype dtype, const Shape& shape) {
    rewriter->add_output(value);
    rewriter->set_type(value, {number_of(dtype), shape});
    rewriter->set_dimension_names(value, std::vector<std::string>(shape.size(), "batch"));
  }
  Value& node(const char* op_type, const char* name, const std::vector<Value*>& inputs, const char* output,
              const Attributes& attributes = {}) {
    return *rewriter->add_node(rewriter->main(), op_type, inputs, {output}, attributes, name).output(0);
  }

  template <typename T>
  Value& constant(const char* name, Dtype dtype, const Shape& shape, const std::vector<T>& elements) {
    return rewriter->add_initializer(rewriter->main(), name,
                                     {number_of(dtype), shape, std::as_bytes(std::span(elements))});
  }
  /// Seeded values in [-half_range, half_range).
  std::vector<float> random_floats(const Shape& shape, float half_range) {
    std::vector<float> elements(static_cast<std::size_t>(*tensor::element_count(shape)));
    for (float& element : elements) {
      element = (static_cast<float>(random() % 65536U) / 65536.0F * 2.0F - 1.0F) * half_range;
    }
    return elements;
  }
  Value& floats(const char* name, const Shape& shape, float half_range) {
    return constant(name, Dtype::kFloat32, shape, random_floats(shape, half_range));
  }
  Value& int64(const char* name, const Shape& shape, const std::vector<std::int64_t>& elements) {
    return constant(name, Dtype::kInt64, shape, elements);
  }

  std::string bytes() {
    rewriter.reset();
    return model.bytes();
  }

  Model model;
  std::optional<Rewriter> rewriter;
  std::mt19937 random{7};
};

}  // namespace

std::string conv_net(bool dynamic_batch) {
  Net net("conv_net");
  const std::int64_t batch = dynamic_batch ? -1 : 1;
  Value& image = net.input("image", Dtype::kFloat32, {batch, 3, 16, 16});
  const auto w1_elements = net.random_floats({8, 3, 3, 3}, 0.3F);
  const TensorBytes w1_tensor{number_of(Dtype::kFloat32), {8, 3, 3, 3}, std::as_bytes(std::span(w1_elements))};
  Value& w1 = net.node("Constant", "first_weight", {}, "w1", {{"value", w1_tensor}});
  Value& b1 = net.floats("b1", {8}, 0.1F);
  Value& w2 = net.floats("w2", {4, 8, 3, 3}, 0.3F);
  const std::vector<std::int64_t> pads(4, 1);
  Value& c1 = net.node("Conv", "conv1", {&image, &w1, &b1}, "c1", {{"pads", pads}});
  Value& r1 = net.node("Relu", "relu1", {&c1}, "r1");
  Value& c2 =
      net.node("Conv", "conv2", {&r1, &w2}, "c2", {{"pads", pads}, {"strides", std::vector<std::int64_t>{2, 2}}});
  net.output(net.node("Sigmoid", "sigmoid", {&c2}, "scores"), Dtype::kFloat32, {batch, 4, 8, 8});
  net.rewriter->set_type(c1, {number_of(Dtype::kFloat32), Shape{batch, 8, 16, 16}});
  return net.bytes();
}

std::string quantized_conv_net() {
  Net net("quantized_conv_net");
  Value& image = net.input("image", Dtype::kFloat32, {1, 3, 16, 16});
  Value& in_scale = net.constant<float>("in_scale", Dtype::kFloat32, {}, {1.0F / 255.0F});
  Value& in_zero = net.constant<std::uint8_t>("in_zero", Dtype::kUint8, {}, {0});
  Value& w_scale = net.constant<float>("w_scale", Dtype::kFloat32, {}, {0.004F});
  Value& w_zero = net.constant<std::int8_t>("w_zero", Dtype::kInt8, {}, {0});
  Value& out_scale = net.constant<float>("out_scale", Dtype::kFloat32, {}, {0.02F});
  Value& out_zero = net.constant<std::uint8_t>("out_zero", Dtype::kUint8, {}, {128});
  std::vector<std::int8_t> weights(8 * 3 * 3 * 3);
  for (auto& weight : weights) weight = static_cast<std::int8_t>(static_cast<int>(net.random() % 255U) - 127);
  Value& w_int8 = net.constant("w_int8", Dtype::kInt8, {8, 3, 3, 3}, weights);
  Value& image_q = net.node("QuantizeLinear", "q_image", {&image, &in_scale, &in_zero}, "image_q");
  Value& image_dq = net.node("DequantizeLinear", "dq_image", {&image_q, &in_scale, &in_zero}, "image_dq");
  Value& w = net.node("DequantizeLinear", "dq_weight", {&w_int8, &w_scale, &w_zero}, "w");
  Value& c = net.node("Conv", "conv", {&image_dq, &w}, "c", {{"pads", std::vector<std::int64_t>(4, 1)}});
  Value& c_q = net.node("QuantizeLinear", "q_conv", {&c, &out_scale, &out_zero}, "c_q");
  net.output(net.node("DequantizeLinear", "dq_conv", {&c_q, &out_scale, &out_zero}, "scores"), Dtype::kFloat32,
             {1, 8, 16, 16});
  return net.bytes();
}

std::string lookup_net(std::int64_t spread) {
  Net net("lookup_net");
  Value& ids = net.input("ids", Dtype::kInt64, {6});
  Value& offset = net.input("offset", Dtype::kInt64, {1});
  Value& table = net.floats("table", {16, 4}, 1.0F);
  Value& three = net.int64("three", {1}, {spread});
  Value& two = net.int64("two", {1}, {2});
  Value& row_shape = net.int64("row_shape", {2}, {6, 4});
  Value& shifted = net.node("Add", "shift", {&ids, &offset}, "shifted");
  Value& picked = net.node("Mul", "spread", {&shifted, &three}, "picked");
  Value& gathered = net.node("Gather", "gather", {&table, &picked}, "gathered", {{"axis", std::int64_t{0}}});
  Value& rows = net.node("Reshape", "reshape", {&gathered, &row_shape}, "rows");
  const Node& largest =
      net.rewriter->add_node(net.rewriter->main(), "TopK", {&picked, &two}, {"largest", "largest_at"}, {}, "topk");
  net.output(rows, Dtype::kFloat32, {6, 4});
  net.output(picked, Dtype::kInt64, {6});
  net.output(*largest.output(0), Dtype::kInt64, {2});
  return net.bytes();
}

std::string positions_net() {
  Net net("positions_net");
  Value& ids = net.input("ids", Dtype::kInt64, {1, 4});
  Value& embedding = net.floats("embedding", {10, 4}, 1.0F);
  Value& zero = net.int64("zero", {}, {0});
  Value& one = net.int64("one", {}, {1});
  Value& shape = net.node("Shape", "shape", {&ids}, "shape_of_ids");
  Value& length = net.node("Gather", "length", {&shape, &one}, "length");
  Value& positions = net.node("Range", "range", {&zero, &length, &one}, "positions");
  Value& of_positions = net.node("Gather", "embed_positions", {&embedding, &positions}, "of_positions");
  Value& of_ids = net.node("Gather", "embed_ids", {&embedding, &ids}, "of_ids");
  net.output(net.node("Add", "add", {&of_ids, &of_positions}, "y"), Dtype::kFloat32, {1, 4, 4});
  return net.bytes();
}

std::string last_token_net() {
  Net net("last_token_net");
  Value& ids = net.input("ids", Dtype::kInt64, {1, 4});
  Value& embedding = net.floats("embedding", {10, 4}, 1.0F);
  Value& rows = net.node("Gather", "embed", {&embedding, &ids}, "rows", {{"axis", std::int64_t{0}}});
  Value& end = net.node("ArgMax", "end", {&ids}, "end", {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}});
  net.output(net.node("Gather", "pick", {&rows, &end}, "y", {{"axis", std::int64_t{1}}}), Dtype::kFloat32, {1, 1, 4});
  return net.bytes();
}

std::string clashing_names_net() {
  Net net("clashing_names_net");
  Value& x = net.input("x", Dtype::kFloat32, {2, 3, 4});
  Value& y = net.node("ArgMax", "y", {&x}, "y", {{"axis", std::int64_t{1}}});
  Value& z = net.node("Cast", "y/Cast", {&y}, "z", {{"to", std::int64_t{number_of(Dtype::kFloat32)}}});
  net.output(y, Dtype::kInt64, {2, 1, 4});
  net.output(net.node("Abs", "y/Transpose", {&z}, "z_abs"), Dtype::kFloat32, {2, 1, 4});
  net.output(y, Dtype::kInt64, {2, 1, 4});
  return net.bytes();
}

std::string branching_net() {
  Net net("branching_net");
  Rewriter& rewriter = *net.rewriter;
  Value& x = net.input("x", Dtype::kFloat32, {2, 3});
  Value& ids = net.input("ids", Dtype::kInt64, {2});
  Value& condition = net.input("condition", Dtype::kBool, {});
  Value& hidden = net.node("Relu", "relu", {&x}, "hidden");
  Node& branch = rewriter.add_node(rewriter.main(), "If", {&condition}, {"chosen"}, {}, "branch");
  // Both branches call what they give "inner", and both of the nested ones "rows"; all read values from outside, some
  // two graphs up.
  Scope& then_branch = rewriter.add_inner_graph(branch, "then_branch", "then");
  Node& nested = rewriter.add_node(then_branch, "If", {&condition}, {"inner"}, {}, "relu_of_branch");
  for (const char* attribute : {"then_branch", "else_branch"}) {
    Scope& innermost = rewriter.add_inner_graph(nested, attribute, attribute);
    Node& gather = rewriter.add_node(innermost, "Gather", {&hidden, &ids}, {"rows"});
    rewriter.add_output(*gather.output(0));
    rewriter.rename(*gather.output(0), "rows");
    rewriter.set_type(*gather.output(0), {number_of(Dtype::kFloat32), Shape{2, 3}});
  }
  rewriter.add_output(*nested.output(0));
  rewriter.set_type(*nested.output(0), {number_of(Dtype::kFloat32), Shape{2, 3}});
  Scope& else_branch = rewriter.add_inner_graph(branch, "else_branch", "else");
  Node& negated = rewriter.add_node(else_branch, "Neg", {&x}, {"negated"}, {}, "neg");
  rewriter.add_output(*negated.output(0));
  rewriter.rename(*negated.output(0), "inner");
  rewriter.set_type(*negated.output(0), {number_of(Dtype::kFloat32), Shape{2, 3}});
  net.output(*branch.output(0), Dtype::kFloat32, {2, 3});
  net.output(net.node("Abs", "abs", {&hidden}, "y"), Dtype::kFloat32, {2, 3});
  return net.bytes();
}

std::string function_net() {
  Net net("function_net");
  Rewriter& rewriter = *net.rewriter;
  rewriter.import_domain("own", 1);
  Scope& body = rewriter.add_function("own", "Doubled", {"x"});
  Node& sum = rewriter.add_node(body, "Add", {body.inputs()[0], body.inputs()[0]}, {"y"}, {}, "sum");
  rewriter.add_output(*sum.output(0));
  Value& ids = net.input("ids", Dtype::kInt64, {3});
  Node& call = rewriter.add_node(rewriter.main(), "Doubled", {&ids}, {"twice"}, {}, "call", "own");
  net.output(*call.output(0), Dtype::kInt64, {3});
  return net.bytes();
}

std::string scaling_net(float factor) {
  Net net("scaling_net");
  Value& x = net.input("x", Dtype::kFloat32, {64});
  Value& scale = net.constant<float>("factor", Dtype::kFloat32, {}, {factor});
  net.output(net.node("Mul", "scale", {&x, &scale}, "y"), Dtype::kFloat32, {64});
  return net.bytes();
}

std::string root_net() {
  Net net("root_net");
  Value& x = net.input("x", Dtype::kFloat32, {64});
  net.output(net.node("Sqrt", "root", {&x}, "y"), Dtype::kFloat32, {64});
  return net.bytes();
}

std::string noisy_net(bool has_seed) {
  Net net("noisy_net");
  Value& x = net.input("x", Dtype::kFloat32, {64});
  Attributes attributes = {{"shape", std::vector<std::int64_t>{64}}};
  if (has_seed) attributes.emplace_back("seed", 3.0F);
  Value& noise = net.node("RandomUniform", "random", {}, "noise", attributes);
  net.output(net.node("Add", "add", {&x, &noise}, "y"), Dtype::kFloat32, {64});
  net.output(net.node("Relu", "keep", {&x}, "kept"), Dtype::kFloat32, {64});
  return net.bytes();
}

std::string masked_lookup_net() {
  Net net("masked_lookup_net");
  Value& ids = net.input("ids", Dtype::kInt64, {1, 8});
  Value& mask = net.input("mask", Dtype::kInt64, {1, 8});
  Value& table = net.floats("table", {30, 4}, 1.0F);
  Value& one = net.constant<float>("one", Dtype::kFloat32, {}, {1.0F});
  Value& minus = net.constant<float>("minus", Dtype::kFloat32, {}, {-10.0F});
  Value& last = net.int64("last", {1}, {2});
  Value& rows = net.node("Gather", "gather", {&table, &ids}, "rows");
  Value& wide = net.node("Unsqueeze", "widen", {&mask, &last}, "wide_mask");
  Value& real = net.node("Cast", "cast", {&wide}, "float_mask", {{"to", std::int64_t{number_of(Dtype::kFloat32)}}});
  Value& inverted = net.node("Sub", "invert", {&one, &real}, "inverted");
  Value& bias = net.node("Mul", "scale", {&inverted, &minus}, "bias");
  net.output(net.node("Add", "sum", {&rows, &bias}, "y"), Dtype::kFloat32, {1, 8, 4});
  return net.bytes();
}

std::string determinant_net() {
  Net net("determinant_net");
  Value& matrix = net.input("matrix", Dtype::kFloat32, {1, 4, 4});
  Value& b = net.node("Relu", "before", {&matrix}, "b");
  Value& d = net.node("Det", "determinant", {&b}, "d");
  net.output(net.node("Neg", "after", {&d}, "value"), Dtype::kFloat32, {1});
  return net.bytes();
}

std::string determinant_alone() {
  Net net("determinant_alone");
  Value& matrix = net.input("matrix", Dtype::kFloat32, {1, 4, 4});
  net.output(net.node("Det", "determinant", {&matrix}, "value"), Dtype::kFloat32, {1});
  return net.bytes();
}

std::string subtraction_net() {
  Net net("subtraction_net");
  Value& left = net.input("left", Dtype::kFloat32, {2});
  Value& right = net.input("right", Dtype::kFloat32, {2});
  net.output(net.node("Sub", "subtract", {&left, &right}, "difference"), Dtype::kFloat32, {2});
  net.output(left, Dtype::kFloat32, {2});
  return net.bytes();
}

std::string net_without_shapes(bool types_output) {
  Net net("net_without_shapes");
  Rewriter& rewriter = *net.rewriter;
  Value& x = rewriter.add_input(rewriter.main(), "x", {number_of(Dtype::kFloat32), std::nullopt});
  Value& y = net.node("Relu", "relu", {&x}, "y");
  rewriter.add_output(y);
  if (types_output) rewriter.set_type(y, {number_of(Dtype::kFloat32), std::nullopt});
  return net.bytes();
}

std::string external_weight_net(Entries entries) {
  Net net("external_weight_net");
  Value& data = net.input("data", Dtype::kFloat32, {2});
  Value& weight = net.rewriter->add_external_initializer("weight", number_of(Dtype::kFloat32), {2}, "weight.bin", 0);
  net.output(net.node("Add", "add", {&data, &weight}, "sum"), Dtype::kFloat32, {2});
  // Entries that no honest writer makes go in by hand.
  onnx::TensorProto& tensor = *net.model.mutable_proto().mutable_graph()->mutable_initializer(0);
  tensor.clear_external_data();
  for (const auto& [key, value] : entries) {
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  return net.bytes();
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace slipway::compile::onnx_graph::testing
