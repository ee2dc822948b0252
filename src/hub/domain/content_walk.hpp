#pragma once

#include <map>
#include <optional>
#include <type_traits>
#include <variant>
#include <vector>

#include "hub/domain/document_fields.hpp"

namespace slipway::hub::domain::internal {

/// Finds the content that a value speaks of by walking the lists of document_fields.hpp, which say what is stored of
/// it. Content is known by its type, whatever a field is called; what is in no list is not stored and so refers to
/// nothing.
class ContentWalk {
 public:
  template <typename T>
  void operator()(const char*, const T& value) {
    visit(value);
  }
  template <typename T>
  void visit(const T& value) {
    if constexpr (std::is_same_v<T, Blob>) {
      if (!value.sha256.empty()) found_.push_back(value);
    } else if constexpr (requires { fields(*this, value); }) {
      fields(*this, value);
    } else {
      visit_within(value);
    }
  }
  void payload(const char*, const JobPayload& value) {
    std::visit([this]<typename Kind>(const Kind& held) { Kind::fields(*this, held); }, value);
  }
  void result(const JobResult& value) {
    std::visit(
        [this]<typename Result>(const Result& held) {
          if constexpr (!std::is_same_v<Result, std::monostate>) Result::fields(*this, held);
        },
        value);
  }
  [[nodiscard]] std::vector<Blob> release() { return std::move(found_); }

 private:
  template <typename T>
  void visit_within(const T&) {}
  template <typename T>
  void visit_within(const std::optional<T>& value) {
    if (value) visit(*value);
  }
  template <typename T>
  void visit_within(const std::vector<T>& values) {
    for (const auto& value : values) visit(value);
  }
  template <typename K, typename V>
  void visit_within(const std::map<K, V>& values) {
    for (const auto& [key, value] : values) visit(value);
  }
  template <typename... Ts>
  void visit_within(const std::variant<Ts...>& value) {
    std::visit([this](const auto& held) { this->visit(held); }, value);
  }

  std::vector<Blob> found_;
};

template <typename T>
[[nodiscard]] std::vector<Blob> content_within(const T& value) {
  ContentWalk walk;
  walk.visit(value);
  return walk.release();
}

}  // namespace slipway::hub::domain::internal
