#include "hub/server/internal/work_lanes.hpp"

namespace slipway::hub::server::internal {

using protocol::Access;
using protocol::Route;

WorkLane& WorkLanes::at_the_door(const protocol::RouteMatch& match) {
  if (match.kind != protocol::RouteMatch::Kind::kFound) return requests;
  if (match.access == Access::kAgentToken) return agents;
  return match.access == Access::kLink ? transfers : requests;
}

WorkLane& WorkLanes::of_the_answer(const protocol::RouteMatch& match) {
  switch (match.route) {
    case Route::kModelUploadComplete:
    case Route::kUpdateDataset:
      return joins;
    case Route::kAgentComplete:
      return results;
    default:
      return at_the_door(match);
  }
}

}  // namespace slipway::hub::server::internal
