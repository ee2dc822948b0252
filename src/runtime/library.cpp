#include "runtime/library.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <mutex>
#include <vector>

#include <dlfcn.h>

#include "base/mapped_file.hpp"
#include "base/text.hpp"
#include "runtime/environment_state.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLibraryName = "libonnxruntime.so.1";

fs::path folder_of_executable() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

/// The library that a user or a folder names: the file itself, or the one in the folder (or its lib/).
fs::path library_at(const fs::path& place) {
  std::error_code error;
  if (fs::is_regular_file(place, error)) return place;
  for (const fs::path& folder : {place, place / "lib"}) {
    for (const std::string_view name : {kLibraryName, std::string_view("libonnxruntime.so")}) {
      if (fs::is_regular_file(folder / name, error)) return folder / name;
    }
  }
  return {};
}

/// A build of ONNX Runtime that may be installed: what it carries beyond the first one, and where it is looked for.
struct Build {
  std::string_view provider;  ///< empty: every other provider
  const char* variable;       ///< of the environment
  std::string_view configured;
  std::string_view folder;  ///< below ../lib/slipway
  std::string_view setup;
};

#ifdef SLIPWAY_ONNXRUNTIME_LIBRARY
constexpr std::string_view kConfiguredLibrary = SLIPWAY_ONNXRUNTIME_LIBRARY;
#else
constexpr std::string_view kConfiguredLibrary;
#endif
#ifdef SLIPWAY_OPENVINO_FOLDER
constexpr std::string_view kConfiguredOpenvino = SLIPWAY_OPENVINO_FOLDER;
#else
constexpr std::string_view kConfiguredOpenvino;
#endif

constexpr std::array kBuilds = {
    Build{"openvino", "SLIPWAY_OPENVINO", kConfiguredOpenvino, "openvino", "tools/setup.sh openvino"},
    Build{"", "SLIPWAY_ONNXRUNTIME", kConfiguredLibrary, "", "make setup"},
};

const Build& build_with(std::string_view provider) {
  const auto* const found = std::ranges::find(kBuilds, provider, &Build::provider);
  return found == kBuilds.end() ? kBuilds.back() : *found;
}

bool holds_qnn(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / kQnnPlugin, error);
}

}  // namespace

base::Result<LibraryPaths> locate_libraries(std::string_view provider) {
  const Build& build = build_with(provider);
  std::vector<std::string> searched;
  const auto try_place = [&](const fs::path& place, std::string_view why) -> fs::path {
    if (place.empty()) return {};
    fs::path found = library_at(place);
    if (found.empty()) searched.push_back(fmt::format("{} ({})", place.string(), why));
    return found;
  };

  LibraryPaths paths;
  for (const char* variable : {build.variable, "SLIPWAY_ONNXRUNTIME"}) {
    const char* named = std::getenv(variable);
    if (named == nullptr || *named == '\0') continue;
    paths.onnxruntime = library_at(named);
    // What a user names is taken or refused, never replaced by something else.
    if (!paths.onnxruntime.empty()) break;
    return base::fail(base::Code::kNotFound, "{} names '{}', but there is no libonnxruntime.so.1 there", variable,
                      named);
  }
  const fs::path beside = folder_of_executable() / "../lib/slipway";
  if (paths.onnxruntime.empty()) paths.onnxruntime = try_place(build.configured, "configured at build time");
  if (paths.onnxruntime.empty()) paths.onnxruntime = try_place(beside / build.folder, "beside the executable");
  if (paths.onnxruntime.empty()) {
    return base::fail(base::Code::kNotFound,
                      "no libonnxruntime{} found; looked at {}. Run `{}`, or set {} to the library",
                      build.provider.empty() ? "" : fmt::format(" with the {} provider", build.provider),
                      fmt::join(searched, ", "), build.setup, build.variable);
  }

  if (const char* named = std::getenv("SLIPWAY_QNN"); named != nullptr) {
    paths.qnn_folder = named;  // even when nothing is there: provider status then says so
    return paths;
  }
#ifdef SLIPWAY_QNN_FOLDER
  if (holds_qnn(SLIPWAY_QNN_FOLDER)) paths.qnn_folder = SLIPWAY_QNN_FOLDER;
#endif
  if (paths.qnn_folder.empty() && holds_qnn(beside / "onnxruntime_qnn")) paths.qnn_folder = beside / "onnxruntime_qnn";
  return paths;
}

int newest_api_of(std::string_view version) {
  if (!version.starts_with("1.")) return 0;
  version.remove_prefix(2);
  return base::consume_number<int>(version).value_or(0);
}

base::Result<const OrtApiBase*> open_library(const fs::path& path) {
  static std::mutex mutex;
  static fs::path opened;
  static const OrtApiBase* opened_base = nullptr;
  const std::scoped_lock lock(mutex);

  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return base::fail(base::Code::kNotFound, "{}: no such library; run `make setup`", path.string());
  if (opened_base != nullptr) {
    if (real == opened) return opened_base;
    return base::fail(base::Code::kFailedPrecondition,
                      "this process already uses {}; a second build of ONNX Runtime ({}) needs a process of its own",
                      opened.string(), real.string());
  }
  // Its builds for Linux keep events of every session in the user's home and look for their maker's collector. Nobody
  // who runs a private model here has agreed to that, and each process would wait for it (80 ms).
  ::setenv("ORT_DISABLE_TELEMETRY", "1", 1);
  void* handle = dlopen(real.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return base::fail(base::Code::kUnavailable, "cannot open {}: {}", path.string(), dlerror());
  using Entry = const OrtApiBase* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, "OrtGetApiBase"));
  if (entry == nullptr) {
    dlclose(handle);
    return base::fail(base::Code::kUnavailable, "{} is not ONNX Runtime: it has no OrtGetApiBase", path.string());
  }
  const OrtApiBase* api_base = entry();
  // Never more than the library offers: asked for a newer table it gives none, and the older ones hold all that is used
  // here.
  const std::string version = api_base->GetVersionString();
  const int wanted = std::min(ORT_API_VERSION, newest_api_of(version));
  const OrtApi* api = wanted < kOldestApi ? nullptr : api_base->GetApi(static_cast<std::uint32_t>(wanted));
  if (api == nullptr) {
    return base::fail(base::Code::kUnavailable, "{} is ONNX Runtime {}; install 1.{} or newer", path.string(), version,
                      kOldestApi);
  }
  Ort::InitApi(api);
  opened = real;
  opened_base = api_base;
  return api_base;
}

std::string qairt_version_of(const fs::path& library) {
  const auto file = base::MappedFile::open(library);
  if (!file) return {};
  const std::string_view text(reinterpret_cast<const char*>((*file)->bytes().data()), (*file)->bytes().size());
  // The libraries carry their build as "v2.50.40.260831140417": four numbers, the last a date and time.
  for (auto at = text.find("v2."); at != std::string_view::npos; at = text.find("v2.", at + 1)) {
    std::size_t end = at + 1;
    int dots = 0;
    std::size_t digits = 0;
    while (end < text.size() && (std::isdigit(static_cast<unsigned char>(text[end])) != 0 || text[end] == '.')) {
      if (text[end] == '.') {
        ++dots;
        digits = 0;
      } else {
        ++digits;
      }
      ++end;
    }
    if (dots == 3 && digits >= 6) return std::string(text.substr(at + 1, end - at - 1));
  }
  return {};
}

}  // namespace slipway::runtime
