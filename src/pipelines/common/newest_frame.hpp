#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/error.hpp"
#include "media/video_file.hpp"

namespace slipway::pipelines {

/// Reads a source that waits for nobody, a camera, in a thread of its own, and gives whoever asks its newest frame. One
/// that nobody asked for before the next arrived is dropped and counted: who is slow sees fewer frames, not old ones.
/// Takes no memory a frame.
/// @thread next() belongs to one thread
class NewestFrame {
 public:
  /// Fills a frame, or fails; returns soon when the token is raised.
  using Read = std::function<base::Result<void>(media::VideoFrame&, const std::stop_token&)>;

  struct Arrival {
    std::chrono::steady_clock::time_point at;
    std::int64_t dropped = 0;  ///< frames between this one and the one that was given before
  };

  explicit NewestFrame(Read read);
  NewestFrame(const NewestFrame&) = delete;
  NewestFrame& operator=(const NewestFrame&) = delete;

  /// Waits for a frame that was not given before; the memory of `frame` is used again.
  /// @param stop  ends the wait
  /// @error as the reading, after which there are no more; kCancelled
  [[nodiscard]] base::Result<Arrival> next(media::VideoFrame& frame, const std::stop_token& stop);

 private:
  void read_on(const std::stop_token& stop);

  Read read_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  media::VideoFrame newest_;
  Arrival arrival_;
  bool is_new_ = false;
  std::optional<base::Error> error_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace slipway::pipelines
