#include "hub/executor/internal/placement_document.hpp"

#include <nlohmann/json.hpp>

namespace slipway::hub::executor {
namespace {

using Json = nlohmann::ordered_json;
using base::Code;

constexpr std::string_view kSchema = "slipway-placement/1";

runtime::ComputeUnit unit_of(const std::string& name) {
  for (const auto unit : {runtime::ComputeUnit::kCpu, runtime::ComputeUnit::kGpu, runtime::ComputeUnit::kNpu}) {
    if (runtime::compute_unit_name(unit) == name) return unit;
  }
  throw Json::other_error::create(501, "unknown compute unit " + name, nullptr);
}

}  // namespace

std::string placement_document(const runtime::PlacementReport& placement) {
  Json layers = Json::array();
  for (const auto& layer : placement.layers) {
    layers.push_back({{"name", layer.name},
                      {"type", layer.op_type},
                      {"provider", layer.provider},
                      {"unit", runtime::compute_unit_name(layer.unit)}});
  }
  const Json document = {{"schema", kSchema},
                         {"partitions", placement.partitions},
                         {"is_emulated", placement.is_emulated},
                         {"layers", std::move(layers)}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

base::Result<runtime::PlacementReport> placement_from_document(std::string_view text) {
  runtime::PlacementReport placement;
  try {
    const Json document = Json::parse(text);
    if (document.at("schema").get<std::string>() != kSchema) {
      return base::fail(Code::kInvalidArgument, "placement: expected schema {}", kSchema);
    }
    placement.partitions = document.at("partitions").get<int>();
    placement.is_emulated = document.at("is_emulated").get<bool>();
    for (const Json& row : document.at("layers")) {
      runtime::LayerPlacement layer;
      layer.name = row.at("name").get<std::string>();
      layer.op_type = row.at("type").get<std::string>();
      layer.provider = row.at("provider").get<std::string>();
      layer.unit = unit_of(row.at("unit").get<std::string>());
      ++placement.nodes_per_provider[layer.provider];
      placement.layers.push_back(std::move(layer));
    }
  } catch (const Json::exception& error) {
    return base::fail(Code::kInvalidArgument, "placement: {}", error.what());
  }
  return placement;
}

}  // namespace slipway::hub::executor
