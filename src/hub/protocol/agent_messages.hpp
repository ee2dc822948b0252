#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"

/// The messages of the agent API (proto/slipway/agent.proto) as plain structs, and their bytes both ways. The server
/// and the agent use the same functions. Documents inside them stay text: hub/domain/document.hpp reads and writes
/// them.
namespace slipway::hub::protocol::agent {

struct Registration {
  std::string name;                           ///< for people; need not be the only one
  std::string instance;                       ///< random, of this process
  std::string successor_of;                   ///< an instance that is known to be gone; may be empty
  std::vector<std::string> device_documents;  ///< "slipway-device/1", see domain::to_document(Device)
  std::vector<domain::Framework> frameworks;
};

struct Registered {
  std::string agent_id;
};

struct LeaseRequest {
  std::string agent_id;
  std::vector<domain::JobKind> kinds;  ///< what this slot takes; a number the server does not know is refused
};

struct LeaveRequest {
  std::string agent_id;
};

struct InputFile {
  std::string name;  ///< below in/ of the job folder
  std::string url;   ///< carries its own right of access: send no token there
  std::string sha256;
  std::uint64_t size_bytes = 0;
};

struct LeaseReply {
  std::string job_id;  ///< empty: no work within the poll
  std::string lease_token;
  std::uint32_t lease_seconds = 0;
  std::string spec_document;  ///< "slipway-job-spec/2"
  std::vector<InputFile> inputs;
};

struct RenewRequest {
  std::string lease_token;
};

struct RenewReply {
  std::uint32_t lease_seconds = 0;
};

struct LogLines {
  std::string lease_token;
  std::string text;  ///< bytes that are not UTF-8 are replaced by U+FFFD on the way
};

struct BlobRequest {
  std::string lease_token;
  std::uint64_t size_bytes = 0;
};

struct BlobPlan {
  std::string upload_id;
  std::vector<std::string> urls;  ///< part i takes bytes [i * part size, (i + 1) * part size)
  std::uint64_t part_size_bytes = 0;
};

struct ResultFile {
  std::string name;  ///< below out/ of the job folder
  std::string upload_id;
  std::vector<std::string> etags;  ///< of the parts in order, as the ETag headers said
};

struct CompleteRequest {
  std::string lease_token;
  std::string outcome_document;  ///< "slipway-job-outcome/1"; its file names are those of `files`
  std::vector<ResultFile> files;
  std::optional<ResultFile> outcome_file;  ///< holds the document instead of the field above
};

/// An outcome's document as an agent takes it from a job's process and the hub from an agent: its size, and that from
/// which on it travels as a file, because the hub takes no message of more than kLargestMessageBytes.
inline constexpr std::uint64_t kLargestOutcomeBytes = std::uint64_t{16} << 20U;
inline constexpr std::uint64_t kLargestOutcomeInMessage = std::uint64_t{1} << 20U;
inline constexpr std::uint64_t kLargestMessageBytes = std::uint64_t{4} << 20U;

/// Bytes of a message.
[[nodiscard]] std::string encode(const Registration& message);
[[nodiscard]] std::string encode(const Registered& message);
[[nodiscard]] std::string encode(const LeaseRequest& message);
[[nodiscard]] std::string encode(const LeaseReply& message);
[[nodiscard]] std::string encode(const LeaveRequest& message);
[[nodiscard]] std::string encode(const RenewRequest& message);
[[nodiscard]] std::string encode(const RenewReply& message);
[[nodiscard]] std::string encode(const LogLines& message);
[[nodiscard]] std::string encode(const BlobRequest& message);
[[nodiscard]] std::string encode(const BlobPlan& message);
[[nodiscard]] std::string encode(const CompleteRequest& message);

/// The message in some bytes: `decode<LeaseReply>(body)`. Defined for every struct with an encode().
/// @error kInvalidArgument: the bytes are not such a message (it is named)
template <typename Message>
[[nodiscard]] base::Result<Message> decode(std::string_view bytes);

}  // namespace slipway::hub::protocol::agent
