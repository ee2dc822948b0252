#include "convert/torch_script/read.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "base/utf8.hpp"
#include "convert/torch_script/internal/evaluator.hpp"
#include "convert/torch_script/internal/pickle.hpp"

namespace slipway::convert::torch_script {
namespace {

using base::Code;
using base::fail;
using internal::Evaluator;
using internal::Expression;
using internal::Object;
using internal::Parameter;

constexpr std::uint64_t kMostMarkBytes = 64;

/// The example inputs of a trace: their dtypes and sizes, in order, lists and tuples taken apart.
void flatten_examples(const Object& object, std::vector<aten::TensorMeta>& metas, int depth = 0) {
  if (const auto* const tensor = object.get<aten::StoredTensor>()) {
    aten::TensorMeta meta{tensor->dtype, {}};
    for (const std::int64_t size : tensor->shape) meta.sizes.push_back({size, ""});
    metas.push_back(std::move(meta));
  } else if (const auto* const sequence = object.get<internal::Sequence>(); sequence != nullptr && depth < 4) {
    for (const Object* element : sequence->elements) flatten_examples(*element, metas, depth + 1);
  }
}
std::vector<aten::TensorMeta> examples_of(const archive::ZipArchive& archive, internal::Heap& heap) {
  std::vector<aten::TensorMeta> metas;
  if (archive.find("traced_inputs.pkl") == nullptr) return metas;
  const auto examples = internal::read_pickle(archive, "traced_inputs", heap, true);
  const auto* const methods = examples ? (*examples)->get<internal::Dictionary>() : nullptr;
  if (methods == nullptr) return metas;
  for (const auto& [name, inputs] : methods->items) {
    const auto* const text = name->get<std::string>();
    if (text != nullptr && *text == "forward") flatten_examples(*inputs, metas);
  }
  return metas;
}

aten::TensorMeta meta_of(const tensor::TensorSpec& spec) {
  aten::TensorMeta meta{aten::scalar_type_of(spec.dtype), {}};
  for (std::size_t i = 0; i < spec.shape.size(); ++i) {
    if (spec.shape[i] >= 0) {
      meta.sizes.push_back({spec.shape[i], ""});
    } else {
      meta.sizes.push_back({std::nullopt, fmt::format("{}_dim_{}", spec.name, i)});
    }
  }
  return meta;
}

/// "Tensor", "Optional", "Tuple" … of a parameter's type.
std::string type_name(const Parameter& parameter) {
  if (parameter.type == nullptr) return "Tensor";
  const Expression& type = *parameter.type;
  return type.kind == Expression::Kind::kSubscript ? type.children[0]->text : type.text;
}

/// Gives out specs (or examples, or nothing) to what `forward` takes.
class Inputs {
 public:
  Inputs(Evaluator& evaluator, internal::Heap& heap, const std::vector<tensor::TensorSpec>& specs,
         std::vector<aten::TensorMeta> examples)
      : evaluator_(evaluator), heap_(heap), specs_(specs), examples_(std::move(examples)) {}

  base::Result<Object*> of(const Parameter& parameter) {
    const std::string type = type_name(parameter);
    if (type == "Tensor") {
      if (!has_more() && parameter.default_value != nullptr) return evaluator_.default_of(parameter);
      return next(parameter.name);
    }
    if (type == "Optional") {
      if (!has_more())
        return parameter.default_value != nullptr ? evaluator_.default_of(parameter) : heap_.make(aten::None{});
      return next(parameter.name);
    }
    if (type == "Tuple" || type == "NamedTuple") {
      const Expression& elements = *parameter.type->children[1];
      const bool is_one = elements.kind != Expression::Kind::kTuple;
      internal::Sequence tuple{true, {}};
      for (std::size_t i = 0; i < (is_one ? 1 : elements.children.size()); ++i) {
        const Expression* const element = is_one ? &elements : elements.children[i];
        SLIPWAY_ASSIGN(Object* const object, of(Parameter{fmt::format("{}_{}", parameter.name, i), element, nullptr}));
        tuple.elements.push_back(object);
      }
      return heap_.make(std::move(tuple));
    }
    if (parameter.default_value != nullptr) return evaluator_.default_of(parameter);
    return fail(Code::kUnimplemented,
                "the model takes '{}', a {}; only tensors and tuples of them can be inputs: trace the model with that "
                "argument fixed",
                parameter.name, type);
  }

  /// What the specs leave over, or leave out.
  [[nodiscard]] base::Result<void> check_all_used() const {
    if (specs_.empty() || at_ == specs_.size()) return {};
    return fail(Code::kInvalidArgument, "the model takes {} inputs ({}), and {} are given: one for each, in this order",
                names_.size(), fmt::join(names_, ", "), specs_.size());
  }

