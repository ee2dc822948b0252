#include "convert/torch_script/internal/pickle.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <unordered_map>

#include <fmt/ranges.h>

#include "base/utf8.hpp"
#include "convert/torch_script/internal/limits.hpp"
#include "convert/torch_script/internal/opcodes.hpp"

namespace slipway::convert::torch_script::internal {
namespace {

using aten::ScalarType;
using base::Code;
using base::fail;

// A model of 10 000 tensors has a pickle of two megabytes.
constexpr std::uint64_t kMostPickleBytes = 256U << 20U;

constexpr auto kStorages = std::to_array<std::pair<std::string_view, ScalarType>>({
    {"torch.FloatStorage", ScalarType::kFloat32},
    {"torch.DoubleStorage", ScalarType::kFloat64},
    {"torch.HalfStorage", ScalarType::kFloat16},
    {"torch.BFloat16Storage", ScalarType::kBfloat16},
    {"torch.LongStorage", ScalarType::kInt64},
    {"torch.IntStorage", ScalarType::kInt32},
    {"torch.ShortStorage", ScalarType::kInt16},
    {"torch.CharStorage", ScalarType::kInt8},
    {"torch.ByteStorage", ScalarType::kUint8},
    {"torch.BoolStorage", ScalarType::kBool},
    {"torch.ComplexFloatStorage", ScalarType::kComplex64},
    {"torch.ComplexDoubleStorage", ScalarType::kComplex128},
    {"torch.UInt16Storage", ScalarType::kUint16},
    {"torch.UInt32Storage", ScalarType::kUint32},
    {"torch.UInt64Storage", ScalarType::kUint64},
});

/// Calls that give their first argument: lists that carry the type of their elements.
constexpr auto kTagged = std::to_array<std::string_view>(
    {"torch.jit._pickle.build_intlist", "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.build_doublelist",
     "torch.jit._pickle.build_boollist", "torch.jit._pickle.restore_type_tag"});

class Reader {
 public:
  Reader(std::string_view bytes, const archive::ZipArchive& archive, std::string folder, Heap& heap, bool without_data)
      : bytes_(bytes), archive_(archive), folder_(std::move(folder)), heap_(heap), without_data_(without_data) {}

  base::Result<Object*> read() {
    while (true) {
      opcode_at_ = at_;
      if (heap_.size() > kMostObjects || stack_.size() > kMostObjects) {
        return fail(Code::kResourceExhausted, "more than {} objects at byte {}", kMostObjects, at_);
      }
      SLIPWAY_ASSIGN(const std::string_view opcode, consume(1));
      if (opcode[0] == '.') break;
      if (auto done = step(opcode[0]); !done) {
        return std::unexpected(done.error().with(fmt::format("byte {} ({})", opcode_at_, name_of(opcode[0]))));
      }
    }
    if (stack_.size() != 1 || !marks_.empty()) {
      return fail(Code::kInvalidArgument, "the pickle ends with {} objects where one is expected", stack_.size());
    }
    return stack_.back();
  }

 private:
  static std::string name_of(char opcode) {
    const auto* const found = std::ranges::find(kOpcodeNames, opcode, [](const auto& one) { return one.first; });
    if (found != kOpcodeNames.end()) return std::string(found->second);
    return fmt::format("0x{:02x}, no opcode", static_cast<unsigned char>(opcode));
  }

  base::Result<std::string_view> consume(std::uint64_t count) {
    if (count > bytes_.size() - at_) {
      return fail(Code::kInvalidArgument, "the pickle is cut short: {} bytes are wanted at byte {} of {}", count, at_,
                  bytes_.size());
    }
    const std::string_view consumed = bytes_.substr(at_, count);
    at_ += count;
    return consumed;
  }
  template <typename T>
  base::Result<T> number() {
    SLIPWAY_ASSIGN(const std::string_view consumed, consume(sizeof(T)));
    T value{};
    std::memcpy(&value, consumed.data(), sizeof(T));
    return value;
  }
  base::Result<std::string> line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos || end - at_ > 4096) return fail(Code::kInvalidArgument, "a name has no end");
    std::string text(bytes_.substr(at_, end - at_));
    at_ = end + 1;
    return text;
  }

