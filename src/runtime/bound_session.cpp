#include "runtime/bound_session.hpp"

#include <algorithm>

namespace slipway::runtime {

base::Result<BoundSession> BoundSession::bind(std::shared_ptr<Session> session,
                                              const std::vector<tensor::TensorSpec>& inputs) {
  BoundSession bound;
  bound.session_ = std::move(session);
  for (const tensor::TensorSpec& spec : inputs) {
    SLIPWAY_ASSIGN(tensor::Tensor input, tensor::Tensor::zeros(spec.dtype, spec.shape));
    bound.inputs_.push_back({spec.name, std::move(input)});
  }
  SLIPWAY_ASSIGN(bound.bound_, BoundRun::bind(*bound.session_, bound.inputs_));
  return bound;
}

tensor::Tensor& BoundSession::input(std::string_view name) {
  const auto found = std::ranges::find(inputs_, name, &tensor::NamedTensor::name);
  SLIPWAY_CHECK(found != inputs_.end(), "the signature was checked");
  return found->tensor;
}

}  // namespace slipway::runtime
