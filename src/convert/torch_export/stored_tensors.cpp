#include "convert/torch_export/internal/stored_tensors.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "convert/torch_export/internal/json_fields.hpp"

namespace slipway::convert::torch_export::internal {
namespace {

constexpr std::uint64_t kLargestList = 256ULL << 20U;
/// More than a file holds is read from it only when it is this small: an expanded constant, not a bomb.
constexpr std::uint64_t kLargestRepeated = 1ULL << 20U;

std::int64_t size_of(const json& dimension) {
  const auto [form, held] = member(dimension);
  if (form != "as_int") throw Malformed("a stored tensor has a size that is not a number");
  return integer(*held);
}

/// Places a tensor in the bytes of its file.
/// @throw Malformed  it does not lie in them
aten::StoredTensor placed(const json& meta, std::span<const std::byte> bytes) {
  aten::StoredTensor stored;
  stored.dtype = scalar_type(field(meta, "dtype"));
  for (const json& size : list(field(meta, "sizes"))) stored.shape.push_back(size_of(size));
  for (const json& stride : list(field(meta, "strides"))) stored.strides.push_back(size_of(stride));
  const std::int64_t offset = size_of(field(meta, "storage_offset"));
  if (stored.shape.size() != stored.strides.size() || stored.shape.size() > kMostAxes || offset < 0) {
    throw Malformed(fmt::format("{} sizes, {} strides, offset {}", stored.shape.size(), stored.strides.size(), offset));
  }
  const auto item = static_cast<std::int64_t>(aten::scalar_type_size_bytes(stored.dtype));
  const auto available = static_cast<std::int64_t>(bytes.size());
  const auto count = tensor::element_count(stored.shape);
  std::int64_t last = offset;
  bool fits = count.has_value();
  for (std::size_t i = 0; fits && i < stored.shape.size(); ++i) {
    std::int64_t reach = 0;
    fits = stored.shape[i] >= 0 && stored.strides[i] >= 0 &&
           !__builtin_mul_overflow(std::max<std::int64_t>(stored.shape[i] - 1, 0), stored.strides[i], &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  if (count == 0) {
    stored.bytes = {};
    return stored;
  }
  if (!fits || last >= available / item) {
    throw Malformed(
        fmt::format("{} with strides [{}] from element {} leaves its file of {} bytes",
                    tensor::to_string(aten::dtype_of(stored.dtype).value_or(tensor::Dtype::kUint8), stored.shape),
                    fmt::join(stored.strides, ","), offset, available));
  }
  const std::uint64_t wanted = static_cast<std::uint64_t>(*count) * static_cast<std::uint64_t>(item);
  if (*count > available / item && wanted > kLargestRepeated) {
    throw Malformed(fmt::format("its strides overlap: {} bytes are read from a file of {}", wanted, available));
  }
  stored.bytes = bytes.subspan(static_cast<std::size_t>(offset * item));
  return stored;
}

}  // namespace

base::Result<std::map<std::string, aten::StoredTensor>> read_stored_tensors(const archive::ZipArchive& archive,
                                                                            const std::string& folder,
                                                                            const std::string& list_name) {
  std::map<std::string, aten::StoredTensor> tensors;
  const std::string path = folder + list_name;
  if (archive.find(path) == nullptr) return tensors;
  SLIPWAY_ASSIGN(const std::string text_of_list, archive.unpack(path, kLargestList));
  std::string where;
  try {
    const json document = json::parse(text_of_list);
    for (const auto& [name, entry] : field(document, "config").items()) {
      where = name;
      if (field(entry, "use_pickle") != false) throw Unsupported("it is stored as a pickle, which is not opened");
      const std::string file = folder + text(field(entry, "path_name"));
      auto bytes = archive.view(file);
      if (!bytes) return std::unexpected(bytes.error().with(fmt::format("{}: '{}'", path, name)));
      aten::StoredTensor stored = placed(field(entry, "tensor_meta"), *bytes);
      stored.owner = archive.owner();
      tensors.emplace(name, std::move(stored));
    }
  } catch (const Unsupported& refusal) {
    return base::fail(base::Code::kUnimplemented, "{}: '{}': {}", path, where, refusal.what());
  } catch (const std::exception& error) {
    return base::fail(base::Code::kInvalidArgument, "{}: '{}': {}", path, where, base::valid_utf8(error.what()));
  }
  return tensors;
}

}  // namespace slipway::convert::torch_export::internal
