#include "hub/protocol/agent_messages.hpp"

#include <limits>

#include "slipway/agent.pb.h"

#include "hub/domain/job.hpp"
#include "hub/protocol/wire_text.hpp"

namespace slipway::hub::protocol::agent {
namespace {

namespace wire = ::slipway::agent::v1;

template <typename Proto>
base::Result<Proto> parse(std::string_view bytes, std::string_view name) {
  Proto message;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return base::fail(base::Code::kInvalidArgument,
                      "expected a {} message of the agent API, found {} bytes that are not", name, bytes.size());
  }
  return message;
}

wire::ResultFile wire_file(const ResultFile& file) {
  wire::ResultFile proto;
  proto.set_name(wire_text(file.name));
  proto.set_upload_id(wire_text(file.upload_id));
  for (const std::string& etag : file.etags) proto.add_etags(wire_text(etag));
  return proto;
}

ResultFile file_of(const wire::ResultFile& proto) {
  return {.name = proto.name(), .upload_id = proto.upload_id(), .etags = {proto.etags().begin(), proto.etags().end()}};
}

}  // namespace

std::string encode(const Registration& message) {
  wire::AgentRegistration proto;
  proto.set_name(wire_text(message.name));
  proto.set_instance(wire_text(message.instance));
  proto.set_successor_of(wire_text(message.successor_of));
  for (const std::string& document : message.device_documents) proto.add_device_documents(wire_text(document));
  for (const domain::Framework& framework : message.frameworks) {
    wire::Framework& entry = *proto.add_frameworks();
    entry.set_name(wire_text(framework.name));
    entry.set_api_version(wire_text(framework.api_version));
    for (const std::string& tag : framework.api_tags) entry.add_api_tags(wire_text(tag));
    entry.set_full_version(wire_text(framework.full_version));
  }
  return proto.SerializeAsString();
}

template <>
base::Result<Registration> decode<Registration>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::AgentRegistration>(bytes, "AgentRegistration"));
  Registration message{.name = proto.name(),
                       .instance = proto.instance(),
                       .successor_of = proto.successor_of(),
                       .device_documents = {proto.device_documents().begin(), proto.device_documents().end()},
                       .frameworks = {}};
  for (const wire::Framework& entry : proto.frameworks()) {
    message.frameworks.push_back({.name = entry.name(),
                                  .api_version = entry.api_version(),
                                  .api_tags = {entry.api_tags().begin(), entry.api_tags().end()},
                                  .full_version = entry.full_version()});
  }
  return message;
}

std::string encode(const Registered& message) {
  wire::AgentRegistered proto;
  proto.set_agent_id(wire_text(message.agent_id));
  return proto.SerializeAsString();
}

template <>
base::Result<Registered> decode<Registered>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::AgentRegistered>(bytes, "AgentRegistered"));
  return Registered{.agent_id = proto.agent_id()};
}

std::string encode(const LeaseRequest& message) {
  wire::LeaseRequest proto;
  proto.set_agent_id(wire_text(message.agent_id));
  for (const domain::JobKind kind : message.kinds) proto.add_kinds(static_cast<std::uint32_t>(kind));
  return proto.SerializeAsString();
}

template <>
base::Result<LeaseRequest> decode<LeaseRequest>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::LeaseRequest>(bytes, "LeaseRequest"));
  LeaseRequest message{.agent_id = proto.agent_id(), .kinds = {}};
  for (const std::uint32_t number : proto.kinds()) {
    if (domain::find_kind(domain::JobKind{number}) == nullptr) {
      return base::fail(base::Code::kInvalidArgument,
                        "LeaseRequest.kinds: expected numbers of kinds that this hub knows, found {}; is the agent "
                        "newer than the hub?",
                        number);
    }
    message.kinds.push_back(domain::JobKind{number});
  }
  return message;
}

std::string encode(const LeaseReply& message) {
  wire::LeaseReply proto;
  proto.set_job_id(wire_text(message.job_id));
  proto.set_lease_token(wire_text(message.lease_token));
  proto.set_lease_seconds(message.lease_seconds);
  proto.set_spec_document(wire_text(message.spec_document));
  for (const InputFile& input : message.inputs) {
    wire::InputFile& entry = *proto.add_inputs();
    entry.set_name(wire_text(input.name));
    entry.set_url(wire_text(input.url));
    entry.set_sha256(wire_text(input.sha256));
    entry.set_size_bytes(input.size_bytes);
  }
  return proto.SerializeAsString();
}

