#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace slipway::compile::onnx_graph {

/// The names that are used in a model, and new ones beside them.
/// @cost  one lookup a name, also where thousands of nodes want the same
class FreshNames {
 public:
  [[nodiscard]] bool contains(const std::string& name) const { return numbers_.contains(name); }
  void reserve(const std::string& name);
  void release(const std::string& name) { numbers_.erase(name); }
  /// Reserves a name that nobody has: `wanted`, or "WANTED_2" and so on.
  [[nodiscard]] std::string fresh(std::string_view wanted);

 private:
  /// A used name has the number that its next namesake tries first, since a converter may want one name many
  /// thousand times.
  std::unordered_map<std::string, std::int64_t> numbers_;
};

}  // namespace slipway::compile::onnx_graph
