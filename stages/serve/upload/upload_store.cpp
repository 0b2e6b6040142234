#include "upload_store.hpp"

#include <algorithm>
#include <system_error>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/random.hpp"
#include "reeltag/base/time.hpp"

namespace reeltag::serve {
namespace {

namespace fs = std::filesystem;

// 128 random bits: ids cannot be guessed.
std::string new_upload_id() { return random_hex(16); }

bool is_upload_id(std::string_view name) { return is_hex(name, 32); }

}  // namespace

UploadStore::UploadStore(const fs::path& folder, const UploadOptions& options) : folder_(folder), options_(options) {
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
    auto loaded = UploadFile::load(path, options_);
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

UploadStore::Files UploadStore::all() const {
  const std::lock_guard lock(mutex_);
  Files out;
  for (const auto& [id, file] : files_) out.push_back(file);
  return out;
}

std::shared_ptr<UploadFile> UploadStore::find_request(std::string_view owner, std::string_view request_key) const {
  const auto files = all();
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) {
    const auto facts = file->glance();
    const bool is_over = facts.record.terminated || (facts.is_unfinished() && facts.record.expires <= unix_time());
    return !facts.record.one_body && !is_over && facts.record.owner == owner && facts.record.request_key == request_key;
  });
  return found == files.end() ? nullptr : *found;
}

int UploadStore::open_of(const std::string& owner) const {
  const auto files = all();
  return static_cast<int>(std::count_if(files.begin(), files.end(), [&](const auto& file) {
    const auto facts = file->glance();
    return facts.record.owner == owner && facts.is_unfinished();
  }));
}

Result<void> UploadStore::check_room(std::int64_t bytes) const {
  return check_free_bytes(folder_, bytes, options_.min_free_bytes);
}

Result<std::shared_ptr<UploadFile>> UploadStore::create(UploadRecord record, std::int64_t bytes) {
  if (const auto room = check_room(bytes); !room) return fail(room.error());
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
      return fail(Code::permission_denied,
                  "at most " + std::to_string(options_.max_open) + " uploads may be unfinished; end one of them first");
    }
    record.created = unix_time();
    record.expires = record.created + options_.keep_hours * 3600;
    auto made = UploadFile::create(folder_, new_upload_id(), std::move(record), options_);
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

void UploadStore::forget(const std::shared_ptr<UploadFile>& file) {
  try {
    file->destroy();
  } catch (const std::exception& e) {
    log::error("upload_not_removed", {{"upload", file->id()}, {"message", e.what()}});
  }
  const std::lock_guard lock(mutex_);
  files_.erase(file->id());
}

void UploadStore::cancel(const std::shared_ptr<UploadFile>& file) {
  const auto facts = file->glance();
  if (facts.is_whole && !facts.record.job.empty() && !facts.record.released) return file->set_terminated();
  forget(file);
}

void UploadStore::remove(const std::string& id) {
  const auto file = find(id);
  if (!file) return;
  const auto facts = file->glance();
  const bool is_asked_for = !facts.record.one_body && !facts.record.terminated && facts.is_whole;
  if (is_asked_for && facts.record.expires > unix_time()) return file->drop_bytes();
  forget(file);
}

UploadStore::Expired UploadStore::expire() {
  const double now = unix_time();
  Expired expired;
  for (const auto& file : all()) {
    const auto facts = file->glance();
    if (facts.record.expires > now || facts.is_written) continue;
    if (facts.is_unfinished() || facts.record.released) {
      forget(file);
      if (facts.is_unfinished()) ++expired.unfinished;
    } else if (!facts.record.job.empty()) {
      expired.with_job.push_back(file);
    }
  }
  return expired;
}

}  // namespace reeltag::serve
