#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "convert/archive/zip_archive.hpp"
#include "convert/aten/graph.hpp"
#include "convert/torch_script/internal/object.hpp"
#include "convert/torch_script/internal/syntax.hpp"

namespace slipway::convert::torch_script::internal {

/// Follows the code of an archive line by line: numbers, lists and modules are worked out on the way, calls over
/// tensors become nodes of the graph. Nothing else can happen: there is no call that does not stand in this class.
/// @thread  belongs to one
class Evaluator {
 public:
  /// @param root       the model, from data.pkl
  /// @param constants  the tuple of constants.pkl; nullptr: there is none
  Evaluator(const archive::ZipArchive& archive, Heap& heap, Object* root, Object* constants);

  /// The parameters of a method of the model.
  [[nodiscard]] base::Result<const Function*> method(const std::string& name);

  /// A further input of the graph.
  Object* add_input(std::string name, std::optional<aten::TensorMeta> meta);

  /// The value that a parameter has when no argument is given for it.
  [[nodiscard]] base::Result<Object*> default_of(const Parameter& parameter);

  /// Follows a method of the model.
  /// @error kUnimplemented: what depends on data, or is none of what is followed; kResourceExhausted: endless code
  [[nodiscard]] base::Result<Object*> run(const std::string& method, const std::vector<Object*>& arguments);

  /// What a node is given for an object. Tensors of the pickles become values of the graph when they are first read.
  [[nodiscard]] base::Result<aten::Argument> argument_of(Object* object, int depth = 0);

  [[nodiscard]] aten::Graph& graph() { return graph_; }

 private:
  struct Frame {
    const Unit* unit = nullptr;
    const std::string* file = nullptr;
    std::string module_path;
    std::map<std::string, Object*, std::less<>> variables;
    Object* result = nullptr;  ///< set by `return`
  };
  struct Call {
    std::vector<Object*> arguments;
    std::vector<std::string> keywords;
  };
  /// How many results a call is asked for: one, several, or the elements of a list.
  struct Wanted {
    std::size_t count = 1;
    bool as_list = false;
  };
  struct Code {
    std::string file;
    Unit unit;
  };

  void name_tensors(Object& object, const std::string& path, int depth);
  base::Result<const Code*> code_of(const std::string& qualified_name);
  base::Result<const Class*> class_of(const std::string& class_name, const Code** code);
  std::unexpected<base::Error> refuse(const Frame& frame, int line, base::Error error) const;

  base::Result<void> execute(const std::vector<Statement>& statements, Frame& frame);
  base::Result<void> assign(const Statement& statement, Frame& frame);
  base::Result<void> loop(const Statement& statement, Frame& frame);
  base::Result<void> bind(const Expression& target, Object* value, Frame& frame);
  base::Result<std::vector<Object*>> unpack(Object* value, std::size_t count);
  base::Result<bool> branch(const Statement& statement, Frame& frame);
  base::Result<bool> condition(const Expression& expression, Frame& frame);

  base::Result<Object*> evaluate(const Expression& expression, Frame& frame, Wanted wanted);
  base::Result<Object*> evaluate(const Expression& expression, Frame& frame) {
    return evaluate(expression, frame, Wanted{});
  }
  base::Result<Object*> evaluate_inner(const Expression& expression, Frame& frame, Wanted wanted);
  base::Result<Object*> name(const Expression& expression, Frame& frame);
  base::Result<Object*> attribute(Object* object, const std::string& name);
  base::Result<Object*> subscript(Object* object, Object* index);
  base::Result<Object*> call(const Expression& expression, Frame& frame, Wanted wanted);
  base::Result<Object*> call_named(const std::string& name, const Expression& expression, Call call, Frame& frame,
                                   Wanted wanted);
  base::Result<Object*> call_primitive(const std::string& name, Call& call, const Frame& frame, int line);
  base::Result<Object*> call_operator(const std::string& name, Call& call, const Frame& frame, int line, Wanted wanted);
  base::Result<Object*> invoke(const Function& function, const Code& code, const std::string& module_path,
                               const Call& call);
  base::Result<Object*> emit(std::string operator_name, const Call& call, const Frame& frame, int line, Wanted wanted);
  aten::ValueId stored_value(Object* object);

  const archive::ZipArchive& archive_;
  Heap& heap_;
  Object* root_;
  Object* constants_;
  aten::Graph graph_;
  std::map<std::string, Code> codes_;
  std::unordered_map<const Object*, std::string> paths_;
  std::unordered_map<const Object*, aten::StoredKind> kinds_;
  std::unordered_map<const Object*, aten::ValueId> stored_;
  std::size_t steps_ = 0;
  int depth_ = 0;
};

}  // namespace slipway::convert::torch_script::internal
