#include "compile/onnx_graph/one_data_file.hpp"

#include <cerrno>
#include <map>

#include <fcntl.h>
#include <unistd.h>

#include <onnx.pb.h>

#include "base/files.hpp"
#include "compile/onnx_graph/check.hpp"
#include "compile/onnx_graph/external_file.hpp"
#include "compile/onnx_graph/tensors.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::Result;

/// Tensors begin at multiples of this, so that they can be mapped into memory.
constexpr std::uint64_t kAlignmentBytes = 4096;

/// A file that grows; removed again unless kept.
class DataFile {
 public:
  static Result<DataFile> create(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) return std::unexpected(base::errno_error(errno, fmt::format("create {}", path.string())));
    return DataFile(descriptor);
  }
  ~DataFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  DataFile(DataFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), end_(other.end_) {}
  DataFile& operator=(DataFile&&) = delete;

  /// @return  where the bytes begin
  Result<std::uint64_t> append(const ExternalFile& source, std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t begin = (end_ + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
    if (::lseek(descriptor_, static_cast<off_t>(begin), SEEK_SET) < 0 ||
        ::ftruncate(descriptor_, static_cast<off_t>(begin)) != 0) {
      return std::unexpected(base::errno_error(errno, "write external data"));
    }
    SLIPWAY_TRY(source.copy_to(descriptor_, offset, length));
    end_ = begin + length;
    return begin;
  }

 private:
  explicit DataFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
  std::uint64_t end_ = 0;
};

void set_location(onnx::TensorProto& tensor, std::uint64_t offset, std::uint64_t length) {
  tensor.clear_external_data();
  const auto add = [&](std::string_view key, std::string value) {
    auto* entry = tensor.add_external_data();
    entry->set_key(std::string(key));
    entry->set_value(std::move(value));
  };
  add("location", std::string(kDataFileName));
  add("offset", fmt::format("{}", offset));
  add("length", fmt::format("{}", length));
}

}  // namespace

Result<bool> write_with_one_data_file(const Model& model, const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("make {}", folder.string())));
  Model copy = model.copy_for_folder(folder);

  std::map<std::string, ExternalFile> sources;
  std::optional<DataFile> data;
  for (onnx::TensorProto* tensor : all_tensors(copy.proto())) {
    if (tensor->data_location() != onnx::TensorProto::EXTERNAL) continue;
    SLIPWAY_ASSIGN(const ExternalLocation location, external_location(*tensor));
    auto source = sources.find(location.file);
    if (source == sources.end()) {
      SLIPWAY_ASSIGN(ExternalFile file, ExternalFile::open(model.folder(), location.file));
      source = sources.emplace(location.file, std::move(file)).first;
    }
    if (!data) {
      // A hard link made earlier must not be written through.
      std::filesystem::remove(folder / kDataFileName, error);
      SLIPWAY_ASSIGN(DataFile file, DataFile::create(folder / kDataFileName));
      data.emplace(std::move(file));
    }
    SLIPWAY_ASSIGN(const std::uint64_t offset, data->append(source->second, location.offset, location.length));
    set_location(*tensor, offset, location.length);
  }
  SLIPWAY_TRY(copy.write(path));
  return data.has_value();
}

}  // namespace slipway::compile::onnx_graph
