#pragma once

#include <functional>
#include <utility>

namespace slipway::hub::domain {

/// Tells one listener of every change that a waiting request may be interested in: job queued or ended, inspection
/// done, agent registered. The listener is set once, before requests are served.
class Changes {
 public:
  void set_listener(std::function<void()> listener) { listener_ = std::move(listener); }
  void notify() const {
    if (listener_) listener_();
  }

 private:
  std::function<void()> listener_;
};

}  // namespace slipway::hub::domain
