#include "import/remote.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPieceBytes = 8LL << 20;
constexpr std::string_view kInfo = ".info.json";

// Whether the error concerns one object only; any other store error ends the run.
bool is_of_one_object(Code code) {
  return code == Code::not_found || code == Code::permission_denied || code == Code::invalid_argument;
}

// Shows the store's addresses instead of the local folder's paths.
ImportList with_remote_paths(ImportList list, const std::shared_ptr<RemoteFolder>& remote) {
  for (auto& path : list.passed_over) path = remote->remote_path(path);
  for (auto& note : list.notes) note = remote->remote_path(note);
  for (auto& entry : list.entries) {
    entry.path = remote->remote_path(entry.path);
    if (entry.candidate) {
      entry.candidate->remote = remote;
    } else {
      entry.candidate.error().message = remote->remote_path(entry.candidate.error().message);
    }
  }
  return list;
}

}  // namespace

RemoteFolder::RemoteFolder(std::unique_ptr<store::Store> store) : store_(std::move(store)) {}

std::string RemoteFolder::remote_path(std::string text) const {
  const auto url = store_->url();
  const auto place = url.substr(0, url.find('?'));
  const auto here = folder_.path().string();
  for (auto at = text.find(here); at != std::string::npos; at = text.find(here, at + place.size())) {
    text.replace(at, here.size(), place);
  }
  return text;
}

void RemoteFolder::fetch(const std::string& key, const fs::path& to) {
  std::ofstream out(to, std::ios::binary);
  const auto size = sizes_.at(key);
  for (std::int64_t at = 0; at < size;) {
    const auto piece = store_->get_range(key, at, std::min(kPieceBytes, size - at));
    if (piece.empty()) break;
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    at += static_cast<std::int64_t>(piece.size());
  }
  out.close();
  if (!out) throw Exception(Code::unavailable, "cannot write " + to.string() + ": is the disk full?");
}

std::vector<Entry> RemoteFolder::lay_out() {
  std::vector<Entry> refused;
  for (const auto& blob : store_->list("")) {
    const auto path = folder_.path() / blob.key;
    std::error_code error;
    if (store::is_key(blob.key)) {
      fs::create_directories(path.parent_path(), error);
      if (!error && std::ofstream(path)) {
        sizes_.emplace(blob.key, blob.size_bytes);
        if (is_list_name(blob.key) || blob.key.ends_with(kInfo)) fetch_in_place(blob.key);
        continue;
      }
    }
    refused.push_back({(folder_.path() / blob.key).string(),
                       fail(Code::unsupported, "the key cannot be a file's name; copy the object to another key")});
  }
  return refused;
}

void RemoteFolder::fetch_in_place(const std::string& key) { fetch(key, folder_.path() / key); }

Result<ingest::IngestedVideo> RemoteFolder::visit(const fs::path& file, const media::Limits& limits,
                                                  const Visit& visit) {
  const auto key = file.lexically_relative(folder_.path()).string();
  const auto found = sizes_.find(key);
  if (found == sizes_.end()) return fail(Code::not_found, remote_path(file.string()) + " is not there");
  if (found->second > limits.max_bytes) {
    return fail(Code::too_large, remote_path(file.string()) + " has " + std::to_string(found->second) +
                                     " bytes; media.max_bytes is " + std::to_string(limits.max_bytes));
  }
  const TemporaryFolder apart(".fetched", folder_.path());
  const auto fetched = apart.path() / file.filename();
  try {
    fetch(key, fetched);
  } catch (const Exception& e) {
    if (!is_of_one_object(e.code())) throw;
    return fail(e.error());
  }
  auto stored = visit(fetched);
  if (stored) return stored;
  auto error = stored.error();
  const auto here = fetched.string();
  if (const auto at = error.message.find(here); at != std::string::npos) {
    error.message.replace(at, here.size(), remote_path(file.string()));
  }
  return fail(std::move(error));
}

ImportList list_remote(const std::string& url, store::Options options, const ListOptions& how) {
  options.url = url;
  auto remote = std::make_shared<RemoteFolder>(store::open(options));
  auto entries = remote->lay_out();
  fs::path named = remote->folder();
  if (entries.empty() && fs::is_empty(named)) {
    // Not a prefix of keys; try it as a key.
    const auto parent = store::parent_of(url);
    if (!parent) throw Exception(Code::not_found, "import: " + remote->remote_path(named.string()) + " holds no files");
    options.url = parent->url;
    remote = std::make_shared<RemoteFolder>(store::open(options));
    remote->lay_out();  // a manifest refers to files beside it
    named = remote->folder() / parent->name;
    if (!fs::is_regular_file(named)) {
      throw Exception(Code::not_found, "import: " + remote->remote_path(named.string()) + " is not there");
    }
    if (is_manifest(parent->name)) remote->fetch_in_place(parent->name);
  }
  auto list = list_path(named, how);
  list.entries.insert(list.entries.begin(), std::move_iterator(entries.begin()), std::move_iterator(entries.end()));
  return with_remote_paths(std::move(list), remote);
}

}  // namespace reeltag::collect
