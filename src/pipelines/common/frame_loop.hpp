#pragma once

#include <mutex>
#include <thread>
#include <vector>

#include "base/guarded.hpp"
#include "pipelines/common/bounded_queue.hpp"

namespace slipway::pipelines {

/// Runs capture, inference and presentation at once, each in one thread, over a fixed number of slots.
///
/// Every slot goes capture → infer → present in order and is then used again, so no memory is taken per frame and a
/// slow stage holds the others back instead of filling memory.
///
/// @param slots    values that the stages fill; two or three keep all stages busy
/// @param capture  Result<bool>(Slot&): false ends the loop; runs in a thread of its own
/// @param infer    Result<void>(Slot&): runs in the caller's thread
/// @param present  Result<void>(Slot&): runs in a thread of its own
/// @error the first error of any stage, or what it threw; the other stages end with the frame they have
template <typename Slot, typename Capture, typename Infer, typename Present>
[[nodiscard]] base::Result<void> run_frame_loop(std::vector<Slot>& slots, const Capture& capture, const Infer& infer,
                                                const Present& present) {
  BoundedQueue<Slot*> empty(slots.size()), captured(slots.size()), inferred(slots.size());
  for (Slot& slot : slots) empty.push(&slot);
  std::mutex mutex;
  base::Result<void> outcome;
  const auto fail_with = [&](base::Error error) {
    const std::scoped_lock lock(mutex);
    if (outcome) outcome = std::unexpected(std::move(error));
    empty.close();
    captured.close();
    inferred.close();
  };

  std::jthread capturing([&] {
    while (const auto slot = empty.pop()) {
      base::Result<bool> has_frame = base::guarded("reading a frame", [&] { return capture(**slot); });
      if (!has_frame) {
        fail_with(std::move(has_frame).error());
        break;
      }
      if (!*has_frame || !captured.push(*slot)) break;
    }
    captured.close();
  });
  std::jthread presenting([&] {
    while (const auto slot = inferred.pop()) {
      if (base::Result<void> done = base::guarded("showing a frame", [&] { return present(**slot); }); !done) {
        fail_with(std::move(done).error());
        break;
      }
      if (!empty.push(*slot)) break;
    }
  });
  while (const auto slot = captured.pop()) {
    if (base::Result<void> done = base::guarded("running the model", [&] { return infer(**slot); }); !done) {
      fail_with(std::move(done).error());
      break;
    }
    if (!inferred.push(*slot)) break;
  }
  inferred.close();
  presenting.join();
  empty.close();
  capturing.join();
  const std::scoped_lock lock(mutex);
  return outcome;
}

}  // namespace slipway::pipelines
