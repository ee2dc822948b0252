#include "media/internal/descriptor_io.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "base/files.hpp"

namespace slipway::media::internal {
namespace {

constexpr int kBufferBytes = 65536;
constexpr int kPatienceMs = 50;  // until a wait asks whether it is to end

int descriptor_of(void* opaque) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(opaque));
}

#if LIBAVFORMAT_VERSION_MAJOR >= 61
int write_all_of(void* opaque, const std::uint8_t* bytes, int size) {
#else
int write_all_of(void* opaque, std::uint8_t* bytes, int size) {
#endif
  for (int done = 0; done < size;) {
    const ssize_t count = ::write(descriptor_of(opaque), bytes + done, static_cast<std::size_t>(size - done));
    if (count < 0 && errno != EINTR) return AVERROR(errno);
    if (count > 0) done += static_cast<int>(count);
  }
  return size;
}

std::int64_t seek(void* opaque, std::int64_t offset, int whence) {
  if ((whence & AVSEEK_SIZE) != 0) return AVERROR(ENOSYS);
  const off_t at = ::lseek(descriptor_of(opaque), offset, whence & ~AVSEEK_FORCE);
  return at < 0 ? AVERROR(errno) : at;
}

AVIOContext* allocate(bool is_output, void* opaque, int (*read)(void*, std::uint8_t*, int), bool can_seek) {
  auto* const buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) return nullptr;
  AVIOContext* io = avio_alloc_context(buffer, kBufferBytes, is_output ? 1 : 0, opaque, read,
                                       is_output ? write_all_of : nullptr, can_seek ? seek : nullptr);
  if (io == nullptr) av_free(buffer);
  return io;
}

}  // namespace

AVIOContext* write_to_descriptor(int descriptor, bool is_stream) {
  return allocate(true, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)), nullptr, !is_stream);
}

void close_descriptor(AVIOContext*& io) {
  if (io == nullptr) return;
  av_freep(&io->buffer);
  avio_context_free(&io);
}

PipeInput::PipeInput(base::Descriptor descriptor, std::stop_token stop)
    : descriptor_(std::move(descriptor)), stop_(std::move(stop)) {}

PipeInput::~PipeInput() {
  close_descriptor(io_);
}

std::unique_ptr<PipeInput> PipeInput::open(base::Descriptor descriptor, std::stop_token stop) {
  std::unique_ptr<PipeInput> input(new PipeInput(std::move(descriptor), std::move(stop)));
  input->io_ = allocate(false, input.get(), read, false);
  return input->io_ == nullptr ? nullptr : std::move(input);
}

int PipeInput::read(void* self, std::uint8_t* to, int size) {
  auto& input = *static_cast<PipeInput*>(self);
  const std::size_t left = input.head_.size() - input.head_read_;
  if (left == 0) return input.read_on(to, size);
  const std::size_t count = std::min(left, static_cast<std::size_t>(size));
  std::memcpy(to, input.head_.data() + input.head_read_, count);
  input.head_read_ += count;
  return static_cast<int>(count);
}

int PipeInput::read_on(std::uint8_t* to, int size) const {
  for (;;) {
    if (stop_.stop_requested()) return AVERROR_EXIT;
    pollfd ready{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
    const int count_ready = ::poll(&ready, 1, kPatienceMs);
    if (count_ready == 0 || (count_ready < 0 && errno == EINTR)) continue;
    const ssize_t count = ::read(descriptor_.get(), to, static_cast<std::size_t>(size));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return AVERROR(errno);
    return count == 0 ? AVERROR_EOF : static_cast<int>(count);
  }
}

std::span<const std::byte> PipeInput::peek() {
  constexpr int kHeadBytes = 64;
  std::array<std::uint8_t, kHeadBytes> piece = {};
  while (head_.size() < piece.size()) {
    const int count = read_on(piece.data(), kHeadBytes - static_cast<int>(head_.size()));
    if (count <= 0) break;
    head_.append(reinterpret_cast<const char*>(piece.data()), static_cast<std::size_t>(count));
  }
  return std::as_bytes(std::span(head_));
}

base::Result<std::string> PipeInput::read_all(std::uint64_t most, std::string_view name) {
  std::string all;
  std::array<std::uint8_t, kBufferBytes> piece;
  for (;;) {
    const int count = read(this, piece.data(), kBufferBytes);
    if (count == AVERROR_EOF) return all;
    if (count == AVERROR_EXIT) return base::fail(base::Code::kCancelled, "reading {} was stopped", name);
    if (count < 0) return std::unexpected(base::errno_error(AVUNERROR(count), name));
    all.append(reinterpret_cast<const char*>(piece.data()), static_cast<std::size_t>(count));
    if (all.size() > most) {
      return base::fail(base::Code::kResourceExhausted, "{}: a picture of more than {} bytes", name, most);
    }
  }
}

}  // namespace slipway::media::internal
