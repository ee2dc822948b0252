#include "apps/cli/two_providers.hpp"

#include "runtime/provider.hpp"

namespace slipway::cli {

using base::Code;

namespace {

/// Empty: any build will do.
std::string_view build_of(std::string_view provider) {
  if (runtime::provider_has(provider, &runtime::ProviderRow::is_fallback)) return "";
  return runtime::provider_has(provider, &runtime::ProviderRow::has_own_build) ? provider : "ONNX Runtime's own";
}

}  // namespace

base::Result<TwoProviders> TwoProviders::of(std::string_view text, bool has_segmenter) {
  TwoProviders providers;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto equals = part.find('=');
    const std::string_view name = equals == std::string_view::npos ? part : part.substr(equals + 1);
    const auto row = runtime::find_provider(name);
    if (!row) return std::unexpected(row.error().with(fmt::format("--provider {}", text)));
    const std::string_view role = equals == std::string_view::npos ? "" : part.substr(0, equals);
    if (!role.empty() && role != "detector" && role != "segmenter") {
      return base::fail(Code::kInvalidArgument,
                        "--provider {}: there is no network '{}'; expected detector=NAME,segmenter=NAME, or one NAME "
                        "for both",
                        text, role);
    }
    if (role != "segmenter") providers.detector = name;
    if (role != "detector") providers.segmenter = name;
  }
  if (!has_segmenter) providers.segmenter = runtime::ProviderRequest().name;
  const std::string_view one = build_of(providers.detector), other = build_of(providers.segmenter);
  if (!one.empty() && !other.empty() && one != other) {
    return base::fail(Code::kInvalidArgument,
                      "--provider detector={},segmenter={}: {} and {} are in different builds of ONNX Runtime, and a "
                      "process has one. Run one of them on the CPU, or both on the same provider",
                      providers.detector, providers.segmenter, providers.detector, providers.segmenter);
  }
  return providers;
}

std::string_view TwoProviders::of_build() const {
  return build_of(detector).empty() ? segmenter : detector;
}

}  // namespace slipway::cli
