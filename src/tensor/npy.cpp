#include "tensor/npy.hpp"

#include <array>
#include <optional>

#include "base/text.hpp"

namespace slipway::tensor {
namespace {

struct Descriptor {
  Dtype dtype;
  std::string_view text;
};

constexpr std::array kDescriptors = {
    Descriptor{Dtype::kFloat16, "<f2"}, Descriptor{Dtype::kFloat32, "<f4"}, Descriptor{Dtype::kFloat64, "<f8"},
    Descriptor{Dtype::kBool, "|b1"},    Descriptor{Dtype::kInt8, "|i1"},    Descriptor{Dtype::kInt16, "<i2"},
    Descriptor{Dtype::kInt32, "<i4"},   Descriptor{Dtype::kInt64, "<i8"},   Descriptor{Dtype::kUint8, "|u1"},
    Descriptor{Dtype::kUint16, "<u2"},  Descriptor{Dtype::kUint32, "<u4"},  Descriptor{Dtype::kUint64, "<u8"},
};

/// Walks the one Python literal that NumPy writes; anything else is refused.
class DictionaryReader {
 public:
  explicit DictionaryReader(std::string_view text) : rest_(text) {}

  bool consume(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::string_view> read_string() {
    skip_space();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const auto text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool consume_word(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::optional<Shape> read_shape() {
    if (!consume('(')) return std::nullopt;
    Shape shape;
    while (!consume(')')) {
      skip_space();
      const auto size = base::consume_number<std::int64_t>(rest_);
      if (!size || *size < 0) return std::nullopt;
      shape.push_back(*size);
      if (consume(',')) continue;
      if (!consume(')')) return std::nullopt;
      return shape;
    }
    return shape;
  }

  bool at_end() {
    skip_space();
    return rest_.empty();
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

base::Result<Dtype> dtype_of_descriptor(std::string_view text) {
  for (const Descriptor& row : kDescriptors) {
    if (row.text == text) return row.dtype;
  }
  if (text.starts_with('>')) {
    return base::fail(base::Code::kInvalidArgument,
                      "its dtype '{}' is big-endian; save it little-endian, e.g. array.astype('<{}')", text,
                      text.substr(1));
  }
  if (text.find('O') != std::string_view::npos) {
    return base::fail(base::Code::kInvalidArgument, "its dtype '{}' holds Python objects; only plain numbers are read",
                      text);
  }
  return base::fail(base::Code::kInvalidArgument, "its dtype '{}' is not one a tensor can have", text);
}

}  // namespace

base::Result<NpyHeader> parse_npy_dictionary(std::string_view text) {
  const auto malformed = [&] {
    return base::fail(base::Code::kInvalidArgument,
                      "its .npy header is not a dictionary of descr, fortran_order and shape");
  };
  std::optional<std::string_view> descriptor;
  std::optional<bool> is_fortran;
  std::optional<Shape> shape;
  DictionaryReader reader(text);
  if (!reader.consume('{')) return malformed();
  while (!reader.consume('}')) {
    const auto key = reader.read_string();
    if (!key || !reader.consume(':')) return malformed();
    if (*key == "descr") {
      descriptor = reader.read_string();
      if (!descriptor) {
        return base::fail(base::Code::kInvalidArgument, "it is a structured array; only plain numbers are read");
      }
    } else if (*key == "fortran_order") {
      if (reader.consume_word("True")) {
        is_fortran = true;
      } else if (reader.consume_word("False")) {
        is_fortran = false;
      } else {
        return malformed();
      }
    } else if (*key == "shape") {
      shape = reader.read_shape();
      if (!shape) return malformed();
    } else {
      return malformed();
    }
    if (reader.consume(',')) continue;
    if (!reader.consume('}')) return malformed();
    break;
  }
  if (!reader.at_end() || !descriptor || !is_fortran || !shape) return malformed();
  SLIPWAY_ASSIGN(const Dtype dtype, dtype_of_descriptor(*descriptor));
  if (*is_fortran) {
    return base::fail(base::Code::kInvalidArgument,
                      "it is stored in Fortran order; save it in C order, e.g. numpy.ascontiguousarray(array)");
  }
  return NpyHeader{dtype, std::move(*shape)};
}

base::Result<std::string> npy_header(const NpyHeader& header) {
  const Descriptor* descriptor = nullptr;
  for (const Descriptor& row : kDescriptors) {
    if (row.dtype == header.dtype) descriptor = &row;
  }
  if (descriptor == nullptr) {
    return base::fail(base::Code::kInvalidArgument, "NumPy has no {}; convert the tensor first",
                      dtype_name(header.dtype));
  }
  std::string shape;
  for (const std::int64_t size : header.shape) shape += fmt::format("{}, ", size);
  if (header.shape.size() > 1) shape.resize(shape.size() - 2);
  std::string dictionary =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descriptor->text, shape);
  constexpr std::size_t kPreambleBytes = 10;  // magic, version, length
  while ((kPreambleBytes + dictionary.size() + 1) % 64 != 0) dictionary += ' ';
  dictionary += '\n';
  if (dictionary.size() > 0xFFFF) {
    return base::fail(base::Code::kInvalidArgument, "a tensor of {} dimensions does not fit a .npy header",
                      header.shape.size());
  }
  std::string out(kNpyMagic);
  out += '\x01';
  out += '\x00';
  out += static_cast<char>(dictionary.size() & 0xFFU);
  out += static_cast<char>(dictionary.size() >> 8U);
  return out + dictionary;
}

}  // namespace slipway::tensor
