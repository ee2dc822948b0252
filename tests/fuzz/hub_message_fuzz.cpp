#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/protocol/agent_messages.hpp"
#include "hub/protocol/datasets.hpp"
#include "hub/protocol/jobs.hpp"
#include "hub/protocol/models.hpp"
#include "hub/protocol/transfers.hpp"

/// Whatever a body holds, reading refuses or accepts; what the agents' codec accepts, it writes and reads again.
namespace {

using namespace slipway::hub::protocol;

void require(bool condition) {
  if (!condition) std::abort();
}

template <typename Message>
void check_agent_message(std::string_view bytes) {
  const auto message = agent::decode<Message>(bytes);
  if (!message) return;
  const std::string written = agent::encode(*message);
  const auto again = agent::decode<Message>(written);
  require(again.has_value());
  require(agent::encode(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)decode_submission(bytes);
  (void)decode_job_name(bytes);
  (void)decode_new_model(bytes);
  (void)decode_model_name(bytes);
  (void)decode_new_dataset(bytes);
  (void)decode_upload_completion(bytes);
  check_agent_message<agent::Registration>(bytes);
  check_agent_message<agent::LeaseRequest>(bytes);
  check_agent_message<agent::LeaseReply>(bytes);
  check_agent_message<agent::BlobPlan>(bytes);
  check_agent_message<agent::CompleteRequest>(bytes);
  check_agent_message<agent::LogLines>(bytes);
  return 0;
}
