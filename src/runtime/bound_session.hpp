#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/session.hpp"

namespace slipway::runtime {

/// A session with memory for its inputs, bound to it: fill inputs, run(), read outputs(). Several may share a session.
/// @thread one object belongs to one thread
class BoundSession {
 public:
  /// @param inputs  static shapes; zeros until they are filled
  /// @error as BoundRun::bind
  [[nodiscard]] static base::Result<BoundSession> bind(std::shared_ptr<Session> session,
                                                       const std::vector<tensor::TensorSpec>& inputs);

  BoundSession(BoundSession&&) noexcept = default;
  /// The other one gets what was here: a binding must end before its session.
  BoundSession& operator=(BoundSession&& other) noexcept {
    std::swap(session_, other.session_);
    std::swap(inputs_, other.inputs_);
    std::swap(bound_, other.bound_);
    return *this;
  }

  [[nodiscard]] Session& session() const { return *session_; }
  /// The input at a place of `inputs`.
  [[nodiscard]] tensor::Tensor& input(std::size_t place) { return inputs_[place].tensor; }
  [[nodiscard]] const tensor::Tensor& input(std::size_t place) const { return inputs_[place].tensor; }
  /// @pre there is an input of this name
  [[nodiscard]] tensor::Tensor& input(std::string_view name);

  /// @error as BoundRun::run
  [[nodiscard]] base::Result<void> run(CancelFlag* cancel = nullptr) { return bound_->run(cancel); }
  /// Of the last run, valid until the next.
  [[nodiscard]] base::Result<const tensor::NamedTensors*> outputs() { return bound_->outputs(); }

 private:
  BoundSession() = default;
  std::shared_ptr<Session> session_;
  tensor::NamedTensors inputs_;
  std::unique_ptr<BoundRun> bound_;  // holds references to the inputs' bytes, which do not move
};

}  // namespace slipway::runtime
