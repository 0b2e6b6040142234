#include "context.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <iostream>

#include <nlohmann/json.hpp>

#include "reeltag/base/log.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/registry.hpp"
#include "terminal.hpp"

namespace reeltag::app {
namespace fs = std::filesystem;

namespace {

fs::path default_home() {
  if (const char* home = std::getenv("REELTAG_HOME"); home != nullptr && *home != '\0') return home;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return fs::path(home) / ".reeltag";
  throw Exception(Code::invalid_argument, "no home folder: set REELTAG_HOME or give --home DIR");
}

// Whether reeltag has kept something in this folder. Any other folder may be a home by mistake: --home /tmp.
bool holds_a_home(const fs::path& folder) {
  static constexpr std::array<const char*, 8> kKept{"catalog.db", "config.yaml", "datasets", "index",
                                                    "models",     "runs",        "store",    "uploads"};
  return std::any_of(kKept.begin(), kKept.end(), [&](const char* name) { return fs::exists(folder / name); });
}

// A home holds other people's videos and the server's secrets: makes it, or keeps it, readable by its user only.
void close_home(const fs::path& home) {
  if (::mkdir(home.c_str(), S_IRWXU) == 0 || !is_open_to_others(home) || !holds_a_home(home)) return;
  struct stat facts{};
  const bool ours = ::stat(home.c_str(), &facts) == 0 && (facts.st_mode & S_ISVTX) == 0;
  if (ours && ::chmod(home.c_str(), facts.st_mode & S_IRWXU) == 0)
    log::info("home_closed", {{"home", home.string()}, {"message", "other users of this machine could enter it"}});
}

}  // namespace

bool is_open_to_others(const fs::path& folder) {
  struct stat facts{};
  return ::stat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

void Context::start() {
  log::configure({.level = quiet ? log::Level::error : verbose ? log::Level::debug : log::Level::info, .json = json});
  if (quiet) Progress::set_mode(Progress::Mode::quiet);
  home_ = fs::absolute(home_option.empty() ? default_home() : home_option);
  close_home(home_);
  if (!config_option.empty()) {
    if (!fs::exists(config_option)) {
      throw Exception(Code::invalid_config, "--config " + config_option.string() + ": there is no such file");
    }
    values_.add_file(config_option);
  } else if (fs::exists(home_ / "config.yaml")) {
    values_.add_file(home_ / "config.yaml");
  }
  for (const auto& assignment : sets) values_.set(assignment);
  config::resolve(values_, config_);
  // Here and not at its opening: a password in it must not be shown, or kept with a run.
  if (!config_.catalog.url.empty()) catalog::check_location(config_.catalog.url);
  if (!config_.store.url.empty()) store::check_url(config_.store.url);  // a secret in it must get nowhere
}

std::unique_ptr<store::Store> Context::open_store() const { return open_store(config_.store.url); }

std::unique_ptr<store::Store> Context::open_store(const std::string& url) const {
  return store::open(store_options(url));
}

store::Options Context::store_options(const std::string& url) const {
  auto options = config_.store;
  options.url = url.empty() ? (home_ / "store").string() : url;
  if (options.cache.empty()) options.cache = home_ / "cache" / "store";
  return options;
}

ingest::FetchOptions Context::fetch_options() const {
  return {.folder = home_,
          .http = config_.http,
          .objects = store_options(config_.store.url),
          .max_bytes = config_.media.max_bytes};
}

retention::Home Context::retained_home() const {
  return {.folder = home_,
          .open_catalog = [this] { return open_catalog(); },
          .open_index = [this] { return open_index(index::Missing::refuse); }};
}

std::string Context::catalog_location() const {
  return config_.catalog.url.empty() ? (home_ / "catalog.db").string() : config_.catalog.url;
}

std::unique_ptr<catalog::Catalog> Context::open_catalog() const {
  fs::create_directories(home_);
  auto catalog = catalog::open(catalog_location());
  if (!catalog->tombstones.pending().empty()) {
    log::warning("forgetting_unfinished",
                 {{"message", "something was forgotten, and not all of it is removed yet: reeltag forget --resume"}});
  }
  return catalog;
}

std::unique_ptr<index::Index> Context::open_index(index::Missing missing) const {
  return index::open(config_.index.url.empty() ? (home_ / "index" / "index.db").string() : config_.index.url, missing);
}

void Context::item_failed(const std::string& item, const Error& error, const char* kind) {
  status = 3;
  if (json) {
    const nlohmann::ordered_json line{{kind, item},
                                      {"error", {{"code", code_name(error.code)}, {"message", error.message}}}};
    std::cerr << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    const bool named = error.message.find(item) != std::string::npos;
    const auto text = (named ? "" : item + ": ") + std::string(code_name(error.code)) + ": " + error.message;
    std::cerr << "failed: " << one_line(text, std::string::npos) << "\n";
  }
}

void print(const std::string& line) {
  std::cout << line << "\n" << std::flush;
  if (!std::cout) throw Exception(Code::unavailable, "cannot write the result to standard output");
}

fs::path run_folder(const fs::path& home, const std::string& name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  constexpr std::size_t kMax = 100;
  if (name.empty() || name.size() > kMax || name.front() == '.' || !std::all_of(name.begin(), name.end(), plain)) {
    throw Exception(
        Code::invalid_argument,
        "'" + name + "' cannot be a run's name: want letters, digits, '-', '_' and '.', at most 100 in all");
  }
  return home / "runs" / name;
}

fs::path models_folder() {
  if (const char* folder = std::getenv("REELTAG_MODELS")) return folder;
  return REELTAG_MODELS_DIR;
}

fs::path find_model(const fs::path& home, const std::string& name) {
  return registry::find_model({.home = home, .shipped = models_folder()}, name);
}

}  // namespace reeltag::app
