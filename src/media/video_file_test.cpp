#include "media/video_file.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "base/files.hpp"

namespace slipway::media {
namespace {

Image frame_of(int width, int height, int index) {
  Image image = std::move(Image::create(width, height)).value();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.row(y)[3 * x] = static_cast<std::uint8_t>(40 + 5 * index);
      image.row(y)[3 * x + 1] = static_cast<std::uint8_t>(255 * x / width);
      image.row(y)[3 * x + 2] = 90;
    }
  }
  return image;
}

class VideoFile : public ::testing::Test {
 protected:
  VideoFile() : folder_(std::move(base::TemporaryFolder::create("video")).value()) {}

  std::filesystem::path write(const std::string& name, int frames, int width = 64, int height = 48) {
    const auto path = folder_.path() / name;
    auto writer = VideoWriter::create(path, width, height, 10, 1);
    EXPECT_TRUE(writer) << writer.error().message;
    for (int i = 0; i < frames; ++i) EXPECT_TRUE(writer->write(frame_of(width, height, i).view()));
    EXPECT_TRUE(writer->finish());
    return path;
  }

  base::TemporaryFolder folder_;
};

// Against decord's own reader on real videos: make acceptance SUITE=samurai.
TEST_F(VideoFile, gives_a_square_beside_each_frame_where_that_is_asked_for) {
  auto reader = VideoReader::open(write("a.mp4", 3));
  ASSERT_TRUE(reader) << reader.error().message;
  VideoFrame frame;
  ASSERT_TRUE(*reader->next(frame));
  EXPECT_TRUE(frame.square.view().empty());
  reader->also_stretch_to(32);
  ASSERT_TRUE(*reader->next(frame));
  EXPECT_EQ(frame.image.width(), 64);
  ASSERT_EQ(frame.square.width(), 32);
  ASSERT_EQ(frame.square.height(), 32);
  for (int x = 4; x < 28; x += 4) {
    EXPECT_NEAR(frame.square.row(16)[3 * x + 1], frame.image.row(24)[3 * 2 * x + 1], 8) << x;
    EXPECT_NEAR(frame.square.row(16)[3 * x], 45, 8) << x;
  }
}

TEST_F(VideoFile, gives_back_the_frames_that_were_written) {
  for (const char* name : {"a.mp4", "a.mkv"}) {
    auto reader = VideoReader::open(write(name, 25));
    ASSERT_TRUE(reader) << reader.error().message;
    EXPECT_EQ(reader->info().width, 64);
    EXPECT_NEAR(reader->info().frames_per_second(), 10, 0.01);
    VideoFrame frame;
    int count = 0;
    for (;; ++count) {
      const auto has_frame = reader->next(frame);
      ASSERT_TRUE(has_frame) << has_frame.error().message;
      if (!*has_frame) break;
      EXPECT_EQ(frame.index, count);
      EXPECT_NEAR(frame.time_s, 0.1 * count, 0.01);
      EXPECT_NEAR(frame.image.row(20)[3 * 32], 40 + 5 * count, 8) << count;
      EXPECT_NEAR(frame.image.row(20)[3 * 32 + 1], 127, 10) << count;
      EXPECT_NEAR(frame.image.row(20)[3 * 32 + 2], 90, 10) << count;
    }
    EXPECT_EQ(count, 25);
    EXPECT_FALSE(reader->broke_off());
    EXPECT_EQ(reader->damaged_packets(), 0);
  }
}

TEST_F(VideoFile, with_a_cut_off_tail_gives_the_frames_before_the_cut) {
  const auto path = write("whole.mkv", 120);
  const std::string whole = std::move(base::read_file(path, 1 << 26)).value();
  const auto cut = folder_.path() / "cut.mkv";
  ASSERT_TRUE(base::write_file_durably(cut, whole.substr(0, whole.size() * 6 / 10)));
  auto reader = VideoReader::open(cut);
  ASSERT_TRUE(reader) << reader.error().message;
  VideoFrame frame;
  int count = 0;
  while (reader->next(frame).value_or(false)) ++count;
  EXPECT_GT(count, 20);
  EXPECT_LT(count, 120);
}

