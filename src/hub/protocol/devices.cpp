#include "hub/protocol/devices.hpp"

#include "hub/protocol/internal/wire.hpp"

namespace slipway::hub::protocol {

std::string encode_devices(const std::vector<domain::Device>& devices) {
  internal::api::DeviceList list;
  for (const domain::Device& device : devices) internal::fill_device(device, *list.add_devices());
  list.set_total_query_count(devices.size());
  return list.SerializeAsString();
}

std::string encode_frameworks(const std::vector<domain::Framework>& frameworks) {
  internal::api::FrameworkList list;
  for (const domain::Framework& framework : frameworks) {
    internal::api::Framework& entry = *list.add_frameworks();
    entry.set_name(wire_text(framework.name));
    entry.set_api_version(wire_text(framework.api_version));
    for (const std::string& tag : framework.api_tags) entry.add_api_tags(wire_text(tag));
    entry.set_full_version(wire_text(framework.full_version));
  }
  list.set_total_query_count(frameworks.size());
  return list.SerializeAsString();
}

}  // namespace slipway::hub::protocol