  void push(Object::Held held) { stack_.push_back(heap_.make(std::move(held))); }
  base::Result<Object*> pop() {
    if (stack_.size() <= floor()) return fail(Code::kInvalidArgument, "nothing is on the stack");
    Object* const top = stack_.back();
    stack_.pop_back();
    return top;
  }
  [[nodiscard]] std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  base::Result<std::vector<Object*>> pop_to_mark() {
    if (marks_.empty()) return fail(Code::kInvalidArgument, "no mark is on the stack");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Object*> popped(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return popped;
  }
  base::Result<void> push_tuple(std::size_t count) {
    std::vector<Object*> elements(count);
    for (std::size_t i = count; i-- > 0;) {
      SLIPWAY_ASSIGN(elements[i], pop());
    }
    push(Sequence{true, std::move(elements)});
    return {};
  }

  base::Result<void> step(char opcode) {
    switch (opcode) {
      case '\x80': {
        SLIPWAY_ASSIGN(const auto version, number<std::uint8_t>());
        if (version != 2) return fail(Code::kUnimplemented, "protocol {}; PyTorch writes 2", version);
        return {};
      }
      case '(':
        marks_.push_back(stack_.size());
        return {};
      case 'N':
        push(aten::None{});
        return {};
      case '\x88':
        push(true);
        return {};
      case '\x89':
        push(false);
        return {};
      case '}':
        push(Dictionary{});
        return {};
      case ']':
        push(Sequence{false, {}});
        return {};
      case ')':
        push(Sequence{true, {}});
        return {};
      case '\x85':
        return push_tuple(1);
      case '\x86':
        return push_tuple(2);
      case '\x87':
        return push_tuple(3);
      case 't': {
        SLIPWAY_ASSIGN(auto elements, pop_to_mark());
        push(Sequence{true, std::move(elements)});
        return {};
      }
      case '0':
        SLIPWAY_TRY(pop());
        return {};
      case 'K':
        return push_number<std::uint8_t>();
      case 'M':
        return push_number<std::uint16_t>();
      case 'J':
        return push_number<std::int32_t>();
      case '\x8a':
        return push_long();
      case 'G': {
        SLIPWAY_ASSIGN(const auto bits, number<std::uint64_t>());
        push(std::bit_cast<double>(__builtin_bswap64(bits)));  // the one number of a pickle that is big-endian
        return {};
      }
      case 'X': {
        SLIPWAY_ASSIGN(const auto size, number<std::uint32_t>());
        SLIPWAY_ASSIGN(const std::string_view text, consume(size));
        push(std::string(text));
        return {};
      }
      case 'q':
        return put<std::uint8_t>();
      case 'r':
        return put<std::uint32_t>();
      case 'h':
        return get<std::uint8_t>();
      case 'j':
        return get<std::uint32_t>();
      case 'a':
        return append_all(1);
      case 'e':
        return append_all(std::nullopt);
      case 's':
        return set_items(1);
      case 'u':
        return set_items(std::nullopt);
      case 'c': {
        SLIPWAY_ASSIGN(const std::string module, line());
        SLIPWAY_ASSIGN(const std::string name, line());
        push(GlobalName{module + "." + name});
        return {};
      }
      case '\x81':
        return new_object();
      case 'b':
        return build();
      case 'Q':
        return persistent();
      case 'R':
        return reduce();
      default:
        return fail(Code::kUnimplemented,
                    "an opcode that PyTorch does not write into TorchScript archives; a pickle of "
                    "other objects is not read, for that would run code");
    }
  }

  template <typename T>
  base::Result<void> push_number() {
    SLIPWAY_ASSIGN(const auto value, number<T>());
    push(static_cast<std::int64_t>(value));
    return {};
  }
  base::Result<void> push_long() {
    SLIPWAY_ASSIGN(const auto size, number<std::uint8_t>());
    if (size > sizeof(std::int64_t)) return fail(Code::kInvalidArgument, "an integer of {} bytes; at most 8", size);
    SLIPWAY_ASSIGN(const std::string_view bytes, consume(size));
    std::uint64_t value = size > 0 && (static_cast<unsigned char>(bytes.back()) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), size);
    push(static_cast<std::int64_t>(value));
    return {};
  }
  template <typename T>
  base::Result<void> put() {
    SLIPWAY_ASSIGN(const auto place, number<T>());
    if (stack_.size() <= floor()) return fail(Code::kInvalidArgument, "nothing is on the stack");
    memo_[place] = stack_.back();
    return {};
  }
  template <typename T>
  base::Result<void> get() {
    SLIPWAY_ASSIGN(const auto place, number<T>());
    const auto found = memo_.find(place);
    if (found == memo_.end()) return fail(Code::kInvalidArgument, "nothing was put down at place {}", place);
    stack_.push_back(found->second);
    return {};
  }

