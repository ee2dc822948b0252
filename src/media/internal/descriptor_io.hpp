#pragma once

#include <memory>
#include <stop_token>

#include "base/descriptor.hpp"
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

 private:
  PipeInput(base::Descriptor descriptor, std::stop_token stop);
  static int read(void* self, std::uint8_t* to, int size);

  base::Descriptor descriptor_;
  std::stop_token stop_;
  AVIOContext* io_ = nullptr;
};

}  // namespace slipway::media::internal
