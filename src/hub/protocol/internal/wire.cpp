#include "hub/protocol/internal/wire.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/hash.hpp"

namespace slipway::hub::protocol::internal {
namespace {

constexpr std::array<std::pair<tensor::Dtype, api::TensorDtype>, 9> kDtypes{{
    {tensor::Dtype::kFloat32, api::TENSOR_DTYPE_FLOAT32},
    {tensor::Dtype::kFloat16, api::TENSOR_DTYPE_FLOAT16},
    {tensor::Dtype::kInt32, api::TENSOR_DTYPE_INT32},
    {tensor::Dtype::kInt64, api::TENSOR_DTYPE_INT64},
    {tensor::Dtype::kInt8, api::TENSOR_DTYPE_INT8},
    {tensor::Dtype::kUint8, api::TENSOR_DTYPE_UINT8},
    {tensor::Dtype::kInt16, api::TENSOR_DTYPE_INT16},
    {tensor::Dtype::kUint16, api::TENSOR_DTYPE_UINT16},
    {tensor::Dtype::kBool, api::TENSOR_DTYPE_BOOL},
}};

bool fill_spec(const tensor::TensorSpec& spec, api::NamedTensorTypeList& list, std::string_view graph_name) {
  const auto dtype = wire_dtype(spec.dtype);
  if (!dtype) return false;
  api::NamedTensorType& entry = *list.add_types();
  entry.set_name(wire_text(spec.name));
  for (const std::int64_t dimension : spec.shape) entry.mutable_tensor_type()->add_shape(dimension);
  entry.mutable_tensor_type()->set_dtype(*dtype);
  if (spec.quantization) {
    entry.mutable_tensor_type()->set_scale(spec.quantization->scale);
    entry.mutable_tensor_type()->set_zero_point(static_cast<double>(spec.quantization->zero_point));
  }
  if (!graph_name.empty()) entry.set_graph_name(wire_text(graph_name));
  return true;
}

bool is_known(const std::vector<domain::ModelTensor>& tensors) {
  return !tensors.empty() && std::ranges::all_of(tensors, [](const auto& entry) { return entry.spec.has_rank; });
}

}  // namespace

void fill_time(base::Time time, ::google::protobuf::Timestamp& message) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch() - seconds);
  message.set_seconds(seconds.count());
  message.set_nanos(static_cast<std::int32_t>(rest.count()));
}

std::optional<api::TensorDtype> wire_dtype(tensor::Dtype dtype) {
  for (const auto& [ours, theirs] : kDtypes) {
    if (ours == dtype) return theirs;
  }
  return std::nullopt;
}

std::optional<tensor::Dtype> dtype_of(api::TensorDtype number) {
  for (const auto& [ours, theirs] : kDtypes) {
    if (theirs == number) return ours;
  }
  return std::nullopt;
}

std::optional<domain::ModelType> model_type_of(int number) {
  using domain::ModelType;
  for (const ModelType type :
       {ModelType::kTorchScript, ModelType::kTflite, ModelType::kOnnx, ModelType::kQnnContextBinary,
        ModelType::kAimetOnnx, ModelType::kQnnDlc, ModelType::kTorchExportedProgram}) {
    if (number == static_cast<int>(type)) return type;
  }
  return std::nullopt;
}

void fill_tensors(const std::vector<domain::ModelTensor>& tensors, api::NamedTensorTypeList& list) {
  for (const domain::ModelTensor& entry : tensors) fill_spec(entry.spec, list, entry.graph_name);
}

void fill_specs(const domain::InputSpecs& specs, api::NamedTensorTypeList& list) {
  for (const tensor::TensorSpec& spec : specs) fill_spec(spec, list, {});
}

base::Result<domain::InputSpecs> specs_of(const api::NamedTensorTypeList& list) {
  domain::InputSpecs specs;
  for (const api::NamedTensorType& entry : list.types()) {
    const auto dtype = dtype_of(entry.tensor_type().dtype());
    if (!dtype) {
      return base::fail(base::Code::kInvalidArgument,
                        "input \"{}\": expected one of the element types float16, float32, bool, int8, int16, int32, "
                        "int64, uint8, uint16, found number {}",
                        entry.name(), static_cast<int>(entry.tensor_type().dtype()));
    }
    tensor::TensorSpec spec{.name = entry.name(), .dtype = *dtype, .shape = {}, .quantization = std::nullopt};
    spec.shape.assign(entry.tensor_type().shape().begin(), entry.tensor_type().shape().end());
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::uint64_t user_number(const domain::User& user) {
  if (user.id.empty()) return 0;
  return std::strtoull(base::sha256_hex(user.id).substr(0, 12).c_str(), nullptr, 16);
}

void fill_user(const domain::User& user, api::User& message) {
  message.set_id(user_number(user));
  message.set_email(wire_text(user.email));
}

void fill_device(const domain::Device& device, api::Device& message) {
  message.set_name(wire_text(device.name));
  message.set_os(wire_text(device.os));
  for (const std::string& attribute : device.attributes) message.add_attributes(wire_text(attribute));
  message.set_soc_description(wire_text(device.soc_description));
}

domain::Device device_of(const api::Device& message) {
  domain::Device device;
  device.name = message.name();
  device.os = message.os();
  device.attributes.assign(message.attributes().begin(), message.attributes().end());
  return device;
}

void fill_model(const domain::Model& model, const domain::User& owner, api::Model& message) {
  message.set_model_id(wire_text(model.id));
  fill_user(owner, *message.mutable_owner());
  message.set_name(wire_text(model.name));
  fill_time(model.created, *message.mutable_creation_time());
  message.set_model_type(static_cast<api::ModelType>(model.type));
  message.set_file_upload_complete(model.upload == domain::UploadState::kComplete);
  if (!model.producer_job_id.empty()) message.set_producer_id(wire_text(model.producer_job_id));
  message.set_is_directory(model.is_directory);
  if (!model.metadata.empty()) {
    auto& entries = *message.mutable_metadata()->mutable_entries();
    for (const auto& [key, text] : model.metadata) entries[key] = wire_text(text);
  }
  if (model.inspection) {
    // The wire has no word for an unknown rank, and an empty shape is a scalar's: such a list is not known at all.
    const auto& [inputs, outputs] = std::tie(model.inspection->inputs, model.inspection->outputs);
    if (is_known(inputs)) fill_tensors(inputs, *message.mutable_input_spec());
    if (is_known(outputs)) fill_tensors(outputs, *message.mutable_output_spec());
  }
  if (!model.project_id.empty()) message.set_project_id(wire_text(model.project_id));
  message.mutable_actor_authorization()->add_permissions(api::MODEL_CAN_VIEW);
  message.mutable_actor_authorization()->add_permissions(api::MODEL_CAN_UPDATE);
}

void fill_dataset(const domain::Dataset& dataset, const domain::User& owner, api::Dataset& message) {
  message.set_dataset_id(wire_text(dataset.id));
  fill_user(owner, *message.mutable_owner());
  message.set_name(wire_text(dataset.name));
  fill_time(dataset.created, *message.mutable_creation_time());
  if (dataset.expires) fill_time(*dataset.expires, *message.mutable_expiration_time());
  message.set_file_upload_complete(dataset.upload == domain::UploadState::kComplete);
  message.set_permanent(!dataset.expires.has_value());
  if (!dataset.project_id.empty()) message.set_project_id(wire_text(dataset.project_id));
  message.mutable_actor_authorization()->add_permissions(api::DATASET_CAN_VIEW);
  message.mutable_actor_authorization()->add_permissions(api::DATASET_CAN_UPDATE);
}

}  // namespace slipway::hub::protocol::internal
