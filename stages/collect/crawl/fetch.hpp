// The bytes of one item: fetched to a file of the home that goes on where it ended, checked as import checks, stored.
// One thread. What goes wrong is an outcome; a lost store or disk throws Exception, and so does a stop (interrupted).
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
  Outcome outcome = Outcome::added;  // where nothing is stored: why
  std::string why = {};
  bool again = false;  // another try may help
};

class Fetcher {
 public:
  // options: max_file_bytes and file_timeout are those of one video.
  Fetcher(std::filesystem::path folder, http::ClientOptions options, const media::Limits& limits,
          catalog::Catalog& catalog, store::Store& store);

  // A whole file that an earlier run left is not fetched again, wherever it is said to be now.
  // headers go along with the request.
  FetchResult get(const std::string& id, const std::string& url, const std::vector<std::string>& headers = {});
  // Removes the file, good or bad, when the catalog knows what became of it.
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
