#include <onnx.pb.h>

#include "compile/onnx_graph/rewriter.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {

void Rewriter::set_type(Value& value, const ValueType& type) {
  value.type_ = type;
  if (!type.element_type) forget_declaration(value);
  for (auto* info : value.declarations_) write_type(*info, type);
  bool is_declared = !value.declarations_.empty() || value.is_initializer();
  for (const auto& [place, position] : value.output_places_) {
    if (place->graph_ == nullptr) continue;
    write_type(*place->graph_->mutable_output(static_cast<int>(position)), type);
    is_declared = true;
  }
  if (is_declared || value.scope_->graph_ == nullptr || !type.element_type) return;
  auto& info = *value.scope_->graph_->add_value_info();
  info.set_name(value.name_);
  write_type(info, type);
  value.declarations_.push_back(&info);
}

void Rewriter::set_dimension_names(Value& value, const std::vector<std::string>& names) {
  const auto write = [&](onnx::ValueInfoProto& info) {
    auto& dimensions = *info.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim();
    for (int i = 0; i < dimensions.size() && static_cast<std::size_t>(i) < names.size(); ++i) {
      if (!dimensions.Get(i).has_dim_value()) dimensions.Mutable(i)->set_dim_param(names[static_cast<std::size_t>(i)]);
    }
  };
  for (auto* info : value.declarations_) write(*info);
  for (const auto& [place, position] : value.output_places_) {
    if (place->graph_ != nullptr) write(*place->graph_->mutable_output(static_cast<int>(position)));
  }
}

/// What the list of inner types says of a value no longer holds; what its graph's inputs say does.
void Rewriter::forget_declaration(Value& value) {
  if (value.is_input_) return;
  for (const auto* info : value.declarations_) forgotten_.insert(info);
  value.declarations_.clear();
}

void Rewriter::set_dimension_sizes(const std::map<std::string, std::int64_t>& sizes) {
  for (std::size_t i = 0; i < main_->outputs_.size(); ++i) {
    auto& output = *main_->graph_->mutable_output(static_cast<int>(i));
    if (!output.type().has_tensor_type() || !output.type().tensor_type().has_shape()) continue;
    for (auto& dimension : *output.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim()) {
      const auto known = dimension.has_dim_param() ? sizes.find(dimension.dim_param()) : sizes.end();
      if (known == sizes.end()) continue;
      dimension.clear_dim_param();
      if (known->second >= 0) dimension.set_dim_value(known->second);
    }
    if (!main_->outputs_[i]->is_input_) main_->outputs_[i]->type_ = type_of(output);
  }
}

void Rewriter::forget_inner_types() {
  for (Value& value : values_) {
    if (value.is_input_ && value.scope_ == main_) {
      // An input may be listed among the inner types as well.
      while (value.declarations_.size() > 1) {
        forgotten_.insert(value.declarations_.back());
        value.declarations_.pop_back();
      }
      continue;
    }
    if (value.is_input_) continue;
    for (const auto* info : value.declarations_) forgotten_.insert(info);
    value.declarations_.clear();
    if (!value.is_initializer() && !value.is_output()) value.type_ = {};
  }
}

void Rewriter::drop_forgotten(Scope& scope) {
  auto& infos = scope.graph_ != nullptr ? *scope.graph_->mutable_value_info() : *scope.function_->mutable_value_info();
  std::vector<onnx::ValueInfoProto*> all(static_cast<std::size_t>(infos.size()));
  infos.ExtractSubrange(0, infos.size(), all.data());
  for (auto* info : all) {
    if (forgotten_.contains(info)) {
      delete info;
    } else {
      infos.AddAllocated(info);
    }
  }
}

}  // namespace slipway::compile::onnx_graph
