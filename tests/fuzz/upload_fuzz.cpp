#include <cstddef>
#include <cstdint>
#include <string>

#include <unistd.h>

#include <fmt/format.h>
#include <sys/mman.h>

#include "hub/executor/archive.hpp"
#include "hub/executor/tflite_signature.hpp"

/// Uploads that our own code takes apart: zip directories and TFLite tables. (HDF5 is read by its own library, inside
/// the sandbox.)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = ::memfd_create("upload", MFD_CLOEXEC);
  if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size)) return -1;
  const std::string path = fmt::format("/proc/self/fd/{}", file);
  const auto archive = slipway::hub::executor::list_archive(path);
  if (!archive && archive.error().message.empty()) __builtin_trap();
  const auto signature = slipway::hub::executor::read_tflite_signature(path);
  if (!signature && signature.error().message.empty()) __builtin_trap();
  ::close(file);
  return 0;
}
