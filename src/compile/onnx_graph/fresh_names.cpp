#include "compile/onnx_graph/fresh_names.hpp"

#include <fmt/format.h>

namespace slipway::compile::onnx_graph {
namespace {

constexpr std::int64_t kFirstNumber = 2;

}  // namespace

void FreshNames::reserve(const std::string& name) {
  numbers_.try_emplace(name, kFirstNumber);
}

std::string FreshNames::fresh(std::string_view wanted) {
  std::string name(wanted);
  if (!name.empty() && numbers_.try_emplace(name, kFirstNumber).second) return name;
  std::int64_t& number = numbers_.try_emplace(name, kFirstNumber).first->second;
  do name = fmt::format("{}_{}", wanted, number++);
  while (!numbers_.try_emplace(name, kFirstNumber).second);
  return name;
}

}  // namespace slipway::compile::onnx_graph
