#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

// Owners of FFmpeg's objects. Private to media/.
namespace slipway::media::internal {

struct FreeLibav {
  void operator()(AVCodecContext* object) const { avcodec_free_context(&object); }
  void operator()(AVFrame* object) const { av_frame_free(&object); }
  void operator()(AVPacket* object) const { av_packet_free(&object); }
  void operator()(SwsContext* object) const { sws_freeContext(object); }
};
using CodecContext = std::unique_ptr<AVCodecContext, FreeLibav>;
using Frame = std::unique_ptr<AVFrame, FreeLibav>;
using Packet = std::unique_ptr<AVPacket, FreeLibav>;
using Scaler = std::unique_ptr<SwsContext, FreeLibav>;

/// FFmpeg's words for one of its negative return values.
[[nodiscard]] std::string libav_reason(int error);

/// FFmpeg prints to standard error by itself; what matters is in our errors.
void quiet_libav();

}  // namespace slipway::media::internal