  /// The objects from the mark on, or the `count` topmost.
  base::Result<std::vector<Object*>> pop_some(std::optional<std::size_t> count) {
    if (!count) return pop_to_mark();
    std::vector<Object*> popped(*count);
    for (std::size_t i = *count; i-- > 0;) {
      SLIPWAY_ASSIGN(popped[i], pop());
    }
    return popped;
  }
  /// What is then on top, of a kind.
  template <typename T>
  base::Result<T*> top(std::string_view what) {
    T* const found = stack_.size() <= floor() ? nullptr : stack_.back()->get<T>();
    if (found == nullptr) return fail(Code::kInvalidArgument, "{} is expected on the stack", what);
    return found;
  }
  base::Result<void> append_all(std::optional<std::size_t> count) {
    SLIPWAY_ASSIGN(const auto elements, pop_some(count));
    SLIPWAY_ASSIGN(Sequence* const list, top<Sequence>("a list"));
    if (list->is_tuple) return fail(Code::kInvalidArgument, "a list is expected on the stack, and a tuple is there");
    list->elements.insert(list->elements.end(), elements.begin(), elements.end());
    return {};
  }
  base::Result<void> set_items(std::optional<std::size_t> pairs) {
    SLIPWAY_ASSIGN(const auto items, pop_some(pairs ? std::optional(2 * *pairs) : std::nullopt));
    SLIPWAY_ASSIGN(Dictionary* const dictionary, top<Dictionary>("a dictionary"));
    if (items.size() % 2 != 0) return fail(Code::kInvalidArgument, "a key has no value");
    for (std::size_t i = 0; i < items.size(); i += 2) dictionary->items.emplace_back(items[i], items[i + 1]);
    return {};
  }

  /// An empty object of a class whose code the archive holds; its state follows.
  base::Result<void> new_object() {
    SLIPWAY_ASSIGN(Object* const arguments, pop());
    SLIPWAY_ASSIGN(Object* const type, pop());
    const auto* const name = type->get<GlobalName>();
    const auto* const tuple = arguments->get<Sequence>();
    if (name == nullptr || tuple == nullptr || !tuple->elements.empty()) {
      return fail(Code::kInvalidArgument, "a class and () are expected on the stack");
    }
    if (!name->name.starts_with("__torch__.")) return refuse(name->name);
    push(Instance{name->name, {}});
    return {};
  }
  base::Result<void> build() {
    SLIPWAY_ASSIGN(Object* const state, pop());
    SLIPWAY_ASSIGN(Instance* const instance, top<Instance>("an object of a class"));
    const auto* const attributes = state->get<Dictionary>();
    if (attributes == nullptr) {
      return fail(Code::kUnimplemented,
                  "{} keeps its state as {} (__getstate__); only attributes by name are followed: export the model by "
                  "torch.export",
                  instance->class_name, kind_of(*state));
    }
    for (const auto& [key, value] : attributes->items) {
      const auto* const name = key->get<std::string>();
      if (name == nullptr) return fail(Code::kInvalidArgument, "an attribute's name is {}", kind_of(*key));
      instance->attributes.emplace_back(*name, value);
    }
    return {};
  }

