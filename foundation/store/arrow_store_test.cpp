// Runs the conformance suite on the local store and, to test the Backend interface, on Arrow's in-memory file system
// with the behavior of an object store: no rename, publishing by closing the stream, local paths by copying.
#include "arrow_store.hpp"

#include <arrow/buffer.h>
#include <arrow/filesystem/mockfs.h>
#include <arrow/io/memory.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <optional>
#include <vector>

#include "failure.hpp"
#include "reeltag/base/file.hpp"
#include "store_conformance.hpp"

namespace reeltag::store {
namespace {

using arrow::fs::internal::MockFileSystem;

std::string_view view_of(const arrow::Buffer& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(bytes.size())};
}

class LocalPlace final : public StorePlace {
 public:
  std::unique_ptr<Store> open() override { return store::open((folder_.path() / "st ore%41").string()); }

 private:
  TemporaryFolder folder_;
};

class MemoryBackend final : public Backend {
 public:
  MemoryBackend(std::shared_ptr<MockFileSystem> files, std::filesystem::path cache)
      : files_(std::move(files)), cache_(std::move(cache)) {}

  void publish(const std::string& path, const Fill& fill, const std::string& doing) override {
    const auto out = value_of(arrow::io::BufferOutputStream::Create(), doing);
    fill(*out);
    const auto bytes = value_of(out->Finish(), doing);
    // Object stores have no folders, so an empty one does not conflict.
    if (const auto info = files_->GetFileInfo(path); info.ok() && info->IsDirectory()) {
      check(files_->DeleteDir(path), doing);
    }
    // Arrow's in-memory files get their bytes without a lock when they are closed: no reader may see one before.
    const auto hidden = "staging/" + std::to_string(staged++);
    check(files_->CreateFile(hidden, view_of(*bytes)), doing);
    check(files_->CreateDir(path.substr(0, path.rfind('/'))), doing);
    check(files_->Move(hidden, path), doing);
  }
  bool remove(const std::string& path, const std::string& doing) override {
    if (!value_of(files_->GetFileInfo(path), doing).IsFile()) return false;
    check(files_->DeleteFile(path), doing);
    return true;
  }
  std::optional<std::filesystem::path> local_path(const std::string& path, const std::string& doing) override {
    if (!value_of(files_->GetFileInfo(path), doing).IsFile()) return std::nullopt;
    const auto in = value_of(files_->OpenInputFile(path), doing);
    const auto bytes = value_of(in->Read(value_of(in->GetSize(), doing)), doing);
    const auto copy = cache_ / std::to_string(copies_++);
    std::ofstream(copy, std::ios::binary) << view_of(*bytes);
    return copy;
  }
  std::vector<UnfinishedUpload> unfinished() override { return {}; }
  bool discard(const UnfinishedUpload& /*write*/) override { return false; }
  Copies drop_copies(std::chrono::seconds /*unused_for*/, bool /*dry_run*/) override { return {}; }

 private:
  std::shared_ptr<MockFileSystem> files_;
  std::filesystem::path cache_;
  std::atomic<int> copies_{0};
  static inline std::atomic<int> staged{0};  // of all that share the files
};

class MemoryPlace final : public StorePlace {
 public:
  MemoryPlace() { check(files_->CreateDir("bucket/prefix"), "making the bucket"); }
  std::unique_ptr<Store> open() override {
    return std::make_unique<ArrowStore>(files_, "bucket/prefix", "memory://bucket/prefix",
                                        std::make_unique<MemoryBackend>(files_, cache_.path()));
  }

 private:
  TemporaryFolder cache_;
  std::shared_ptr<MockFileSystem> files_ = std::make_shared<MockFileSystem>(arrow::fs::TimePoint{});
};

std::string name_of(const testing::TestParamInfo<StoreFactory>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Local, StoreConformance,
                         testing::Values(StoreFactory{"local", [] { return std::make_unique<LocalPlace>(); }}),
                         name_of);

// Excluded from the thread sanitizer: this file system passes buffers between threads inside libarrow, whose atomic
// counters the sanitizer cannot see.
#if !defined(__SANITIZE_THREAD__)
INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         testing::Values(StoreFactory{"memory", [] { return std::make_unique<MemoryPlace>(); }, false}),
                         name_of);
#endif

}  // namespace
}  // namespace reeltag::store
