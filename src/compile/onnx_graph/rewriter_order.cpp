#include <set>

#include <onnx.pb.h>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {
namespace {

/// The values that a node reads, also in its inner graphs.
void collect_reads(const Node& node, std::vector<const Value*>& reads) {
  for (const Value* input : node.inputs()) {
    if (input != nullptr) reads.push_back(input);
  }
  for (const Scope* inner : node.inner_graphs()) {
    for (const Value* output : inner->outputs()) reads.push_back(output);
    for (const Node* within : inner->nodes()) collect_reads(*within, reads);
  }
}

}  // namespace

/// Emits the nodes in the order they have, each after the producers that are still missing. Where nodes wait for each
/// other in a circle the order is left as it comes: ONNX Runtime will say so.
void Rewriter::sort(Scope& scope) {
  struct Visit {
    Node* node;
    std::vector<const Value*> reads;
    std::size_t next;
  };
  std::vector<Node*> sorted;
  std::set<const Node*> visited;
  std::vector<Visit> stack;
  const auto enter = [&](Node* node) {
    if (!visited.insert(node).second) return;
    stack.push_back({node, {}, 0});
    collect_reads(*node, stack.back().reads);
  };
  for (Node* first : scope.nodes_) {
    enter(first);
    while (!stack.empty()) {
      Visit& visit = stack.back();
      if (visit.next == visit.reads.size()) {
        sorted.push_back(visit.node);
        stack.pop_back();
        continue;
      }
      Node* const producer = visit.reads[visit.next++]->producer();
      if (producer != nullptr && &producer->scope() == &scope) enter(producer);
    }
  }
  auto& protos = scope.graph_ != nullptr ? *scope.graph_->mutable_node() : *scope.function_->mutable_node();
  std::set<onnx::NodeProto*> rest;
  std::vector<onnx::NodeProto*> all(static_cast<std::size_t>(protos.size()));
  protos.ExtractSubrange(0, protos.size(), all.data());
  rest.insert(all.begin(), all.end());
  for (const Node* node : sorted) {
    protos.AddAllocated(node->proto_);
    rest.erase(node->proto_);
  }
  for (auto* removed : rest) delete removed;
  scope.nodes_ = std::move(sorted);
}

void Rewriter::drop_removed(Scope& scope) {
  auto& protos = scope.graph_ != nullptr ? *scope.graph_->mutable_node() : *scope.function_->mutable_node();
  if (static_cast<std::size_t>(protos.size()) == scope.nodes_.size()) return;
  std::set<const onnx::NodeProto*> remaining;
  for (const Node* node : scope.nodes_) remaining.insert(node->proto_);
  std::vector<onnx::NodeProto*> all(static_cast<std::size_t>(protos.size()));
  protos.ExtractSubrange(0, protos.size(), all.data());
  for (auto* proto : all) {
    if (remaining.contains(proto)) {
      protos.AddAllocated(proto);
    } else {
      delete proto;
    }
  }
}

}  // namespace slipway::compile::onnx_graph
