#include "convert/torch_script/internal/evaluator.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "convert/torch_script/internal/limits.hpp"
#include "convert/torch_script/internal/source_lines.hpp"

namespace slipway::convert::torch_script::internal {
namespace {

using base::fail;
using ErrorCode = base::Code;

constexpr std::uint64_t kMostCodeBytes = 32U << 20U;

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
  unit->origins = origins_of(archive_, file, unit->lines);
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
  const std::string place = frame.module_path.empty() ? std::string() : fmt::format("module '{}', ", frame.module_path);
  return std::unexpected(error.with(place + shown_line(*frame.unit, *frame.file, line)));
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

}  // namespace slipway::convert::torch_script::internal
