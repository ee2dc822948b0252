#include "pipelines/common/frame_source.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "media/image_file.hpp"

namespace slipway::pipelines {
namespace {

class Source : public ::testing::Test {
 protected:
  Source() : folder_(std::move(base::TemporaryFolder::create("source")).value()) {}

  std::string test_image(const std::string& name, int width) {
    const auto path = folder_.path() / name;
    EXPECT_TRUE(media::write_image(path, media::Image::create(width, 10)->view()));
    return path;
  }
  std::string video(const std::string& name, int frames) {
    const auto path = folder_.path() / name;
    auto writer = media::VideoWriter::create(path, 64, 48, 10, 1);
    for (int i = 0; i < frames; ++i) EXPECT_TRUE(writer->write(media::Image::create(64, 48)->view()));
    EXPECT_TRUE(writer->finish());
    return path;
  }
  std::vector<std::string> read(const std::vector<std::string>& inputs) {
    auto source = FrameSource::open(inputs);
    EXPECT_TRUE(source) << source.error().message;
    std::vector<std::string> frames;
    // Two slots in turn, as a frame loop uses them.
    SourceFrame slots[2];
    for (int i = 0; source->next(slots[i % 2]); ++i) {
      const SourceFrame& frame = slots[i % 2];
      frames.push_back(frame.path.filename().string() +
                       (frame.error ? " error" : fmt::format(" {}", frame.frame.index)));
    }
    return frames;
  }
  base::TemporaryFolder folder_;
};

TEST_F(Source, gives_images_videos_and_folders_in_order) {
  test_image("b.png", 10);
  test_image("a.jpg", 10);
  video("c.mp4", 3);
  ASSERT_TRUE(base::write_file_durably(folder_.path() / "notes.txt", "x"));
  EXPECT_EQ(read({folder_.path().string()}),
            (std::vector<std::string>{"a.jpg 0", "b.png 0", "c.mp4 0", "c.mp4 1", "c.mp4 2"}));
  EXPECT_EQ(read({folder_.path() / "b.png", folder_.path() / "a.jpg"}),
            (std::vector<std::string>{"b.png 0", "a.jpg 0"}));
}

TEST_F(Source, tells_where_a_sequence_starts_even_when_one_file_stands_there_twice) {
  const std::string clip = video("v.mp4", 2), still = test_image("p.png", 10);
  auto source = FrameSource::open({clip, clip, still, still});
  ASSERT_TRUE(source);
  std::string frames;
  SourceFrame slots[2];
  for (int i = 0; source->next(slots[i % 2]); ++i) {
    const SourceFrame& frame = slots[i % 2];
    frames += fmt::format("{}{}{} ", frame.input, frame.starts_sequence ? '*' : ' ', frame.is_video ? 'v' : 'p');
  }
  EXPECT_EQ(frames, "0*v 0 v 1*v 1 v 2*p 3*p ");
}

TEST_F(Source, goes_on_behind_what_cannot_be_read) {
  test_image("a.png", 10);
  ASSERT_TRUE(base::write_file_durably(folder_.path() / "b.png", "\x89PNG\r\n\x1A\n broken"));
  ASSERT_TRUE(base::write_file_durably(folder_.path() / "c.mp4", "no video"));
  test_image("d.png", 10);
  EXPECT_EQ(read({folder_.path().string()}),
            (std::vector<std::string>{"a.png 0", "b.png error", "c.mp4 error", "d.png 0"}));
}

TEST_F(Source, says_how_much_of_a_video_is_missing_that_was_cut_off) {
  const std::string whole = std::move(base::read_file(video("whole.mkv", 100), 1 << 24)).value();
  const auto cut = folder_.path() / "cut.mkv";
  ASSERT_TRUE(base::write_file_durably(cut, whole.substr(0, whole.size() * 7 / 10)));
  auto source = FrameSource::open({cut, test_image("a.png", 10)});
  ASSERT_TRUE(source);
  SourceFrame frame;
  int frames = 0;
  while (source->next(frame) && !frame.error) ++frames;
  ASSERT_TRUE(frame.error);
  EXPECT_GT(frames, 0);
  EXPECT_EQ(frame.error->code, base::Code::kDataLoss);
  EXPECT_NE(frame.error->message.find("of the 10.00 s that it states are missing"), std::string::npos)
      << frame.error->message;
  EXPECT_TRUE(source->next(frame) && !frame.error);
}

TEST_F(Source, names_an_input_that_does_not_exist_and_a_folder_without_images) {
  const auto missing = FrameSource::open({folder_.path() / "missing.png"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::Code::kNotFound);
  const auto camera = FrameSource::open({"/dev/video4242"});
  ASSERT_FALSE(camera);
  EXPECT_EQ(camera.error().code, base::Code::kNotFound);
  EXPECT_NE(camera.error().message.find("this machine has"), std::string::npos) << camera.error().message;
  const auto empty = FrameSource::open({folder_.path().string()});
  ASSERT_FALSE(empty);
  EXPECT_NE(empty.error().message.find("no pictures"), std::string::npos);
  EXPECT_FALSE(FrameSource::open({}));
}

}  // namespace
}  // namespace slipway::pipelines
