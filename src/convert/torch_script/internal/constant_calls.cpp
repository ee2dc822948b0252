#include "convert/torch_script/internal/constant_calls.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::convert::torch_script::internal {
namespace {

using base::Code;
using base::fail;
using Answer = base::Result<std::optional<Object*>>;

constexpr std::size_t kMostElements = 1'000'000;

std::optional<double> real_of(const Object& object) {
  if (const auto* const real = object.get<double>()) return *real;
  if (const auto* const integer = object.get<std::int64_t>()) return static_cast<double>(*integer);
  if (const auto* const truth = object.get<bool>()) return *truth ? 1.0 : 0.0;
  return std::nullopt;
}
std::optional<std::int64_t> counted_as(const Object& object) {
  if (const auto* const integer = object.get<std::int64_t>()) return *integer;
  if (const auto* const truth = object.get<bool>()) return *truth ? 1 : 0;
  return std::nullopt;
}
std::unexpected<base::Error> overflows(std::string_view name) {
  return fail(Code::kInvalidArgument, "'{}' leaves 64 bits or divides by zero", name);
}

Answer of_integers(std::string_view name, std::int64_t a, std::int64_t b, Heap& heap) {
  std::int64_t result = 0;
  const bool is_bad_division = b == 0 || (a == INT64_MIN && b == -1);
  if (name == "add") {
    if (__builtin_add_overflow(a, b, &result)) return overflows(name);
  } else if (name == "sub") {
    if (__builtin_sub_overflow(a, b, &result)) return overflows(name);
  } else if (name == "mul") {
    if (__builtin_mul_overflow(a, b, &result)) return overflows(name);
  } else if (name == "floordiv" || name == "floor_divide") {
    if (is_bad_division) return overflows(name);
    result = a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0);
  } else if (name == "remainder") {
    if (is_bad_division) return overflows(name);
    result = a % b;
    if (result != 0 && (result < 0) != (b < 0)) result += b;
  } else if (name == "min") {
    result = std::min(a, b);
  } else if (name == "max") {
    result = std::max(a, b);
  } else if (name == "eq" || name == "ne" || name == "lt" || name == "le" || name == "gt" || name == "ge") {
    return heap.make(name == "eq"   ? a == b
                     : name == "ne" ? a != b
                     : name == "lt" ? a < b
                     : name == "le" ? a <= b
                     : name == "gt" ? a > b
                                    : a >= b);
  } else if (name == "div") {
    if (b == 0) return overflows(name);
    return heap.make(static_cast<double>(a) / static_cast<double>(b));
  } else {
    return std::nullopt;
  }
  return heap.make(result);
}

Answer of_reals(std::string_view name, double a, double b, Heap& heap) {
  if (name == "add") return heap.make(a + b);
  if (name == "sub") return heap.make(a - b);
  if (name == "mul") return heap.make(a * b);
  if (name == "div") return heap.make(a / b);
  if (name == "pow") return heap.make(std::pow(a, b));
  if (name == "floordiv") return heap.make(std::floor(a / b));
  if (name == "min") return heap.make(std::min(a, b));
  if (name == "max") return heap.make(std::max(a, b));
  if (name == "eq") return heap.make(a == b);
  if (name == "ne") return heap.make(a != b);
  if (name == "lt") return heap.make(a < b);
  if (name == "le") return heap.make(a <= b);
  if (name == "gt") return heap.make(a > b);
  if (name == "ge") return heap.make(a >= b);
  return std::nullopt;
}

Answer of_one(std::string_view name, const Object& object, Heap& heap) {
  if (name == "__not__") {
    const auto truth = truth_of(object);
    return truth ? Answer(heap.make(!*truth)) : Answer(std::nullopt);
  }
  if (name == "len") {
    if (const auto* const sequence = object.get<Sequence>()) {
      return heap.make(static_cast<std::int64_t>(sequence->elements.size()));
    }
    if (const auto* const dictionary = object.get<Dictionary>()) {
      return heap.make(static_cast<std::int64_t>(dictionary->items.size()));
    }
    if (const auto* const text = object.get<std::string>()) return heap.make(static_cast<std::int64_t>(text->size()));
    return std::nullopt;
  }
  if (const auto* const sequence = object.get<Sequence>(); sequence != nullptr && (name == "list" || name == "copy")) {
    return heap.make(Sequence{false, sequence->elements});
  }
  if (const auto* const dictionary = object.get<Dictionary>()) {
    Sequence all;
    for (const auto& [key, value] : dictionary->items) {
      if (name == "keys") all.elements.push_back(key);
      if (name == "values") all.elements.push_back(value);
      if (name == "items") all.elements.push_back(heap.make(Sequence{true, {key, value}}));
    }
    if (name == "keys" || name == "values" || name == "items") return heap.make(std::move(all));
  }
  const auto real = real_of(object);
  if (!real) return std::nullopt;
  const auto integer = counted_as(object);
  if (name == "Int") {
    if (integer) return heap.make(*integer);
    if (!(std::abs(*real) < 9e18)) return overflows(name);
    return heap.make(static_cast<std::int64_t>(*real));
  }
  if (name == "Float") return heap.make(*real);
  if (name == "Bool") return heap.make(*real != 0);
  if (name == "neg" && integer && *integer != INT64_MIN) return heap.make(-*integer);
  if (name == "neg") return heap.make(-*real);
  if (name == "sqrt") return heap.make(std::sqrt(*real));
  if ((name == "floor" || name == "ceil") && std::abs(*real) < 9e18) {
    return heap.make(static_cast<std::int64_t>(name == "floor" ? std::floor(*real) : std::ceil(*real)));
  }
  return std::nullopt;
}

