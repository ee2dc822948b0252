#include "convert/torch_script/internal/evaluator.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/utf8.hpp"
#include "convert/torch_script/internal/constant_calls.hpp"

namespace slipway::convert::torch_script::internal {
namespace {

using base::fail;
using ErrorCode = base::Code;
using Kind = Expression::Kind;

// The largest models known take some ten thousand steps; code that calls itself twice at each level would never end.
constexpr std::size_t kMostSteps = 2'000'000;
// Each level of nested code costs some frames of the machine's stack.
constexpr int kDeepest = 900;
constexpr std::int64_t kMostListElements = 4096;  // of a list whose length only its readers tell
constexpr std::uint64_t kMostCodeBytes = 32U << 20U;

/// Operators that give a list: where their result is not taken apart at once, who reads it tells how long it is.
constexpr auto kGivesList = std::to_array<std::string_view>(
    {"split", "split_with_sizes", "chunk", "unbind", "tensor_split", "meshgrid", "broadcast_tensors", "unsafe_split",
     "unsafe_chunk", "hsplit", "vsplit", "dsplit"});

/// "torch.nn.functional.relu" of the expression a.b.c; "" for any other.
std::string dotted(const Expression& expression) {
  std::vector<const Expression*> parts;
  const Expression* at = &expression;
  for (; at->kind == Kind::kAttribute; at = at->children[0]) parts.push_back(at);
  if (at->kind != Kind::kName) return {};
  std::string name = at->text;
  for (std::size_t i = parts.size(); i-- > 0;) name += "." + parts[i]->text;
  return name;
}
const Expression& root_of(const Expression& expression) {
  const Expression* at = &expression;
  while (at->kind == Kind::kAttribute) at = at->children[0];
  return *at;
}

std::optional<std::int64_t> integer_of(const Object& object) {
  const auto* const integer = object.get<std::int64_t>();
  return integer == nullptr ? std::nullopt : std::optional(*integer);
}

/// Where among `count` an index of Python's points.
std::optional<std::size_t> place_of(std::int64_t index, std::size_t count) {
  const auto size = static_cast<std::int64_t>(count);
  if (index < -size || index >= size) return std::nullopt;
  return static_cast<std::size_t>(index < 0 ? index + size : index);
}

class Deeper {
 public:
  explicit Deeper(int& depth) : depth_(depth) { ++depth_; }
  ~Deeper() { --depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  int& depth_;
};

}  // namespace

Evaluator::Evaluator(const archive::ZipArchive& archive, Heap& heap, Object* root, Object* constants)
    : archive_(archive), heap_(heap), root_(root), constants_(constants) {
  name_tensors(*root, "", 0);
  if (constants != nullptr) {
    if (const auto* const tuple = constants->get<Sequence>()) {
      for (std::size_t i = 0; i < tuple->elements.size(); ++i) {
        paths_.emplace(tuple->elements[i], fmt::format("CONSTANTS.c{}", i));
        kinds_.emplace(tuple->elements[i], aten::StoredKind::kConstant);
      }
    }
  }
}

/// Names modules and tensors by the path on which they are found first.
void Evaluator::name_tensors(Object& object, const std::string& path, int depth) {
  if (depth > kDeepest || !paths_.emplace(&object, path).second) return;
  const auto below = [&](std::string_view name) {
    return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
  };
  if (const auto* const instance = object.get<Instance>()) {
    const Code* code = nullptr;
    const auto type = class_of(instance->class_name, &code);
    std::vector<std::string> parameters;
    if (type) {
      if (const auto found = (*type)->constants.find("__parameters__"); found != (*type)->constants.end()) {
        for (const Expression* name : found->second->children) parameters.push_back(name->text);
      }
    }
    for (const auto& [name, value] : instance->attributes) {
      if (value->get<aten::StoredTensor>() != nullptr) {
        const bool is_parameter = std::ranges::find(parameters, name) != parameters.end();
        kinds_.emplace(value, is_parameter ? aten::StoredKind::kParameter : aten::StoredKind::kBuffer);
      }
      name_tensors(*value, below(name), depth + 1);
    }
  } else if (const auto* const sequence = object.get<Sequence>()) {
    for (std::size_t i = 0; i < sequence->elements.size(); ++i) {
      name_tensors(*sequence->elements[i], below(std::to_string(i)), depth + 1);
    }
  }
}

base::Result<const Evaluator::Code*> Evaluator::code_of(const std::string& qualified_name) {
  const std::size_t dot = qualified_name.rfind('.');
  std::string file = "code/" + qualified_name.substr(0, dot) + ".py";
  std::ranges::replace(file, '.', '/');
  file.replace(file.size() - 3, 3, ".py");
  const auto known = codes_.find(file);
  if (known != codes_.end()) return &known->second;
  auto text = archive_.unpack(file, kMostCodeBytes);
  if (!text) {
    return std::unexpected(text.error().with(fmt::format("the code of '{}'", base::valid_utf8(qualified_name))));
  }
  auto unit = parse(*text);
  if (!unit) return std::unexpected(unit.error().with(file));
  return &codes_.emplace(file, Code{file, std::move(*unit)}).first->second;
}

base::Result<const Class*> Evaluator::class_of(const std::string& class_name, const Code** code) {
  SLIPWAY_ASSIGN(*code, code_of(class_name));
  const auto found = (*code)->unit.classes.find(class_name.substr(class_name.rfind('.') + 1));
  if (found == (*code)->unit.classes.end()) {
    return fail(ErrorCode::kInvalidArgument, "{} has no class '{}'", (*code)->file, base::valid_utf8(class_name));
  }
  return &found->second;
}

std::unexpected<base::Error> Evaluator::refuse(const Frame& frame, int line, base::Error error) const {
  std::string_view text;
  if (line > 0 && static_cast<std::size_t>(line) <= frame.unit->lines.size()) {
    text = frame.unit->lines[static_cast<std::size_t>(line) - 1];
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  const std::string place = frame.module_path.empty() ? std::string() : fmt::format("module '{}', ", frame.module_path);
  return std::unexpected(
      error.with(fmt::format("{}{}:{}: {}", place, *frame.file, line, base::valid_utf8(text.substr(0, 200)))));
}

base::Result<const Function*> Evaluator::method(const std::string& name) {
  const auto* const instance = root_->get<Instance>();
  if (instance == nullptr) {
    return fail(ErrorCode::kInvalidArgument, "the archive holds {} where a model is expected", kind_of(*root_));
  }
  const Code* code = nullptr;
  SLIPWAY_ASSIGN(const Class* const type, class_of(instance->class_name, &code));
  const auto found = type->methods.find(name);
  if (found == type->methods.end()) {
    return fail(ErrorCode::kInvalidArgument, "the model's class {} has no method '{}'", instance->class_name, name);
  }
  return &found->second;
}

Object* Evaluator::add_input(std::string name, std::optional<aten::TensorMeta> meta) {
  const aten::ValueId value = graph_.add_value(name, std::move(meta));
  graph_.inputs.push_back({value, std::move(name)});
  return heap_.make(Computed{value});
}

base::Result<Object*> Evaluator::default_of(const Parameter& parameter) {
  if (parameter.default_value == nullptr) {
    return fail(ErrorCode::kInvalidArgument, "'{}' has no value that stands for it when none is given", parameter.name);
  }
  const Unit none;
  const std::string file = "its default";
  Frame frame{.unit = &none, .file = &file, .module_path = {}, .variables = {}};
  return evaluate(*parameter.default_value, frame);
}

base::Result<Object*> Evaluator::run(const std::string& name, const std::vector<Object*>& arguments) {
  SLIPWAY_ASSIGN(const Function* const function, method(name));
  const Code* code = nullptr;
  SLIPWAY_TRY(class_of(root_->get<Instance>()->class_name, &code));
  Call call{{root_}, {}};
  call.arguments.insert(call.arguments.end(), arguments.begin(), arguments.end());
  call.keywords.resize(call.arguments.size());
  return invoke(*function, *code, "", call);
}

base::Result<Object*> Evaluator::invoke(const Function& function, const Code& code, const std::string& module_path,
                                        const Call& call) {
  Frame frame{.unit = &code.unit, .file = &code.file, .module_path = module_path, .variables = {}};
  if (call.arguments.size() > function.parameters.size()) {
    return refuse(frame, function.line,
                  {ErrorCode::kInvalidArgument, fmt::format("it takes {} arguments and is given {}",
                                                            function.parameters.size(), call.arguments.size())});
  }
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    frame.variables[call.keywords[i].empty() ? function.parameters[i].name : call.keywords[i]] = call.arguments[i];
  }
  for (const Parameter& parameter : function.parameters) {
    if (frame.variables.contains(parameter.name)) continue;
    SLIPWAY_ASSIGN(frame.variables[parameter.name], default_of(parameter));
  }
  SLIPWAY_TRY(execute(function.body, frame));
  return frame.result == nullptr ? heap_.make(aten::None{}) : frame.result;
}

base::Result<void> Evaluator::execute(const std::vector<Statement>& statements, Frame& frame) {
  const Deeper deeper(depth_);
  for (const Statement& statement : statements) {
    if (++steps_ > kMostSteps || heap_.size() > 20 * kMostSteps) {
      return refuse(frame, statement.line,
                    {ErrorCode::kResourceExhausted, fmt::format("the code does not end within {} steps", kMostSteps)});
    }
    switch (statement.kind) {
      case Statement::Kind::kPass:
        break;
      case Statement::Kind::kAssign:
        SLIPWAY_TRY(assign(statement, frame));
        break;
      case Statement::Kind::kExpression:
        SLIPWAY_TRY(evaluate(*statement.value, frame));
        break;
      case Statement::Kind::kReturn: {
        SLIPWAY_ASSIGN(frame.result, evaluate(*statement.value, frame));
        return {};
      }
      case Statement::Kind::kIf: {
        SLIPWAY_ASSIGN(const bool holds, condition(*statement.value, frame));
        SLIPWAY_TRY(execute(holds ? statement.body : statement.otherwise, frame));
        if (frame.result != nullptr) return {};
        break;
      }
      case Statement::Kind::kWhile:
      case Statement::Kind::kFor: {
        SLIPWAY_TRY(loop(statement, frame));
        if (frame.result != nullptr) return {};
        break;
      }
    }
  }
  return {};
}

base::Result<bool> Evaluator::condition(const Expression& expression, Frame& frame) {
  SLIPWAY_ASSIGN(const Object* const value, evaluate(expression, frame));
  const auto truth = truth_of(*value);
  if (!truth) {
    return refuse(frame, expression.line,
                  {ErrorCode::kUnimplemented,
                   "the way taken depends on data that are known only when the model runs; torch.jit.trace records the "
                   "way that an example takes, and torch.export says what it cannot follow: export the model by "
                   "torch.export (a .pt2 file)"});
  }
  return *truth;
}

base::Result<void> Evaluator::loop(const Statement& statement, Frame& frame) {
  if (statement.kind == Statement::Kind::kWhile) {
    while (true) {
      SLIPWAY_ASSIGN(const bool holds, condition(*statement.value, frame));
      if (!holds) return {};
      if (++steps_ > kMostSteps) break;
      SLIPWAY_TRY(execute(statement.body, frame));
      if (frame.result != nullptr) return {};
    }
    return refuse(frame, statement.line, {ErrorCode::kResourceExhausted, "the loop does not end"});
  }
  const Expression& range = *statement.value;
  std::vector<std::int64_t> bounds;
  if (range.kind == Kind::kCall && range.children[0]->kind == Kind::kName && range.children[0]->text == "range") {
    for (std::size_t i = 1; i < range.children.size(); ++i) {
      SLIPWAY_ASSIGN(const Object* const bound, evaluate(*range.children[i], frame));
      const auto number = integer_of(*bound);
      if (!number) {
        return refuse(frame, statement.line,
                      {ErrorCode::kUnimplemented,
                       "how often the loop runs is known only when the model runs: export the model by torch.export"});
      }
      bounds.push_back(*number);
    }
  }
  if (bounds.size() != 1) {
    return refuse(frame, statement.line, {ErrorCode::kUnimplemented, "a loop over something else than range(n)"});
  }
  for (std::int64_t i = 0; i < bounds[0]; ++i) {
    if (++steps_ > kMostSteps) {
      return refuse(frame, statement.line, {ErrorCode::kResourceExhausted, "the loop does not end"});
    }
    SLIPWAY_TRY(bind(*statement.targets[0], heap_.make(i), frame));
    SLIPWAY_TRY(execute(statement.body, frame));
    if (frame.result != nullptr) return {};
  }
  return {};
}

base::Result<void> Evaluator::assign(const Statement& statement, Frame& frame) {
  const std::size_t count = statement.targets.size();
  const bool is_several = count > 1 || statement.unpacks_list;
  SLIPWAY_ASSIGN(Object* const value,
                 evaluate(*statement.value, frame, is_several ? Wanted{count, statement.unpacks_list} : Wanted{}));
  if (!is_several) return bind(*statement.targets[0], value, frame);
  auto elements = unpack(value, count);
  if (!elements) return refuse(frame, statement.line, elements.error());
  for (std::size_t i = 0; i < count; ++i) SLIPWAY_TRY(bind(*statement.targets[i], (*elements)[i], frame));
  return {};
}

base::Result<void> Evaluator::bind(const Expression& target, Object* value, Frame& frame) {
  if (target.kind == Kind::kName) {
    frame.variables[target.text] = value;
    if (const auto* const computed = value->get<Computed>()) {
      std::string& name = graph_.values[computed->value].name;
      if (name.empty()) name = frame.module_path.empty() ? target.text : frame.module_path + "." + target.text;
    }
    return {};
  }
  if (target.kind == Kind::kAttribute) {
    SLIPWAY_ASSIGN(Object* const owner, evaluate(*target.children[0], frame));
    if (auto* const instance = owner->get<Instance>()) {
      const auto found =
          std::ranges::find(instance->attributes, target.text, [](const auto& one) { return one.first; });
      const bool was_tensor =
          found != instance->attributes.end() && found->second->get<aten::StoredTensor>() != nullptr;
      if (was_tensor && found->second != value) {
        return refuse(frame, target.line,
                      {ErrorCode::kUnimplemented,
                       fmt::format("the model changes its tensor '{}' while it runs, and an ONNX model keeps nothing "
                                   "between two runs: take it as an input and return it as an output",
                                   paths_[found->second])});
      }
      if (found == instance->attributes.end()) {
        instance->attributes.emplace_back(target.text, value);
      } else {
        found->second = value;
      }
      return {};
    }
  }
  return refuse(frame, target.line, {ErrorCode::kUnimplemented, "something else than a name is assigned to"});
}

base::Result<std::vector<Object*>> Evaluator::unpack(Object* value, std::size_t count) {
  if (const auto* const sequence = value->get<Sequence>()) {
    if (sequence->elements.size() != count) {
      return fail(ErrorCode::kInvalidArgument, "{} of {} elements is taken apart into {}", kind_of(*value),
                  sequence->elements.size(), count);
    }
    return sequence->elements;
  }
  std::vector<Object*> elements;
  if (const auto* const list = value->get<ComputedList>()) {
    std::vector<aten::ValueId>& values = graph_.nodes[list->node].outputs[0].values;
    while (values.size() < count) values.push_back(graph_.add_value(""));
    for (std::size_t i = 0; i < count; ++i) elements.push_back(heap_.make(Computed{values[i]}));
    return elements;
  }
  if (const auto* const sizes = value->get<Sizes>()) {
    for (std::size_t i = 0; i < count; ++i) {
      SLIPWAY_ASSIGN(Object* const size, subscript(value, heap_.make(static_cast<std::int64_t>(i))));
      elements.push_back(size);
    }
    return elements;
  }
  return fail(ErrorCode::kUnimplemented, "{} is taken apart into {}", kind_of(*value), count);
}

base::Result<Object*> Evaluator::evaluate(const Expression& expression, Frame& frame, Wanted wanted) {
  const Deeper deeper(depth_);
  if (depth_ > kDeepest) {
    return refuse(
        frame, expression.line,
        {ErrorCode::kResourceExhausted, fmt::format("the code is nested more than {} levels deep", kDeepest)});
  }
  return evaluate_inner(expression, frame, wanted);
}

base::Result<Object*> Evaluator::evaluate_inner(const Expression& expression, Frame& frame, Wanted wanted) {
  const auto refused = [&](ErrorCode code, std::string message) {
    return refuse(frame, expression.line, {code, std::move(message)});
  };
  switch (expression.kind) {
    case Kind::kName:
      return name(expression, frame);
    case Kind::kInteger: {
      std::int64_t value = 0;
      const auto [end, error] =
          std::from_chars(expression.text.data(), expression.text.data() + expression.text.size(), value);
      if (error != std::errc()) return refused(ErrorCode::kInvalidArgument, "an integer has more than 64 bits");
      return heap_.make(value);
    }
    case Kind::kReal: {
      double value = 0;
      const std::string text = expression.text + (expression.text.ends_with('.') ? "0" : "");
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size()) {
        return refused(ErrorCode::kInvalidArgument, fmt::format("'{}' is no number", text));
      }
      return heap_.make(value);
    }
    case Kind::kText:
      return heap_.make(expression.text);
    case Kind::kConstant:
      if (expression.text == "None") return heap_.make(aten::None{});
      return heap_.make(expression.text == "True");
    case Kind::kAttribute: {
      const Expression& root = root_of(expression);
      if (root.kind == Kind::kName && root.text == "CONSTANTS" && !frame.variables.contains("CONSTANTS")) {
        const auto* const tuple = constants_ == nullptr ? nullptr : constants_->get<Sequence>();
        std::size_t place = 0;
        const char* const last = expression.text.data() + expression.text.size();
        const auto [end, error] = std::from_chars(expression.text.data() + 1, last, place);
        if (tuple == nullptr || expression.text[0] != 'c' || error != std::errc() || end != last ||
            place >= tuple->elements.size()) {
          return refused(ErrorCode::kInvalidArgument, fmt::format("constants.pkl has no '{}'", expression.text));
        }
        return tuple->elements[place];
      }
      // A function by its name, to be called from a variable.
      if (root.kind == Kind::kName && root.text == "__torch__") return heap_.make(GlobalName{dotted(expression)});
      SLIPWAY_ASSIGN(Object* const object, evaluate(*expression.children[0], frame));
      auto found = attribute(object, expression.text);
      if (!found) return refuse(frame, expression.line, found.error());
      return found;
    }
    case Kind::kCall:
      return call(expression, frame, wanted);
    case Kind::kSubscript: {
      SLIPWAY_ASSIGN(Object* const object, evaluate(*expression.children[0], frame));
      SLIPWAY_ASSIGN(Object* const index, evaluate(*expression.children[1], frame));
      auto found = subscript(object, index);
      if (!found) return refuse(frame, expression.line, found.error());
      return found;
    }
    case Kind::kTuple:
    case Kind::kList: {
      Sequence made{expression.kind == Kind::kTuple, {}};
      for (const Expression* child : expression.children) {
        SLIPWAY_ASSIGN(Object* const element, evaluate(*child, frame));
        made.elements.push_back(element);
      }
      return heap_.make(std::move(made));
    }
    case Kind::kDictionary: {
      Dictionary made;
      for (std::size_t i = 0; i + 1 < expression.children.size(); i += 2) {
        SLIPWAY_ASSIGN(Object* const key, evaluate(*expression.children[i], frame));
        SLIPWAY_ASSIGN(Object* const value, evaluate(*expression.children[i + 1], frame));
        made.items.emplace_back(key, value);
      }
      return heap_.make(std::move(made));
    }
    case Kind::kConditional: {
      SLIPWAY_ASSIGN(const bool holds, condition(*expression.children[0], frame));
      return evaluate(*expression.children[holds ? 1 : 2], frame);
    }
    case Kind::kUnary:
    case Kind::kBinary: {
      constexpr auto kNames = std::to_array<std::pair<std::string_view, std::string_view>>(
          {{"+", "add"},       {"-", "sub"},     {"*", "mul"},     {"/", "div"},     {"//", "floordiv"},
           {"%", "remainder"}, {"**", "pow"},    {"<", "lt"},      {">", "gt"},      {"<=", "le"},
           {">=", "ge"},       {"==", "eq"},     {"!=", "ne"},     {"is", "__is__"}, {"is not", "__isnot__"},
           {"and", "__and__"}, {"or", "__or__"}, {"&", "__and__"}, {"|", "__or__"},  {"not", "__not__"}});
      std::string_view name_of_call = expression.text;
      const auto* const known = std::ranges::find(kNames, name_of_call, [](const auto& one) { return one.first; });
      if (expression.kind == Kind::kUnary && expression.text == "-") {
        name_of_call = "neg";
      } else if (known != kNames.end()) {
        name_of_call = known->second;
      } else {
        return refused(ErrorCode::kUnimplemented, fmt::format("the operator '{}' is not followed", expression.text));
      }
      Call operands;
      for (const Expression* child : expression.children) {
        SLIPWAY_ASSIGN(Object* const operand, evaluate(*child, frame));
        operands.arguments.push_back(operand);
      }
      operands.keywords.resize(operands.arguments.size());
      return call_operator(std::string(name_of_call), operands, frame, expression.line, wanted);
    }
  }
  return refused(ErrorCode::kInternal, "an expression of no kind");
}

base::Result<Object*> Evaluator::name(const Expression& expression, Frame& frame) {
  const auto found = frame.variables.find(expression.text);
  if (found != frame.variables.end()) return found->second;
  if (expression.text == "inf") return heap_.make(std::numeric_limits<double>::infinity());
  if (expression.text == "nan") return heap_.make(std::numeric_limits<double>::quiet_NaN());
  return refuse(frame, expression.line,
                {ErrorCode::kInvalidArgument, fmt::format("the name '{}' has no value here", expression.text)});
}

base::Result<Object*> Evaluator::attribute(Object* object, const std::string& wanted) {
  const auto* const instance = object->get<Instance>();
  if (instance == nullptr) {
    return fail(ErrorCode::kUnimplemented, "attribute '{}' of {}", wanted, kind_of(*object));
  }
  for (const auto& [name, value] : instance->attributes) {
    if (name == wanted) return value;
  }
  const Code* code = nullptr;
  SLIPWAY_ASSIGN(const Class* const type, class_of(instance->class_name, &code));
  if (const auto constant = type->constants.find(wanted); constant != type->constants.end()) {
    Frame frame{.unit = &code->unit, .file = &code->file, .module_path = {}, .variables = {}};
    return evaluate(*constant->second, frame);
  }
  return fail(ErrorCode::kInvalidArgument, "{} has no attribute '{}'", instance->class_name, wanted);
}

base::Result<Object*> Evaluator::subscript(Object* object, Object* index) {
  const auto number = integer_of(*index);
  if (const auto* const sequence = object->get<Sequence>(); sequence != nullptr && number) {
    const auto place = place_of(*number, sequence->elements.size());
    if (!place) {
      return fail(ErrorCode::kInvalidArgument, "index {} of {} with {} elements", *number, kind_of(*object),
                  sequence->elements.size());
    }
    return sequence->elements[*place];
  }
  if (const auto* const dictionary = object->get<Dictionary>()) {
    const auto* const text = index->get<std::string>();
    for (const auto& [key, value] : dictionary->items) {
      const auto* const key_text = key->get<std::string>();
      if ((text != nullptr && key_text != nullptr && *text == *key_text) || (number && integer_of(*key) == number)) {
        return value;
      }
    }
    return fail(ErrorCode::kInvalidArgument, "the dictionary has no such key");
  }
  if (object->get<ComputedList>() != nullptr && number && *number >= 0 && *number < kMostListElements) {
    SLIPWAY_ASSIGN(const auto elements, unpack(object, static_cast<std::size_t>(*number) + 1));
    return elements.back();
  }
  if (const auto* const sizes = object->get<Sizes>(); sizes != nullptr && number) {
    Frame nowhere{.unit = nullptr, .file = nullptr, .module_path = {}, .variables = {}};
    return emit("aten.size", Call{{sizes->tensor, index}, {"", ""}}, nowhere, 0, {});
  }
  return fail(ErrorCode::kUnimplemented, "{} indexed by {}", kind_of(*object), kind_of(*index));
}

base::Result<Object*> Evaluator::call(const Expression& expression, Frame& frame, Wanted wanted) {
  const Expression& callee = *expression.children[0];
  const std::string called = dotted(callee);
  // Types are no values: those of annotate() and its like are not evaluated.
  const bool has_type_first = called == "annotate" || called == "unchecked_cast" || called == "uninitialized";
  if (has_type_first && expression.children.size() < 3) return heap_.make(aten::None{});
  Call made;
  for (std::size_t i = has_type_first ? 2 : 1; i < expression.children.size(); ++i) {
    SLIPWAY_ASSIGN(Object* const argument, evaluate(*expression.children[i], frame));
    made.arguments.push_back(argument);
    made.keywords.push_back(expression.keywords[i - 1]);
  }
  if (has_type_first) {
    // A tensor of one element where a number is asked for, as torch.arange(x.shape[0]) is traced.
    const Expression& type = *expression.children[1];
    const bool is_number = type.kind == Kind::kName && (type.text == "number" || type.text == "Scalar");
    if (called != "annotate" || !is_number || made.arguments[0]->get<Computed>() == nullptr) return made.arguments[0];
    return emit("aten.item", Call{{made.arguments[0]}, {""}}, frame, expression.line, Wanted{});
  }
  const Expression& root = root_of(callee);
  const bool is_name = !called.empty() && !frame.variables.contains(root.text);
  if (is_name) return call_named(called, expression, std::move(made), frame, wanted);
  if (callee.kind == Kind::kName) {
    SLIPWAY_ASSIGN(const Object* const held, evaluate(callee, frame));
    if (const auto* const function = held->get<GlobalName>()) {
      return call_named(function->name, expression, std::move(made), frame, wanted);
    }
  }
  if (callee.kind != Kind::kAttribute) {
    return refuse(frame, expression.line, {ErrorCode::kUnimplemented, "something is called that has no name"});
  }
  SLIPWAY_ASSIGN(Object* const object, evaluate(*callee.children[0], frame));
  const auto* const instance = object->get<Instance>();
  if (instance == nullptr) {
    return refuse(frame, expression.line,
                  {ErrorCode::kUnimplemented, fmt::format("'{}' of {} is called", callee.text, kind_of(*object))});
  }
  const Code* code = nullptr;
  auto type = class_of(instance->class_name, &code);
  if (!type) return refuse(frame, expression.line, type.error());
  const auto found = (*type)->methods.find(callee.text);
  if (found == (*type)->methods.end()) {
    return refuse(
        frame, expression.line,
        {ErrorCode::kInvalidArgument, fmt::format("{} has no method '{}'", instance->class_name, callee.text)});
  }
  made.arguments.insert(made.arguments.begin(), object);
  made.keywords.insert(made.keywords.begin(), "");
  const auto path = paths_.find(object);
  return invoke(found->second, *code, path == paths_.end() ? frame.module_path : path->second, made);
}

base::Result<Object*> Evaluator::call_named(const std::string& called, const Expression& expression, Call made,
                                            Frame& frame, Wanted wanted) {
  constexpr std::string_view kTorch = "torch.", kPrimitive = "ops.prim.", kAten = "ops.aten.", kOps = "ops.",
                             kOwn = "__torch__.";
  const int line = expression.line;
  if (called.starts_with(kOwn)) {
    auto code = code_of(called);
    if (!code) return refuse(frame, line, code.error());
    const auto found = (*code)->unit.functions.find(called.substr(called.rfind('.') + 1));
    if (found == (*code)->unit.functions.end()) {
      return refuse(
          frame, line,
          {ErrorCode::kUnimplemented, fmt::format("'{}' makes an object of a class, which is not followed", called)});
    }
    return invoke(found->second, **code, frame.module_path, made);
  }
  if (called.starts_with(kPrimitive)) return call_primitive(called.substr(kPrimitive.size()), made, frame, line);
  if (called == "torch.device" && made.arguments.size() == 1) {
    if (const auto* const text = made.arguments[0]->get<std::string>()) return heap_.make(aten::Device{*text});
  }
  if (called.starts_with(kTorch)) return call_operator(called.substr(kTorch.size()), made, frame, line, wanted);
  if (called.starts_with(kAten)) return call_operator(called.substr(kAten.size()), made, frame, line, wanted);
  if (called.starts_with(kOps)) return emit(called.substr(kOps.size()), made, frame, line, wanted);
  if (called == "getattr" && made.arguments.size() == 2) {
    if (const auto* const text = made.arguments[1]->get<std::string>()) {
      auto found = attribute(made.arguments[0], *text);
      if (!found) return refuse(frame, line, found.error());
      return found;
    }
  }
  if (called == "float" && made.arguments.size() == 1) {
    if (const auto* const text = made.arguments[0]->get<std::string>()) {
      const double infinity = std::numeric_limits<double>::infinity();
      if (*text == "inf") return heap_.make(infinity);
      if (*text == "-inf") return heap_.make(-infinity);
      if (*text == "nan") return heap_.make(std::numeric_limits<double>::quiet_NaN());
    }
  }
  for (const auto& [written, meant] : {std::pair{"int", "Int"}, {"float", "Float"}, {"bool", "Bool"}}) {
    if (called == written) return call_operator(meant, made, frame, line, wanted);
  }
  if (called == "str") return heap_.make(std::string("?"));  // messages of exceptions
  return refuse(
      frame, line,
      {ErrorCode::kUnimplemented, fmt::format("'{}' is not among what PyTorch writes into TorchScript", called)});
}

base::Result<Object*> Evaluator::call_primitive(const std::string& called, Call& made, const Frame& frame, int line) {
  const auto is_of = [&](std::size_t count) { return made.arguments.size() == count; };
  if (called == "RaiseException") {
    const auto* const text = made.arguments.empty() ? nullptr : made.arguments[0]->get<std::string>();
    return refuse(
        frame, line,
        {ErrorCode::kInvalidArgument, fmt::format("the model refuses this input: {}", text == nullptr ? "" : *text)});
  }
  if ((called == "data" || called == "unchecked_unwrap_optional" || called == "unchecked_cast") && is_of(1)) {
    return made.arguments[0];
  }
  if (called == "device") return heap_.make(aten::Device{"cpu"});
  if (called == "is_cuda" || called == "is_quantized" || called == "is_sparse" || called == "is_mkldnn" ||
      called == "requires_grad") {
    return heap_.make(false);
  }
  if (called == "layout") return heap_.make(aten::None{});
  if (called == "min" || called == "max") return call_operator(called, made, frame, line, {});
  if (called == "NumToTensor" || called == "ImplicitTensorToNum" || called == "dtype") {
    return emit(
        (called == "ImplicitTensorToNum" ? "aten." : "prim.") + (called == "ImplicitTensorToNum" ? "Int" : called),
        made, frame, line, {});
  }
  return refuse(
      frame, line,
      {ErrorCode::kUnimplemented, fmt::format("'prim.{}' is not followed: export the model by torch.export", called)});
}

base::Result<Object*> Evaluator::call_operator(const std::string& called, Call& made, const Frame& frame, int line,
                                               Wanted wanted) {
  if (called == "format" || called == "warn") return heap_.make(std::string("a message of the model"));
  if (std::ranges::all_of(made.keywords, &std::string::empty)) {
    auto known = call_of_constants(called, made.arguments, heap_);
    if (!known) return refuse(frame, line, known.error());
    if (*known) return **known;
  }
  // What the inputs are is known before the model runs.
  const auto* const computed = made.arguments.empty() ? nullptr : made.arguments[0]->get<Computed>();
  if (computed != nullptr && (called == "size" || called == "dim")) {
    const auto& meta = graph_.values[computed->value].meta;
    if (called == "dim" && meta) return heap_.make(static_cast<std::int64_t>(meta->sizes.size()));
    const auto axis = made.arguments.size() == 2 ? integer_of(*made.arguments[1]) : std::nullopt;
    if (meta && axis) {
      const auto place = place_of(*axis, meta->sizes.size());
      if (place && meta->sizes[*place].size) return heap_.make(*meta->sizes[*place].size);
    }
  }
  if (called == "size" && made.arguments.size() == 1) return heap_.make(Sizes{made.arguments[0]});
  if (called == "len" && made.arguments.size() == 1 && made.arguments[0]->get<Sizes>() != nullptr) {
    made.arguments[0] = made.arguments[0]->get<Sizes>()->tensor;
    return call_operator("dim", made, frame, line, {});
  }
  if (called == "__getitem__" && made.arguments.size() == 2) {
    auto found = subscript(made.arguments[0], made.arguments[1]);
    if (!found) return refuse(frame, line, found.error());
    return found;
  }
  return emit("aten." + called, made, frame, line, wanted);
}

base::Result<Object*> Evaluator::emit(std::string operator_name, const Call& made, const Frame& frame, int line,
                                      Wanted wanted) {
  aten::Node node;
  node.operator_name = std::move(operator_name);
  node.source.module_path = frame.module_path;
  if (frame.unit != nullptr && line > 0 && static_cast<std::size_t>(line) <= frame.unit->lines.size()) {
    std::string_view text = frame.unit->lines[static_cast<std::size_t>(line) - 1];
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    node.source.line = fmt::format("{}:{}: {}", *frame.file, line, base::valid_utf8(text.substr(0, 200)));
  }
  for (std::size_t i = 0; i < made.arguments.size(); ++i) {
    auto argument = argument_of(made.arguments[i]);
    if (!argument) {
      base::Error error = argument.error().with(fmt::format("argument {} of {}", i + 1, node.operator_name));
      return frame.unit == nullptr ? std::unexpected(std::move(error)) : refuse(frame, line, std::move(error));
    }
    node.arguments.push_back({made.keywords[i], std::move(*argument)});
  }
  const std::string_view bare = std::string_view(node.operator_name).substr(node.operator_name.rfind('.') + 1);
  const bool gives_list =
      wanted.as_list || (wanted.count == 1 && std::ranges::find(kGivesList, bare) != kGivesList.end());
  const std::size_t place = graph_.nodes.size();
  if (gives_list) {
    node.outputs.push_back({{}, true});
    graph_.nodes.push_back(std::move(node));
    return heap_.make(ComputedList{place});
  }
  Sequence results{true, {}};
  for (std::size_t i = 0; i < wanted.count; ++i) {
    const aten::ValueId value = graph_.add_value("");
    node.outputs.push_back({{value}, false});
    results.elements.push_back(heap_.make(Computed{value}));
  }
  graph_.nodes.push_back(std::move(node));
  return wanted.count == 1 ? results.elements[0] : heap_.make(std::move(results));
}

base::Result<aten::Argument> Evaluator::argument_of(Object* object, int depth) {
  if (depth > aten::kDeepestList) return fail(ErrorCode::kInvalidArgument, "lists are nested too deeply");
  if (const auto* const truth = object->get<bool>()) return aten::Argument(*truth);
  if (const auto* const integer = object->get<std::int64_t>()) return aten::Argument(*integer);
  if (const auto* const real = object->get<double>()) return aten::Argument(*real);
  if (const auto* const text = object->get<std::string>()) return aten::Argument(*text);
  if (const auto* const device = object->get<aten::Device>()) return aten::Argument(*device);
  if (const auto* const computed = object->get<Computed>()) return aten::Argument(aten::Reference{computed->value});
  if (object->get<aten::StoredTensor>() != nullptr) return aten::Argument(aten::Reference{stored_value(object)});
  if (object->is_none()) return aten::Argument();
  if (const auto* const sequence = object->get<Sequence>()) {
    aten::List list;
    for (Object* element : sequence->elements) {
      if (++steps_ > kMostSteps) return fail(ErrorCode::kResourceExhausted, "its lists are too long");
      SLIPWAY_ASSIGN(aten::Argument argument, argument_of(element, depth + 1));
      list.push_back(std::move(argument));
    }
    return aten::Argument(std::move(list));
  }
  if (const auto* const computed = object->get<ComputedList>()) {
    const auto& values = graph_.nodes[computed->node].outputs[0].values;
    if (values.empty()) {
      return fail(ErrorCode::kUnimplemented, "a list of {} whose length the code does not tell",
                  graph_.nodes[computed->node].operator_name);
    }
    aten::List list;
    for (const aten::ValueId value : values) list.emplace_back(aten::Reference{value});
    return aten::Argument(std::move(list));
  }
  if (const auto* const sizes = object->get<Sizes>()) {
    Frame nowhere{.unit = nullptr, .file = nullptr, .module_path = {}, .variables = {}};
    SLIPWAY_ASSIGN(Object* const all, emit("aten.size", Call{{sizes->tensor}, {""}}, nowhere, 0, {}));
    return argument_of(all, depth);
  }
  return fail(ErrorCode::kUnimplemented, "{} cannot be given to an operator", kind_of(*object));
}

aten::ValueId Evaluator::stored_value(Object* object) {
  const auto known = stored_.find(object);
  if (known != stored_.end()) return known->second;
  const auto& tensor = *object->get<aten::StoredTensor>();
  aten::TensorMeta meta{tensor.dtype, {}};
  for (const std::int64_t size : tensor.shape) meta.sizes.push_back({size, ""});
  const auto path = paths_.find(object);
  std::string name = path == paths_.end() ? fmt::format("tensor_{}", stored_.size()) : path->second;
  const aten::ValueId value = graph_.add_value(name, std::move(meta));
  const auto kind = kinds_.find(object);
  graph_.stored.push_back(
      {value, kind == kinds_.end() ? aten::StoredKind::kConstant : kind->second, std::move(name), tensor});
  stored_.emplace(object, value);
  return value;
}

}  // namespace slipway::convert::torch_script::internal
