#include "convert/torch_script/internal/syntax.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "convert/torch_script/internal/tokens.hpp"

namespace slipway::convert::torch_script::internal {
namespace {

using base::Code;
using base::fail;
using Kind = Expression::Kind;

// PyTorch puts what is used once into the expression that uses it, so chains of modules nest deeply.
constexpr int kDeepest = 500;

/// Binary operators, loosest first.
constexpr auto kLevels = std::to_array<std::array<std::string_view, 10>>({
    {"or"},
    {"and"},
    {"in", "is", "<", ">", "<=", ">=", "==", "!=", "is not", "not in"},
    {"|"},
    {"^"},
    {"&"},
    {"<<", ">>"},
    {"+", "-"},
    {"*", "/", "//", "%", "@"},
});

constexpr std::size_t kComparisons = 2;  // `not` binds looser than these

class Parser {
 public:
  Parser(std::vector<Token> tokens, Unit& unit) : tokens_(std::move(tokens)), unit_(unit) {}

  base::Result<void> unit() {
    while (!is(Token::Kind::kEnd)) {
      if (is_word("class")) {
        SLIPWAY_TRY(class_definition());
      } else if (is_word("def")) {
        SLIPWAY_ASSIGN(Function function, function_definition());
        std::string name = function.name;
        unit_.functions.insert_or_assign(std::move(name), std::move(function));
      } else if (is_word("import") || is_word("op_version_set")) {
        while (!is(Token::Kind::kNewLine) && !is(Token::Kind::kEnd)) ++at_;
        if (is(Token::Kind::kNewLine)) ++at_;
      } else {
        return unexpected("a class or a function");
      }
    }
    return {};
  }

 private:
  [[nodiscard]] const Token& token() const { return tokens_[at_]; }
  [[nodiscard]] bool is(Token::Kind kind) const { return token().kind == kind; }
  [[nodiscard]] bool is_sign(std::string_view sign) const { return is(Token::Kind::kSign) && token().text == sign; }
  [[nodiscard]] bool is_word(std::string_view word) const { return is(Token::Kind::kName) && token().text == word; }
  bool skip_sign(std::string_view sign) { return is_sign(sign) && ++at_ > 0; }
  bool skip_word(std::string_view word) { return is_word(word) && ++at_ > 0; }
  bool skip(Token::Kind kind) { return is(kind) && ++at_ > 0; }

  [[nodiscard]] std::unexpected<base::Error> unexpected(std::string_view wanted) const {
    const auto line = static_cast<std::size_t>(token().line);
    return fail(Code::kUnimplemented, "line {}: {} is expected, and there stands: {}", line, wanted,
                line <= unit_.lines.size() ? base::valid_utf8(unit_.lines[line - 1].substr(0, 200)) : "the end");
  }
  base::Result<void> need_sign(std::string_view sign) {
    if (!skip_sign(sign)) return unexpected(fmt::format("'{}'", sign));
    return {};
  }
  base::Result<void> need(Token::Kind kind, std::string_view wanted) {
    if (!skip(kind)) return unexpected(wanted);
    return {};
  }
  base::Result<std::string> name() {
    if (!is(Token::Kind::kName)) return unexpected("a name");
    return tokens_[at_++].text;
  }

  Expression* make(Kind kind, std::string text = {}, std::vector<const Expression*> children = {}) {
    return &unit_.expressions.emplace_back(Expression{kind, token().line, std::move(text), std::move(children), {}});
  }

  base::Result<void> class_definition() {
    ++at_;
    SLIPWAY_ASSIGN(const std::string class_name, name());
    while (!is_sign(":")) {
      if (is(Token::Kind::kNewLine) || is(Token::Kind::kEnd)) return unexpected("':'");
      ++at_;
    }
    ++at_;
    Class made;
    SLIPWAY_TRY(need(Token::Kind::kNewLine, "the end of the line"));
    SLIPWAY_TRY(need(Token::Kind::kIndent, "an indented line"));
    while (!skip(Token::Kind::kDedent)) {
      if (is_word("def")) {
        SLIPWAY_ASSIGN(Function method, function_definition());
        std::string method_name = method.name;
        made.methods.insert_or_assign(std::move(method_name), std::move(method));
        continue;
      }
      if (skip_word("pass")) {
        SLIPWAY_TRY(need(Token::Kind::kNewLine, "the end of the line"));
        continue;
      }
      // "name : Type", "name : Final[Type] = value", "__annotations__["0"] = Type", "__parameters__ = […]"
      SLIPWAY_ASSIGN(const Expression* const target, expression());
      if (skip_sign(":")) SLIPWAY_TRY(expression());
      if (skip_sign("=")) {
        SLIPWAY_ASSIGN(const Expression* const value, expression());
        if (target->kind == Kind::kName) made.constants[target->text] = value;
      }
      SLIPWAY_TRY(need(Token::Kind::kNewLine, "the end of the line"));
    }
    unit_.classes.insert_or_assign(class_name, std::move(made));
    return {};
  }

