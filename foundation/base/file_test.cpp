#include "reeltag/base/file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

namespace reeltag {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) { return read_file(path, 1 << 24).value(); }

std::size_t entries_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

Code code_of(const std::function<void()>& code) {
  try {
    code();
  } catch (const Exception& error) {
    return error.code();
  }
  ADD_FAILURE() << "no exception";
  return Code::internal;
}

TEST(ReadFile, GivesAllBytes) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\n\xff", 5);
  std::ofstream(folder.path() / "x") << bytes;
  EXPECT_EQ(text_of(folder.path() / "x"), bytes);
  std::ofstream(folder.path() / "empty") << "";
  EXPECT_EQ(text_of(folder.path() / "empty"), "");
}

TEST(ReadFile, KeepsTheLimitAlsoWhereTheSizeIsUnknown) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "x") << "12345";
  EXPECT_EQ(read_file(folder.path() / "x", 5).value(), "12345");
  EXPECT_EQ(read_file(folder.path() / "x", 4).error().code, Code::too_large);
  EXPECT_EQ(read_file("/dev/zero", 10'000).error().code, Code::too_large);
  EXPECT_GT(read_file("/proc/self/status", 1 << 20).value().size(), 100U);  // its size is reported as 0
}

TEST(ReadFile, NamesTheFileThatIsMissing) {
  const auto missing = read_file("/no/such/file.json", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_NE(missing.error().message.find("/no/such/file.json"), std::string::npos);
  EXPECT_EQ(read_file("/tmp", 10).error().code, Code::invalid_argument);
}

TEST(WriteFile, CreatesAndReplacesAndLeavesNothingElse) {
  const TemporaryFolder folder;
  write_file(folder.path() / "x", "one");
  write_file(folder.path() / "x", "two");
  EXPECT_EQ(text_of(folder.path() / "x"), "two");
  EXPECT_EQ(entries_in(folder.path()), 1U);
}

TEST(WriteFile, RespectsTheUmask) {
  const TemporaryFolder folder;
  const auto before = ::umask(027);
  write_file(folder.path() / "x", "one");
  ::umask(before);
  struct stat facts{};
  ASSERT_EQ(::stat((folder.path() / "x").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0640U);
}

TEST(WriteFile, AReaderSeesTheOldOrTheNewBytesOnly) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x";
  const std::string a(200'000, 'a');
  const std::string b(150'000, 'b');
  write_file(path, a);
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    for (int i = 0; i < 20; ++i) write_file(path, i % 2 == 0 ? b : a);
    done = true;
  });
  do {
    const auto seen = text_of(path);
    ASSERT_TRUE(seen == a || seen == b) << seen.size() << " bytes";
  } while (!done);
}

TEST(WriteFile, AFailedWriteKeepsTheOldFileAndRemovesTheTemporary) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x";
  write_file(path, "old");
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto code = code_of([&] { write_file(path, std::string(100'000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(code, Code::too_large);
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(entries_in(folder.path()), 1U);
}

TEST(WriteFile, SaysWhenTheFolderIsMissing) {
  EXPECT_EQ(code_of([] { write_file("/no/such/folder/x", "a"); }), Code::not_found);
  EXPECT_EQ(code_of([] { write_file("/tmp/", "a"); }), Code::invalid_argument);
}

TEST(AtomicFileTest, WithoutCommitNothingChanges) {
  const TemporaryFolder folder;
  write_file(folder.path() / "x", "old");
  {
    AtomicFile file(folder.path() / "x");
    file.write("new");
    EXPECT_EQ(text_of(folder.path() / "x"), "old");
  }
  EXPECT_EQ(text_of(folder.path() / "x"), "old");
  EXPECT_EQ(entries_in(folder.path()), 1U);
}

TEST(AtomicFileTest, PiecesAndOtherWritersOfTheTemporary) {
  const TemporaryFolder folder;
  AtomicFile pieces(folder.path() / "pieces");
  pieces.write("a");
  pieces.write("bc");
  pieces.commit();
  EXPECT_EQ(text_of(folder.path() / "pieces"), "abc");
  AtomicFile other(folder.path() / "other");
  std::ofstream(other.temporary()) << "by a library";
  other.commit();
  EXPECT_EQ(text_of(folder.path() / "other"), "by a library");
}

TEST(RenameDurably, MovesFoldersButNotOntoFullOnes) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "a");
  write_file(folder.path() / "a" / "x", "1");
  rename_durably(folder.path() / "a", folder.path() / "b");
  EXPECT_EQ(text_of(folder.path() / "b" / "x"), "1");
  fs::create_directory(folder.path() / "c");
  EXPECT_EQ(code_of([&] { rename_durably(folder.path() / "c", folder.path() / "b"); }), Code::already_exists);
}

TEST(TemporaryFolderTest, IsPrivateAndGoesAway) {
  fs::path path;
  {
    const TemporaryFolder folder("some");
    path = folder.path();
    EXPECT_EQ(path.filename().string().substr(0, 5), "some-");
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
    fs::create_directories(path / "deep" / "er");
    write_file(path / "deep" / "er" / "x", "1");
    const TemporaryFolder inner("inner", path);
    EXPECT_EQ(inner.path().parent_path(), path);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(UnnamedFile, HoldsBytesAndLeavesNoName) {
  const TemporaryFolder folder;
  const Descriptor file = open_unnamed_file(folder.path());
  ASSERT_EQ(::write(file.get(), "abc", 3), 3);
  char back[4] = {};
  EXPECT_EQ(::pread(file.get(), back, 3, 0), 3);
  EXPECT_STREQ(back, "abc");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_THROW(open_unnamed_file(folder.path() / "none"), Exception);
}

TEST(AbandonedFiles, OfKilledProcessesAreRemovedAndOthersStay) {
  const TemporaryFolder folder;
  const auto count = [&] { return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()); };
  const pid_t child = fork();
  if (child == 0) {
    AtomicFile half(folder.path() / "a");
    half.write("half");
    _exit(0);  // as a kill: no destructor runs
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  AtomicFile mine(folder.path() / "b");
  write_file(folder.path() / "c", "whole");
  write_file(folder.path() / ".tmp-other", "not one of ours");
  ASSERT_EQ(count(), 4);
  remove_abandoned_files(folder.path());
  EXPECT_EQ(count(), 3);
  mine.write("x");
  mine.commit();
  EXPECT_TRUE(fs::exists(folder.path() / "b"));
  remove_abandoned_files(folder.path() / "missing");
}

}  // namespace
}  // namespace reeltag
