#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qai_hub/public_api.pb.h"

#include "base/clock.hpp"
#include "base/error.hpp"
#include "hub/domain/types.hpp"
#include "hub/protocol/wire_text.hpp"

/// What the codecs of several resources share. Only the .cpp files of this module include it: the generated classes
/// stay inside.
namespace slipway::hub::protocol::internal {

namespace api = ::qai_hub::api;

/// @error kInvalidArgument: the bytes are not such a message (it is named)
template <typename Proto>
base::Result<Proto> parse(std::string_view bytes, std::string_view name) {
  Proto message;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return base::fail(base::Code::kInvalidArgument, "the body is not a {} message ({} bytes were sent)", name,
                      bytes.size());
  }
  return message;
}

void fill_time(base::Time time, ::google::protobuf::Timestamp& message);

/// The wire's number of an element type, or nothing for one of those it cannot express. Never zero.
[[nodiscard]] std::optional<api::TensorDtype> wire_dtype(tensor::Dtype dtype);
[[nodiscard]] std::optional<tensor::Dtype> dtype_of(api::TensorDtype number);

/// The model type of a wire number that this hub knows.
[[nodiscard]] std::optional<domain::ModelType> model_type_of(int number);

/// Tensors with a type that the wire cannot express are left out: a zero there makes the client raise, in lists too.
void fill_tensors(const std::vector<domain::ModelTensor>& tensors, api::NamedTensorTypeList& list);
void fill_specs(const domain::InputSpecs& specs, api::NamedTensorTypeList& list);

/// @error kInvalidArgument: an element type of zero or an unknown one (the input is named)
[[nodiscard]] base::Result<domain::InputSpecs> specs_of(const api::NamedTensorTypeList& list);

/// The wire wants a number for a user; ids here are text, so it is 48 bits of the id's hash.
[[nodiscard]] std::uint64_t user_number(const domain::User& user);
void fill_user(const domain::User& user, api::User& message);
void fill_device(const domain::Device& device, api::Device& message);
[[nodiscard]] domain::Device device_of(const api::Device& message);
void fill_model(const domain::Model& model, const domain::User& owner, api::Model& message);
void fill_dataset(const domain::Dataset& dataset, const domain::User& owner, api::Dataset& message);

}  // namespace slipway::hub::protocol::internal
