// Fetches the bytes of one item into a file of the home, resuming a partial one; validates them as import does and
// stores them. One thread. Refers to limits, catalog and store, which must outlive it. An item's failure is an outcome;
// a lost store or disk throws Exception, and so does a stop (interrupted).
//
//   auto got = fetcher.get(id, url);
//   if (got.stored) ... catalog.record(...); fetcher.forget(id);
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "crawl/source.hpp"
#include "reeltag/http.hpp"
#include "reeltag/ingest.hpp"

namespace reeltag::collect {

struct FetchResult {
  std::optional<ingest::IngestedVideo> stored = {};
  Outcome outcome = Outcome::added;  // if nothing is stored: why
  std::string why = {};
  bool again = false;  // a retry may help
};

class Fetcher {
 public:
  // options: max_file_bytes and file_timeout apply to one video.
  Fetcher(std::filesystem::path folder, http::ClientOptions options, const media::Limits& limits,
          catalog::Catalog& catalog, store::Store& store);

  // A complete file left by an earlier run is not fetched again, even if the url changed. headers are added to the
  // request.
  FetchResult get(const std::string& id, const std::string& url, const std::vector<std::string>& headers = {});
  // Removes the file, valid or not; call it once the catalog has the item's outcome.
  void forget(const std::string& id);
  [[nodiscard]] bool has(const std::string& id) const;

 private:
  [[nodiscard]] std::filesystem::path path_of(const std::string& id) const;
  FetchResult failed(const Error& error, int status, const std::string& url, const http::ClientOptions& options);

  std::filesystem::path folder_;
  http::ClientOptions options_;
  const media::Limits& limits_;
  catalog::Catalog& catalog_;
  store::Store& store_;
};

}  // namespace reeltag::collect
