#include "hub/executor/tflite_signature.hpp"

#include <cstring>
#include <optional>
#include <span>

#include "base/mapped_file.hpp"

namespace slipway::hub::executor {
namespace {

using base::Code;
using base::fail;

/// A flatbuffer whose every offset is checked. A wrong one marks the whole file as bad and reads as absent.
class Flatbuffer {
 public:
  explicit Flatbuffer(std::span<const std::byte> bytes) : bytes_(bytes) {}

  struct Table {
    std::size_t at = 0;
  };
  struct Vector {
    std::size_t at = 0;  ///< of the first element
    std::size_t count = 0;
  };

  [[nodiscard]] bool is_bad() const { return is_bad_; }

  template <typename T>
  T read(std::size_t at) {
    T value{};
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) {
      is_bad_ = true;
      return value;
    }
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }

  Table root() { return follow(0); }
  Table follow(std::size_t at) { return {at + read<std::uint32_t>(at)}; }

  /// Where a field of a table lies, or nothing when it has its default.
  std::optional<std::size_t> field(Table table, int index) {
    const std::int64_t vtable = static_cast<std::int64_t>(table.at) - read<std::int32_t>(table.at);
    if (vtable < 0) {
      is_bad_ = true;
      return std::nullopt;
    }
    const auto start = static_cast<std::size_t>(vtable);
    const std::size_t slot = 4 + 2 * static_cast<std::size_t>(index);
    if (slot + 2 > read<std::uint16_t>(start)) return std::nullopt;
    const auto offset = read<std::uint16_t>(start + slot);
    if (offset == 0 || is_bad_) return std::nullopt;
    return table.at + offset;
  }

  Vector vector(Table table, int index, std::size_t element_bytes) {
    const auto at = field(table, index);
    if (!at) return {};
    const std::size_t start = follow(*at).at;
    const std::size_t count = read<std::uint32_t>(start);
    if (is_bad_ || count > (bytes_.size() - start - 4) / element_bytes) {
      is_bad_ = true;
      return {};
    }
    return {start + 4, count};
  }

  std::string text(Table table, int index) {
    const auto characters = vector(table, index, 1);
    if (is_bad_) return {};
    return {reinterpret_cast<const char*>(bytes_.data()) + characters.at, characters.count};
  }

 private:
  std::span<const std::byte> bytes_;
  bool is_bad_ = false;
};

std::optional<tensor::Dtype> dtype_of(std::int8_t tflite_type) {
  using tensor::Dtype;
  switch (tflite_type) {
    case 0:
      return Dtype::kFloat32;
    case 1:
      return Dtype::kFloat16;
    case 2:
      return Dtype::kInt32;
    case 3:
      return Dtype::kUint8;
    case 4:
      return Dtype::kInt64;
    case 6:
      return Dtype::kBool;
    case 7:
      return Dtype::kInt16;
    case 9:
      return Dtype::kInt8;
    case 10:
      return Dtype::kFloat64;
    case 12:
      return Dtype::kUint64;
    case 15:
      return Dtype::kUint32;
    case 16:
      return Dtype::kUint16;
    default:
      return std::nullopt;
  }
}

// Field numbers of the schema's tables.
constexpr int kModelSubgraphs = 2, kModelDescription = 3, kModelBuffers = 4;
constexpr int kSubgraphTensors = 0, kSubgraphInputs = 1, kSubgraphOutputs = 2, kSubgraphOperators = 3;
constexpr int kTensorShape = 0, kTensorType = 1, kTensorName = 3, kTensorShapeSignature = 7;
constexpr int kBufferData = 0;

std::vector<tensor::TensorSpec> read_tensors(Flatbuffer& file, Flatbuffer::Vector tensors, Flatbuffer::Vector indices) {
  std::vector<tensor::TensorSpec> specs;
  for (std::size_t at = 0; at < indices.count && !file.is_bad(); ++at) {
    const auto index = file.read<std::int32_t>(indices.at + 4 * at);
    if (index < 0 || static_cast<std::size_t>(index) >= tensors.count) continue;
    const auto table = file.follow(tensors.at + 4 * static_cast<std::size_t>(index));
    tensor::TensorSpec spec;
    spec.name = file.text(table, kTensorName);
    // The signature marks dynamic dimensions with -1, where the shape says 1.
    auto sizes = file.vector(table, kTensorShapeSignature, 4);
    if (sizes.count == 0) sizes = file.vector(table, kTensorShape, 4);
    for (std::size_t axis = 0; axis < sizes.count && axis < 32; ++axis) {
      spec.shape.push_back(file.read<std::int32_t>(sizes.at + 4 * axis));
    }
    const auto type_at = file.field(table, kTensorType);
    const auto dtype = dtype_of(type_at ? file.read<std::int8_t>(*type_at) : std::int8_t{0});
    if (!dtype) continue;
    spec.dtype = *dtype;
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace

base::Result<TfliteSignature> read_tflite_signature(const std::filesystem::path& path) {
  SLIPWAY_ASSIGN(const auto mapped, base::MappedFile::open(path));
  const auto bytes = mapped->bytes();
  if (bytes.size() < 16 || std::memcmp(bytes.data() + 4, "TFL3", 4) != 0) {
    return fail(Code::kInvalidArgument, "not a TFLite model: the mark TFL3 is missing");
  }
  Flatbuffer file(bytes);
  const auto model = file.root();
  const auto subgraphs = file.vector(model, kModelSubgraphs, 4);
  TfliteSignature signature;
  if (subgraphs.count > 0) {
    const auto subgraph = file.follow(subgraphs.at);
    const auto tensors = file.vector(subgraph, kSubgraphTensors, 4);
    signature.inputs = read_tensors(file, tensors, file.vector(subgraph, kSubgraphInputs, 4));
    signature.outputs = read_tensors(file, tensors, file.vector(subgraph, kSubgraphOutputs, 4));
    signature.operators = file.vector(subgraph, kSubgraphOperators, 4).count;
  }
  signature.description = file.text(model, kModelDescription);
  const auto buffers = file.vector(model, kModelBuffers, 4);
  for (std::size_t at = 0; at < buffers.count && !file.is_bad(); ++at) {
    file.vector(file.follow(buffers.at + 4 * at), kBufferData, 1);
  }
  if (file.is_bad()) {
    return fail(Code::kInvalidArgument, "not a readable TFLite model: a table points outside the file of {} bytes",
                bytes.size());
  }
  if (subgraphs.count == 0) return fail(Code::kInvalidArgument, "not a usable TFLite model: it has no graph");
  return signature;
}

}  // namespace slipway::hub::executor
