#include "base/file_kind.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include "base/utf8.hpp"

namespace slipway::base {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  std::string_view kind;
};

// More particular ones first.
constexpr std::array kMagic = {
    Magic{0, "\x89PNG\r\n\x1A\n"sv, "a PNG picture"},
    Magic{0, "\xFF\xD8\xFF"sv, "a JPEG picture"},
    Magic{0, "GIF8"sv, "a GIF picture"},
    Magic{8, "WEBP"sv, "a WebP picture"},
    Magic{0, "II*\0"sv, "a TIFF picture"},
    Magic{0, "MM\0*"sv, "a TIFF picture"},
    Magic{4, "ftypavif"sv, "an AVIF picture"},
    Magic{4, "ftyphei"sv, "a HEIC picture"},
    Magic{4, "ftypmif1"sv, "a HEIC picture"},
    Magic{0, "8BPS"sv, "a Photoshop picture"},
    Magic{4, "ftypM4A"sv, "M4A sound"},
    Magic{4, "ftyp"sv, "an MP4 or MOV video"},
    Magic{4, "moov"sv, "an MP4 or MOV video"},
    Magic{0, "\x1A\x45\xDF\xA3"sv, "a Matroska or WebM video"},
    Magic{8, "AVI "sv, "an AVI video"},
    Magic{0, "YUV4MPEG2"sv, "Y4M video"},
    Magic{0, "FLV\x01"sv, "an FLV video"},
    Magic{0, "\0\0\x01\xBA"sv, "an MPEG video"},
    Magic{8, "WAVE"sv, "WAV sound"},
    Magic{0, "fLaC"sv, "FLAC sound"},
    Magic{0, "OggS"sv, "Ogg sound or video"},
    Magic{0, "ID3"sv, "MP3 sound"},
    Magic{0, "\xFF\xFB"sv, "MP3 sound"},
    Magic{0, "\xFF\xF3"sv, "MP3 sound"},
    Magic{4, "TFL3"sv, "a TFLite model"},
    Magic{4, "ORTM"sv, "a model in ONNX Runtime's own format (.ort)"},
    Magic{0, "\x89HDF\r\n\x1A\n"sv, "an HDF5 file"},
    Magic{0, "\x93NUMPY"sv, "a NumPy array (.npy)"},
    Magic{0, "PK\x03\x04"sv, "a zip archive"},
    Magic{0, "PK\x05\x06"sv, "an empty zip archive"},
    Magic{0, "\x1F\x8B"sv, "gzip data"},
    Magic{0, "BZh"sv, "bzip2 data"},
    Magic{0, "\xFD\x37zXZ"sv, "xz data"},
    Magic{0, "\x28\xB5\x2F\xFD"sv, "Zstandard data"},
    Magic{0, "7z\xBC\xAF\x27\x1C"sv, "a 7z archive"},
    Magic{0, "%PDF"sv, "a PDF document"},
    Magic{0, "\x7F\x45LF"sv, "a program or library (ELF)"},
    Magic{0, "SQLite format 3"sv, "an SQLite database"},
    Magic{0, "version https://git-lfs"sv, "a pointer of Git LFS in place of the file (run `git lfs pull`)"},
    Magic{0, "\x80\x02"sv, "a Python pickle"},
    Magic{0, "\x80\x03"sv, "a Python pickle"},
    Magic{0, "\x80\x04"sv, "a Python pickle"},
    Magic{0, "\x80\x05"sv, "a Python pickle"},
    Magic{0, "<!DOCTYPE html"sv, "a web page"},
    Magic{0, "<!doctype html"sv, "a web page"},
    Magic{0, "<html"sv, "a web page"},
    Magic{0, "BM"sv, "a BMP picture"},
};

/// UTF-8 without control characters; its last letter may be cut.
bool is_text(std::string_view bytes) {
  std::string_view whole = bytes;
  for (int i = 0; i < 4 && !whole.empty() && static_cast<unsigned char>(whole.back()) >= 0x80; ++i)
    whole.remove_suffix(1);
  return valid_utf8(whole) == whole && std::ranges::none_of(bytes, [](char each) {
           const auto byte = static_cast<unsigned char>(each);
           return (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\f') || byte == 0x7F;
         });
}

}  // namespace

std::string_view kind_of_content(std::string_view first_bytes) {
  if (first_bytes.empty()) return "an empty file";
  for (const Magic& magic : kMagic) {
    if (first_bytes.size() >= magic.offset && first_bytes.substr(magic.offset).starts_with(magic.bytes)) {
      return magic.kind;
    }
  }
  if (std::ranges::all_of(first_bytes, [](char each) { return each == '\0'; })) return "nothing but zeros";
  return is_text(first_bytes) ? std::string_view("text") : kUnknownContent;
}

std::string_view kind_of_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return "a folder";
  if (!fs::is_regular_file(path, error)) return "nothing that can be read twice";
  std::ifstream file(path, std::ios::binary);
  std::array<char, 512> bytes{};
  file.read(bytes.data(), bytes.size());
  if (file.bad() || (!file && file.gcount() == 0 && fs::file_size(path, error) > 0)) return "nothing that can be read";
  return kind_of_content({bytes.data(), static_cast<std::size_t>(file.gcount())});
}

}  // namespace slipway::base
