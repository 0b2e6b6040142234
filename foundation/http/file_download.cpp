#include <fcntl.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include <nlohmann/json.hpp>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "transfer.hpp"

namespace reeltag::http {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kUnknown = -1;
constexpr std::int64_t kMaxRecord = 64 << 10;  // bytes of PATH.json

fs::path with_ending(const fs::path& path, const char* ending) { return path.string() + ending; }

// The server's facts about the file, stored when its first byte arrives.
struct PartialDownload {
  std::string url, etag, last_modified;
  std::int64_t size = kUnknown;

  // The value for If-Range: without it the server could continue with another version of the file. Weak ETags do not
  // guarantee equal bytes (RFC 9110, 13.1.5).
  [[nodiscard]] std::string validator() const {
    const std::string& text = !etag.empty() && !etag.starts_with("W/") ? etag : last_modified;
    const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
    return plain ? text : std::string();
  }
};

std::optional<PartialDownload> read_record(const fs::path& file) {
  const auto text = read_file(file, kMaxRecord);
  if (!text) return std::nullopt;
  const auto json = parse_json(*text, file.string());
  if (!json || !json->is_object()) return std::nullopt;
  try {
    return PartialDownload{.url = json->at("url").get<std::string>(),
                           .etag = json->at("etag").get<std::string>(),
                           .last_modified = json->at("last_modified").get<std::string>(),
                           .size = json->at("size").get<std::int64_t>()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // treated as missing: the download starts over
  }
}

void write_record(const fs::path& file, const PartialDownload& r) {
  write_file(file, dump_json({{"url", r.url}, {"etag", r.etag}, {"last_modified", r.last_modified}, {"size", r.size}}));
}

// Removes a number from the front of text and returns it.
std::int64_t take_number(std::string_view& text) {
  std::int64_t value = kUnknown;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || value < 0) return kUnknown;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// "bytes 100-199/200"; the size may be "*".
struct ContentRange {
  std::int64_t first = kUnknown, last = kUnknown, size = kUnknown;
};
std::optional<ContentRange> parse_content_range(std::string_view text) {
  const auto take = [&](std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
  };
  ContentRange out;
  if (!take("bytes ")) return std::nullopt;
  out.first = take_number(text);
  if (!take("-")) return std::nullopt;
  out.last = take_number(text);
  if (!take("/")) return std::nullopt;
  if (!take("*")) out.size = take_number(text);
  const bool sound = out.first >= 0 && out.last >= out.first && (out.size == kUnknown || out.last < out.size);
  return sound && text.empty() ? std::optional(out) : std::nullopt;
}

// Whether the response's length and ranges count bytes of the file, not of its compressed form.
bool is_plain(const Answer& answer) {
  const std::string coding = answer.header("content-encoding");
  return coding.empty() || ::strcasecmp(coding.c_str(), "identity") == 0;
}

class FileDownloader {
 public:
  FileDownloader(const std::string& url, const fs::path& path, const ClientOptions& options, const OnBytes& on_bytes,
                 int& status)
      : url_(url),
        path_(path),
        part_(with_ending(path, ".part")),
        record_file_(with_ending(path, ".json")),
        options_(options),
        on_bytes_(on_bytes),
        status_(status) {}

  Result<FileDownload> run() {
    if (path_.has_parent_path()) fs::create_directories(path_.parent_path());
    if (auto locked = lock(); !locked) return fail(locked.error());
    if (const auto there = whole_file()) return *there;
    find_start();
    if (start_ == 0 || start_ != record_.size) {
      auto got = ask();
      if (!got && start_over_) {
        start_ = 0;
        got = ask();
      }
      if (!got) {
        remove_empty_part();
        return fail(got.error());
      }
    }
    return finish();
  }

 private:
  [[nodiscard]] Error error(Code code, const std::string& what) const { return url_error(code, url_, what); }
  [[nodiscard]] Error not_stored(const std::string& what) const {
    return error(Code::unavailable, what + ' ' + part_.string() + ": " + std::generic_category().message(errno));
  }

  // Prevents two processes from writing one file. The previous holder of the lock may have renamed or removed the file
  // opened here.
  Result<void> lock() {
    file_ = Descriptor(::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file_.is_open()) return fail(not_stored("cannot write"));
    struct stat opened{}, named{};
    const bool mine = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(file_.get(), &opened) == 0 &&
                      ::stat(part_.c_str(), &named) == 0 && opened.st_ino == named.st_ino;
    if (mine) return {};
    return fail(error(Code::unavailable, "another process is downloading to " + path_.string()));
  }

  // A call that received no byte leaves no file.
  void remove_empty_part() {
    struct stat facts{};
    if (::fstat(file_.get(), &facts) == 0 && facts.st_size == 0) fs::remove(part_);
  }

  std::optional<FileDownload> whole_file() {
    const auto record = read_record(record_file_);
    std::error_code none;
    const auto size = static_cast<std::int64_t>(fs::file_size(path_, none));
    if (none || !record || record->url != url_ || (record->size != kUnknown && record->size != size))
      return std::nullopt;
    fs::remove(part_);  // created by lock(), or left by a download from another URL
    return FileDownload{.bytes = size, .resumed = size};
  }

  // The first byte to request: 0 unless the existing bytes can be continued.
  void find_start() {
    const auto record = read_record(record_file_);
    struct stat facts{};
    if (!record || ::fstat(file_.get(), &facts) != 0) return;
    const bool moved = record->url != url_;
    if (moved && (!options_.links_change || record->etag.empty() || record->validator() != record->etag)) return;
    const bool whole = facts.st_size == record->size;
    if (!whole && (record->validator().empty() || (record->size != kUnknown && facts.st_size > record->size))) return;
    record_ = *record;
    start_ = facts.st_size;
  }

  Result<Download> ask() {
    at_ = start_;
    Exchange exchange{
        .on_answer = [this](const Answer& answer) { return look_at(answer); },
        .sink = [this](std::string_view bytes) { return store(bytes); },
        .max_bytes = options_.max_file_bytes,
        .timeout = options_.file_timeout,
        .too_large = too_large_text(),
        .late = "the next call goes on from there; raise http.file_timeout if so long is expected",
    };
    if (start_ > 0) {
      exchange.headers = {"Range: bytes=" + std::to_string(start_) + "-", "If-Range: " + record_.validator()};
    }
    auto got = transfer(url_, exchange, options_);
    if (got || passed_limit_ || start_over_) {
      if (passed_limit_) return fail(error(Code::too_large, too_large_text()));
      return got;
    }
    if (got.error().code == Code::unavailable && at_ > 0 && !record_.validator().empty()) {
      return fail(Code::unavailable, got.error().message + " (" + std::to_string(at_) +
                                         " bytes are kept; the next call goes on from there)");
    }
    return got;
  }

  Result<void> look_at(const Answer& answer) {
    status_ = static_cast<int>(answer.status);
    const bool out_of_range = start_ > 0 && answer.status == 416;
    if (!out_of_range && (answer.status < 200 || answer.status >= 300)) return {};  // transfer() refuses it
    if (::strncasecmp(answer.header("content-type").c_str(), "text/html", 9) == 0)
      return fail(error(Code::unsupported, "the server sent a web page (text/html) instead of the file"));
    if (start_ > 0 && answer.status != 200) {
      if (continues(answer)) return {};
      start_over_ = true;
      return fail(error(Code::unavailable, "the server cannot continue the download"));
    }
    if (answer.status != 200)
      return fail(error(Code::unavailable, "the server sent a part of the file that nobody asked for"));
    return begin_anew(answer);
  }

  // Whether the response's body continues the existing bytes.
  [[nodiscard]] bool continues(const Answer& answer) {
    const auto range = parse_content_range(answer.header("content-range"));
    if (answer.status != 206 || !is_plain(answer) || !range || range->first != start_) return false;
    if (record_.size != kUnknown && range->size != kUnknown && range->size != record_.size) return false;
    const std::string etag = answer.header("etag");
    return etag.empty() || record_.etag.empty() || etag == record_.etag;
  }

  // The whole file arrives. First removes the old bytes, then writes the new record: a record never coexists with bytes
  // of another version.
  Result<void> begin_anew(const Answer& answer) {
    std::string length = answer.header("content-length");
    std::string_view digits(length);
    record_ = PartialDownload();
    record_.url = url_;
    if (is_plain(answer)) {  // a compressed body has no known size and is never continued
      record_.etag = answer.header("etag");
      record_.last_modified = answer.header("last-modified");
      record_.size = take_number(digits);
    }
    if (record_.size > options_.max_file_bytes) return fail(error(Code::too_large, too_large_text()));
    fs::remove(path_);
    if (::ftruncate(file_.get(), 0) != 0 || ::fsync(file_.get()) != 0) return fail(not_stored("cannot empty"));
    write_record(record_file_, record_);
    start_ = at_ = 0;
    return {};
  }

  bool store(std::string_view bytes) {
    const auto size = static_cast<std::int64_t>(bytes.size());
    if (size > options_.max_file_bytes - at_) {
      passed_limit_ = true;
      return false;
    }
    while (!bytes.empty()) {
      const auto put = ::pwrite(file_.get(), bytes.data(), bytes.size(), at_);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
      at_ += put;
    }
    if (on_bytes_) on_bytes_(at_, record_.size == kUnknown ? 0 : record_.size);
    return true;
  }

  Result<FileDownload> finish() {
    struct stat facts{};
    if (::fstat(file_.get(), &facts) != 0 || ::fsync(file_.get()) != 0) return fail(not_stored("cannot store"));
    if (record_.size != kUnknown && facts.st_size != record_.size) {
      return fail(error(Code::unavailable, "ended after " + std::to_string(facts.st_size) + " of " +
                                               std::to_string(record_.size) +
                                               " bytes; the next call goes on from there"));
    }
    rename_durably(part_, path_);
    return FileDownload{.bytes = facts.st_size, .resumed = start_};
  }

  [[nodiscard]] std::string too_large_text() const {
    return "is larger than " + std::to_string(options_.max_file_bytes) +
           " bytes; raise http.max_file_bytes if that is expected";
  }

  const std::string& url_;
  fs::path path_, part_, record_file_;
  const ClientOptions& options_;
  const OnBytes& on_bytes_;
  int& status_;
  Descriptor file_;
  PartialDownload record_;
  std::int64_t start_ = 0;  // bytes that are not requested
  std::int64_t at_ = 0;     // offset of the next byte
  bool start_over_ = false, passed_limit_ = false;
};

}  // namespace

Result<FileDownload> download_to_file(const std::string& url, const fs::path& path, const ClientOptions& options,
                                      const OnBytes& on_bytes, int* status) {
  int unasked = 0;
  int& answered = status != nullptr ? *status : unasked;
  answered = 0;
  return FileDownloader(url, path, options, on_bytes, answered).run();
}

void remove_download(const fs::path& path) {
  for (const char* ending : {".json", ".part", ""}) fs::remove(with_ending(path, ending));
}

}  // namespace reeltag::http
