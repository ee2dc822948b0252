#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hub/domain/document.hpp"

/// The documents that a job's process and an agent hand in. What is read can be written, and is then read the same.
namespace {

template <typename Read>
void check(std::string_view text, Read read) {
  using slipway::hub::domain::to_document;
  const auto value = read(text);
  if (!value) return;
  const std::string written = to_document(*value);
  const auto again = read(written);
  if (!again || to_document(*again) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace slipway::hub::domain;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const JobPayload& payload : {JobPayload(kinds::Compile{}), JobPayload(kinds::Profile{}),
                                    JobPayload(kinds::Inference{}), JobPayload(kinds::Inspect{})}) {
    check(text, [&](std::string_view document) { return outcome_from_document(document, payload); });
  }
  check(text, device_from_document);
  check(text, inspection_from_document);
  return 0;
}
