#include "media/internal/video_extras.hpp"

namespace slipway::media {

std::shared_ptr<VideoExtras> VideoExtras::create(const AVStream* sound) {
  auto extras = std::make_shared<VideoExtras>();
  if (sound == nullptr) return extras;
  extras->sound_.reset(avcodec_parameters_alloc());
  if (!extras->sound_ || avcodec_parameters_copy(extras->sound_.get(), sound->codecpar) < 0) return nullptr;
  extras->time_base_ = sound->time_base;
  return extras;
}

void VideoExtras::add(AVPacket& packet) {
  internal::Packet own(av_packet_alloc());
  const std::scoped_lock lock(mutex_);
  const auto size = static_cast<std::size_t>(packet.size);
  if (!own || bytes_ + size > kMostBytes) {
    ++dropped_;
    av_packet_unref(&packet);
    return;
  }
  av_packet_move_ref(own.get(), &packet);
  bytes_ += size;
  packets_.push_back(std::move(own));
}

internal::Packet VideoExtras::extract() {
  const std::scoped_lock lock(mutex_);
  if (packets_.empty()) return nullptr;
  internal::Packet packet = std::move(packets_.front());
  packets_.pop_front();
  bytes_ -= static_cast<std::size_t>(packet->size);
  return packet;
}

std::int64_t VideoExtras::dropped() const {
  const std::scoped_lock lock(mutex_);
  return dropped_;
}

void VideoExtras::set_end_s(double end_s) {
  const std::scoped_lock lock(mutex_);
  end_s_ = end_s;
}

double VideoExtras::end_s() const {
  const std::scoped_lock lock(mutex_);
  return end_s_;
}

}  // namespace slipway::media
