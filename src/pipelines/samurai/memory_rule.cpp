#include "pipelines/samurai/memory_rule.hpp"

#include <algorithm>

namespace slipway::pipelines::samurai {
namespace {

constexpr std::size_t kChosen = kMemorySlots - 1;
constexpr std::int64_t kFirstEligible = 2;

}  // namespace

void MemoryRule::record(double predicted_iou, double object_score, std::optional<double> motion_score) {
  const std::int64_t frame = next_frame_++;
  const bool is_good = frame >= kFirstEligible && predicted_iou > kMemoryIouMin && object_score > 0 &&
                       (!motion_score || *motion_score > 0);
  if (!is_good) return;
  good_.push_back(frame);
  if (good_.size() > kChosen) good_.pop_front();
}

std::vector<MemorySlot> MemoryRule::memories() const {
  if (next_frame_ == 0) return {};
  std::vector<MemorySlot> chosen = {{0, 0}};
  std::deque<std::int64_t> frames = good_;
  const std::int64_t before = next_frame_ - 1;
  if (before > 0 && (frames.empty() || frames.back() != before)) frames.push_back(before);
  if (frames.size() > kChosen) frames.pop_front();
  int slot = kMemorySlots - static_cast<int>(frames.size());
  for (const std::int64_t frame : frames) chosen.push_back({slot++, frame});
  return chosen;
}

std::vector<std::int64_t> MemoryRule::needed_frames() const {
  std::vector<std::int64_t> needed = {0};
  needed.insert(needed.end(), good_.begin(), good_.end());
  return needed;
}

std::vector<PointerAge> MemoryRule::pointers() const {
  if (next_frame_ == 0) return {};
  std::vector<PointerAge> chosen = {{next_frame_, 0}};
  for (std::int64_t distance = 1; distance <= kPointerDistance && distance < next_frame_; ++distance) {
    chosen.push_back({distance, next_frame_ - distance});
  }
  return chosen;
}

}  // namespace slipway::pipelines::samurai
