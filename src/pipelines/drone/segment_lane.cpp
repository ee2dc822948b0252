#include "pipelines/drone/segment_lane.hpp"

#include <chrono>
#include <cstring>
#include <utility>

#include "base/guarded.hpp"

namespace slipway::pipelines::drone {

SegmentLane::SegmentLane(std::unique_ptr<segmentation::Segmenter> segmenter)
    : segmenter_(std::move(segmenter)), thread_([this] { serve(); }) {}

SegmentLane::~SegmentLane() {
  const std::scoped_lock lock(mutex_);
  is_ending_ = true;
  changed_.notify_all();
}

void SegmentLane::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return is_requested_ || is_ending_; });
    if (is_ending_) return;
    lock.unlock();
    base::Result<void> outcome =
        base::guarded("segmenting", [&] { return segmenter_->run(views_, std::span(segments_).first(views_.size())); });
    lock.lock();
    outcome_ = std::move(outcome);
    is_requested_ = false;
    changed_.notify_all();
  }
}

void SegmentLane::start(std::span<const media::ImageView> images, std::int64_t frame) {
  is_busy_ = true;
  frame_ = frame;
  const std::scoped_lock lock(mutex_);
  views_.assign(images.begin(), images.end());
  if (segments_.size() < views_.size()) segments_.resize(views_.size());
  is_requested_ = true;
  changed_.notify_all();
}

base::Result<void> SegmentLane::start_with_copy(media::ImageView image, std::int64_t frame) {
  SLIPWAY_TRY(copy_.resize(image.width, image.height));
  for (int y = 0; y < image.height; ++y) {
    std::memcpy(copy_.row(y), image.row(y), static_cast<std::size_t>(image.width) * 3);
  }
  const media::ImageView copied = copy_.view();
  start(std::span(&copied, 1), frame);
  return {};
}

base::Result<bool> SegmentLane::wait(double wait_us, std::vector<segmentation::Segments>& segments,
                                     std::int64_t& frame) {
  if (!is_busy_) return false;
  std::unique_lock lock(mutex_);
  const auto is_done = [&] { return !is_requested_; };
  if (wait_us < 0) {
    changed_.wait(lock, is_done);
  } else if (!changed_.wait_for(lock, std::chrono::duration<double, std::micro>(wait_us), is_done)) {
    return false;
  }
  is_busy_ = false;
  SLIPWAY_TRY(std::exchange(outcome_, {}));
  std::swap(segments, segments_);
  frame = frame_;
  return true;
}

}  // namespace slipway::pipelines::drone