 private:
  [[nodiscard]] bool has_more() const { return at_ < std::max(specs_.size(), specs_.empty() ? examples_.size() : 0); }

  base::Result<Object*> next(const std::string& parameter) {
    names_.push_back(parameter);
    const std::size_t place = at_++;
    if (place < specs_.size()) {
      const tensor::TensorSpec& spec = specs_[place];
      return evaluator_.add_input(spec.name.empty() ? parameter : spec.name, meta_of(spec));
    }
    if (!specs_.empty()) {  // counted on, for the message
      return evaluator_.add_input(parameter, std::nullopt);
    }
    if (place < examples_.size()) return evaluator_.add_input(parameter, examples_[place]);
    return evaluator_.add_input(parameter, std::nullopt);
  }

  Evaluator& evaluator_;
  internal::Heap& heap_;
  const std::vector<tensor::TensorSpec>& specs_;
  std::vector<aten::TensorMeta> examples_;
  std::vector<std::string> names_;
  std::size_t at_ = 0;
};

/// Takes tuples, lists and dictionaries of the result apart: "output_0", "output_1" …, or a dictionary's keys.
base::Result<void> add_outputs(Evaluator& evaluator, Object* result, const std::string& name, int depth) {
  if (depth > aten::kDeepestList) return fail(Code::kInvalidArgument, "the result is nested too deeply");
  if (const auto* const sequence = result->get<internal::Sequence>()) {
    for (Object* element : sequence->elements) {
      SLIPWAY_TRY(add_outputs(evaluator, element, "", depth + 1));
    }
    return {};
  }
  if (const auto* const dictionary = result->get<internal::Dictionary>()) {
    for (const auto& [key, value] : dictionary->items) {
      const auto* const text = key->get<std::string>();
      SLIPWAY_TRY(add_outputs(evaluator, value, text == nullptr ? "" : *text, depth + 1));
    }
    return {};
  }
  if (result->is_none()) return {};
  SLIPWAY_ASSIGN(aten::Argument argument, evaluator.argument_of(result));
  auto& outputs = evaluator.graph().outputs;
  const auto add = [&](aten::Argument one) {
    outputs.push_back({std::move(one), name.empty() ? fmt::format("output_{}", outputs.size()) : name});
  };
  if (const auto* const list = argument.get<aten::List>()) {
    for (const aten::Argument& element : *list) add(element);
  } else {
    add(std::move(argument));
  }
  return {};
}

base::Result<void> check_marks(const archive::ZipArchive& archive) {
  if (archive.find("byteorder") != nullptr) {
    SLIPWAY_ASSIGN(const std::string order, archive.unpack("byteorder", kMostMarkBytes));
    if (order != "little") {
      return fail(Code::kUnimplemented, "byteorder: numbers are '{}'-endian, and only 'little' is read",
                  base::valid_utf8(order));
    }
  }
  return {};
}

}  // namespace

bool is_torch_script(const archive::ZipArchive& archive) {
  return archive.find("data.pkl") != nullptr && archive.find("constants.pkl") != nullptr;
}

base::Result<aten::Graph> read(const archive::ZipArchive& archive, const std::vector<tensor::TensorSpec>& inputs) {
  SLIPWAY_TRY(check_marks(archive));
  internal::Heap heap;
  SLIPWAY_ASSIGN(Object* const root, internal::read_pickle(archive, "data", heap));
  Object* constants = nullptr;
  if (archive.find("constants.pkl") != nullptr) {
    SLIPWAY_ASSIGN(constants, internal::read_pickle(archive, "constants", heap));
  }
  Evaluator evaluator(archive, heap, root, constants);
  SLIPWAY_ASSIGN(const internal::Function* const forward, evaluator.method("forward"));
  if (forward->parameters.empty()) return fail(Code::kInvalidArgument, "the model's forward takes not even the model");
  Inputs given(evaluator, heap, inputs, inputs.empty() ? examples_of(archive, heap) : std::vector<aten::TensorMeta>());
  std::vector<Object*> arguments;
  for (std::size_t i = 1; i < forward->parameters.size(); ++i) {
    SLIPWAY_ASSIGN(Object* const argument, given.of(forward->parameters[i]));
    arguments.push_back(argument);
  }
  SLIPWAY_TRY(given.check_all_used());
  SLIPWAY_ASSIGN(Object* const result, evaluator.run("forward", arguments));
  SLIPWAY_TRY(add_outputs(evaluator, result, "", 0));
  aten::Graph& graph = evaluator.graph();
  if (graph.outputs.empty()) return fail(Code::kInvalidArgument, "the model returns no tensor");
  graph.producer = "PyTorch (TorchScript)";
  return std::move(graph);
}

}  // namespace slipway::convert::torch_script
