#include <array>
#include <bit>
#include <cstring>
#include <mutex>

#include <fmt/format.h>

#include "hub/datasets/internal/h5.hpp"

namespace slipway::hub::datasets::h5 {
namespace {

using tensor::Dtype;
static_assert(std::endian::native == std::endian::little, "types in files and in memory are taken to be the same");

struct Row {
  Dtype dtype;
  std::size_t size;
  H5T_class_t kind;
  H5T_sign_t sign;
};
constexpr std::array kRows = {
    Row{Dtype::kFloat16, 2, H5T_FLOAT, H5T_SGN_ERROR}, Row{Dtype::kFloat32, 4, H5T_FLOAT, H5T_SGN_ERROR},
    Row{Dtype::kInt8, 1, H5T_INTEGER, H5T_SGN_2},      Row{Dtype::kInt16, 2, H5T_INTEGER, H5T_SGN_2},
    Row{Dtype::kInt32, 4, H5T_INTEGER, H5T_SGN_2},     Row{Dtype::kInt64, 8, H5T_INTEGER, H5T_SGN_2},
    Row{Dtype::kUint8, 1, H5T_INTEGER, H5T_SGN_NONE},  Row{Dtype::kUint16, 2, H5T_INTEGER, H5T_SGN_NONE},
};

/// IEEE half precision: bfloat16 has the same size and another layout.
bool is_half(hid_t type) {
  std::size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
  return H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 && sign == 15 &&
         exponent == 10 && exponent_bits == 5 && mantissa_bits == 10;
}

bool is_bool(hid_t type) {
  if (H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2) return false;
  const Handle wanted = type_of(Dtype::kBool);
  return H5Tequal(type, wanted.get()) > 0;
}

herr_t store_innermost(unsigned index, const H5E_error2_t* error, void* text) {
  if (index == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
  return 0;
}

}  // namespace

void prepare() {
  static std::once_flag once;
  std::call_once(once, [] {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
  });
}

Handle type_of(Dtype dtype) {
  const auto copy = [](hid_t type) { return Handle(H5Tcopy(type), H5Tclose); };
  switch (dtype) {
    case Dtype::kFloat32:
      return copy(H5T_IEEE_F32LE);
    case Dtype::kInt8:
      return copy(H5T_STD_I8LE);
    case Dtype::kInt16:
      return copy(H5T_STD_I16LE);
    case Dtype::kInt32:
      return copy(H5T_STD_I32LE);
    case Dtype::kInt64:
      return copy(H5T_STD_I64LE);
    case Dtype::kUint8:
      return copy(H5T_STD_U8LE);
    case Dtype::kUint16:
      return copy(H5T_STD_U16LE);
    case Dtype::kFloat16: {
      Handle half = copy(H5T_IEEE_F32LE);
      H5Tset_fields(half.get(), 15, 10, 5, 0, 10);
      H5Tset_size(half.get(), 2);
      H5Tset_ebias(half.get(), 15);
      return half;
    }
    case Dtype::kBool: {
      Handle boolean(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
      for (const auto& [name, value] : {std::pair<const char*, std::int8_t>{"FALSE", 0}, {"TRUE", 1}}) {
        H5Tenum_insert(boolean.get(), name, &value);
      }
      return boolean;
    }
    default:
      return {};
  }
}

std::optional<Dtype> dtype_of(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_ENUM) return is_bool(type) ? std::optional(Dtype::kBool) : std::nullopt;
  for (const auto& row : kRows) {
    if (row.kind != kind || row.size != H5Tget_size(type)) continue;
    if (kind == H5T_INTEGER && H5Tget_sign(type) != row.sign) continue;
    if (row.dtype == Dtype::kFloat16 && !is_half(type)) continue;
    return row.dtype;
  }
  return std::nullopt;
}

std::string describe_type(hid_t type) {
  const auto bits = 8 * H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return fmt::format("a float of {} bits", bits);
    case H5T_INTEGER:
      return fmt::format("{} integer of {} bits", H5Tget_sign(type) == H5T_SGN_NONE ? "an unsigned" : "an", bits);
    case H5T_STRING:
      return "strings";
    case H5T_ENUM:
      return "an enumeration";
    case H5T_COMPOUND:
      return "a compound type";
    case H5T_VLEN:
      return "lists of varying length";
    default:
      return "another type";
  }
}

std::string last_error() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, store_innermost, &text);
  return text.empty() ? "unknown reason" : text;
}

}  // namespace slipway::hub::datasets::h5
