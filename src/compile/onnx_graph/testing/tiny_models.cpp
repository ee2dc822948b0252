#include "compile/onnx_graph/testing/tiny_models.hpp"

#include <fstream>
#include <random>
#include <vector>

#include <onnx.pb.h>

namespace slipway::compile::onnx_graph::testing {
namespace {

constexpr std::int64_t kOpset = 13;

/// Puts a model together call by call.
class Builder {
 public:
  explicit Builder(const char* name) {
    model_.set_ir_version(8);
    model_.set_producer_name("slipway-tests");
    auto* opset = model_.add_opset_import();
    opset->set_version(kOpset);
    model_.mutable_graph()->set_name(name);
  }

  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  static void type(onnx::ValueInfoProto& value, const std::string& name, int element_type,
                   const std::vector<std::int64_t>& shape) {
    value.set_name(name);
    auto* tensor = value.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(element_type);
    tensor->mutable_shape();
    for (const std::int64_t size : shape) {
      auto* dimension = tensor->mutable_shape()->add_dim();
      if (size >= 0) {
        dimension->set_dim_value(size);
      } else {
        dimension->set_dim_param("batch");
      }
    }
  }
  void input(const std::string& name, int element_type, const std::vector<std::int64_t>& shape) {
    type(*graph().add_input(), name, element_type, shape);
  }
  void output(const std::string& name, int element_type, const std::vector<std::int64_t>& shape) {
    type(*graph().add_output(), name, element_type, shape);
  }

  onnx::NodeProto& node(const char* op_type, const std::string& name, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs) {
    auto& node = *graph().add_node();
    node.set_op_type(op_type);
    node.set_name(name);
    for (const auto& input : inputs) node.add_input(input);
    for (const auto& output : outputs) node.add_output(output);
    return node;
  }

  static void ints(onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute->add_ints(value);
  }
  static void integer(onnx::NodeProto& node, const char* name, std::int64_t value) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(value);
  }

  /// Seeded values in [-half_range, half_range).
  onnx::TensorProto floats(const std::string& name, const std::vector<std::int64_t>& shape, float half_range) {
    onnx::TensorProto tensor = empty(name, onnx::TensorProto::FLOAT, shape);
    for (std::int64_t i = 0; i < count(shape); ++i) {
      const float unit = static_cast<float>(random_() % 65536U) / 65536.0F;
      tensor.add_float_data((unit * 2.0F - 1.0F) * half_range);
    }
    return tensor;
  }
  onnx::TensorProto small_integers(const std::string& name, const std::vector<std::int64_t>& shape) {
    onnx::TensorProto tensor = empty(name, onnx::TensorProto::INT8, shape);
    for (std::int64_t i = 0; i < count(shape); ++i) tensor.add_int32_data(static_cast<int>(random_() % 255U) - 127);
    return tensor;
  }
  void initializer(onnx::TensorProto tensor) { *graph().add_initializer() = std::move(tensor); }
  void scalar(const std::string& name, float value) {
    auto tensor = empty(name, onnx::TensorProto::FLOAT, {});
    tensor.add_float_data(value);
    initializer(std::move(tensor));
  }
  void scalar(const std::string& name, int element_type, int value) {
    auto tensor = empty(name, element_type, {});
    tensor.add_int32_data(value);
    initializer(std::move(tensor));
  }
  void int64(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& values) {
    auto tensor = empty(name, onnx::TensorProto::INT64, shape);
    for (const std::int64_t value : values) tensor.add_int64_data(value);
    initializer(std::move(tensor));
  }

  [[nodiscard]] std::string bytes() const { return model_.SerializeAsString(); }

 private:
  static std::int64_t count(const std::vector<std::int64_t>& shape) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    return count;
  }
  static onnx::TensorProto empty(const std::string& name, int element_type, const std::vector<std::int64_t>& shape) {
    onnx::TensorProto tensor;
    tensor.set_name(name);
    tensor.set_data_type(element_type);
    for (const std::int64_t size : shape) tensor.add_dims(size);
    return tensor;
  }

  onnx::ModelProto model_;
  std::mt19937 random_{7};
};

constexpr int kFloat = onnx::TensorProto::FLOAT;
constexpr int kInt64 = onnx::TensorProto::INT64;
constexpr int kUint8 = onnx::TensorProto::UINT8;
constexpr int kInt8 = onnx::TensorProto::INT8;

}  // namespace

