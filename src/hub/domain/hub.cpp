#include "hub/domain/hub.hpp"

#include <algorithm>
#include <utility>

namespace slipway::hub::domain {
namespace {

// An agent polls for work every 30 s and renews a lease every 10 s: three polls missed, and it is gone.
constexpr std::chrono::seconds kAgentSilence{90};

}  // namespace

Hub::Hub(HubSettings settings, MetadataStore& metadata, BlobStore& blobs, const base::Clock& clock, base::IdSource& ids,
         std::vector<Device> catalogue)
    : settings_(std::move(settings)),
      metadata_(metadata),
      blobs_(blobs),
      clock_(clock),
      ids_(ids),
      catalogue_(std::move(catalogue)) {
  for (Device& device : catalogue_) device.presence = DevicePresence::kCatalogue;
}

void Hub::set_change_listener(std::function<void()> listener) {
  listener_ = std::move(listener);
}

void Hub::changed() const {
  if (listener_) listener_();
}

std::vector<Hub::Agent> Hub::live_agents() const {
  const base::Time now = clock_.now();
  const std::lock_guard lock(agents_mutex_);
  std::vector<Agent> live;
  for (const auto& [id, agent] : agents_) {
    if (now - agent.last_seen <= kAgentSilence) live.push_back(agent);
  }
  return live;
}

std::vector<Device> Hub::devices() const {
  std::vector<Device> devices;
  const auto is_new = [&](const Device& device) {
    return std::ranges::find(devices, device.name, &Device::name) == devices.end();
  };
  for (const Agent& agent : live_agents()) {
    for (const Device& device : agent.registration.devices) {
      if (is_new(device)) devices.push_back(device);
    }
  }
  const std::size_t attached = devices.size();
  for (const Device& device : catalogue_) {
    // Names within the catalogue are distinct already.
    const auto end = devices.begin() + static_cast<std::ptrdiff_t>(attached);
    if (std::find_if(devices.begin(), end, [&](const Device& d) { return d.name == device.name; }) == end) {
      devices.push_back(device);
    }
  }
  return devices;
}

base::Result<std::vector<Device>> Hub::match(const DeviceQuery& query) const {
  return match_devices(devices(), query);
}

std::vector<Framework> Hub::frameworks() const {
  std::vector<Framework> frameworks;
  for (const Agent& agent : live_agents()) {
    for (const Framework& framework : agent.registration.frameworks) {
      const bool known = std::ranges::any_of(frameworks, [&](const Framework& f) {
        return f.name == framework.name && f.full_version == framework.full_version;
      });
      if (!known) frameworks.push_back(framework);
    }
  }
  return frameworks;
}

}  // namespace slipway::hub::domain
