#include "compile/onnx_graph/model.hpp"

#include <array>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <unistd.h>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <onnx.pb.h>
#include <sys/stat.h>

#include "base/descriptor.hpp"
#include "base/file_kind.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "compile/onnx_graph/check.hpp"
#include "compile/onnx_graph/external_file.hpp"
#include "compile/onnx_graph/serialize.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::uint64_t kLargestProtobuf = std::numeric_limits<int>::max();

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

base::Error not_a_model(std::string_view first_bytes) {
  return {Code::kInvalidArgument, fmt::format("not an ONNX model: found {}", base::kind_of_content(first_bytes))};
}

/// @param first_bytes  of the content
Result<void> parse_stream(google::protobuf::io::ZeroCopyInputStream& stream, std::string_view first_bytes,
                          onnx::ModelProto& model) {
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(std::numeric_limits<int>::max());
  if (!model.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    // ir_version comes first, which is no other format's beginning.
    if (first_bytes.starts_with('\x08')) {
      return fail(Code::kInvalidArgument,
                  "not a whole ONNX model: it is damaged or cut short; fetch or export it again");
    }
    return std::unexpected(not_a_model(first_bytes));
  }
  return {};
}

Result<void> make_folders(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("make {}", folder.string())));
  return {};
}

}  // namespace

Model::Model() : proto_(std::make_unique<onnx::ModelProto>()) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Result<Model> Model::read(const std::filesystem::path& path) {
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return std::unexpected(base::errno_error(errno, fmt::format("open {}", path.string())));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(Code::kInvalidArgument, "{} is not a file", path.string());
  }
  if (status.st_size == 0) return fail(Code::kInvalidArgument, "{}: the file is empty", path.filename().string());
  if (static_cast<std::uint64_t>(status.st_size) > kLargestProtobuf) {
    return fail(Code::kInvalidArgument,
                "{}: {} bytes are more than the 2 GiB an ONNX file may have; save the weights as external data",
                path.filename().string(), status.st_size);
  }
  Model model;
  google::protobuf::io::FileInputStream stream(file.get());
  const auto with_name = [&](const base::Error& error) {
    return std::unexpected(error.with(path.filename().string()));
  };
  std::array<char, 512> begin{};
  const ssize_t begun = ::pread(file.get(), begin.data(), begin.size(), 0);
  const std::string_view first_bytes(begin.data(), begun > 0 ? static_cast<std::size_t>(begun) : 0);
  if (const auto parsed = parse_stream(stream, first_bytes, *model.proto_); !parsed) return with_name(parsed.error());
  model.folder_ = folder_of(path);
  if (const auto checked = check_model(model); !checked) {
    // Other formats can look like a protobuf of nothing.
    const bool may_be_model =
        first_bytes.starts_with('\x08') || base::kind_of_content(first_bytes) == base::kUnknownContent;
    return may_be_model ? with_name(checked.error()) : with_name(not_a_model(first_bytes));
  }
  return model;
}

Result<Model> Model::parse(std::string_view bytes, const std::filesystem::path& folder) {
  if (bytes.empty()) return fail(Code::kInvalidArgument, "not an ONNX model: no bytes");
  if (bytes.size() > kLargestProtobuf) {
    return fail(Code::kInvalidArgument, "{} bytes are more than the 2 GiB an ONNX model may have", bytes.size());
  }
  Model model;
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  SLIPWAY_TRY(parse_stream(stream, bytes, *model.proto_));
  model.folder_ = folder;
  SLIPWAY_TRY(check_model(model));
  return model;
}

Model Model::create(std::int64_t opset, std::int64_t ir_version, const std::string& graph_name,
                    const std::string& producer) {
  Model model;
  model.proto_->set_ir_version(ir_version);
  model.proto_->set_producer_name(producer);
  model.proto_->add_opset_import()->set_version(opset);
  model.proto_->mutable_graph()->set_name(graph_name);
  return model;
}

std::string Model::retain_view(MemoryView view) {
  views_.push_back(std::move(view));
  return fmt::format("{}{}", kViewLocation, views_.size() - 1);
}

std::optional<std::span<const std::byte>> Model::view_at(std::string_view location) const {
  if (!location.starts_with(kViewLocation)) return std::nullopt;
  location.remove_prefix(kViewLocation.size());
  const auto index = base::parse_number<std::size_t>(location);
  if (!index || *index >= views_.size()) return std::nullopt;
  return views_[*index].bytes;
}

std::string Model::bytes() const {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  const bool is_written = serialize(*this, stream);
  SLIPWAY_CHECK(is_written, "a model above 2 GiB was asked for as one string");
  return bytes;
}

Model Model::copy_for_folder(const std::filesystem::path& folder) const {
  Model copy;
  *copy.proto_ = *proto_;
  copy.folder_ = folder;
  copy.views_ = views_;
  return copy;
}

Result<void> Model::write(const std::filesystem::path& path) const {
  SLIPWAY_TRY(make_folders(folder_of(path)));
  SLIPWAY_ASSIGN(const auto files, check_model(*this));
  std::error_code ignored;
  if (!std::filesystem::equivalent(folder_, folder_of(path), ignored)) {
    for (const auto& name : files) {
      SLIPWAY_ASSIGN(const ExternalFile file, ExternalFile::open(folder_, name));
      const auto target = folder_of(path) / name;
      SLIPWAY_TRY(make_folders(target.parent_path()));
      SLIPWAY_TRY(file.copy_as(target));
    }
  }
  const std::uint64_t size_bytes = serialized_size_bytes(*this);
  if (size_bytes > kLargestProtobuf) {
    return fail(Code::kResourceExhausted, "the model needs {} bytes, more than the 2 GiB an ONNX file may have",
                size_bytes);
  }
  std::filesystem::remove(path, ignored);  // another file may share its bytes by a hard link
  const base::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.is_open()) return std::unexpected(base::errno_error(errno, fmt::format("create {}", path.string())));
  google::protobuf::io::FileOutputStream stream(file.get());
  const bool written = serialize(*this, stream) && stream.Flush();
  if (!written) return std::unexpected(base::errno_error(stream.GetErrno(), fmt::format("write {}", path.string())));
  return {};
}

}  // namespace slipway::compile::onnx_graph
