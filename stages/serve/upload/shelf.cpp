#include "shelf.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <system_error>

#include "metadata.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::serve {
namespace {

namespace fs = std::filesystem;
using http::server::problem;
using http::server::Response;

// 128 random bits: an id is not guessed.
std::string new_upload_id() {
  std::array<std::uint8_t, 16> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    throw Exception(Code::unavailable, "the system gives no random bytes");
  return hex(random);
}

bool is_upload_id(std::string_view name) {
  return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

StoredUpload upload_of(const Stored& stored, const Stored::Facts& facts) {
  const Record& record = facts.record;
  return {.id = stored.id(),
          .owner = record.owner,
          .name = record.name,
          .content_type = record.content_type,
          .file = stored.data(),
          .bytes = facts.offset,
          .metadata = record.metadata,
          .deadline = deadline_of(record.metadata).value_or(0.0)};
}

}  // namespace

double unix_now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

Response refusal_of(const Error& error) {
  if (error.code == Code::already_exists) return problem(423, "locked", error.message).with("Retry-After", "1");
  if (error.code == Code::unavailable) return problem(507, "insufficient_storage", error.message);
  return problem(error);
}

Shelf::Shelf(const fs::path& folder, const UploadOptions& options, OnFinished on_finished)
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

void Shelf::load() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder_)) found.push_back(entry.path());
  for (const auto& path : found) {
    const std::string name = path.filename();
    std::error_code ignored;
    if (name.starts_with(".tmp-")) fs::remove_all(path, ignored);
    if (!is_upload_id(name)) continue;
    auto loaded = Stored::load(path, limits_);
    if (!loaded) {
      log::warning("upload_unreadable", {{"upload", name}, {"message", loaded.error().message}});
      continue;
    }
    stored_[name] = *loaded;
    const auto facts = (*loaded)->glance();
    if (facts.record.one_body && !facts.is_whole) forget(*loaded);
  }
}

std::shared_ptr<Stored> Shelf::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = stored_.find(id);
  return found == stored_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Stored>> Shelf::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Stored>> out;
  for (const auto& [id, stored] : stored_) out.push_back(stored);
  return out;
}

int Shelf::open_of(const std::string& owner) const {
  const auto stored = all();
  return static_cast<int>(std::count_if(stored.begin(), stored.end(), [&](const auto& one) {
    const auto facts = one->glance();
    return facts.record.owner == owner && facts.record.length != facts.offset;
  }));
}

std::optional<Response> Shelf::refuse_without_room(std::int64_t bytes) const {
  if (free_bytes(folder_) - bytes >= options_.min_free_bytes) return std::nullopt;
  return problem(507, "insufficient_storage", "there is no room left for uploads; try again later");
}

std::variant<Response, std::shared_ptr<Stored>> Shelf::create(Record record, std::int64_t bytes) {
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
    record.created = unix_now();
    record.expires = record.created + options_.keep_hours * 3600;
    auto made = Stored::create(folder_, new_upload_id(), std::move(record), limits_);
    {
      const std::lock_guard lock(mutex_);
      stored_[made->id()] = made;
    }
    end();
    return made;
  } catch (...) {
    end();
    throw;
  }
}

Result<std::string> Shelf::job_of(Stored& stored) {
  try {
    return stored.job([&] { return on_finished_(upload_of(stored, stored.glance())); });
  } catch (const std::exception& e) {
    log::error("upload_not_passed_on", {{"upload", stored.id()}, {"message", e.what()}});
    return fail(Code::unavailable, "the upload is whole, but could not be passed on; ask again in a moment");
  }
}

void Shelf::forget(const std::shared_ptr<Stored>& stored) {
  try {
    stored->destroy();
  } catch (const std::exception& e) {
    log::error("upload_not_removed", {{"upload", stored->id()}, {"message", e.what()}});
  }
  const std::lock_guard lock(mutex_);
  stored_.erase(stored->id());
}

void Shelf::recover() {
  for (const auto& stored : all()) {
    const auto facts = stored->facts();
    if (facts.is_whole && facts.record.job.empty() && !facts.record.released) static_cast<void>(job_of(*stored));
  }
}

std::optional<StoredUpload> Shelf::upload(const std::string& id) const {
  const auto stored = find(id);
  if (!stored) return std::nullopt;
  const auto facts = stored->glance();
  if (!facts.is_whole || facts.record.released) return std::nullopt;
  return upload_of(*stored, facts);
}

void Shelf::remove(const std::string& id) {
  const auto stored = find(id);
  if (!stored) return;
  const auto facts = stored->glance();
  const bool is_asked_for = !facts.record.one_body && !facts.record.terminated && facts.is_whole;
  if (is_asked_for && facts.record.expires > unix_now()) return stored->release();
  forget(stored);
}

std::int64_t Shelf::expire(const std::function<bool(const std::string& job)>& has_ended) {
  const double now = unix_now();
  std::int64_t count = 0;
  for (const auto& stored : all()) {
    const auto facts = stored->glance();
    if (facts.record.expires > now || facts.is_written) continue;
    const bool is_unfinished = facts.record.length != facts.offset;
    const bool is_over = facts.record.released || (!facts.record.job.empty() && has_ended(facts.record.job));
    if (!is_unfinished && !is_over) continue;  // its job needs it
    forget(stored);
    if (is_unfinished) ++count;
  }
  return count;
}

}  // namespace reeltag::serve