  base::Result<Function> function_definition() {
    Function function;
    function.line = token().line;
    ++at_;
    SLIPWAY_ASSIGN(function.name, name());
    SLIPWAY_TRY(need_sign("("));
    while (!skip_sign(")")) {
      Parameter parameter;
      SLIPWAY_ASSIGN(parameter.name, name());
      if (skip_sign(":")) {
        SLIPWAY_ASSIGN(parameter.type, expression());
      }
      if (skip_sign("=")) {
        SLIPWAY_ASSIGN(parameter.default_value, expression());
      }
      function.parameters.push_back(std::move(parameter));
      if (!skip_sign(",") && !is_sign(")")) return unexpected("',' or ')'");
    }
    if (skip_sign("->")) SLIPWAY_TRY(expression());
    SLIPWAY_ASSIGN(function.body, block());
    return function;
  }

  base::Result<std::vector<Statement>> block() {
    if (++depth_ > kDeepest) return unexpected("code that is not nested so deeply");
    SLIPWAY_TRY(need_sign(":"));
    SLIPWAY_TRY(need(Token::Kind::kNewLine, "the end of the line"));
    SLIPWAY_TRY(need(Token::Kind::kIndent, "an indented line"));
    std::vector<Statement> statements;
    while (!skip(Token::Kind::kDedent)) {
      SLIPWAY_ASSIGN(Statement made, statement());
      statements.push_back(std::move(made));
    }
    --depth_;
    return statements;
  }

  base::Result<Statement> statement() {
    Statement made;
    made.line = token().line;
    if (skip_word("if") || is_word("while")) {
      made.kind = skip_word("while") ? Statement::Kind::kWhile : Statement::Kind::kIf;
      SLIPWAY_ASSIGN(made.value, expression());
      SLIPWAY_ASSIGN(made.body, block());
      if (made.kind == Statement::Kind::kIf && skip_word("else")) {
        SLIPWAY_ASSIGN(made.otherwise, block());
      }
      return made;
    }
    if (skip_word("for")) {
      made.kind = Statement::Kind::kFor;
      SLIPWAY_ASSIGN(const Expression* const target, postfix());
      made.targets.push_back(target);
      if (!skip_word("in")) return unexpected("'in'");
      SLIPWAY_ASSIGN(made.value, expression());
      SLIPWAY_ASSIGN(made.body, block());
      return made;
    }
    if (skip_word("pass")) {
      made.kind = Statement::Kind::kPass;
    } else if (skip_word("return")) {
      made.kind = Statement::Kind::kReturn;
      if (is(Token::Kind::kNewLine)) {
        made.value = make(Kind::kConstant, "None");
      } else {
        SLIPWAY_ASSIGN(made.value, expression_list());
      }
    } else {
      bool trailing_comma = false;
      SLIPWAY_ASSIGN(const Expression* const first, expression_list(&trailing_comma));
      if (skip_sign("=")) {
        made.kind = Statement::Kind::kAssign;
        made.unpacks_list = trailing_comma;
        if (first->kind == Kind::kTuple) {
          made.targets = first->children;
        } else {
          made.targets.push_back(first);
        }
        SLIPWAY_ASSIGN(made.value, expression_list());
      } else {
        made.kind = Statement::Kind::kExpression;
        made.value = first;
      }
    }
    SLIPWAY_TRY(need(Token::Kind::kNewLine, "the end of the line"));
    return made;
  }

