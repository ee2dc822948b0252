#include <algorithm>
#include <cerrno>

#include "base/files.hpp"
#include "hub/datasets/dataset_h5.hpp"
#include "hub/datasets/internal/h5.hpp"

namespace slipway::hub::datasets {
namespace {

using base::Code;
using base::fail;
using h5::Handle;

constexpr std::uint64_t kChunkBytes = 1U << 20;
constexpr unsigned kDeflateLevel = 4;

/// What the system said to the call that failed stands in errno; the calls that may write begin with it at 0.
std::unexpected<base::Error> write_failed(std::string_view what) {
  const int error_number = errno;
  base::Error error = base::errno_error(error_number, what);
  error.message = fmt::format("{}: {}", what, h5::last_error());
  return std::unexpected(std::move(error));
}

base::Result<void> write_integer(hid_t group, const char* name, std::int64_t value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle attribute(H5Acreate2(group, name, H5T_STD_I64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!attribute || H5Awrite(attribute.get(), H5T_NATIVE_INT64, &value) < 0) return write_failed("write an attribute");
  return {};
}

/// A string of variable length: the official client's keys break with any other.
base::Result<void> write_text(hid_t group, const char* name, const std::string& value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  const Handle attribute(H5Acreate2(group, name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  const char* text = value.c_str();
  if (!attribute || H5Awrite(attribute.get(), type.get(), &text) < 0) return write_failed("write an attribute");
  return {};
}

/// Halves the outer axes until a chunk is about 1 MiB.
std::vector<hsize_t> chunk_of(const tensor::Shape& shape, std::size_t element_bytes) {
  std::vector<hsize_t> chunk;
  for (const auto size : shape) chunk.push_back(static_cast<hsize_t>(std::max<std::int64_t>(1, size)));
  const auto bytes = [&] {
    std::uint64_t product = element_bytes;
    for (const auto size : chunk) product *= size;
    return product;
  };
  for (std::size_t axis = 0; axis < chunk.size();) {
    if (bytes() <= kChunkBytes) break;
    if (chunk[axis] == 1) {
      ++axis;
    } else {
      chunk[axis] = (chunk[axis] + 1) / 2;
    }
  }
  return chunk;
}

base::Result<void> write_sample(hid_t group, const std::string& name, const tensor::Tensor& values) {
  const Handle type = h5::type_of(values.dtype());
  if (!type) {
    return fail(Code::kInvalidArgument, "{} cannot be kept in a dataset",
                tensor::to_string(values.dtype(), values.shape()));
  }
  const auto& shape = values.shape();
  std::vector<hsize_t> sizes(shape.begin(), shape.end());
  const Handle space(
      shape.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr),
      H5Sclose);
  const Handle plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  if (!shape.empty()) {  // a single number cannot be compressed
    const auto chunk = chunk_of(shape, tensor::dtype_size_bytes(values.dtype()));
    H5Pset_chunk(plan.get(), static_cast<int>(chunk.size()), chunk.data());
    H5Pset_deflate(plan.get(), kDeflateLevel);
  }
  Handle array(H5Dcreate2(group, name.c_str(), type.get(), space.get(), H5P_DEFAULT, plan.get(), H5P_DEFAULT),
               H5Dclose);
  if (!array) return write_failed("write a sample");
  if (values.size_bytes() > 0 &&
      H5Dwrite(array.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.bytes().data()) < 0) {
    return write_failed("write a sample");
  }
  if (!array.reset()) return write_failed("write a sample");
  return {};
}

}  // namespace

struct DatasetWriter::State {
  Handle file;
  std::vector<Handle> groups;
  std::int64_t samples = 0;
};

DatasetWriter::DatasetWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
DatasetWriter::~DatasetWriter() = default;
DatasetWriter::DatasetWriter(DatasetWriter&&) noexcept = default;
DatasetWriter& DatasetWriter::operator=(DatasetWriter&&) noexcept = default;

base::Result<DatasetWriter> DatasetWriter::create(const std::filesystem::path& path,
                                                  const std::vector<std::string>& entry_names) {
  h5::prepare();
  errno = 0;
  auto state = std::make_unique<State>();
  state->file = Handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
  if (!state->file) return write_failed("make " + path.string());
  const Handle data(H5Gcreate2(state->file.get(), "data", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  if (!data) return write_failed("make " + path.string());
  for (std::size_t index = 0; index < entry_names.size(); ++index) {
    Handle group(H5Gcreate2(data.get(), std::to_string(index).c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                 H5Gclose);
    if (!group) return write_failed("make " + path.string());
    SLIPWAY_TRY(write_integer(group.get(), "order", static_cast<std::int64_t>(index)));
    SLIPWAY_TRY(write_text(group.get(), "name", entry_names[index]));
    state->groups.push_back(std::move(group));
  }
  return DatasetWriter(std::move(state));
}

base::Result<void> DatasetWriter::append(const std::vector<const tensor::Tensor*>& tensors) {
  if (tensors.size() != state_->groups.size()) {
    return fail(Code::kInvalidArgument, "a sample needs {} tensors, got {}", state_->groups.size(), tensors.size());
  }
  errno = 0;
  for (std::size_t index = 0; index < tensors.size(); ++index) {
    SLIPWAY_TRY(write_sample(state_->groups[index].get(), fmt::format("batch_{}", state_->samples), *tensors[index]));
  }
  ++state_->samples;
  return {};
}

base::Result<void> DatasetWriter::finish() {
  errno = 0;
  for (auto& group : state_->groups) SLIPWAY_TRY(write_integer(group.get(), "batch_count", state_->samples));
  state_->groups.clear();
  if (H5Fflush(state_->file.get(), H5F_SCOPE_GLOBAL) < 0 || !state_->file.reset())
    return write_failed("write the dataset");
  return {};
}

}  // namespace slipway::hub::datasets
