#include "convert/convert.hpp"

#include <array>
#include <fstream>

#include "base/utf8.hpp"
#include "convert/archive/zip_archive.hpp"
#include "convert/aten/functionalize.hpp"
#include "convert/torch_export/read.hpp"
#include "convert/torch_script/read.hpp"

namespace slipway::convert {
namespace {

using archive::ZipArchive;
using base::Code;
using base::Result;

std::optional<SourceFormat> format_of(const ZipArchive& archive) {
  if (torch_export::is_torch_export(archive)) return SourceFormat::kTorchExport;
  if (torch_script::is_torch_script(archive)) return SourceFormat::kTorchScript;
  return std::nullopt;
}

/// A pickle of torch.save, without the code that a TorchScript archive has beside it.
bool is_checkpoint(const ZipArchive& archive) {
  return archive.find("data.pkl") != nullptr;
}
std::unexpected<base::Error> checkpoint_refused(const std::filesystem::path& path) {
  return base::fail(Code::kUnimplemented,
                    "{}: torch.save wrote this: weights, or a module that only its own Python code could load. Export "
                    "the model with torch.export.export and torch.export.save",
                    path.string());
}

constexpr std::array<char, 4> kZipMagic = {'P', 'K', '\x03', '\x04'};

/// nullopt of what is shorter, or no file.
std::optional<std::array<char, 4>> first_bytes(std::ifstream& file) {
  std::array<char, 4> bytes{};
  if (!file.read(bytes.data(), bytes.size())) return std::nullopt;
  return bytes;
}

constexpr std::size_t kMostRemarks = 8;

/// Of weights that are not numbers: such a model is the user's to run, but rarely what was meant.
std::vector<std::string> remarks_on_weights(const aten::Graph& graph) {
  std::vector<std::string> remarks;
  std::size_t more = 0;
  for (const aten::StoredValue& stored : graph.stored) {
    const std::uint64_t count = aten::count_not_numbers(stored.tensor);
    if (count == 0) continue;
    if (remarks.size() == kMostRemarks) {
      ++more;
      continue;
    }
    remarks.push_back(fmt::format("'{}' holds {} of {} elements that are not a number (NaN): it was taken as it is.",
                                  base::valid_utf8(stored.name), count,
                                  tensor::element_count(stored.tensor.shape).value_or(0)));
  }
  if (more > 0) remarks.push_back(fmt::format("{} more tensors hold elements that are not a number.", more));
  return remarks;
}

}  // namespace

std::string_view source_format_name(SourceFormat format) {
  return format == SourceFormat::kTorchExport ? "torch.export archive" : "TorchScript archive";
}

Result<std::optional<SourceFormat>> format_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::fail(Code::kNotFound, "{} cannot be opened", path.string());
  const auto magic = first_bytes(file);
  if (!magic || *magic != kZipMagic) return std::nullopt;
  SLIPWAY_ASSIGN(const ZipArchive archive, ZipArchive::open(path));
  const auto format = format_of(archive);
  if (!format && is_checkpoint(archive)) return checkpoint_refused(path);
  return format;
}

Result<ReadModel> read(const std::filesystem::path& path, const std::vector<tensor::TensorSpec>& input_specs) {
  if (std::ifstream file(path, std::ios::binary); file) {
    if (const auto magic = first_bytes(file); magic && *magic != kZipMagic) {
      return base::fail(
          Code::kInvalidArgument,
          "{}: expected a PyTorch archive, which torch.export.save or torch.jit.save writes, found a file "
          "of another kind (an ONNX model is converted already)",
          path.string());
    }
  }
  SLIPWAY_ASSIGN(const ZipArchive archive, ZipArchive::open(path));
  const auto format = format_of(archive);
  if (!format && archive.find("data.pkl") != nullptr) {
    return base::fail(
        Code::kUnimplemented,
        "{}: torch.save wrote this: weights, or a module that only its own Python code could load. Export "
        "the model with torch.export.export and torch.export.save",
        path.string());
  }
  if (!format) {
    return base::fail(Code::kUnimplemented,
                      "{}: neither a torch.export archive (models/*.json) nor a TorchScript one (data.pkl, code)",
                      path.string());
  }
  auto graph =
      *format == SourceFormat::kTorchExport ? torch_export::read(archive) : torch_script::read(archive, input_specs);
  if (!graph) return std::unexpected(graph.error().with(path.filename().string()));
  return ReadModel{*format, std::move(*graph)};
}

Result<Converted> convert(const std::filesystem::path& path, const ConvertOptions& options) {
  SLIPWAY_ASSIGN(ReadModel source, read(path, options.input_specs));
  const std::string where = path.filename().string();
  if (const auto done = aten::functionalize(source.graph); !done) return std::unexpected(done.error().with(where));
  auto model = operators::lower(source.graph, options);
  if (!model) return std::unexpected(model.error().with(where));
  return Converted{source.format, source.graph.producer, remarks_on_weights(source.graph), std::move(*model)};
}

}  // namespace slipway::convert