TEST_F(VideoFile, with_damage_in_the_middle_goes_on_behind_it) {
  const auto path = write("whole.mkv", 120);
  std::string content = std::move(base::read_file(path, 1 << 26)).value();
  for (std::size_t i = content.size() / 2; i < content.size() / 2 + 200; ++i) content[i] = static_cast<char>(i * 37);
  const auto damaged = folder_.path() / "damaged.mkv";
  ASSERT_TRUE(base::write_file_durably(damaged, content));
  auto reader = VideoReader::open(damaged);
  ASSERT_TRUE(reader) << reader.error().message;
  VideoFrame frame;
  double last_time_s = 0;
  while (reader->next(frame).value_or(false)) last_time_s = frame.time_s;
  EXPECT_GT(last_time_s, 9);
}

// Two raw MJPEG streams behind each other: one stream whose images change their size.
TEST_F(VideoFile, may_change_the_size_of_its_frames) {
  std::string stream;
  for (const auto& [width, height] : {std::pair{64, 48}, std::pair{96, 32}}) {
    for (int i = 0; i < 3; ++i) stream += std::move(encode_jpeg(frame_of(width, height, i).view())).value();
  }
  const auto path = folder_.path() / "changing.mjpeg";
  ASSERT_TRUE(base::write_file_durably(path, stream));
  auto reader = VideoReader::open(path);
  ASSERT_TRUE(reader) << reader.error().message;
  std::vector<int> widths;
  VideoFrame frame;
  while (reader->next(frame).value_or(false)) widths.push_back(frame.image.width());
  EXPECT_EQ(widths, (std::vector<int>{64, 64, 64, 96, 96, 96}));
}

TEST_F(VideoFile, says_what_is_wrong_with_a_file_it_cannot_read) {
  const auto text = folder_.path() / "text.mp4";
  ASSERT_TRUE(base::write_file_durably(text, std::string(4096, 'x')));
  const auto not_a_video = VideoReader::open(text);
  ASSERT_FALSE(not_a_video);
  EXPECT_NE(not_a_video.error().message.find("text.mp4"), std::string::npos);
  const auto missing = VideoReader::open(folder_.path() / "missing.mp4");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::Code::kNotFound);

  const std::string whole = std::move(base::read_file(write("whole.mp4", 30), 1 << 26)).value();
  const auto cut = folder_.path() / "cut.mp4";
  ASSERT_TRUE(base::write_file_durably(cut, whole.substr(0, whole.size() / 2)));
  const auto no_index = VideoReader::open(cut);
  ASSERT_FALSE(no_index);
  EXPECT_EQ(no_index.error().code, base::Code::kDataLoss) << no_index.error().message;
}

TEST_F(VideoFile, does_not_follow_a_playlist_to_another_file) {
  const auto video = write("secret.mp4", 5);
  const auto playlist = folder_.path() / "list.mp4";
  ASSERT_TRUE(base::write_file_durably(playlist, "ffconcat version 1.0\nfile " + video.string() + "\n"));
  EXPECT_FALSE(VideoReader::open(playlist));
}

TEST_F(VideoFile, writer_takes_odd_sides_and_images_of_another_size) {
  const auto path = folder_.path() / "odd.mp4";
  auto writer = VideoWriter::create(path, 65, 49, 0, 1);
  ASSERT_TRUE(writer) << writer.error().message;
  ASSERT_TRUE(writer->write(frame_of(65, 49, 0).view()));
  ASSERT_TRUE(writer->write(frame_of(200, 20, 1).view()));
  ASSERT_TRUE(writer->finish());
  auto reader = VideoReader::open(path);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->info().width, 64);
  VideoFrame frame;
  int count = 0;
  while (reader->next(frame).value_or(false)) ++count;
  EXPECT_EQ(count, 2);
}

TEST_F(VideoFile, writer_refuses_an_unknown_ending_and_a_missing_folder) {
  EXPECT_FALSE(VideoWriter::create(folder_.path() / "a.txt", 64, 48, 25, 1));
  const auto missing = VideoWriter::create(folder_.path() / "missing" / "a.mp4", 64, 48, 25, 1);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::Code::kNotFound) << missing.error().message;
}

}  // namespace
}  // namespace slipway::media