  /// One expression, or several divided by commas, which are a tuple.
  base::Result<const Expression*> expression_list(bool* trailing_comma = nullptr) {
    SLIPWAY_ASSIGN(const Expression* const first, expression());
    if (!is_sign(",")) return first;
    Expression* const tuple = make(Kind::kTuple, {}, {first});
    while (skip_sign(",")) {
      if (is(Token::Kind::kNewLine) || is_sign("=")) {
        if (trailing_comma != nullptr) *trailing_comma = true;
        break;
      }
      SLIPWAY_ASSIGN(const Expression* const next, expression());
      tuple->children.push_back(next);
    }
    return tuple;
  }

  base::Result<const Expression*> expression() {
    if (++depth_ > kDeepest) return unexpected(fmt::format("code that is nested at most {} levels deep", kDeepest));
    auto made = conditional();
    --depth_;
    return made;
  }

  base::Result<const Expression*> conditional() {
    SLIPWAY_ASSIGN(const Expression* const value, binary(0));
    if (!skip_word("if")) return value;
    SLIPWAY_ASSIGN(const Expression* const condition, binary(0));
    if (!skip_word("else")) return unexpected("'else'");
    SLIPWAY_ASSIGN(const Expression* const otherwise, expression());
    return make(Kind::kConditional, {}, {condition, value, otherwise});
  }

  /// The binary operator of this level that stands here, skipped; "" for none.
  std::string_view operator_of(std::size_t level) {
    if (!is(Token::Kind::kSign) && !is(Token::Kind::kName)) return {};
    std::string text = token().text;
    std::size_t count = 1;
    const Token& next = tokens_[std::min(at_ + 1, tokens_.size() - 1)];
    if ((text == "is" && next.text == "not") || (text == "not" && next.text == "in")) {
      text += " " + next.text;
      count = 2;
    }
    const auto& level_operators = kLevels[level];
    const auto* const found = std::ranges::find(level_operators, std::string_view(text));
    if (found == level_operators.end() || text.empty()) return {};
    at_ += count;
    return *found;
  }

  // By precedence, so that a deep expression costs one frame a level and not one an operator's level.
  base::Result<const Expression*> binary(std::size_t level) {
    SLIPWAY_ASSIGN(const Expression* left, unary());
    while (true) {
      std::size_t found_level = kLevels.size();
      std::string_view sign;
      for (std::size_t l = level; l < kLevels.size() && sign.empty(); ++l) {
        sign = operator_of(l);
        found_level = l;
      }
      if (sign.empty()) return left;
      SLIPWAY_ASSIGN(const Expression* right, binary(found_level + 1));
      left = make(Kind::kBinary, std::string(sign), {left, right});
    }
  }

  base::Result<const Expression*> unary() {
    for (const std::string_view sign : {"-", "+", "~"}) {
      if (!skip_sign(sign)) continue;
      if (++depth_ > kDeepest) return unexpected("code that is not nested so deeply");
      SLIPWAY_ASSIGN(const Expression* const operand, unary());
      --depth_;
      return make(Kind::kUnary, std::string(sign), {operand});
    }
    if (skip_word("not")) {
      if (++depth_ > kDeepest) return unexpected("code that is not nested so deeply");
      SLIPWAY_ASSIGN(const Expression* const operand, binary(kComparisons));
      --depth_;
      return make(Kind::kUnary, "not", {operand});
    }
    SLIPWAY_ASSIGN(const Expression* const base_value, postfix());
    if (!skip_sign("**")) return base_value;
    SLIPWAY_ASSIGN(const Expression* const exponent, expression());
    return make(Kind::kBinary, "**", {base_value, exponent});
  }

  base::Result<const Expression*> postfix() {
    SLIPWAY_ASSIGN(const Expression* made, atom());
    while (true) {
      if (skip_sign(".")) {
        SLIPWAY_ASSIGN(std::string attribute, name());
        made = make(Kind::kAttribute, std::move(attribute), {made});
      } else if (skip_sign("(")) {
        Expression* const call = make(Kind::kCall, {}, {made});
        while (!skip_sign(")")) {
          std::string keyword;
          if (is(Token::Kind::kName) && tokens_[at_ + 1].kind == Token::Kind::kSign && tokens_[at_ + 1].text == "=") {
            keyword = token().text;
            at_ += 2;
          }
          SLIPWAY_ASSIGN(const Expression* const argument, expression());
          call->children.push_back(argument);
          call->keywords.push_back(std::move(keyword));
          if (!skip_sign(",") && !is_sign(")")) return unexpected("',' or ')'");
        }
        made = call;
      } else if (skip_sign("[")) {
        SLIPWAY_ASSIGN(const Expression* const index, expression_list());
        SLIPWAY_TRY(need_sign("]"));
        made = make(Kind::kSubscript, {}, {made, index});
      } else {
        return made;
      }
    }
  }

