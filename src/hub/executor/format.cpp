#include "hub/executor/format.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <string>

#include "base/utf8.hpp"
#include "hub/executor/archive.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::fail;

std::string first_bytes(const fs::path& file, std::size_t count) {
  std::string bytes(count, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
  return bytes;
}

bool is_text(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\n' || byte == '\r' || byte == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

Format format_of_zip(const fs::path& file) {
  const auto entries = list_archive(file);
  if (!entries) return Format::kDamagedZip;
  bool has_pickle = false, has_code = false, has_program = false, has_onnx = false;
  for (const auto& entry : *entries) {
    const std::string_view name = entry.name;
    const auto inside = name.find('/') == std::string_view::npos ? name : name.substr(name.find('/') + 1);
    has_pickle = has_pickle || inside == "data.pkl";
    has_code = has_code || inside == "constants.pkl" || inside.starts_with("code/");
    has_program = has_program || (inside.starts_with("models/") && inside.ends_with(".json")) ||
                  inside == "serialized_exported_program.json";
    has_onnx = has_onnx || (inside.ends_with(".onnx") && inside.find('/') == std::string_view::npos);
  }
  // In older files of torch.export there is no folder at the top.
  has_program = has_program || std::any_of(entries->begin(), entries->end(), [](const auto& entry) {
                  return entry.name == "serialized_exported_program.json" ||
                         (entry.name.starts_with("models/") && entry.name.ends_with(".json"));
                });
  if (has_program) return Format::kTorchExportedProgram;
  if (has_pickle && has_code) return Format::kTorchScript;
  if (has_onnx) return Format::kModelFolder;
  return Format::kOtherZip;
}

}  // namespace

Format format_of(const fs::path& file) {
  const std::string start = first_bytes(file, 512);
  if (start.empty()) return Format::kEmpty;
  if (start.size() >= 8 && start.compare(4, 4, "TFL3") == 0) return Format::kTflite;
  if (start.starts_with("\x89HDF\r\n\x1a\n")) return Format::kHdf5;
  if (start.starts_with("PK\x03\x04") || start.starts_with(std::string_view("PK\x05\x06", 4))) {
    return format_of_zip(file);
  }
  return is_text(start) ? Format::kText : Format::kUnmarked;
}

std::string_view describe(Format format) {
  switch (format) {
    case Format::kEmpty:
      return "an empty file";
    case Format::kTflite:
      return "a TFLite model";
    case Format::kHdf5:
      return "an HDF5 file";
    case Format::kTorchScript:
      return "a TorchScript model";
    case Format::kTorchExportedProgram:
      return "a program of torch.export (.pt2)";
    case Format::kModelFolder:
      return "a zip of a folder with an ONNX model";
    case Format::kOtherZip:
      return "a zip archive without a model that is known here";
    case Format::kDamagedZip:
      return "a zip archive that is damaged or refused";
    case Format::kText:
      return "text";
    case Format::kUnmarked:
      return "bytes of no known format";
  }
  return "something else";
}

std::string_view describe(domain::ModelType type) {
  switch (type) {
    case domain::ModelType::kTorchScript:
      return "a TorchScript model";
    case domain::ModelType::kTflite:
      return "a TFLite model";
    case domain::ModelType::kOnnx:
      return "an ONNX model";
    case domain::ModelType::kQnnContextBinary:
      return "a QNN context binary";
    case domain::ModelType::kAimetOnnx:
      return "an AIMET model (a folder with .onnx and .encodings)";
    case domain::ModelType::kQnnDlc:
      return "a QNN DLC";
    case domain::ModelType::kTorchExportedProgram:
      return "a program of torch.export (.pt2)";
  }
  return "a model of another type";
}

std::vector<domain::ModelTensor> tensors_of(const std::vector<tensor::TensorSpec>& specs) {
  std::vector<domain::ModelTensor> tensors;
  for (const auto& spec : specs) {
    tensors.push_back({spec, {}});
    tensors.back().spec.name = base::valid_utf8(spec.name);
  }
  return tensors;
}

base::Result<fs::path> onnx_file_of(const fs::path& file, const fs::path& scratch) {
  const std::string start = first_bytes(file, 4);
  if (!start.starts_with("PK\x03\x04")) return file;
  const fs::path into = scratch / "model";
  std::error_code error;
  fs::create_directories(into, error);
  SLIPWAY_ASSIGN(const auto folder, unpack_folder(file, into));
  std::map<std::string, int> counts;
  fs::path onnx;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto extension = entry.path().extension().string();
    const bool is_known =
        extension == ".onnx" || extension == ".data" || extension == ".encodings" || extension == ".bin";
    if (!entry.is_regular_file(error) || !is_known) {
      return fail(Code::kInvalidArgument,
                  "a model folder holds one .onnx and at most one .data, .encodings and .bin file; \"{}\" has the "
                  "unexpected entry \"{}\"",
                  folder.filename().string(), entry.path().filename().string());
    }
    if (++counts[extension] > 1) {
      return fail(Code::kInvalidArgument, "the model folder \"{}\" holds more than one {} file",
                  folder.filename().string(), extension);
    }
    if (extension == ".onnx") onnx = entry.path();
  }
  if (onnx.empty()) {
    return fail(Code::kInvalidArgument, "the model folder \"{}\" holds no .onnx file", folder.filename().string());
  }
  return onnx;
}

}  // namespace slipway::hub::executor
