#include "base/child_process.hpp"

#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>

#include "base/descriptor.hpp"
#include "base/files.hpp"

namespace slipway::base {
namespace {

std::string read_all(const Descriptor& from) {
  std::string text;
  std::array<char, 256> bytes{};
  for (ssize_t count = 0; (count = ::read(from.get(), bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  return text;
}

Program shell(const std::string& script) {
  return {.path = "/bin/sh",
          .arguments = {"sh", "-c", script},
          .environment = {},
          .folder = {},
          .descriptors = {},
          .prepare = {}};
}

TEST(ChildProcess, has_the_descriptors_that_are_named_an_empty_input_and_no_others) {
  Pipe pipe = make_pipe().value();
  const Descriptor inherited(::dup(STDERR_FILENO));  // without close-on-exec
  Program program = shell("cat; echo out; echo three >&3; [ -e /proc/self/fd/" + std::to_string(inherited.get()) +
                          " ] && echo leaked >&3; exit 7");
  program.descriptors = {{pipe.write.get(), 1}, {pipe.write.get(), 3}};
  const auto child = start_program(std::move(program));
  ASSERT_TRUE(child) << child.error().message;
  pipe.write.reset();
  EXPECT_EQ(read_all(pipe.read), "out\nthree\n");
  EXPECT_EQ(wait_for(*child).text(), "exit status 7");
}

TEST(ChildProcess, keeps_a_descriptor_that_has_the_wanted_number_already) {
  Pipe pipe = make_pipe().value();
  Program program = shell("echo here >&" + std::to_string(pipe.write.get()));
  program.descriptors = {{pipe.write.get(), pipe.write.get()}};
  const auto child = start_program(std::move(program));
  ASSERT_TRUE(child);
  pipe.write.reset();
  EXPECT_EQ(read_all(pipe.read), "here\n");
  EXPECT_EQ(wait_for(*child).status, 0);
}

TEST(ChildProcess, begins_in_its_folder_with_its_environment) {
  const auto folder = TemporaryFolder::create("slipway-test").value();
  Program program = shell("pwd > place; echo $WORD >> place; echo $HOME >> place");
  program.folder = folder.path();
  program.environment = {"WORD=said"};
  const auto child = start_program(std::move(program));
  ASSERT_TRUE(child);
  EXPECT_EQ(wait_for(*child).status, 0);
  EXPECT_EQ(read_file(folder.path() / "place", 1024).value(),
            std::filesystem::canonical(folder.path()).string() + "\nsaid\n\n");
}

TEST(ChildProcess, says_why_a_program_does_not_start) {
  const auto missing = start_program({.path = "/no/such/program",
                                      .arguments = {"program"},
                                      .environment = {},
                                      .folder = {},
                                      .descriptors = {},
                                      .prepare = {}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find("/no/such/program"), std::string::npos) << missing.error().message;
  Program nowhere = shell("true");
  nowhere.folder = "/no/such/folder";
  const auto outcome = start_program(std::move(nowhere));
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("in /no/such/folder"), std::string::npos) << outcome.error().message;
}

TEST(ChildProcess, tells_a_signal_from_a_status) {
  const auto child = start_program(shell("kill -9 $$"));
  ASSERT_TRUE(child);
  const ProcessEnd end = wait_for(*child);
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_EQ(end.text(), "signal 9 (Killed)");
}

TEST(ChildProcess, a_copy_does_its_work_and_does_not_come_back) {
  Pipe pipe = make_pipe().value();
  const auto child = start_copy(SIGKILL, [&] {
    if (write_all(pipe.write.get(), "done")) ::_exit(3);
  });
  ASSERT_TRUE(child);
  pipe.write.reset();
  EXPECT_EQ(read_all(pipe.read), "done");
  EXPECT_EQ(wait_for(*child).status, 3);
}

}  // namespace
}  // namespace slipway::base