  base::Result<const Expression*> atom() {
    if (is(Token::Kind::kName)) {
      const std::string& word = token().text;
      const bool is_constant = word == "True" || word == "False" || word == "None";
      const Expression* const made = make(is_constant ? Kind::kConstant : Kind::kName, word);
      ++at_;
      return made;
    }
    for (const auto& [token_kind, kind] : {std::pair{Token::Kind::kInteger, Kind::kInteger},
                                           {Token::Kind::kReal, Kind::kReal},
                                           {Token::Kind::kText, Kind::kText}}) {
      if (!is(token_kind)) continue;
      const Expression* const made = make(kind, token().text);
      ++at_;
      return made;
    }
    if (skip_sign("(")) {
      if (skip_sign(")")) return make(Kind::kTuple);
      SLIPWAY_ASSIGN(const Expression* const first, expression());
      if (!is_sign(",")) {
        SLIPWAY_TRY(need_sign(")"));
        return first;
      }
      return elements(make(Kind::kTuple, {}, {first}), ")");
    }
    if (skip_sign("[")) return elements(make(Kind::kList), "]");
    if (skip_sign("{")) {
      Expression* const dictionary = make(Kind::kDictionary);
      while (!skip_sign("}")) {
        SLIPWAY_ASSIGN(const Expression* const key, expression());
        SLIPWAY_TRY(need_sign(":"));
        SLIPWAY_ASSIGN(const Expression* const value, expression());
        dictionary->children.push_back(key);
        dictionary->children.push_back(value);
        if (!skip_sign(",") && !is_sign("}")) return unexpected("',' or '}'");
      }
      return dictionary;
    }
    return unexpected("a value");
  }

  /// What follows up to the closing bracket. With a first element given, a comma comes next.
  base::Result<const Expression*> elements(Expression* made, std::string_view end) {
    if (!made->children.empty()) skip_sign(",");
    while (!skip_sign(end)) {
      SLIPWAY_ASSIGN(const Expression* const element, expression());
      made->children.push_back(element);
      if (!skip_sign(",") && !is_sign(end)) return unexpected(fmt::format("',' or '{}'", end));
    }
    return made;
  }

  std::vector<Token> tokens_;
  Unit& unit_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string dotted(const Expression& expression) {
  std::vector<const Expression*> parts;
  const Expression* at = &expression;
  for (; at->kind == Expression::Kind::kAttribute; at = at->children[0]) parts.push_back(at);
  if (at->kind != Expression::Kind::kName) return {};
  std::string name = at->text;
  for (std::size_t i = parts.size(); i-- > 0;) name += "." + parts[i]->text;
  return name;
}

const Expression& root_of(const Expression& expression) {
  const Expression* at = &expression;
  while (at->kind == Expression::Kind::kAttribute) at = at->children[0];
  return *at;
}

std::string shown_line(const Unit& unit, std::string_view file, int line) {
  std::string_view text, origin;
  const std::size_t place = static_cast<std::size_t>(line) - 1;
  if (line > 0 && place < unit.lines.size()) {
    text = base::trimmed(unit.lines[place]);
    if (place < unit.origins.size()) origin = unit.origins[place];
  }
  return fmt::format("{}:{}: {}{}{}", file, line, base::valid_utf8(text.substr(0, 200)), origin.empty() ? "" : ", of ",
                     origin);
}

base::Result<Unit> parse(std::string_view code) {
  Unit unit;
  for (std::size_t at = 0; at < code.size();) {
    const std::size_t end = std::min(code.find('\n', at), code.size());
    unit.lines.emplace_back(code.substr(at, end - at));
    at = end + 1;
  }
  SLIPWAY_ASSIGN(std::vector<Token> tokens, tokens_of(code));
  SLIPWAY_TRY(Parser(std::move(tokens), unit).unit());
  return unit;
}

}  // namespace slipway::convert::torch_script::internal
