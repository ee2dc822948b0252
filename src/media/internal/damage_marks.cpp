#include "media/internal/damage_marks.hpp"

#include <algorithm>
#include <limits>

namespace slipway::media::internal {
namespace {

constexpr std::size_t kBeforeJoint = 2;
constexpr int kBehindJoint = 3;

}  // namespace

bool DamageMarks::is_in_time(const AVPacket& packet) const {
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const std::int64_t next = i + 1 < waiting_.size() ? waiting_[i + 1].begin : packet.dts;
    if (next > waiting_[i].latest_next) return false;
  }
  return true;
}

void DamageMarks::forget_marks() {
  for (Waiting& packet : waiting_) packet.is_marked = false;
}

void DamageMarks::saw_jump() {
  until_settled_ = kBehindJoint;
  forget_marks();
}

void DamageMarks::saw(const AVPacket& packet) {
  const bool is_key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  if (is_key && !was_key_ && is_in_time(packet)) forget_marks();
  was_key_ = is_key;

  Waiting waiting;
  waiting.is_marked = (packet.flags & AV_PKT_FLAG_CORRUPT) != 0 && until_settled_ == 0;
  until_settled_ = std::max(0, until_settled_ - 1);
  waiting.begin = packet.dts;
  const bool is_length_known = packet.dts != AV_NOPTS_VALUE && packet.duration > 0;
  waiting.latest_next =
      is_length_known ? packet.dts + packet.duration * 3 / 2 : std::numeric_limits<std::int64_t>::max();
  waiting_.push_back(waiting);
  if (waiting_.size() <= kBeforeJoint) return;
  damaged_ += waiting_.front().is_marked ? 1 : 0;
  waiting_.pop_front();
}

void DamageMarks::end() {
  damaged_ += std::ranges::count(waiting_, true, &Waiting::is_marked);
  waiting_.clear();
}

}  // namespace slipway::media::internal
