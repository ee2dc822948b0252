#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "media/internal/libav.hpp"

// Lets FFmpeg read and write descriptors that we own. Private to media/.
namespace slipway::media::internal {

/// @param is_stream  nothing in it can be written twice
/// @return nullptr: no memory; ends with close_descriptor()
[[nodiscard]] AVIOContext* write_to_descriptor(int descriptor, bool is_stream);
/// Frees what write_to_descriptor() made and sets it to nullptr; the descriptor stays open.
void close_descriptor(AVIOContext*& io);

/// A pipe that FFmpeg reads, once and in order.
class PipeInput {
 public:
  /// @param stop  ends a read that waits for bytes, as the end of the stream does
  /// @return nullptr: no memory
  [[nodiscard]] static std::unique_ptr<PipeInput> open(base::Descriptor descriptor, std::stop_token stop);
  PipeInput(const PipeInput&) = delete;
  PipeInput& operator=(const PipeInput&) = delete;
  ~PipeInput();
  [[nodiscard]] AVIOContext* io() const { return io_; }

  /// The first bytes, fewer at an early end; they are read again by what reads next. Once, before anything is read.
  [[nodiscard]] std::span<const std::byte> peek();

  /// All bytes up to the end.
  /// @param name  what messages call it
  /// @error kResourceExhausted: more than `most`; kCancelled; as errno
  [[nodiscard]] base::Result<std::string> read_all(std::uint64_t most, std::string_view name);

 private:
  PipeInput(base::Descriptor descriptor, std::stop_token stop);
  static int read(void* self, std::uint8_t* to, int size);
  int read_on(std::uint8_t* to, int size) const;

  base::Descriptor descriptor_;
  std::stop_token stop_;
  std::string head_;           // peeked at
  std::size_t head_read_ = 0;  // of it
  AVIOContext* io_ = nullptr;
};

}  // namespace slipway::media::internal
