#include "apps/cli/session_arguments.hpp"

#include <algorithm>
#include <thread>

#include "runtime/automatic_choice.hpp"

namespace slipway::cli {

using base::Code;

void SessionArguments::add_to(CLI::App& verb) {
  std::vector<std::string> names;
  for (const runtime::ProviderRow& row : runtime::provider_table()) names.emplace_back(row.name);
  names.emplace_back(runtime::kAutomatic);
  verb.add_option("-p,--provider", provider,
                  "Where to run; auto: measures once what this machine has, and keeps the fastest for the model")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  verb.add_flag("--fallback", fallback, "Let the CPU run the nodes that the provider refuses");
  verb.add_option("--soc", soc, "qnn: Qualcomm's number of the chip, e.g. 57 for SM8650")->check(CLI::PositiveNumber);
  verb.add_option("--htp-arch", htp_arch, "qnn: version of the chip's HTP, e.g. 75")->check(CLI::PositiveNumber);
  verb.add_option("--threads", threads, "Threads of one operator; 0: ONNX Runtime's choice")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--precision", precision, "openvino: what the model is computed in")
      ->check(CLI::IsMember({"float32", "bf16"}))
      ->capture_default_str();
  verb.add_option("--provider-option", provider_options, "Option of the provider as KEY=VALUE; may be repeated")
      ->allow_extra_args(false)
      ->take_all();
}

base::Result<runtime::SessionOptions> SessionArguments::session_options() const {
  // More threads than this only wait for each other, and thousands of them end the process.
  constexpr unsigned kThreadsPerProcessor = 4, kFewestAllowed = 64;
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const unsigned most = std::max(kFewestAllowed, kThreadsPerProcessor * processors);
  if (threads > 0 && static_cast<unsigned>(threads) > most) {
    return base::fail(Code::kInvalidArgument,
                      "--threads {}: this machine runs {} threads at once; at most {} are taken", threads, processors,
                      most);
  }
  runtime::SessionOptions options;
  options.provider.name = provider;
  options.fallback = fallback ? runtime::Fallback::kAllow : runtime::Fallback::kForbid;
  options.intra_op_threads = threads;
  if (precision == "bf16") {
    if (!runtime::provider_has(provider, &runtime::ProviderRow::accepts_bfloat16)) {
      const auto other = std::ranges::find_if(runtime::provider_table(), &runtime::ProviderRow::accepts_bfloat16);
      return base::fail(Code::kInvalidArgument, "--precision bf16 goes with --provider {}, not with {}", other->name,
                        provider);
    }
    options.provider.precision = runtime::Precision::kBfloat16;
  }
  if ((soc == 0) != (htp_arch == 0)) {
    return base::fail(Code::kInvalidArgument,
                      "--soc and --htp-arch belong together: with only one, the compiler may take "
                      "another chip than was meant");
  }
  if (soc != 0) options.provider.htp = runtime::HtpTarget{soc, htp_arch};
  for (const std::string& option : provider_options) {
    const auto equals = option.find('=');
    if (equals == std::string::npos || equals == 0) {
      return base::fail(Code::kInvalidArgument, "--provider-option takes KEY=VALUE, got '{}'", option);
    }
    options.provider.options[option.substr(0, equals)] = option.substr(equals + 1);
  }
  return options;
}

base::Result<runtime::LibraryPaths> find_libraries(std::string_view provider) {
  auto paths = runtime::locate_libraries(provider);
  if (!paths) return std::unexpected(base::Error{Code::kUnavailable, paths.error().message});
  return paths;
}

base::Result<std::shared_ptr<runtime::Environment>> open_environment(std::string_view provider) {
  SLIPWAY_ASSIGN(const runtime::LibraryPaths paths, find_libraries(provider));
  auto environment = runtime::Environment::open(paths);
  if (!environment) return std::unexpected(base::Error{Code::kUnavailable, environment.error().message});
  return environment;
}

}  // namespace slipway::cli
