#include "pipelines/common/newest_frame.hpp"

#include <atomic>
#include <semaphore>

#include <gtest/gtest.h>

namespace slipway::pipelines {
namespace {

/// A camera that gives a frame whenever the test says so.
class FakeCamera {
 public:
  NewestFrame::Read read() {
    return [this](media::VideoFrame& frame, const std::stop_token& stop) -> base::Result<void> {
      while (!allowed_.try_acquire_for(std::chrono::milliseconds(5))) {
        if (stop.stop_requested()) return base::fail(base::Code::kCancelled, "stopped");
      }
      if (is_unplugged) return base::fail(base::Code::kUnavailable, "pulled out");
      SLIPWAY_TRY(frame.image.resize(8, 8));
      frame.index = given_;
      ++given_;
      return {};
    };
  }

  /// Lets so many frames arrive, and waits until they have: the reader asks for the next one then.
  void give(int frames) {
    const int wanted = given_ + frames;
    allowed_.release(frames);
    while (given_ < wanted) std::this_thread::yield();
  }

  std::atomic<bool> is_unplugged = false;
  void unplug() {
    is_unplugged = true;
    allowed_.release();
  }

 private:
  std::counting_semaphore<> allowed_{0};
  std::atomic<int> given_ = 0;
};

TEST(NewestFrame, counts_what_was_overwritten_unread) {
  FakeCamera fake;
  NewestFrame newest(fake.read());
  media::VideoFrame frame;
  std::int64_t latest = -1, dropped = 0, given = 0, arrived = 0;
  for (const int frames : {1, 5, 1, 3, 40}) {
    fake.give(frames);
    arrived += frames;
    do {  // the last of them may still be on its way into its place
      const auto arrival = newest.next(frame, {});
      ASSERT_TRUE(arrival);
      EXPECT_EQ(frame.index, latest + arrival->dropped + 1) << "every frame is given or counted";
      latest = frame.index;
      dropped += arrival->dropped;
      ++given;
    } while (latest + 1 < arrived);
  }
  EXPECT_EQ(given + dropped, 50);
  EXPECT_GT(dropped, 0);
}

TEST(NewestFrame, gives_every_frame_to_who_is_quick) {
  FakeCamera fake;
  NewestFrame newest(fake.read());
  media::VideoFrame frame;
  for (int i = 0; i < 20; ++i) {
    fake.give(1);
    const auto before = std::chrono::steady_clock::now();
    const auto arrival = newest.next(frame, {});
    ASSERT_TRUE(arrival);
    EXPECT_EQ(frame.index, i);
    EXPECT_EQ(arrival->dropped, 0);
    EXPECT_LE(arrival->at - before, std::chrono::seconds(60));
  }
}

TEST(NewestFrame, gives_what_arrived_before_the_camera_was_pulled_out) {
  FakeCamera fake;
  NewestFrame newest(fake.read());
  fake.give(1);
  fake.unplug();
  media::VideoFrame frame;
  ASSERT_TRUE(newest.next(frame, {}));
  const auto ended = newest.next(frame, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, base::Code::kUnavailable);
  EXPECT_FALSE(newest.next(frame, {})) << "and it stays so";
}

TEST(NewestFrame, stops_waiting_when_told_to) {
  FakeCamera fake;
  NewestFrame newest(fake.read());
  std::stop_source stop;
  std::jthread later([&] { stop.request_stop(); });
  media::VideoFrame frame;
  const auto ended = newest.next(frame, stop.get_token());
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, base::Code::kCancelled);
}

TEST(NewestFrame, ends_with_a_camera_that_gives_nothing) {
  FakeCamera fake;
  const NewestFrame newest(fake.read());
}

}  // namespace
}  // namespace slipway::pipelines
