// What every command shares: where the home is, the configuration, how to print. Made once by main.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/catalog.hpp"
#include "reeltag/collection.hpp"
#include "reeltag/http.hpp"
#include "reeltag/index.hpp"
#include "reeltag/media.hpp"
#include "reeltag/retention.hpp"
#include "reeltag/serve.hpp"
#include "reeltag/store.hpp"
#include "reeltag/tag.hpp"
#include "reeltag/train.hpp"
#include "reeltag/untrusted.hpp"

namespace reeltag::app {

struct Location {
  std::string_view meaning;
  std::string url = {};  // empty: below the home
};
template <class V>
void visit(V& v, Location& p) {
  v("url", p.url, p.meaning);
}

struct Config {
  store::Options store;
  Location catalog{
      .meaning = "Where the catalog is: a file, or postgresql://USER@HOST:PORT/DATABASE; empty for HOME/catalog.db"};
  Location index{.meaning = "Where the index is: a file; empty for HOME/index/index.db"};
  media::Limits media;
  http::ClientOptions http;
  train::TrainConfig train;
  tag::TagConfig tag;
  collect::CollectConfig collect;
  serve::ServeConfig serve;
};
template <class V>
void visit(V& v, Config& c) {
  v.section("store", c.store);
  v.section("catalog", c.catalog);
  v.section("index", c.index);
  v.section("media", c.media);
  v.section("http", c.http);
  v.section("train", c.train);
  v.section("tag", c.tag);
  v.section("collect", c.collect);
  v.section("serve", c.serve);
}

struct Context {
  std::filesystem::path home_option, config_option;  // as given; empty: the defaults
  std::vector<std::string> sets;
  bool json = false, quiet = false, verbose = false;
  int status = 0;  // 3 when the command finished and some items failed

  // After parsing: applies the log options, makes the home (mode 0700, or mends it) and reads the configuration. Throws
  // for a bad one.
  void start();

  [[nodiscard]] const std::filesystem::path& home() const { return home_; }
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] std::vector<config::Entry> show_config() const { return config::show(values_, config_); }

  std::unique_ptr<store::Store> open_store() const;
  // Another place, with the configured limits and cache; an empty URL: below the home.
  std::unique_ptr<store::Store> open_store(const std::string& url) const;
  [[nodiscard]] store::Options store_options(const std::string& url) const;
  // For ingest::fetch_url, ingest::ObjectFetcher and ingest::read_standard_input.
  [[nodiscard]] ingest::FetchOptions fetch_options() const;
  [[nodiscard]] retention::Home retained_home() const;
  [[nodiscard]] std::string catalog_location() const;
  std::unique_ptr<catalog::Catalog> open_catalog() const;
  catalog::TombstoneSet tombstones() const { return open_catalog()->tombstones.all(); }
  std::unique_ptr<index::Index> open_index(index::Missing missing) const;

  // One item that failed: a line on stderr, and status 3 at the end. kind: what the JSON line calls it.
  void item_failed(const std::string& item, const Error& error, const char* kind = "video");

 private:
  std::filesystem::path home_;
  Config config_;
  config::Values values_;
};

// Whether other users of this machine may enter or read the folder.
bool is_open_to_others(const std::filesystem::path& folder);

// The result on stdout, one line.
void print(const std::string& line);

// A model by what people call it, as registry::find_model reads it; empty: the champion, else the starter.
std::filesystem::path find_model(const std::filesystem::path& home, const std::string& name);
std::filesystem::path models_folder();

// The folder of a run. Throws invalid_argument for what is no name but a path, which would lead out of the home.
std::filesystem::path run_folder(const std::filesystem::path& home, const std::string& name);

}  // namespace reeltag::app
