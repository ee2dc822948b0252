#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "media/image.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/segmentation/pipeline.hpp"

namespace slipway::pipelines::drone {

/// A segmenter in a thread of its own, so that it runs beside the detector, over several frames if need be.
/// @thread one object belongs to one thread
class SegmentLane {
 public:
  explicit SegmentLane(std::unique_ptr<segmentation::Segmenter> segmenter);
  ~SegmentLane();
  SegmentLane(const SegmentLane&) = delete;
  SegmentLane& operator=(const SegmentLane&) = delete;

  /// Begins with the images of a batch, which stay as they are until the result was taken.
  /// @param frame  the first one's
  /// @pre nothing is under way
  void start(std::span<const media::ImageView> images, std::int64_t frame);

  /// Begins with a copy of an image.
  /// @pre nothing is under way
  [[nodiscard]] base::Result<void> start_with_copy(media::ImageView image, std::int64_t frame);

  [[nodiscard]] bool is_busy() const { return is_busy_; }

  /// Waits for what is under way; true when it is done, and then `segments` (one an image, maybe more) and
  /// `frame` (the one it began with) are replaced. A time of 0 looks without waiting; a negative one waits as long as
  /// it takes.
  /// @error of the segmenter
  [[nodiscard]] base::Result<bool> wait(double wait_us, std::vector<segmentation::Segments>& segments,
                                        std::int64_t& frame);

  /// Not while it is busy.
  [[nodiscard]] const segmentation::Segmenter& segmenter() const { return *segmenter_; }

 private:
  void serve();

  std::unique_ptr<segmentation::Segmenter> segmenter_;
  media::Image copy_;
  bool is_busy_ = false;  // the caller's side
  std::int64_t frame_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_requested_ = false, is_ending_ = false;
  std::vector<media::ImageView> views_;
  std::vector<segmentation::Segments> segments_;  // never fewer than before: their memory is reused
  base::Result<void> outcome_;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace slipway::pipelines::drone