std::string conv_net(bool dynamic_batch) {
  Builder builder("conv_net");
  const std::int64_t batch = dynamic_batch ? -1 : 1;
  builder.input("image", kFloat, {batch, 3, 16, 16});
  builder.output("scores", kFloat, {batch, 4, 8, 8});
  auto& constant = builder.node("Constant", "first_weight", {}, {"w1"});
  auto* value = constant.add_attribute();
  value->set_name("value");
  value->set_type(onnx::AttributeProto::TENSOR);
  *value->mutable_t() = builder.floats("", {8, 3, 3, 3}, 0.3F);
  builder.initializer(builder.floats("b1", {8}, 0.1F));
  builder.initializer(builder.floats("w2", {4, 8, 3, 3}, 0.3F));
  Builder::ints(builder.node("Conv", "conv1", {"image", "w1", "b1"}, {"c1"}), "pads", {1, 1, 1, 1});
  builder.node("Relu", "relu1", {"c1"}, {"r1"});
  auto& second = builder.node("Conv", "conv2", {"r1", "w2"}, {"c2"});
  Builder::ints(second, "pads", {1, 1, 1, 1});
  Builder::ints(second, "strides", {2, 2});
  builder.node("Sigmoid", "sigmoid", {"c2"}, {"scores"});
  Builder::type(*builder.graph().add_value_info(), "c1", kFloat, {batch, 8, 16, 16});
  return builder.bytes();
}

std::string quantized_conv_net() {
  Builder builder("quantized_conv_net");
  builder.input("image", kFloat, {1, 3, 16, 16});
  builder.output("scores", kFloat, {1, 8, 16, 16});
  builder.scalar("in_scale", 1.0F / 255.0F);
  builder.scalar("in_zero", kUint8, 0);
  builder.scalar("w_scale", 0.004F);
  builder.scalar("w_zero", kInt8, 0);
  builder.scalar("out_scale", 0.02F);
  builder.scalar("out_zero", kUint8, 128);
  builder.initializer(builder.small_integers("w_int8", {8, 3, 3, 3}));
  builder.node("QuantizeLinear", "q_image", {"image", "in_scale", "in_zero"}, {"image_q"});
  builder.node("DequantizeLinear", "dq_image", {"image_q", "in_scale", "in_zero"}, {"image_dq"});
  builder.node("DequantizeLinear", "dq_weight", {"w_int8", "w_scale", "w_zero"}, {"w"});
  Builder::ints(builder.node("Conv", "conv", {"image_dq", "w"}, {"c"}), "pads", {1, 1, 1, 1});
  builder.node("QuantizeLinear", "q_conv", {"c", "out_scale", "out_zero"}, {"c_q"});
  builder.node("DequantizeLinear", "dq_conv", {"c_q", "out_scale", "out_zero"}, {"scores"});
  return builder.bytes();
}

std::string lookup_net(std::int64_t spread) {
  Builder builder("lookup_net");
  builder.input("ids", kInt64, {6});
  builder.input("offset", kInt64, {1});
  builder.output("rows", kFloat, {6, 4});
  builder.output("picked", kInt64, {6});
  builder.output("largest", kInt64, {2});
  builder.initializer(builder.floats("table", {16, 4}, 1.0F));
  builder.int64("three", {1}, {spread});
  builder.int64("two", {1}, {2});
  builder.int64("row_shape", {2}, {6, 4});
  builder.node("Add", "shift", {"ids", "offset"}, {"shifted"});
  builder.node("Mul", "spread", {"shifted", "three"}, {"picked"});
  Builder::integer(builder.node("Gather", "gather", {"table", "picked"}, {"gathered"}), "axis", 0);
  builder.node("Reshape", "reshape", {"gathered", "row_shape"}, {"rows"});
  builder.node("TopK", "topk", {"picked", "two"}, {"largest", "largest_at"});
  return builder.bytes();
}

std::string determinant_net() {
  Builder builder("determinant_net");
  builder.input("matrix", kFloat, {1, 4, 4});
  builder.output("value", kFloat, {1});
  builder.node("Relu", "before", {"matrix"}, {"b"});
  builder.node("Det", "determinant", {"b"}, {"d"});
  builder.node("Neg", "after", {"d"}, {"value"});
  return builder.bytes();
}

std::string determinant_alone() {
  Builder builder("determinant_alone");
  builder.input("matrix", kFloat, {1, 4, 4});
  builder.output("value", kFloat, {1});
  builder.node("Det", "determinant", {"matrix"}, {"value"});
  return builder.bytes();
}

std::string subtraction_net() {
  Builder builder("subtraction_net");
  builder.input("left", kFloat, {2});
  builder.input("right", kFloat, {2});
  builder.output("difference", kFloat, {2});
  builder.output("left", kFloat, {2});
  builder.node("Sub", "subtract", {"left", "right"}, {"difference"});
  return builder.bytes();
}

std::string external_weight_net(Entries entries) {
  Builder builder("external_weight_net");
  builder.input("data", kFloat, {2});
  builder.output("sum", kFloat, {2});
  auto* weight = builder.graph().add_initializer();
  weight->set_name("weight");
  weight->set_data_type(kFloat);
  weight->add_dims(2);
  weight->set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    auto* entry = weight->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  builder.node("Add", "add", {"data", "weight"}, {"sum"});
  return builder.bytes();
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace slipway::compile::onnx_graph::testing
