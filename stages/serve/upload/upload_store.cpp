#include "upload_store.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <system_error>

#include "metadata.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/random.hpp"
#include "reeltag/base/time.hpp"

namespace reeltag::serve {
namespace {

namespace fs = std::filesystem;
using http::server::problem;
using http::server::Response;

// 128 random bits: ids cannot be guessed.
std::string new_upload_id() { return random_hex(16); }

bool is_upload_id(std::string_view name) { return is_hex(name, 32); }

CompletedUpload upload_of(const UploadFile& file, const UploadFile::Facts& facts) {
  const UploadRecord& record = facts.record;
  return {.id = file.id(),
          .owner = record.owner,
          .name = record.name,
          .content_type = record.content_type,
          .file = file.data(),
          .bytes = facts.offset,
          .metadata = record.metadata,
          .deadline = deadline_of(record.metadata).value_or(0.0)};
}

}  // namespace

Response refusal_of(const Error& error) {
  if (error.code == Code::already_exists) return problem(423, "locked", error.message).with("Retry-After", "1");
  if (error.code == Code::unavailable) return problem(507, "insufficient_storage", error.message);
  return problem(error);
}

UploadStore::UploadStore(const fs::path& folder, const UploadOptions& options, OnFinished on_finished)
    : folder_(folder),
      options_(options),
      limits_{.max_bytes = options.max_bytes, .min_free_bytes = options.min_free_bytes},
      on_finished_(std::move(on_finished)) {
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (!failed) fs::permissions(folder_, fs::perms::owner_all, failed);
  if (failed) {
    throw Exception(failed == std::errc::permission_denied ? Code::permission_denied : Code::unavailable,
                    "cannot use the folder for uploads '" + folder_.string() + "': " + failed.message());
  }
  if (folder_.has_parent_path()) sync_folder(folder_.parent_path());
  load();
}

void UploadStore::load() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder_)) found.push_back(entry.path());
  for (const auto& path : found) {
    const std::string name = path.filename();
    std::error_code ignored;
    if (name.starts_with(".tmp-")) fs::remove_all(path, ignored);
    if (!is_upload_id(name)) continue;
    auto loaded = UploadFile::load(path, limits_);
    if (!loaded) {
      log::warning("upload_unreadable", {{"upload", name}, {"message", loaded.error().message}});
      continue;
    }
    files_[name] = *loaded;
    const auto facts = (*loaded)->glance();
    if (facts.record.one_body && !facts.is_whole) forget(*loaded);
  }
}

std::shared_ptr<UploadFile> UploadStore::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(id);
  return found == files_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<UploadFile>> UploadStore::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<UploadFile>> out;
  for (const auto& [id, file] : files_) out.push_back(file);
  return out;
}

int UploadStore::open_of(const std::string& owner) const {
  const auto file = all();
  return static_cast<int>(std::count_if(file.begin(), file.end(), [&](const auto& one) {
    const auto facts = one->glance();
    return facts.record.owner == owner && facts.record.length != facts.offset;
  }));
}

std::optional<Response> UploadStore::refuse_without_room(std::int64_t bytes) const {
  if (free_bytes(folder_) - bytes >= options_.min_free_bytes) return std::nullopt;
  return problem(507, "insufficient_storage", "there is no room left for uploads; try again later");
}

std::variant<Response, std::shared_ptr<UploadFile>> UploadStore::create(UploadRecord record, std::int64_t bytes) {
  if (auto refused = refuse_without_room(bytes)) return std::move(*refused);
  const std::string owner = record.owner;
  int creating = 0;
  {
    const std::lock_guard lock(mutex_);
    creating = creating_[owner]++;
  }
  const auto end = [&] {
    const std::lock_guard lock(mutex_);
    if (--creating_[owner] == 0) creating_.erase(owner);
  };
  try {
    if (open_of(owner) + creating >= options_.max_open) {
      end();
      return problem(
                 429, "too_many_uploads",
                 "at most " + std::to_string(options_.max_open) + " uploads may be unfinished; end one of them first")
          .with("Retry-After", "60");
    }
    record.created = unix_time();
    record.expires = record.created + options_.keep_hours * 3600;
    auto made = UploadFile::create(folder_, new_upload_id(), std::move(record), limits_);
    {
      const std::lock_guard lock(mutex_);
      files_[made->id()] = made;
    }
    end();
    return made;
  } catch (...) {
    end();
    throw;
  }
}

Result<std::string> UploadStore::job_of(UploadFile& file) {
  try {
    return file.job([&] { return on_finished_(upload_of(file, file.glance())); });
  } catch (const std::exception& e) {
    log::error("upload_not_passed_on", {{"upload", file.id()}, {"message", e.what()}});
    return fail(Code::unavailable, "the upload is whole, but could not be passed on; ask again in a moment");
  }
}

void UploadStore::forget(const std::shared_ptr<UploadFile>& file) {
  try {
    file->destroy();
  } catch (const std::exception& e) {
    log::error("upload_not_removed", {{"upload", file->id()}, {"message", e.what()}});
  }
  const std::lock_guard lock(mutex_);
  files_.erase(file->id());
}

void UploadStore::recover() {
  for (const auto& file : all()) {
    const auto facts = file->facts();
    if (facts.is_whole && facts.record.job.empty() && !facts.record.released) static_cast<void>(job_of(*file));
  }
}

std::optional<CompletedUpload> UploadStore::upload(const std::string& id) const {
  const auto file = find(id);
  if (!file) return std::nullopt;
  const auto facts = file->glance();
  if (!facts.is_whole || facts.record.released) return std::nullopt;
  return upload_of(*file, facts);
}

void UploadStore::remove(const std::string& id) {
  const auto file = find(id);
  if (!file) return;
  const auto facts = file->glance();
  const bool is_asked_for = !facts.record.one_body && !facts.record.terminated && facts.is_whole;
  if (is_asked_for && facts.record.expires > unix_time()) return file->drop_bytes();
  forget(file);
}

std::int64_t UploadStore::expire(const std::function<bool(const std::string& job)>& has_ended) {
  const double now = unix_time();
  std::int64_t count = 0;
  for (const auto& file : all()) {
    const auto facts = file->glance();
    if (facts.record.expires > now || facts.is_written) continue;
    const bool is_unfinished = facts.record.length != facts.offset;
    const bool is_over = facts.record.released || (!facts.record.job.empty() && has_ended(facts.record.job));
    if (!is_unfinished && !is_over) continue;  // its job needs it
    forget(file);
    if (is_unfinished) ++count;
  }
  return count;
}

}  // namespace reeltag::serve
