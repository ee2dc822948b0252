#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// The code of a TorchScript archive as a tree: the part of Python that PyTorch writes there.
namespace slipway::convert::torch_script::internal {

struct Expression {
  enum class Kind {
    kName,
    kInteger,
    kReal,
    kText,
    kConstant,   ///< True, False, None
    kAttribute,  ///< children[0].text
    kCall,       ///< children[0](children[1] …), of which the last have names
    kSubscript,  ///< children[0][children[1]]
    kTuple,
    kList,
    kDictionary,  ///< keys and values by turns
    kUnary,       ///< text is the operator
    kBinary,
    kConditional,  ///< children[1] if children[0] else children[2]
  };
  Kind kind = Kind::kName;
  int line = 0;
  std::string text;
  std::vector<const Expression*> children;
  std::vector<std::string> keywords;  ///< of a call: one for each child behind the first; "" for a positional one
};

struct Statement {
  enum class Kind { kAssign, kReturn, kExpression, kIf, kWhile, kFor, kPass };
  Kind kind = Kind::kPass;
  int line = 0;
  std::vector<const Expression*> targets;  ///< of an assignment, or of `for`
  bool unpacks_list = false;               ///< "a, b, = …": a list is taken apart; "a, b = …": several results
  const Expression* value = nullptr;       ///< assigned, returned, the condition, what `for` runs over
  std::vector<Statement> body, otherwise;
};

struct Parameter {
  std::string name;
  const Expression* type = nullptr;           ///< nullptr: a tensor
  const Expression* default_value = nullptr;  ///< nullptr: there is none
};

struct Function {
  std::string name;
  int line = 0;
  std::vector<Parameter> parameters;
  std::vector<Statement> body;
};

struct Class {
  std::map<std::string, Function> methods;
  std::map<std::string, const Expression*> constants;  ///< of "name : Final[T] = value"
};

/// A file of the code.
struct Unit {
  std::map<std::string, Class> classes;
  std::map<std::string, Function> functions;
  std::vector<std::string> lines;    ///< for messages
  std::vector<std::string> origins;  ///< of the lines in the model's own source, as far as it is known
  std::deque<Expression> expressions;
};

/// "torch.nn.functional.relu" of the expression a.b.c; "" for any other.
[[nodiscard]] std::string dotted(const Expression& expression);
/// The `a` of a.b.c.
[[nodiscard]] const Expression& root_of(const Expression& expression);

/// "code/__torch__.py:12: _0 = torch.relu(x), of net.py:40: forward": for messages.
[[nodiscard]] std::string shown_line(const Unit& unit, std::string_view file, int line);

/// @error kInvalidArgument, kUnimplemented: what PyTorch does not write (the line is named and shown), nested too
/// deeply
[[nodiscard]] base::Result<Unit> parse(std::string_view code);

}  // namespace slipway::convert::torch_script::internal
