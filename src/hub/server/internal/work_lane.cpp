#include "hub/server/internal/work_lane.hpp"

#include <spdlog/spdlog.h>

#include "hub/server/internal/exception_text.hpp"

namespace slipway::hub::server::internal {

WorkLane::WorkLane(std::string_view name, int threads, std::size_t most_waiting)
    : name_(name), most_waiting_(most_waiting), thread_count_(static_cast<std::size_t>(threads)) {}

bool WorkLane::enter() {
  if (waiting_.fetch_add(1) < most_waiting_) return true;
  --waiting_;
  return false;
}

boost::asio::thread_pool& WorkLane::threads() {
  std::call_once(started_, [this] { threads_.emplace(thread_count_); });
  return *threads_;
}

void WorkLane::stop() {
  if (!threads_) return;
  threads_->stop();
  threads_->join();
}

base::Error WorkLane::refusal() const {
  spdlog::warn("{} are waiting in the lane \"{}\": one more is refused", most_waiting_, name_);
  return {base::Code::kUnavailable, "the hub has more of this to do than it can take; try again in a moment"};
}

base::Error WorkLane::broken(const std::exception_ptr& problem) const {
  spdlog::error("an exception in the lane \"{}\": {}", name_, text_of(problem));
  return {base::Code::kInternal, public_text_of(problem)};
}

}  // namespace slipway::hub::server::internal
