#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/output_file.hpp"

namespace slipway::pipelines::demucs {

/// A file of floats that appears under its name only when finish() was called; removed otherwise.
class RawFileWriter {
 public:
  /// @error kNotFound, kPermissionDenied, kResourceExhausted
  [[nodiscard]] static base::Result<RawFileWriter> create(const std::filesystem::path& path);
  [[nodiscard]] base::Result<void> write(std::span<const float> values);
  [[nodiscard]] base::Result<void> finish();

 private:
  explicit RawFileWriter(base::OutputFile file) : file_(std::move(file)) {}
  base::OutputFile file_;
};

/// A file of floats read in order.
class RawFileReader {
 public:
  [[nodiscard]] static base::Result<RawFileReader> open(const std::filesystem::path& path);
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
  /// @error kDataLoss: the file ended
  [[nodiscard]] base::Result<void> read(std::span<float> values);

 private:
  RawFileReader(std::filesystem::path path, base::Descriptor descriptor, std::uint64_t size_bytes);
  std::filesystem::path path_;
  base::Descriptor descriptor_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace slipway::pipelines::demucs