  static base::Result<void> refuse(std::string_view name) {
    return fail(Code::kUnimplemented,
                "'{}' is not among what a TorchScript archive is made of; it was not looked up and nothing was called",
                base::valid_utf8(name));
  }

  /// ("storage", type, key, device, number of elements)
  base::Result<void> persistent() {
    SLIPWAY_ASSIGN(Object* const id, pop());
    const auto* const parts = id->get<Sequence>();
    const auto malformed = [] { return fail(Code::kInvalidArgument, "it does not name a storage"); };
    if (parts == nullptr || parts->elements.size() != 5) return malformed();
    const auto* const kind = parts->elements[0]->get<std::string>();
    const auto* const type = parts->elements[1]->get<GlobalName>();
    const auto* const key = parts->elements[2]->get<std::string>();
    const auto* const count = parts->elements[4]->get<std::int64_t>();
    if (kind == nullptr || *kind != "storage" || type == nullptr || key == nullptr || count == nullptr || *count < 0) {
      return malformed();
    }
    const auto* const known = std::ranges::find(kStorages, type->name, [](const auto& one) { return one.first; });
    if (known == kStorages.end()) {
      return fail(Code::kUnimplemented, "tensors in a '{}' are not read", base::valid_utf8(type->name));
    }
    Storage storage{known->second, {}};
    if (!without_data_) {
      SLIPWAY_ASSIGN(storage.bytes, archive_.view(folder_ + *key));
      const std::size_t available = storage.bytes.size() / aten::scalar_type_size_bytes(storage.dtype);
      if (static_cast<std::uint64_t>(*count) > available) {
        return fail(Code::kInvalidArgument, "storage '{}' should hold {} elements of {}, and its entry has {} bytes",
                    base::valid_utf8(*key), *count, aten::scalar_type_name(storage.dtype), storage.bytes.size());
      }
    }
    push(storage);
    return {};
  }

  base::Result<void> reduce() {
    SLIPWAY_ASSIGN(Object* const arguments, pop());
    SLIPWAY_ASSIGN(Object* const callee, pop());
    const auto* const name = callee->get<GlobalName>();
    const auto* const tuple = arguments->get<Sequence>();
    if (name == nullptr || tuple == nullptr) {
      return fail(Code::kInvalidArgument, "a name and its arguments are expected on the stack");
    }
    if (name->name == "torch._utils._rebuild_tensor_v2") return rebuild_tensor(tuple->elements);
    if (name->name == "collections.OrderedDict") {
      push(Dictionary{});
      return {};
    }
    if (std::ranges::find(kTagged, name->name) != kTagged.end() && !tuple->elements.empty()) {
      stack_.push_back(tuple->elements[0]);
      return {};
    }
    if (name->name == "torch.device" && tuple->elements.size() == 1) {
      if (const auto* const device = tuple->elements[0]->get<std::string>()) {
        push(aten::Device{*device});
        return {};
      }
    }
    return refuse(name->name);
  }

  static base::Result<std::vector<std::int64_t>> integers(const Object& object) {
    const auto* const sequence = object.get<Sequence>();
    if (sequence == nullptr)
      return fail(Code::kInvalidArgument, "sizes are expected, and {} is there", kind_of(object));
    std::vector<std::int64_t> numbers;
    for (const Object* element : sequence->elements) {
      const auto* const value = element->get<std::int64_t>();
      if (value == nullptr || *value < 0) return fail(Code::kInvalidArgument, "a size is no natural number");
      numbers.push_back(*value);
    }
    return numbers;
  }

