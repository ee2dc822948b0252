#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "convert/aten/graph.hpp"

namespace slipway::convert::torch_script::internal {

struct Object;

/// The bytes that tensors of an archive share.
struct Storage {
  aten::ScalarType dtype = aten::ScalarType::kFloat32;
  std::span<const std::byte> bytes;
};

struct Sequence {
  bool is_tuple = false;
  std::vector<Object*> elements;
};

struct Dictionary {
  std::vector<std::pair<Object*, Object*>> items;
};

/// A module, or another object of a class whose code is in the archive.
struct Instance {
  std::string class_name;  ///< "__torch__.torch.nn.modules.conv.Conv2d"
  std::vector<std::pair<std::string, Object*>> attributes;
};

/// A name that a pickle gives, before what it stands for is made. Nothing is ever looked up by it.
struct GlobalName {
  std::string name;  ///< "torch._utils._rebuild_tensor_v2"
};

/// What the graph computes: a tensor, or a number of its sizes.
struct Computed {
  aten::ValueId value = 0;
};

/// A list that an operator gives and whose length its readers tell.
struct ComputedList {
  std::size_t node = 0;
};

/// All sizes of a tensor, where the code asks for them at once.
struct Sizes {
  Object* tensor = nullptr;
};

/// A value of the pickles and of the code that is followed: what Python calls an object.
struct Object {
  using Held = std::variant<aten::None, bool, std::int64_t, double, std::string, aten::Device, aten::StoredTensor,
                            Sequence, Dictionary, Instance, GlobalName, Storage, Computed, ComputedList, Sizes>;
  Held held;

  template <typename T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&held);
  }
  template <typename T>
  [[nodiscard]] T* get() {
    return std::get_if<T>(&held);
  }
  [[nodiscard]] bool is_none() const { return std::holds_alternative<aten::None>(held); }
};

/// Owns objects until it ends. They name each other as they like, in circles too, since none owns another.
class Heap {
 public:
  Object* make(Object::Held held) { return &objects_.emplace_back(std::move(held)); }
  [[nodiscard]] std::size_t size() const { return objects_.size(); }

 private:
  std::deque<Object> objects_;
};

/// "a list", "a tensor": for messages.
[[nodiscard]] std::string_view kind_of(const Object& object);

/// The integer that an object is; nothing for others, truth values among them.
[[nodiscard]] std::optional<std::int64_t> integer_of(const Object& object);

/// Where among `count` an index of Python's points.
[[nodiscard]] std::optional<std::size_t> place_of(std::int64_t index, std::size_t count);

}  // namespace slipway::convert::torch_script::internal
