#include "runtime/page_cache.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/descriptor.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;

base::Descriptor open_to_read(const fs::path& path) {
  return base::Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

void drop(const fs::path& path) {
  const base::Descriptor file = open_to_read(path);
  if (!file.is_open()) return;
  fdatasync(file.get());  // only clean pages are dropped
  posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
}

double resident_share(const fs::path& path) {
  const base::Descriptor file = open_to_read(path);
  struct stat status {};
  if (!file.is_open() || fstat(file.get(), &status) != 0 || status.st_size == 0) return 0;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) return 0;
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((size + page_bytes - 1) / page_bytes);
  double share = 0;
  if (mincore(mapped, size, pages.data()) == 0) {
    const auto resident = std::ranges::count_if(pages, [](unsigned char page) { return (page & 1U) != 0; });
    share = static_cast<double>(resident) / static_cast<double>(pages.size());
  }
  munmap(mapped, size);
  return share;
}

/// Weights are kept beside the model under names that only the model knows; these are the customary ones.
bool is_probably_weights(const fs::path& file, const fs::path& model) {
  constexpr std::array<std::string_view, 5> kExtensions = {".data", ".bin", ".weights", ".onnx_data", ".raw"};
  return std::ranges::find(kExtensions, file.extension().string()) != kExtensions.end() ||
         file.filename().string().starts_with(model.stem().string());
}

}  // namespace

double drop_from_page_cache(const fs::path& model) {
  drop(model);
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::absolute(model).parent_path(), error)) {
    if (entry.is_regular_file(error) && is_probably_weights(entry.path(), model)) drop(entry.path());
  }
  return resident_share(model);
}

}  // namespace slipway::runtime
