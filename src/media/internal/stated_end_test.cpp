#include <gtest/gtest.h>

#include "base/files.hpp"
#include "media/internal/libav.hpp"
#include "media/video_file.hpp"

namespace slipway::media {
namespace {

constexpr int kRate = 10;

/// What a copy of a video has that the video has not.
struct Change {
  double audio_s = 0;       // silence of this length beside it
  double last_frame_s = 0;  // how long the last frame is shown
};

void copy(const std::filesystem::path& from, const std::filesystem::path& to, const Change& change) {
  AVFormatContext* input = nullptr;
  AVFormatContext* output = nullptr;
  ASSERT_GE(avformat_open_input(&input, from.c_str(), nullptr, nullptr), 0);
  ASSERT_GE(avformat_alloc_output_context2(&output, nullptr, nullptr, to.c_str()), 0);
  AVStream* video = avformat_new_stream(output, nullptr);
  ASSERT_GE(avcodec_parameters_copy(video->codecpar, input->streams[0]->codecpar), 0);
  video->codecpar->codec_tag = 0;
  video->time_base = {1, 1000};
  AVStream* audio = change.audio_s > 0 ? avformat_new_stream(output, nullptr) : nullptr;
  if (audio != nullptr) {
    audio->codecpar->codec_type = AVMEDIA_TYPE_AUDIO;
    audio->codecpar->codec_id = AV_CODEC_ID_PCM_S16LE;
    audio->codecpar->sample_rate = 8000;
    av_channel_layout_default(&audio->codecpar->ch_layout, 1);
    audio->codecpar->bits_per_coded_sample = 16;
    audio->codecpar->block_align = 2;
    audio->time_base = {1, 8000};
  }
  ASSERT_GE(avio_open(&output->pb, to.c_str(), AVIO_FLAG_WRITE), 0);
  ASSERT_GE(avformat_write_header(output, nullptr), 0);

  std::vector<internal::Packet> frames;
  for (internal::Packet packet(av_packet_alloc()); av_read_frame(input, packet.get()) >= 0;) {
    av_packet_rescale_ts(packet.get(), input->streams[0]->time_base, {1, 1000});
    frames.push_back(std::move(packet));
    packet.reset(av_packet_alloc());
  }
  if (change.last_frame_s > 0) frames.back()->duration = static_cast<std::int64_t>(change.last_frame_s * 1000);
  std::int64_t samples = 0;
  const auto write_audio = [&](double until_s) {
    constexpr int kSamples = 800;
    while (audio != nullptr && static_cast<double>(samples) < until_s * 8000) {
      internal::Packet packet(av_packet_alloc());
      ASSERT_GE(av_new_packet(packet.get(), 2 * kSamples), 0);
      std::fill_n(packet->data, 2 * kSamples, std::uint8_t{0});
      packet->pts = packet->dts = samples;
      packet->duration = kSamples;
      packet->stream_index = 1;
      av_packet_rescale_ts(packet.get(), {1, 8000}, audio->time_base);
      ASSERT_GE(av_interleaved_write_frame(output, packet.get()), 0);
      samples += kSamples;
    }
  };
  for (const internal::Packet& frame : frames) {
    write_audio(std::min(static_cast<double>(frame->dts) / 1000, change.audio_s));
    frame->stream_index = 0;
    av_packet_rescale_ts(frame.get(), {1, 1000}, video->time_base);
    ASSERT_GE(av_interleaved_write_frame(output, frame.get()), 0);
  }
  write_audio(change.audio_s);
  ASSERT_GE(av_write_trailer(output), 0);
  avio_closep(&output->pb);
  avformat_free_context(output);
  avformat_close_input(&input);
}

class StatedEnd : public ::testing::Test {
 protected:
  StatedEnd() : folder_(std::move(base::TemporaryFolder::create("end")).value()) {}

  std::filesystem::path video(const std::string& name, int seconds) {
    const auto path = folder_.path() / name;
    auto writer = VideoWriter::create(path, 64, 48, kRate, 1);
    EXPECT_TRUE(writer) << writer.error().message;
    Image image = std::move(Image::create(64, 48)).value();
    for (int i = 0; i < seconds * kRate; ++i) {
      for (int k = 0; k < 3 * 64 * 48; ++k) image.row(0)[k] = static_cast<std::uint8_t>(k % 509 * (i + 3) >> 4);
      EXPECT_TRUE(writer->write(image.view()));
    }
    EXPECT_TRUE(writer->finish());
    return path;
  }

  std::filesystem::path changed(const std::string& name, int seconds, const Change& change) {
    const auto to = folder_.path() / name;
    copy(video("plain.mp4", seconds), to, change);  // its packets have both times
    return to;
  }

  std::filesystem::path cut(const std::filesystem::path& path, double share) {
    const std::string whole = std::move(base::read_file(path, 1 << 26)).value();
    const auto to = folder_.path() / ("cut_" + path.filename().string());
    EXPECT_TRUE(base::write_file_durably(
        to, whole.substr(0, static_cast<std::size_t>(static_cast<double>(whole.size()) * share))));
    return to;
  }

  /// Frames read, and seconds missing.
  static std::pair<int, double> read(const std::filesystem::path& path) {
    auto reader = VideoReader::open(path);
    EXPECT_TRUE(reader) << reader.error().message;
    if (!reader) return {};
    VideoFrame frame;
    int count = 0;
    while (reader->next(frame).value_or(false)) ++count;
    return {count, reader->missing_s()};
  }

  base::TemporaryFolder folder_;
};

TEST_F(StatedEnd, of_a_cut_off_matroska_file_says_what_is_missing) {
  for (const double share : {0.3, 0.6, 0.9}) {
    const auto [frames, missing] = read(cut(video("a.mkv", 12), share));
    EXPECT_GT(frames, 10) << share;
    EXPECT_LT(frames, 120) << share;
    EXPECT_NEAR(missing, 12 - static_cast<double>(frames) / kRate, 2.0 / kRate + 0.01) << share;
  }
}

TEST_F(StatedEnd, is_reached_by_whole_files) {
  for (const char* name : {"a.mkv", "a.mp4", "a.mov", "a.avi"})
    EXPECT_EQ(read(video(name, 3)), std::pair(30, 0.0)) << name;
}

TEST_F(StatedEnd, of_a_file_whose_audio_is_longer_is_that_of_the_audio) {
  for (const char* name : {"a.mkv", "a.mov"}) {
    const auto path = changed(name, 3, {.audio_s = 9});
    EXPECT_EQ(read(path), std::pair(30, 0.0)) << name;
  }
  const auto [frames, missing] = read(cut(changed("b.mkv", 9, {.audio_s = 10}), 0.5));
  EXPECT_NEAR(missing, 10 - static_cast<double>(frames) / kRate, 1);
}

TEST_F(StatedEnd, is_reached_where_the_last_frame_is_shown_for_long) {
  for (const char* name : {"a.mkv", "a.mp4"}) {
    EXPECT_EQ(read(changed(name, 6, {.last_frame_s = 20})), std::pair(60, 0.0)) << name;
  }
}

}  // namespace
}  // namespace slipway::media
