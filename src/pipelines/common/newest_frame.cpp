#include "pipelines/common/newest_frame.hpp"

#include <utility>

#include "base/guarded.hpp"

namespace slipway::pipelines {

NewestFrame::NewestFrame(Read read)
    : read_(std::move(read)), thread_([this](const std::stop_token& stop) { read_on(stop); }) {}

void NewestFrame::read_on(const std::stop_token& stop) {
  media::VideoFrame frame;
  while (!stop.stop_requested()) {
    auto done = base::guarded("reading a frame", [&] { return read_(frame, stop); });
    const std::scoped_lock lock(mutex_);
    if (!done) {
      error_ = std::move(done).error();
    } else {
      if (is_new_) ++arrival_.dropped;
      std::swap(newest_, frame);
      arrival_.at = std::chrono::steady_clock::now();
      is_new_ = true;
    }
    changed_.notify_one();
    if (error_) return;
  }
}

base::Result<NewestFrame::Arrival> NewestFrame::next(media::VideoFrame& frame, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return is_new_ || error_; });
  if (is_new_) {
    is_new_ = false;
    std::swap(frame, newest_);
    return std::exchange(arrival_, {});
  }
  if (error_) return std::unexpected(*error_);
  return base::fail(base::Code::kCancelled, "waiting for a frame was stopped");
}

}  // namespace slipway::pipelines
