#include "hub/domain/content_references.hpp"

#include "hub/domain/content_walk.hpp"

namespace slipway::hub::domain {

std::vector<Blob> content_of(const Model& model) {
  return internal::content_within(model);
}
std::vector<Blob> content_of(const Dataset& dataset) {
  return internal::content_within(dataset);
}
std::vector<Blob> content_of(const Job& job) {
  internal::ContentWalk walk;
  walk.visit(job);
  walk.visit(job.outcome);
  return walk.release();
}
std::vector<Blob> content_of(const JobOutcome& outcome) {
  return internal::content_within(outcome);
}

}  // namespace slipway::hub::domain