template <>
base::Result<LeaseReply> decode<LeaseReply>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::LeaseReply>(bytes, "LeaseReply"));
  LeaseReply message{.job_id = proto.job_id(),
                     .lease_token = proto.lease_token(),
                     .lease_seconds = proto.lease_seconds(),
                     .spec_document = proto.spec_document(),
                     .inputs = {}};
  for (const wire::InputFile& entry : proto.inputs()) {
    message.inputs.push_back(
        {.name = entry.name(), .url = entry.url(), .sha256 = entry.sha256(), .size_bytes = entry.size_bytes()});
  }
  return message;
}

std::string encode(const LeaveRequest& message) {
  wire::LeaveRequest proto;
  proto.set_agent_id(wire_text(message.agent_id));
  return proto.SerializeAsString();
}

template <>
base::Result<LeaveRequest> decode<LeaveRequest>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::LeaveRequest>(bytes, "LeaveRequest"));
  return LeaveRequest{.agent_id = proto.agent_id()};
}

std::string encode(const RenewRequest& message) {
  wire::RenewRequest proto;
  proto.set_lease_token(wire_text(message.lease_token));
  return proto.SerializeAsString();
}

template <>
base::Result<RenewRequest> decode<RenewRequest>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::RenewRequest>(bytes, "RenewRequest"));
  return RenewRequest{.lease_token = proto.lease_token()};
}

std::string encode(const RenewReply& message) {
  wire::RenewReply proto;
  proto.set_lease_seconds(message.lease_seconds);
  return proto.SerializeAsString();
}

template <>
base::Result<RenewReply> decode<RenewReply>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::RenewReply>(bytes, "RenewReply"));
  return RenewReply{.lease_seconds = proto.lease_seconds()};
}

std::string encode(const LogLines& message) {
  wire::LogLines proto;
  proto.set_lease_token(wire_text(message.lease_token));
  proto.set_text(wire_text(message.text));
  return proto.SerializeAsString();
}

template <>
base::Result<LogLines> decode<LogLines>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::LogLines>(bytes, "LogLines"));
  return LogLines{.lease_token = proto.lease_token(), .text = proto.text()};
}

std::string encode(const BlobRequest& message) {
  wire::BlobRequest proto;
  proto.set_lease_token(wire_text(message.lease_token));
  proto.set_size_bytes(message.size_bytes);
  return proto.SerializeAsString();
}

template <>
base::Result<BlobRequest> decode<BlobRequest>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::BlobRequest>(bytes, "BlobRequest"));
  return BlobRequest{.lease_token = proto.lease_token(), .size_bytes = proto.size_bytes()};
}

std::string encode(const BlobPlan& message) {
  wire::BlobPlan proto;
  proto.set_upload_id(wire_text(message.upload_id));
  for (const std::string& url : message.urls) proto.add_urls(wire_text(url));
  proto.set_part_size_bytes(message.part_size_bytes);
  return proto.SerializeAsString();
}

template <>
base::Result<BlobPlan> decode<BlobPlan>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::BlobPlan>(bytes, "BlobPlan"));
  return BlobPlan{.upload_id = proto.upload_id(),
                  .urls = {proto.urls().begin(), proto.urls().end()},
                  .part_size_bytes = proto.part_size_bytes()};
}

std::string encode(const CompleteRequest& message) {
  wire::CompleteRequest proto;
  proto.set_lease_token(wire_text(message.lease_token));
  proto.set_outcome_document(wire_text(message.outcome_document));
  for (const ResultFile& file : message.files) *proto.add_files() = wire_file(file);
  if (message.outcome_file) *proto.mutable_outcome_file() = wire_file(*message.outcome_file);
  return proto.SerializeAsString();
}

template <>
base::Result<CompleteRequest> decode<CompleteRequest>(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto proto, parse<wire::CompleteRequest>(bytes, "CompleteRequest"));
  CompleteRequest message{.lease_token = proto.lease_token(),
                          .outcome_document = proto.outcome_document(),
                          .files = {},
                          .outcome_file = std::nullopt};
  for (const wire::ResultFile& entry : proto.files()) message.files.push_back(file_of(entry));
  if (proto.has_outcome_file()) message.outcome_file = file_of(proto.outcome_file());
  return message;
}

}  // namespace slipway::hub::protocol::agent
