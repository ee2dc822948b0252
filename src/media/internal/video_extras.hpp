#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "media/internal/libav.hpp"

namespace slipway::media {

/// @thread any: one thread reads a video while another writes
class VideoExtras {
 public:
  struct FreeParameters {
    void operator()(AVCodecParameters* object) const { avcodec_parameters_free(&object); }
  };
  using Parameters = std::unique_ptr<AVCodecParameters, FreeParameters>;

  /// @param sound  nullptr: there is none; of a stream whose packets are given to add()
  /// @return nullptr: no memory
  [[nodiscard]] static std::shared_ptr<VideoExtras> create(const AVStream* sound);

  /// nullptr: no sound
  [[nodiscard]] const AVCodecParameters* sound() const { return sound_.get(); }
  [[nodiscard]] AVRational time_base() const { return time_base_; }

  /// Keeps a packet of sound, which is empty afterwards, until somebody takes it. What nobody takes is bounded: beyond
  /// kMostBytes packets are dropped and counted.
  void add(AVPacket& packet);
  /// nullptr: none is left so far
  [[nodiscard]] internal::Packet extract();
  [[nodiscard]] std::int64_t dropped() const;

  /// When the last frame ends, as far as its file says; known at its end.
  void set_end_s(double end_s);
  [[nodiscard]] double end_s() const;

 private:
  static constexpr std::size_t kMostBytes = std::size_t{256} << 20;
  Parameters sound_;
  AVRational time_base_ = {1, AV_TIME_BASE};
  mutable std::mutex mutex_;
  std::deque<internal::Packet> packets_;
  std::size_t bytes_ = 0;
  std::int64_t dropped_ = 0;
  double end_s_ = 0;
};

}  // namespace slipway::media
