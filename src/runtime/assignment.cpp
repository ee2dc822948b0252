#include "runtime/assignment.hpp"

#include <algorithm>
#include <span>

#include "base/text.hpp"
#include "runtime/library.hpp"

namespace slipway::runtime {
namespace {

constexpr std::uint32_t kApiVersion = 24;

// The calls exist since API 24. The table of ONNX Runtime's C API only ever grows at its end and its rows never move,
// so with headers of API 23, which end at row 390, the rows are reached by their number. Newer headers name them.
#if ORT_API_VERSION < 24
struct OrtEpAssignedSubgraph;
struct OrtEpAssignedNode;

constexpr std::size_t kRowsOfApi23 = 390;
static_assert(ORT_API_VERSION != 23 || sizeof(OrtApi) / sizeof(void*) == kRowsOfApi23);

struct AssignmentCalls {
  OrtStatus*(ORT_API_CALL* session_subgraphs)(const OrtSession*, const OrtEpAssignedSubgraph* const**, std::size_t*);
  OrtStatus*(ORT_API_CALL* provider_of)(const OrtEpAssignedSubgraph*, const char**);
  OrtStatus*(ORT_API_CALL* nodes_of)(const OrtEpAssignedSubgraph*, const OrtEpAssignedNode* const**, std::size_t*);
  OrtStatus*(ORT_API_CALL* name_of)(const OrtEpAssignedNode*, const char**);
  OrtStatus*(ORT_API_CALL* domain_of)(const OrtEpAssignedNode*, const char**);
  OrtStatus*(ORT_API_CALL* operator_of)(const OrtEpAssignedNode*, const char**);
};
static_assert(sizeof(AssignmentCalls) == 6 * sizeof(void*));

AssignmentCalls calls_of(const OrtApi& api) {
  constexpr std::size_t kFirstRow = kRowsOfApi23 + 17;
  AssignmentCalls calls{};
  std::memcpy(&calls, reinterpret_cast<const std::byte*>(&api) + kFirstRow * sizeof(void*), sizeof(calls));
  return calls;
}
#else
struct AssignmentCalls {
  decltype(OrtApi::Session_GetEpGraphAssignmentInfo) session_subgraphs;
  decltype(OrtApi::EpAssignedSubgraph_GetEpName) provider_of;
  decltype(OrtApi::EpAssignedSubgraph_GetNodes) nodes_of;
  decltype(OrtApi::EpAssignedNode_GetName) name_of;
  decltype(OrtApi::EpAssignedNode_GetDomain) domain_of;
  decltype(OrtApi::EpAssignedNode_GetOperatorType) operator_of;
};

AssignmentCalls calls_of(const OrtApi& api) {
  return {api.Session_GetEpGraphAssignmentInfo, api.EpAssignedSubgraph_GetEpName, api.EpAssignedSubgraph_GetNodes,
          api.EpAssignedNode_GetName,           api.EpAssignedNode_GetDomain,     api.EpAssignedNode_GetOperatorType};
}
#endif

}  // namespace

bool can_read_assignment(const OrtApiBase& base) {
  // An older library answers a request for a newer table with nothing, and says so on standard error: ask its version.
  return newest_api_of(base.GetVersionString()) >= static_cast<int>(kApiVersion);
}

ComputeUnit unit_of_provider(std::string_view execution_provider) {
  const auto row = std::ranges::find(provider_table(), execution_provider, &ProviderRow::execution_provider);
  return row == provider_table().end() ? ComputeUnit::kCpu : row->unit;
}

bool is_fallback(std::string_view execution_provider) {
  const auto row = std::ranges::find(provider_table(), execution_provider, &ProviderRow::execution_provider);
  return row != provider_table().end() && row->is_fallback;
}

std::string name_in_model(std::string_view name, std::string_view domain) {
  constexpr std::string_view kMark = "_token_";
  const auto at = name.rfind(kMark);
  if (domain != kLayoutDomain || at == std::string_view::npos) return std::string(name);
  const std::string_view number = name.substr(at + kMark.size());
  return std::string(base::parse_number<std::uint64_t>(number) ? name.substr(0, at) : name);
}

base::Result<PlacementReport> read_assignment(const OrtApiBase& base, const Ort::Session& session) {
  return guarded("reading where ONNX Runtime placed the nodes", [&]() -> base::Result<PlacementReport> {
    const OrtApi* api = base.GetApi(kApiVersion);
    if (api == nullptr) return base::fail(base::Code::kUnimplemented, "this ONNX Runtime has no API {}", kApiVersion);
    const AssignmentCalls calls = calls_of(*api);
    PlacementReport report;
    const OrtEpAssignedSubgraph* const* subgraphs = nullptr;
    std::size_t subgraph_count = 0;
    Ort::ThrowOnError(calls.session_subgraphs(session, &subgraphs, &subgraph_count));
    for (const OrtEpAssignedSubgraph* subgraph : std::span(subgraphs, subgraph_count)) {
      const char* provider = nullptr;
      Ort::ThrowOnError(calls.provider_of(subgraph, &provider));
      const OrtEpAssignedNode* const* nodes = nullptr;
      std::size_t node_count = 0;
      Ort::ThrowOnError(calls.nodes_of(subgraph, &nodes, &node_count));
      if (!is_fallback(provider)) ++report.partitions;
      for (const OrtEpAssignedNode* node : std::span(nodes, node_count)) {
        const char* name = nullptr;
        const char* domain = nullptr;
        const char* operator_type = nullptr;
        Ort::ThrowOnError(calls.name_of(node, &name));
        Ort::ThrowOnError(calls.domain_of(node, &domain));
        Ort::ThrowOnError(calls.operator_of(node, &operator_type));
        report.layers.push_back({name_in_model(name, domain), operator_type, provider, unit_of_provider(provider)});
        ++report.nodes_per_provider[provider];
      }
    }
    return report;
  });
}

}  // namespace slipway::runtime
