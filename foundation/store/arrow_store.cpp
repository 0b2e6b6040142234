#include "arrow_store.hpp"

#include <arrow/io/file.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "failure.hpp"
#include "key.hpp"

namespace reeltag::store {
namespace {

// Files are copied through memory in pieces of this size; larger ones bring no gain on disks or networks.
constexpr std::int64_t kCopyBytes = 1 << 20;

[[noreturn]] void raise_missing(std::string_view key, const std::string& url) {
  throw Exception(Code::not_found, "there is no blob '" + std::string(key) + "' in " + url);
}

std::int64_t seconds_of(const arrow::fs::FileInfo& info) {
  return std::chrono::duration_cast<std::chrono::seconds>(info.mtime().time_since_epoch()).count();
}

// Reads length bytes from offset, both within the file. Returns fewer only if the file has shrunk since.
std::string read_at(arrow::io::RandomAccessFile& file, std::int64_t offset, std::int64_t length,
                    const std::string& doing) {
  std::string bytes(static_cast<std::size_t>(length), '\0');
  std::int64_t done = 0;
  while (done < length) {
    const auto got = value_of(file.ReadAt(offset + done, length - done, bytes.data() + done), doing);
    if (got == 0) break;
    done += got;
  }
  bytes.resize(static_cast<std::size_t>(done));
  return bytes;
}

}  // namespace

ArrowStore::ArrowStore(std::shared_ptr<arrow::fs::FileSystem> files, std::string root, std::string url,
                       std::unique_ptr<Backend> backend)
    : files_(std::move(files)), root_(std::move(root)), url_(std::move(url)), backend_(std::move(backend)) {}

std::string ArrowStore::about(std::string_view verb, std::string_view key) const {
  return std::string(verb) + " blob '" + std::string(key) + "' in " + url_;
}

std::string ArrowStore::path_of(std::string_view key) const {
  check_key(key);
  return root_ + "/" + std::string(key);
}

void ArrowStore::put(std::string_view key, std::string_view bytes) {
  const auto path = path_of(key);
  const auto doing = about("writing", key);
  backend_->publish(
      path,
      [&](arrow::io::OutputStream& out) {
        check(out.Write(bytes.data(), static_cast<std::int64_t>(bytes.size())), doing);
      },
      doing);
}

void ArrowStore::put_file(std::string_view key, const std::filesystem::path& from) {
  const auto path = path_of(key);
  const auto doing = about("writing", key);
  const auto reading = "reading '" + from.string() + "' for blob '" + std::string(key) + "'";
  std::error_code error;
  const auto kind = std::filesystem::status(from, error).type();
  if (kind == std::filesystem::file_type::not_found) {
    throw Exception(Code::not_found, reading + ": there is no such file");
  }
  if (kind != std::filesystem::file_type::regular) {
    throw Exception(Code::invalid_argument, reading + ": it is not a regular file");
  }
  const auto source = value_of(arrow::io::ReadableFile::Open(from.string()), reading);
  std::string piece(static_cast<std::size_t>(kCopyBytes), '\0');
  backend_->publish(
      path,
      [&](arrow::io::OutputStream& out) {
        for (;;) {
          const auto got = value_of(source->Read(kCopyBytes, piece.data()), reading);
          if (got == 0) return;
          check(out.Write(piece.data(), got), doing);
        }
      },
      doing);
}

std::shared_ptr<arrow::io::RandomAccessFile> ArrowStore::open_blob(std::string_view key, const std::string& doing) {
  const auto path = path_of(key);
  auto file = files_->OpenInputFile(path);
  if (file.ok()) return std::move(file).MoveValueUnsafe();
  // Opening first saves a request to an object store in the usual case; only a failure needs a second one. A server
  // that did not answer is not asked again.
  if (is_missing(file.status())) return nullptr;
  if (is_object_store_failure(file.status())) raise(file.status(), doing);
  const auto info = files_->GetFileInfo(path);
  if (info.ok() && !info->IsFile()) return nullptr;
  raise(file.status(), doing);
}

std::optional<std::string> ArrowStore::get(std::string_view key) {
  const auto doing = about("reading", key);
  const auto file = open_blob(key, doing);
  if (!file) return std::nullopt;
  return read_at(*file, 0, value_of(file->GetSize(), doing), doing);
}

std::string ArrowStore::get_range(std::string_view key, std::int64_t offset, std::int64_t length) {
  const auto doing = about("reading", key);
  if (offset < 0 || length < 0) {
    throw Exception(Code::invalid_argument, doing + ": offset " + std::to_string(offset) + " and length " +
                                                std::to_string(length) + " must not be negative");
  }
  const auto file = open_blob(key, doing);
  if (!file) raise_missing(key, url_);
  const auto size = value_of(file->GetSize(), doing);
  if (offset >= size) return {};
  return read_at(*file, offset, std::min(length, size - offset), doing);
}

std::optional<Blob> ArrowStore::stat(std::string_view key) {
  const auto info = value_of(files_->GetFileInfo(path_of(key)), about("looking up", key));
  if (!info.IsFile()) return std::nullopt;
  return Blob{std::string(key), info.size(), seconds_of(info)};
}

std::vector<Blob> ArrowStore::list(std::string_view prefix) {
  check_prefix(prefix);
  const auto doing = "listing blobs '" + std::string(prefix) + "*' in " + url_;
  const std::size_t slash = prefix.rfind('/');
  arrow::fs::FileSelector selector;
  selector.base_dir = slash == std::string_view::npos ? root_ : root_ + "/" + std::string(prefix.substr(0, slash));
  selector.recursive = true;
  selector.allow_not_found = true;
  auto found = files_->GetFileInfo(selector);
  if (!found.ok()) {
    if (is_object_store_failure(found.status())) raise(found.status(), doing);
    // The prefix may go through a blob ("a" is a blob, "a/" is listed): then nothing lies below it.
    const auto base = files_->GetFileInfo(selector.base_dir);
    if (base.ok() && !base->IsDirectory()) return {};
    raise(found.status(), doing);
  }
  const auto temporary = std::string(kTemporaryFolder) + "/";
  std::vector<Blob> blobs;
  for (const auto& info : *found) {
    if (!info.IsFile()) continue;
    auto key = info.path().substr(root_.size() + 1);
    if (key.starts_with(prefix) && !key.starts_with(temporary))
      blobs.push_back({std::move(key), info.size(), seconds_of(info)});
  }
  std::sort(blobs.begin(), blobs.end(), [](const Blob& a, const Blob& b) { return a.key < b.key; });
  return blobs;
}

bool ArrowStore::remove(std::string_view key) { return backend_->remove(path_of(key), about("removing", key)); }

std::filesystem::path ArrowStore::local_path(std::string_view key) {
  auto path = backend_->local_path(path_of(key), about("reading", key));
  if (!path) raise_missing(key, url_);
  return std::move(*path);
}

}  // namespace reeltag::store
