// Tests failures specific to a local store: crashes during a write, leftover files, full disks, file modes, other
// mounts.
#include "local_backend.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "child.hpp"
#include "key.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/store.hpp"
#include "store_conformance.hpp"

namespace reeltag::store {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

std::size_t leftover_files(const fs::path& root) {
  std::error_code none;
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(root / kTemporaryFolder, none)) ++count;
  return count;
}

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

TEST(LocalStore, OpenMakesTheFolderAndSaysItsUrl) {
  const TemporaryFolder folder;
  const auto root = folder.path() / "new" / "a b%";
  EXPECT_EQ(open(root.string())->url(), "file://" + folder.path().string() + "/new/a%20b%25");
  EXPECT_TRUE(fs::is_directory(root));
  open(root.string())->put("k", "v");
  EXPECT_EQ(open(open(root.string())->url())->get("k"), "v");
}

TEST(LocalStore, OpenOfAFileIsRefused) {
  const TemporaryFolder folder;
  write(folder.path() / "file", "x");
  const auto error = error_of([&] { open((folder.path() / "file").string()); });
  EXPECT_EQ(error.code, Code::invalid_argument);
  EXPECT_THAT(error.message, HasSubstr("file"));
}

TEST(LocalStore, AKeyIsAPlainFileBelowTheRoot) {
  const TemporaryFolder folder;
  const auto store = open(folder.path().string());
  store->put("videos/ab.mp4", "bytes");
  EXPECT_EQ(store->local_path("videos/ab.mp4"), folder.path() / "videos" / "ab.mp4");
}

TEST(LocalStore, ABlobCannotBeAFolderOfKeysToo) {
  const TemporaryFolder folder;
  const auto store = open(folder.path().string());
  store->put("a", "blob");
  store->put("b/c", "blob");
  for (const auto* key : {"a/below", "b"}) {
    const auto error = error_of([&] { store->put(key, "x"); });
    EXPECT_EQ(error.code, Code::invalid_argument);
    EXPECT_THAT(error.message, HasSubstr(key));
  }
  EXPECT_EQ(store->get("a"), "blob");
  EXPECT_EQ(store->get("b/c"), "blob");
  EXPECT_EQ(leftover_files(folder.path()), 0U);
}

TEST(LocalBackend, WhatFailsHalfwayLeavesNothing) {
  const TemporaryFolder folder;
  const auto store = open(folder.path().string());
  store->put("k", "old");
  LocalBackend backend(folder.path());
  const auto half = [](arrow::io::OutputStream& out) {
    EXPECT_TRUE(out.Write("half", 4).ok());
    throw std::runtime_error("the source broke");
  };
  EXPECT_THROW(backend.publish((folder.path() / "k").string(), half, "writing"), std::runtime_error);
  EXPECT_THROW(backend.publish((folder.path() / "new").string(), half, "writing"), std::runtime_error);
  EXPECT_EQ(store->get("k"), "old");
  EXPECT_EQ(store->list("").size(), 1U);
  EXPECT_EQ(leftover_files(folder.path()), 0U);
}

TEST(LocalBackend, HalfWrittenBytesAreNotVisibleWhileTheyAreWritten) {
  const TemporaryFolder folder;
  const auto store = open(folder.path().string());
  LocalBackend backend(folder.path());
  backend.publish((folder.path() / "k").string(),
                  [&](arrow::io::OutputStream& out) {
                    EXPECT_TRUE(out.Write("half", 4).ok());
                    EXPECT_EQ(leftover_files(folder.path()), 1U);
                    EXPECT_TRUE(store->list("").empty());
                    EXPECT_EQ(store->get("k"), std::nullopt);
                  },
                  "writing");
  EXPECT_EQ(store->get("k"), "half");
}

TEST(LocalBackend, OpenSweepsWhatDeadWritersLeftAndNothingElse) {
  const TemporaryFolder folder;
  const auto temporaries = folder.path() / kTemporaryFolder;
  open(folder.path().string())->put("kept", "x");
  for (const auto* name : {"old", "young", "held"}) write(temporaries / name, "half");
  const auto long_ago = fs::file_time_type::clock::now() - 1h;
  fs::last_write_time(temporaries / "old", long_ago);
  fs::last_write_time(temporaries / "held", long_ago);
  const int held = ::open((temporaries / "held").c_str(), O_WRONLY);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  const auto store = open(folder.path().string());
  EXPECT_FALSE(fs::exists(temporaries / "old"));
  EXPECT_TRUE(fs::exists(temporaries / "young"));
  EXPECT_TRUE(fs::exists(temporaries / "held"));
  EXPECT_EQ(store->list("").size(), 1U);
  ::close(held);
}

