#include "base/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <thread>

#include <fcntl.h>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/child_process.hpp"
#include "base/files.hpp"
#include "base/unfinished.hpp"

namespace slipway::base {
namespace {

namespace fs = std::filesystem;

class OutputFiles : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path at(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] static std::string content_of(const fs::path& path) {
    return read_file(path, 1 << 20).value_or("none");
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_.path())) found.push_back(entry.path().filename());
    std::ranges::sort(found);
    return found;
  }

  TemporaryFolder folder_ = TemporaryFolder::create("slipway-output").value();
};

TEST_F(OutputFiles, appear_when_they_are_whole_and_leave_nothing_when_they_are_not) {
  {
    auto file = OutputFile::create(at("out")).value();
    ASSERT_TRUE(file.write("half"));
    EXPECT_FALSE(fs::exists(at("out")));
  }
  EXPECT_EQ(names(), std::vector<std::string>{});
  auto file = OutputFile::create(at("out")).value();
  ASSERT_TRUE(file.write("who"));
  ASSERT_TRUE(file.write("le"));
  ASSERT_TRUE(file.publish());
  EXPECT_EQ(content_of(at("out")), "whole");
  EXPECT_EQ(names(), std::vector<std::string>{"out"});
}

TEST_F(OutputFiles, have_names_as_long_as_the_system_allows_in_any_bytes) {
  std::string cjk;
  for (int i = 0; i < 80; ++i) cjk += "\xE6\xBC\xA2";
  for (const std::string& name : {std::string(252, 'x'), std::string(255, 'y'), cjk, std::string("\xFF\xFEz"),
                                  std::string("-x"), std::string("a b\nc"), std::string("...")}) {
    EXPECT_TRUE(write_file_durably(at(name), "x")) << name;
    EXPECT_EQ(content_of(at(name)), "x") << name;
  }
  EXPECT_FALSE(OutputFile::create(at(std::string(256, 'z')))) << "refused at once, not when the work is done";
}

TEST_F(OutputFiles, follow_links_and_write_into_pipes_and_devices) {
  fs::create_symlink(at("real"), at("link"));
  ASSERT_TRUE(write_file_durably(at("link"), "through"));
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_EQ(content_of(at("real")), "through");
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] { std::getline(std::ifstream(at("pipe")), received, '\0'); });
  auto file = OutputFile::create(at("pipe")).value();
  EXPECT_TRUE(file.is_stream());
  ASSERT_TRUE(file.write("one "));
  ASSERT_TRUE(file.write("two"));
  ASSERT_TRUE(file.publish());
  reader.join();
  EXPECT_EQ(received, "one two");
  EXPECT_TRUE(fs::is_fifo(at("pipe")));
  EXPECT_EQ(write_file_durably("/dev/full", "x").error().reason, Reason::kOutOfDisk);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(OutputFiles, named_as_descriptors_go_on_where_these_are) {
  const Descriptor log(::open(at("log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(write_all(log.get(), "first "));
  ASSERT_TRUE(write_file_durably(fmt::format("/dev/fd/{}", log.get()), "second "));
  ASSERT_TRUE(write_file_durably(fmt::format("/proc/self/fd/{}", log.get()), "third"));
  EXPECT_EQ(content_of(at("log")), "first second third");
  set_standard_output(log.get());
  EXPECT_TRUE(write_file_durably("/dev/stdout", " fourth"));
  set_standard_output(STDOUT_FILENO);
  EXPECT_EQ(content_of(at("log")), "first second third fourth");
}

TEST_F(OutputFiles, are_moved_into_place_and_into_pipes) {
  ASSERT_TRUE(write_file_durably(at("made"), "result"));
  ASSERT_TRUE(write_file_durably(at("old"), "old"));
  ASSERT_TRUE(move_into_place(at("made"), at("old")));
  EXPECT_EQ(content_of(at("old")), "result");
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] { std::getline(std::ifstream(at("pipe")), received, '\0'); });
  ASSERT_TRUE(move_into_place(at("old"), at("pipe")));
  reader.join();
  EXPECT_EQ(received, "result");
  EXPECT_EQ(names(), std::vector<std::string>{"pipe"});
}

TEST_F(OutputFiles, and_temporary_folders_are_gone_after_an_end_by_force) {
  const auto child = start_copy(SIGKILL, [&] {
    const auto file = OutputFile::create(at("out"));
    const auto folder = TemporaryFolder::create("work", folder_.path());
    std::ofstream(folder->path() / "scratch") << "x";
    forget_unfinished(folder_.path());  // the parent's
    remove_unfinished();
    ::_exit(0);
  });
  EXPECT_EQ(wait_for(child.value()).status, 0);
  EXPECT_EQ(names(), std::vector<std::string>{});
}

}  // namespace
}  // namespace slipway::base
