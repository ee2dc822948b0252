#include "hub/protocol/models.hpp"

#include "hub/protocol/internal/wire.hpp"

namespace slipway::hub::protocol {

namespace api = internal::api;

std::string encode_model(const ModelView& view) {
  api::Model message;
  internal::fill_model(view.model, view.owner, message);
  return message.SerializeAsString();
}

std::string encode_models(const std::vector<ModelView>& views, std::uint64_t total) {
  api::ModelList list;
  for (const ModelView& view : views) internal::fill_model(view.model, view.owner, *list.add_models());
  list.set_total_query_count(total);
  return list.SerializeAsString();
}

base::Result<domain::NewModel> decode_new_model(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto message, internal::parse<api::Model>(bytes, "Model"));
  const auto type = internal::model_type_of(message.model_type());
  if (!type) {
    const std::string name =
        api::ModelType_IsValid(message.model_type()) ? api::ModelType_Name(message.model_type()) : "";
    return base::fail(base::Code::kInvalidArgument,
                      "model_type: expected ONNX, TFLite, TorchScript, exported program, AIMET ONNX, QNN context "
                      "binary or QNN DLC, found {} ({})",
                      static_cast<int>(message.model_type()), name.empty() ? "unknown" : name);
  }
  return domain::NewModel{.name = message.name(),
                          .type = *type,
                          .is_directory = message.is_directory(),
                          .project_id = message.project_id()};
}

base::Result<std::optional<std::string>> decode_model_name(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto message, internal::parse<api::Model>(bytes, "Model"));
  if (!message.has_name()) return std::optional<std::string>();
  return std::optional<std::string>(message.name());
}

}  // namespace slipway::hub::protocol
