#include "apps/hub_worker/machine.hpp"

#include <fstream>

#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include "apps/hub_worker/job_launcher.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "sandbox/run.hpp"

namespace slipway::worker {
namespace {

/// VERSION_ID of the distribution, e.g. "12"; the kernel's version where there is none.
std::string os_version() {
  std::ifstream release("/etc/os-release");
  for (std::string line; std::getline(release, line);) {
    constexpr std::string_view kKey = "VERSION_ID=";
    if (!line.starts_with(kKey)) continue;
    std::string value = line.substr(kKey.size());
    std::erase(value, '"');
    if (!value.empty()) return value;
  }
  utsname about{};
  ::uname(&about);
  const std::string kernel = about.release;
  return kernel.substr(0, kernel.find_first_not_of("0123456789."));
}

std::string vendor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.find("AuthenticAMD") != std::string::npos) return "amd";
    if (line.find("GenuineIntel") != std::string::npos) return "intel";
    if (line.starts_with("CPU implementer")) return line.find("0x51") != std::string::npos ? "qualcomm" : "arm";
  }
  return "unknown";
}

std::string architecture() {
  utsname about{};
  ::uname(&about);
  return about.machine;
}

/// Qualcomm's number of the chip, as its kernel says; 0: it says none.
int soc_model() {
  int number = 0;
  std::ifstream("/sys/devices/soc0/soc_id") >> number;
  return number;
}

}  // namespace

std::string slug_of(std::string_view name) {
  std::string slug;
  for (const char c : base::lowered(name)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      slug += c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  while (slug.ends_with('-')) slug.pop_back();
  return slug;
}

std::string api_version_of(std::string_view full_version) {
  const auto first = full_version.find('.');
  return std::string(first == std::string_view::npos ? full_version
                                                     : full_version.substr(0, full_version.find('.', first + 1)));
}

base::Result<Machine> describe_machine(const std::filesystem::path& program, const runtime::LibraryPaths& libraries) {
  SLIPWAY_ASSIGN(const auto folder, base::TemporaryFolder::create("slipway-describe-"));
  sandbox::Command command = command_for(program, libraries, folder.path());
  command.arguments.emplace_back("describe");
  sandbox::Limits limits;
  limits.wall_time = std::chrono::seconds(60);
  std::string text, last_line;
  SLIPWAY_ASSIGN(const auto exit, sandbox::run(command, limits, [&](std::string_view line) {
                   last_line = line;
                   if (line.starts_with("{\"")) text = line;
                 }));
  const auto about = nlohmann::json::parse(text, nullptr, false);
  if (!exit.succeeded() || !about.is_object()) {
    return base::fail(base::Code::kUnavailable, "this machine could not be described: {} {}", exit.describe(),
                      last_line);
  }
  if (!about.contains("onnxruntime")) {
    return base::fail(base::Code::kUnavailable, "ONNX Runtime cannot be used here: {}",
                      about.value("problem", "no reason is known"));
  }
  Machine machine;
  machine.cpu.name = about.value("machine", "CPU");
  machine.cpu.os = os_version();
  machine.cpu.presence = hub::domain::DevicePresence::kAttached;
  machine.cpu.execution_targets = {hub::domain::ExecutionTarget::kCpu};
  if (about.value("has_htp", false)) {
    machine.cpu.execution_targets.push_back(hub::domain::ExecutionTarget::kHtp);
    machine.cpu.chip.soc_model = soc_model();
  }
  machine.cpu.soc_description = machine.cpu.name;
  machine.cpu.attributes = {
      "format:compute",
      "vendor:" + vendor(),
      "os:linux",
      "framework:onnx",
      "chipset:" + slug_of(machine.cpu.name),
      fmt::format("abi:{}-linux", architecture()),
      // The official client refuses float models on a device without it; a CPU computes them as they are.
      "htp-supports-fp16:true",
  };
  const std::string onnxruntime = about.value("onnxruntime", "");
  machine.frameworks.push_back({"ONNX Runtime", api_version_of(onnxruntime), {"default", "latest"}, onnxruntime});
  if (about.contains("qairt")) {
    const std::string qairt = about.value("qairt", "");
    machine.frameworks.push_back({"QAIRT", api_version_of(qairt), {"default", "latest"}, qairt});
  }
  return machine;
}

}  // namespace slipway::worker
