#include "compile/onnx_graph/one_data_file.hpp"

#include <cerrno>
#include <map>

#include <fcntl.h>
#include <unistd.h>

#include <onnx.pb.h>

#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "compile/onnx_graph/check.hpp"
#include "compile/onnx_graph/external_file.hpp"
#include "compile/onnx_graph/serialize.hpp"
#include "compile/onnx_graph/tensors.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::Result;

/// Tensors begin at multiples of this, so that they can be mapped into memory.
constexpr std::uint64_t kAlignmentBytes = 4096;
/// Smaller ones stay in the model's file: readers of shapes and scalars want them there.
constexpr std::uint64_t kSmallestMovedBytes = 1024;

/// A file that grows; removed again unless kept.
class DataFile {
 public:
  static Result<DataFile> create(const std::filesystem::path& path) {
    base::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.is_open()) return std::unexpected(base::errno_error(errno, fmt::format("create {}", path.string())));
    return DataFile(std::move(file));
  }

  /// @return  where the bytes begin
  Result<std::uint64_t> append(const ExternalFile& source, std::uint64_t offset, std::uint64_t length) {
    SLIPWAY_ASSIGN(const std::uint64_t begin, begin_tensor());
    SLIPWAY_TRY(source.copy_to(descriptor_.get(), offset, length));
    end_ = begin + length;
    return begin;
  }
  Result<std::uint64_t> append(std::span<const std::byte> bytes) {
    SLIPWAY_ASSIGN(const std::uint64_t begin, begin_tensor());
    SLIPWAY_TRY(base::write_all(descriptor_.get(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                                "write external data"));
    end_ = begin + bytes.size();
    return begin;
  }

 private:
  Result<std::uint64_t> begin_tensor() {
    const std::uint64_t begin = (end_ + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
    if (::lseek(descriptor_.get(), static_cast<off_t>(begin), SEEK_SET) < 0 ||
        ::ftruncate(descriptor_.get(), static_cast<off_t>(begin)) != 0) {
      return std::unexpected(base::errno_error(errno, "write external data"));
    }
    return begin;
  }
  explicit DataFile(base::Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  base::Descriptor descriptor_;
  std::uint64_t end_ = 0;
};

}  // namespace

Result<bool> write_with_one_data_file(const Model& model, const std::filesystem::path& path,
                                      std::uint64_t largest_file_bytes) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("make {}", folder.string())));
  Model copy = model.copy_for_folder(folder);
  const bool moves_all = serialized_size_bytes(model) > largest_file_bytes;

  std::map<std::string, ExternalFile> sources;
  std::optional<DataFile> data;
  for (onnx::TensorProto* tensor : all_tensors(copy.mutable_proto())) {
    const bool is_external = tensor->data_location() == onnx::TensorProto::EXTERNAL;
    if (!is_external && (!moves_all || tensor->raw_data().size() < kSmallestMovedBytes)) continue;
    std::optional<ExternalLocation> location;
    std::optional<std::span<const std::byte>> view;
    if (is_external) {
      SLIPWAY_ASSIGN(location, external_location(*tensor));
      view = model.view_at(location->file);
      if (view && !moves_all) continue;
    } else {
      view = std::as_bytes(std::span(tensor->raw_data()));
    }
    if (!data) {
      // A hard link made earlier must not be written through.
      std::filesystem::remove(folder / kDataFileName, error);
      SLIPWAY_ASSIGN(DataFile file, DataFile::create(folder / kDataFileName));
      data.emplace(std::move(file));
    }
    std::uint64_t offset = 0;
    if (view) {
      SLIPWAY_ASSIGN(offset, data->append(*view));
    } else {
      auto source = sources.find(location->file);
      if (source == sources.end()) {
        SLIPWAY_ASSIGN(ExternalFile file, ExternalFile::open(model.folder(), location->file));
        source = sources.emplace(location->file, std::move(file)).first;
      }
      SLIPWAY_ASSIGN(offset, data->append(source->second, location->offset, location->length));
    }
    tensor->clear_raw_data();
    set_external_location(*tensor, std::string(kDataFileName), offset);
  }
  SLIPWAY_TRY(copy.write(path));
  return data.has_value();
}

}  // namespace slipway::compile::onnx_graph
