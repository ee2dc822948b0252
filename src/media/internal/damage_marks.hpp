#pragma once

#include <cstdint>
#include <deque>

#include "media/internal/libav.hpp"

namespace slipway::media::internal {

/// Counts the packets of a stream that its container marks as damaged, and not those that are marked only because two
/// recordings were joined there: MPEG-TS numbers its pieces, and the second recording's numbers begin anew.
///
/// A parser that waits for the next packet to see where one ends hands a mark on one packet early, so the mark of a
/// joint may stand on either of the two packets before it. A joint is where the clock jumps, or (segments of one
/// recording keep its clock) a key frame in time behind frames that are none. Lost frames leave a gap in time, and what
/// does not decode is counted by who decodes it.
class DamageMarks {
 public:
  /// The clock jumped in this stream or in one beside it, before what is seen next.
  void saw_jump();

  /// To be told of each packet of the stream, in order.
  void saw(const AVPacket& packet);

  /// The stream ended: what waited for a joint is damage.
  void end();

  [[nodiscard]] std::int64_t damaged() const { return damaged_; }

 private:
  /// A packet that a joint may follow.
  struct Waiting {
    bool is_marked = false;
    std::int64_t begin = AV_NOPTS_VALUE;
    std::int64_t latest_next = 0;  ///< when the packet behind it begins at the latest, unless one is missing
  };

  [[nodiscard]] bool is_in_time(const AVPacket& packet) const;
  void forget_marks();

  std::deque<Waiting> waiting_;
  std::int64_t damaged_ = 0;
  bool was_key_ = true;    // the latest packet
  int until_settled_ = 0;  // packets behind a jump of the clock, whose marks are the joint's too
};

}  // namespace slipway::media::internal
