#include "pipelines/samurai/component_check.hpp"

#include <algorithm>
#include <limits>

#include "base/text.hpp"
#include "pipelines/common/model_folder.hpp"
#include "tensor/compare.hpp"

namespace slipway::pipelines::samurai {

using base::Code;
using base::fail;
using base::Result;

namespace {

/// What a component took and gave on one frame.
struct Case {
  std::string component;
  std::int64_t frame = 0;
  tensor::NamedTensors inputs, outputs;
};

/// "mask_decoder/1/in/embeddings" split at its slashes; false for any other form.
bool split_name(const std::string& name, Case& where, bool& is_input, std::string& tensor) {
  const auto first = name.find('/');
  const auto second = first == std::string::npos ? first : name.find('/', first + 1);
  const auto third = second == std::string::npos ? second : name.find('/', second + 1);
  if (third == std::string::npos) return false;
  where.component = name.substr(0, first);
  const auto frame = base::parse_number<std::int64_t>(std::string_view(name).substr(first + 1, second - first - 1));
  where.frame = frame.value_or(0);
  const std::string side = name.substr(second + 1, third - second - 1);
  is_input = side == "in";
  tensor = name.substr(third + 1);
  return frame && (is_input || side == "out") && !tensor.empty();
}

Result<std::vector<Case>> cases_of(tensor::NamedTensors recorded, const std::string& name) {
  std::vector<Case> cases;
  for (tensor::NamedTensor& array : recorded) {
    Case where;
    bool is_input = false;
    std::string tensor;
    if (!split_name(array.name, where, is_input, tensor)) {
      return fail(Code::kInvalidArgument, "{}: array '{}': expected COMPONENT/FRAME/in/TENSOR or …/out/TENSOR", name,
                  array.name);
    }
    auto at = std::ranges::find_if(
        cases, [&](const Case& each) { return each.component == where.component && each.frame == where.frame; });
    if (at == cases.end()) at = cases.insert(cases.end(), std::move(where));
    (is_input ? at->inputs : at->outputs).push_back({tensor, std::move(array.tensor)});
  }
  if (cases.empty()) return fail(Code::kInvalidArgument, "{}: no arrays", name);
  std::ranges::stable_sort(cases, {}, &Case::component);
  return cases;
}

}  // namespace

Result<std::vector<ComponentError>> check_each_component(std::shared_ptr<runtime::Environment> environment,
                                                         const std::filesystem::path& model,
                                                         const runtime::SessionOptions& options,
                                                         tensor::NamedTensors recorded, const std::string& name) {
  SLIPWAY_ASSIGN(const ModelFolder folder, ModelFolder::open(model));
  SLIPWAY_ASSIGN(const std::vector<Case> cases, cases_of(std::move(recorded), name));
  std::vector<ComponentError> errors;
  std::unique_ptr<runtime::Session> session;
  std::string loaded;
  for (const Case& each : cases) {
    if (loaded != each.component) {
      SLIPWAY_ASSIGN(const ModelGraph* graph, folder.graph(each.component));
      session.reset();
      SLIPWAY_ASSIGN(session, runtime::Session::load(environment, graph->file, options));
      loaded = each.component;
    }
    auto found = session->run(each.inputs);
    if (!found) return std::unexpected(found.error().with(fmt::format("{}: {}", name, each.component)));
    for (const tensor::NamedTensor& expected : each.outputs) {
      const auto ours = std::ranges::find(*found, expected.name, &tensor::NamedTensor::name);
      if (ours == found->end()) {
        return fail(Code::kInvalidArgument, "{}: {} has no output '{}'", name, each.component, expected.name);
      }
      auto agreement = tensor::compare(expected.tensor, ours->tensor);
      if (!agreement) {
        return std::unexpected(
            agreement.error().with(fmt::format("{}: {}: output '{}'", name, each.component, expected.name)));
      }
      const double relative = agreement->not_comparable + agreement->reference_nan > 0
                                  ? std::numeric_limits<double>::infinity()
                                  : agreement->relative_max;
      errors.push_back({each.component, each.frame, expected.name, relative});
    }
  }
  return errors;
}

}  // namespace slipway::pipelines::samurai