  /// (storage, offset, sizes, strides, …)
  base::Result<void> rebuild_tensor(const std::vector<Object*>& arguments) {
    if (arguments.size() < 4)
      return fail(Code::kInvalidArgument, "a tensor has {} parts; 4 are needed", arguments.size());
    const auto* const storage = arguments[0]->get<Storage>();
    const auto* const offset = arguments[1]->get<std::int64_t>();
    if (storage == nullptr || offset == nullptr || *offset < 0) {
      return fail(Code::kInvalidArgument, "a tensor has no storage or no place in it");
    }
    SLIPWAY_ASSIGN(tensor::Shape sizes, integers(*arguments[2]));
    SLIPWAY_ASSIGN(std::vector<std::int64_t> strides, integers(*arguments[3]));
    const auto count = tensor::element_count(sizes);
    if (sizes.size() != strides.size() || !count) {
      return fail(Code::kInvalidArgument, "a tensor has {} sizes and {} strides, or more elements than can be counted",
                  sizes.size(), strides.size());
    }
    const std::size_t item = aten::scalar_type_size_bytes(storage->dtype);
    const std::uint64_t available = storage->bytes.size() / item;
    std::span<const std::byte> bytes;
    if (!without_data_ && *count > 0) {
      std::uint64_t last = static_cast<std::uint64_t>(*offset);
      bool fits = last < available && static_cast<std::uint64_t>(*count) <= available;
      for (std::size_t i = 0; i < sizes.size() && fits; ++i) {
        std::uint64_t reach = 0;
        fits = !__builtin_mul_overflow(static_cast<std::uint64_t>(sizes[i] - 1), static_cast<std::uint64_t>(strides[i]),
                                       &reach) &&
               !__builtin_add_overflow(last, reach, &last) && last < available;
      }
      if (!fits) {
        return fail(
            Code::kInvalidArgument,
            "{} with strides [{}] from element {} on does not lie in its storage of {} elements, each element at "
            "a place of its own",
            aten::to_string(meta_of(storage->dtype, sizes)), fmt::join(strides, ","), *offset, available);
      }
      bytes = storage->bytes.subspan(static_cast<std::uint64_t>(*offset) * item,
                                     (last - static_cast<std::uint64_t>(*offset) + 1) * item);
    }
    push(aten::StoredTensor{storage->dtype, std::move(sizes), std::move(strides), bytes, archive_.owner()});
    return {};
  }
  static aten::TensorMeta meta_of(ScalarType dtype, const tensor::Shape& sizes) {
    aten::TensorMeta meta{dtype, {}};
    for (const std::int64_t size : sizes) meta.sizes.push_back({size, ""});
    return meta;
  }

  std::string_view bytes_;
  const archive::ZipArchive& archive_;
  std::string folder_;
  Heap& heap_;
  bool without_data_;
  std::size_t at_ = 0, opcode_at_ = 0;
  std::vector<Object*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Object*> memo_;
};

}  // namespace

base::Result<Object*> read_pickle(const archive::ZipArchive& archive, std::string_view name, Heap& heap,
                                  bool without_data) {
  const std::string entry = fmt::format("{}.pkl", name);
  SLIPWAY_ASSIGN(const std::string bytes, archive.unpack(entry, kMostPickleBytes));
  auto object = Reader(bytes, archive, fmt::format("{}/", name), heap, without_data).read();
  if (!object) return std::unexpected(object.error().with(entry));
  return object;
}

base::Result<Object*> read_pickle_entry(const archive::ZipArchive& archive, const std::string& entry, Heap& heap) {
  SLIPWAY_ASSIGN(const std::string bytes, archive.unpack(entry, kMostPickleBytes));
  auto object = Reader(bytes, archive, "", heap, true).read();
  if (!object) return std::unexpected(object.error().with(entry));
  return object;
}

}  // namespace slipway::convert::torch_script::internal
