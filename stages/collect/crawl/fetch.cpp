#include "crawl/fetch.hpp"

#include <utility>

#include "crawl/challenge.hpp"
#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPageBytes = 1 << 20;  // maximum bytes read of a web page

Outcome outcome_of(Code code) {
  switch (code) {
    case Code::too_large:
      return Outcome::too_large;
    case Code::not_a_video:
      return Outcome::not_a_video;
    case Code::unavailable:  // no sandbox for decoding
      return Outcome::unavailable;
    default:
      return Outcome::decode_failed;
  }
}

bool holds_challenge(const fs::path& file) {
  const auto bytes = read_file(file, kPageBytes);
  return bytes && is_challenge(*bytes);
}

}  // namespace

Fetcher::Fetcher(fs::path folder, http::ClientOptions options, const media::Limits& limits, catalog::Catalog& catalog,
                 store::Store& store)
    : folder_(std::move(folder)), options_(std::move(options)), limits_(limits), catalog_(catalog), store_(store) {
  remove_abandoned_files(folder_);
}

// No extension: the type is detected from the content.
fs::path Fetcher::path_of(const std::string& id) const { return folder_ / download_name(id); }

bool Fetcher::has(const std::string& id) const { return fs::exists(path_of(id)); }

void Fetcher::forget(const std::string& id) { http::remove_download(path_of(id)); }

FetchResult Fetcher::get(const std::string& id, const std::string& url, const std::vector<std::string>& headers) {
  const auto path = path_of(id);
  options_.headers = headers;
  if (!fs::exists(path)) {
    int status = 0;
    auto options = options_;
    options.headers = headers;
    const auto got = http::download_to_file(url, path, options, {}, &status);
    if (!got) return failed(got.error(), status, url, options);
  }
  auto stored = ingest::ingest_file(path, ingest::Origin::untrusted, catalog_, store_, limits_);
  if (stored) return {.stored = std::move(*stored)};
  const auto& error = stored.error();
  if (error.code == Code::interrupted) throw Exception(error);
  FetchResult out{.outcome = outcome_of(error.code), .why = error.message};
  if (out.outcome == Outcome::not_a_video && holds_challenge(path)) {
    out = {.outcome = Outcome::blocked, .why = url + ": a challenge page came in place of the video"};
    forget(id);  // the item may be requested again later
  }
  return out;
}

FetchResult Fetcher::failed(const Error& error, int status, const std::string& url,
                            const http::ClientOptions& options) {
  if (error.code == Code::interrupted) throw Exception(error);
  const bool page = error.code == Code::unsupported && status >= 200 && status < 300;
  if (page || status == 403) {
    // The page's content was not kept: request it again to detect a challenge.
    const auto answer = http::send({.url = url}, options, kPageBytes);
    if (!answer && answer.error().code == Code::interrupted) throw Exception(answer.error());
    if (answer && is_challenge(answer->body)) {
      return {.outcome = Outcome::blocked, .why = url + ": a challenge page came in place of the video"};
    }
    return {.outcome = page ? Outcome::not_a_video : Outcome::link_expired, .why = error.message};
  }
  if (error.code == Code::too_large) {
    return {.outcome = Outcome::too_large, .why = url + ": is larger than collect.max_bytes"};
  }
  if (status == 404 || status == 410) return {.outcome = Outcome::deleted, .why = error.message};
  if (status == 401) return {.outcome = Outcome::private_video, .why = error.message};
  const bool hopeless = status == 0 && error.code != Code::unavailable && error.code != Code::timeout;
  return {.outcome = Outcome::unavailable, .why = error.message, .again = !hopeless};
}

}  // namespace reeltag::collect