/// Lists and texts.
Answer of_collections(std::string_view name, std::span<Object* const> arguments, Heap& heap) {
  auto* const list = arguments[0]->get<Sequence>();
  if (arguments.size() == 2) {
    const auto* const text = arguments[0]->get<std::string>();
    const auto* const other_text = arguments[1]->get<std::string>();
    if (text != nullptr && other_text != nullptr) {
      if (name == "eq") return heap.make(*text == *other_text);
      if (name == "ne") return heap.make(*text != *other_text);
      if (name == "add") return heap.make(*text + *other_text);
    }
    if (const auto* const dictionary = arguments[0]->get<Dictionary>(); dictionary && name == "__contains__") {
      const auto is_key = [&](const auto& item) {
        return item.first->held.index() == arguments[1]->held.index() &&
               ((other_text != nullptr && *item.first->template get<std::string>() == *other_text) ||
                (counted_as(*arguments[1]) && counted_as(*item.first) == counted_as(*arguments[1])));
      };
      return heap.make(std::ranges::any_of(dictionary->items, is_key));
    }
  }
  if (list == nullptr) return std::nullopt;
  if (name == "append" && arguments.size() == 2 && !list->is_tuple) {
    list->elements.push_back(arguments[1]);
    return arguments[0];
  }
  if (arguments.size() == 2 && (name == "add" || name == "extend" || name == "add_")) {
    const auto* const other = arguments[1]->get<Sequence>();
    if (other == nullptr) return std::nullopt;
    if (list->elements.size() + other->elements.size() > kMostElements) {
      return fail(base::Code::kResourceExhausted, "a list of more than {} elements", kMostElements);
    }
    std::vector<Object*> joined = list->elements;
    joined.insert(joined.end(), other->elements.begin(), other->elements.end());
    if (name == "add") return heap.make(Sequence{list->is_tuple, std::move(joined)});
    list->elements = std::move(joined);
    return arguments[0];
  }
  if (name == "mul" && arguments.size() == 2 && counted_as(*arguments[1])) {
    const std::int64_t times = std::max<std::int64_t>(0, *counted_as(*arguments[1]));
    if (static_cast<std::uint64_t>(times) * std::max<std::size_t>(1, list->elements.size()) > kMostElements ||
        times > static_cast<std::int64_t>(kMostElements)) {
      return fail(base::Code::kResourceExhausted, "a list of more than {} elements", kMostElements);
    }
    Sequence repeated;
    for (std::int64_t i = 0; i < times; ++i) {
      repeated.elements.insert(repeated.elements.end(), list->elements.begin(), list->elements.end());
    }
    return heap.make(std::move(repeated));
  }
  if (name == "slice") {
    const auto size = static_cast<std::int64_t>(list->elements.size());
    const auto place = [&](std::size_t i, std::int64_t otherwise) -> std::optional<std::int64_t> {
      if (i >= arguments.size() || arguments[i]->is_none()) return otherwise;
      const auto value = counted_as(*arguments[i]);
      if (!value) return std::nullopt;
      return std::clamp<std::int64_t>(*value < 0 ? *value + size : *value, 0, size);
    };
    const auto begin = place(1, 0), end = place(2, size);
    const auto step = arguments.size() > 3 ? counted_as(*arguments[3]) : 1;
    if (!begin || !end || !step || *step < 1) return std::nullopt;
    Sequence part{list->is_tuple, {}};
    for (std::int64_t i = *begin; i < *end; i += std::min(*step, size)) {
      part.elements.push_back(list->elements[static_cast<std::size_t>(i)]);
    }
    return heap.make(std::move(part));
  }
  return std::nullopt;
}

}  // namespace

std::optional<bool> truth_of(const Object& object) {
  if (object.is_none()) return false;
  if (const auto real = real_of(object)) return *real != 0;
  if (const auto* const text = object.get<std::string>()) return !text->empty();
  if (const auto* const sequence = object.get<Sequence>()) return !sequence->elements.empty();
  if (const auto* const dictionary = object.get<Dictionary>()) return !dictionary->items.empty();
  return std::nullopt;
}

Answer call_of_constants(std::string_view name, std::span<Object* const> arguments, Heap& heap) {
  if (arguments.empty()) return std::nullopt;
  if (name == "__is__" || name == "__isnot__") {
    if (arguments.size() != 2) return std::nullopt;
    // "x is None": what the graph computes is something.
    const bool same =
        arguments[0]->is_none() == arguments[1]->is_none() && (arguments[0]->is_none() || arguments[0] == arguments[1]);
    return heap.make(same == (name == "__is__"));
  }
  if (arguments.size() == 1) return of_one(name, *arguments[0], heap);
  if (arguments.size() == 2) {
    const auto a = real_of(*arguments[0]), b = real_of(*arguments[1]);
    if (a && b) {
      if (name == "__and__" || name == "__or__") {
        return heap.make(name == "__and__" ? *a != 0 && *b != 0 : *a != 0 || *b != 0);
      }
      const auto integer_a = counted_as(*arguments[0]), integer_b = counted_as(*arguments[1]);
      return integer_a && integer_b ? of_integers(name, *integer_a, *integer_b, heap) : of_reals(name, *a, *b, heap);
    }
  }
  return of_collections(name, arguments, heap);
}

}  // namespace slipway::convert::torch_script::internal