TEST(LocalStore, AFullDiskIsAnErrorThatLeavesNothing) {
  const TemporaryFolder folder;
  const auto store = open(folder.path().string());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 << 10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto error = error_of([&] { store->put("big", std::string(1 << 20, 'x')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.code, Code::too_large);
  EXPECT_THAT(error.message, HasSubstr("'big'"));
  EXPECT_TRUE(store->list("").empty());
  EXPECT_EQ(leftover_files(folder.path()), 0U);
}

// Drops the rights to other users' files while it lives; tests usually run as root, who ignores file modes.
class WithoutPrivileges {
 public:
  WithoutPrivileges() { EXPECT_TRUE(!root_ || ::seteuid(65534) == 0); }
  WithoutPrivileges(const WithoutPrivileges&) = delete;
  WithoutPrivileges& operator=(const WithoutPrivileges&) = delete;
  ~WithoutPrivileges() { EXPECT_TRUE(!root_ || ::seteuid(0) == 0); }

 private:
  bool root_ = ::geteuid() == 0;
};

TEST(LocalStore, AFolderThatMayNotBeWrittenCanStillBeRead) {
  const TemporaryFolder folder;
  open(folder.path().string())->put("videos/k", "v");
  const auto no_write = static_cast<fs::perms>(0555);
  for (const auto& each : {folder.path(), folder.path() / "videos", folder.path() / kTemporaryFolder}) {
    fs::permissions(each, no_write);
  }
  fs::permissions(folder.path() / "videos" / "k", no_write);
  {
    const WithoutPrivileges nobody;
    const auto store = open(folder.path().string());
    EXPECT_EQ(store->get("videos/k"), "v");
    const auto put = error_of([&] { store->put("videos/other", "v"); });
    EXPECT_EQ(put.code, Code::permission_denied);
    EXPECT_THAT(put.message, HasSubstr("videos/other"));
    EXPECT_EQ(error_of([&] { store->remove("videos/k"); }).code, Code::permission_denied);
    EXPECT_EQ(error_of([&] { open((folder.path() / "inside").string()); }).code, Code::permission_denied);
  }
  for (const auto& each : {folder.path(), folder.path() / "videos", folder.path() / kTemporaryFolder}) {
    fs::permissions(each, fs::perms::owner_all);
  }
}

TEST(LocalStore, AnotherFileSystemBelowTheRootIsExplained) {
  const TemporaryFolder folder;
  const fs::path elsewhere = "/dev/shm";
  struct stat here{}, there{};
  if (::stat(folder.path().c_str(), &here) != 0 || ::stat(elsewhere.c_str(), &there) != 0 ||
      here.st_dev == there.st_dev || ::access(elsewhere.c_str(), W_OK) != 0) {
    GTEST_SKIP() << "no second file system at " << elsewhere;
  }
  const auto store = open(folder.path().string());
  fs::create_directory_symlink(elsewhere, folder.path() / "videos");
  const auto error = error_of([&] { store->put("videos/reeltag-test-blob", "v"); });
  EXPECT_EQ(error.code, Code::unsupported);
  EXPECT_THAT(error.message, HasSubstr("another file system"));
  EXPECT_FALSE(fs::exists(elsewhere / "reeltag-test-blob"));
}

// The content of blob number i: identifiable, and long enough that a kill often interrupts its writing.
std::string content(int i) {
  return std::string(2'000'000 + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
}

TEST(LocalStore, AKilledWriterLeavesNothingHalfWrittenAndLosesNothingAcknowledged) {
  const TemporaryFolder folder;
  std::mt19937 random(std::random_device{}());
  int next = 0;
  for (int round = 0; round < 8; ++round) {
    test::Child child([&, next](const test::Child::WriteLine& say) {
      const auto store = open(folder.path().string() + "/store");
      for (int i = next;; ++i) {
        const auto from = folder.path() / "source";
        write(from, content(i));
        store->put_file("blobs/" + std::to_string(i), from);
        say(std::to_string(i));
      }
    });
    auto said = child.read_line();  // it has started
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    child.kill();
    said += child.output();

    const auto store = open(folder.path().string() + "/store");
    for (const auto& blob : store->list("")) {
      const int i = std::stoi(blob.key.substr(std::string("blobs/").size()));
      EXPECT_TRUE(store->get(blob.key) == content(i)) << blob.key;
      next = std::max(next, i + 1);
    }
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) EXPECT_TRUE(store->stat("blobs/" + line).has_value()) << line;
  }
  EXPECT_GE(next, 8);
}

}  // namespace
}  // namespace reeltag::store
