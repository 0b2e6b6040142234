#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "import/info_json.hpp"
#include "import/manifest.hpp"
#include "import/path_list.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/hashtag.hpp"
#include "reeltag/media/file_types.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;

// Read instead of the folder that has one, the first of them.
constexpr std::array<std::string_view, 5> kManifests{"manifest.jsonl", "manifest.csv", "manifest.tsv", "metadata.jsonl",
                                                     "metadata.csv"};

// The direct entries of a folder, sorted by name, without those of the system and of yt-dlp.
std::vector<fs::directory_entry> sorted_entries(const fs::path& folder, ImportList& list) {
  std::error_code error;
  std::vector<fs::directory_entry> result;
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    if (!media::is_system_name(it->path().filename().string())) result.push_back(*it);
  }
  if (error)
    throw Exception(Code::permission_denied, "cannot read the folder " + folder.string() + ": " + error.message());
  std::sort(result.begin(), result.end());
  for (auto& companion : drop_companions(result)) list.passed_over.push_back(companion.string());
  return result;
}

// The entry of a video file with its info file, or of an info file without a video.
Entry entry_of_file(const fs::path& file, const std::vector<std::string>& hashtags) {
  Candidate c;
  c.file = file;
  c.hashtags = hashtags;
  const auto info = is_info_json(file) ? std::optional(file) : info_json_of(file);
  if (!info) return {file.string(), std::move(c)};
  if (is_info_json(file)) c.file = video_of_info(file);
  const auto path = c.file.empty() ? file.string() : c.file.string();
  if (auto read = read_info_json(*info, c); !read) return {path, tl::unexpected(read.error())};
  return {path, std::move(c)};
}

// Lists the videos below a folder, with the labels that the folders' names give.
class FolderList {
 public:
  FolderList(LabelsFrom labels_from, ImportList& list) : labels_from_(labels_from), list_(list) {}

  // Files beside the label folders have no label.
  void add_label_folders(const fs::path& folder, const std::string& source) {
    for (const auto& entry : sorted_entries(folder, list_)) {
      if (entry.is_directory()) {
        add_below(entry.path(), entry.path().filename().string(), source);
      } else {
        add_file(entry.path(), {}, source);
      }
    }
  }
  void add_file(const fs::path& file, const std::string& label, const std::string& source) {
    std::vector<std::string> hashtags;
    if (labels_from_ != LabelsFrom::none) hashtags = hashtag::normalize_all({&label, 1});
    auto entry = entry_of_file(file, hashtags);
    if (entry.candidate) {
      entry.candidate->source = source;
      entry.candidate->may_be_other = !media::has_video_ending(file) && !is_info_json(file);
    }
    labels_.insert(hashtags.begin(), hashtags.end());
    list_.entries.push_back(std::move(entry));
  }
  [[nodiscard]] const std::set<std::string>& labels() const { return labels_; }

 private:
  // Does not follow links to folders below the named folder: they may form a cycle.
  void add_below(const fs::path& folder, const std::string& label, const std::string& source) {
    for (const auto& entry : sorted_entries(folder, list_)) {
      if (entry.is_directory() && !entry.is_symlink()) {
        const auto name = entry.path().filename().string();
        add_below(entry.path(), labels_from_ == LabelsFrom::parent ? name : label, source);
      } else if (!entry.is_directory()) {
        add_file(entry.path(), label, source);
      }
    }
  }
  LabelsFrom labels_from_;
  ImportList& list_;
  std::set<std::string> labels_;
};

struct Content {
  std::vector<fs::path> folders, files;  // sorted, without those of the system
};

Content content_of(const fs::path& folder) {
  Content content;
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    if (media::is_system_name(it->path().filename().string())) continue;
    (it->is_directory(error) ? content.folders : content.files).push_back(it->path());
  }
  std::sort(content.folders.begin(), content.folders.end());
  std::sort(content.files.begin(), content.files.end());
  return content;
}

std::optional<fs::path> manifest_in(const Content& content) {
  for (const auto name : kManifests) {
    for (const auto& file : content.files) {
      auto lower = file.filename().string();
      std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
      if (lower == name) return file;
    }
  }
  return std::nullopt;
}

// train.csv, val.txt, ...: the lists of a set in PySlowFast's form; empty without one for train.
std::vector<fs::path> split_lists_in(const Content& content) {
  std::vector<fs::path> lists;
  bool train = false;
  for (const auto& file : content.files) {
    const auto split = split_of(file.stem().string());
    if (!split || !is_manifest(file)) continue;
    lists.push_back(file);
    train = train || *split == "train";
  }
  return train ? lists : std::vector<fs::path>();
}

// Whether the folder's sub-folders are the splits of a set: all have such names, one of them is train's, and there are
// labels or several splits; a label may be called "training".
bool has_split_folders(const Content& content) {
  if (content.folders.empty()) return false;
  bool train = false;
  for (const auto& folder : content.folders) {
    const auto split = split_of(folder.filename().string());
    if (!split) return false;
    train = train || *split == "train";
  }
  return train && (content.folders.size() > 1 || !content_of(content.folders.front()).folders.empty());
}

bool wraps_one(const Content& content) {
  return content.folders.size() == 1 && content.files.empty() && !has_split_folders(content);
}

// Whether a folder is a set, or wraps one: it has a manifest, splits, or several folders and no files. A folder with
// videos is a label.
bool is_set(const Content& content) {
  if (manifest_in(content)) return true;
  if (!content.files.empty()) return false;
  if (content.folders.size() > 1 || has_split_folders(content)) return true;
  return wraps_one(content) && is_set(content_of(content.folders.front()));
}

// Looks through folders that only wrap one.
fs::path look_through(fs::path folder) {
  for (auto content = content_of(folder); wraps_one(content); content = content_of(folder)) {
    if (!is_set(content_of(content.folders.front()))) break;
    folder = content.folders.front();
  }
  return folder;
}

// The videos of a folder that its manifest does not name.
void add_unnamed(const fs::path& folder, ImportList& list) {
  std::set<fs::path> named;
  for (const auto& entry : list.entries) {
    if (entry.candidate && !entry.candidate->file.empty())
      named.insert(fs::absolute(entry.candidate->file).lexically_normal());
  }
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
  std::vector<std::string> unnamed;
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (media::is_system_name(it->path().filename().string())) {
      if (it->is_directory(error)) it.disable_recursion_pending();
      continue;
    }
    const bool video = media::has_video_ending(it->path()) && !it->is_directory(error);
    if (video && !named.contains(fs::absolute(it->path()).lexically_normal())) unnamed.push_back(it->path().string());
  }
  std::sort(unnamed.begin(), unnamed.end());
  list.passed_over.insert(list.passed_over.end(), unnamed.begin(), unnamed.end());
}

void append(ImportList more, const std::string& source, ImportList& list) {
  for (auto& entry : more.entries) {
    if (!source.empty() && entry.candidate && entry.candidate->source.empty()) entry.candidate->source = source;
    list.entries.push_back(std::move(entry));
  }
  list.passed_over.insert(list.passed_over.end(), more.passed_over.begin(), more.passed_over.end());
  list.notes.insert(list.notes.end(), more.notes.begin(), more.notes.end());
}

std::string comma_list(const auto& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

void note_labels(const std::set<std::string>& labels, const std::string& where, ImportList& list) {
  if (labels.empty()) return;
  constexpr std::size_t kShown = 5;
  std::vector<std::string> shown(labels.begin(), std::next(labels.begin(), std::min(labels.size(), kShown)));
  if (labels.size() > kShown) shown.emplace_back("...");
  const std::string classes = labels.size() == 1 ? " class" : " classes";
  list.notes.push_back(std::to_string(labels.size()) + classes + " from sub-folders of " + where + ": " +
                       comma_list(shown) + "; --labels-from chooses otherwise");
}

// Files beside the split folders have neither a source nor a label of their own.
ImportList list_split_folders(const fs::path& set, const Content& content, const ListOptions& options) {
  ImportList list;
  FolderList folders(options.labels_from, list);
  std::vector<std::string> names;
  for (const auto& folder : content.folders) {
    const auto source = *split_of(folder.filename().string());
    names.push_back(folder.filename().string());
    if (const auto manifest = manifest_in(content_of(folder))) {
      append(read_manifest(*manifest, options), source, list);
      add_unnamed(folder, list);
    } else {
      folders.add_label_folders(folder, source);
    }
  }
  for (const auto& entry : sorted_entries(set, list)) {
    if (!entry.is_directory()) folders.add_file(entry.path(), {}, {});
  }
  list.notes.push_back("the folders " + comma_list(names) + " are splits, and the sources of their videos");
  note_labels(folders.labels(), comma_list(names), list);
  return list;
}

ImportList list_folder(const fs::path& named, const ListOptions& options) {
  const bool automatic = options.labels_from == LabelsFrom::automatic;
  const auto folder = automatic ? look_through(named) : named;
  const auto content = content_of(folder);
  ImportList list;
  if (const auto manifest = manifest_in(content)) {
    list = read_manifest(*manifest, options);
    add_unnamed(folder, list);
    return list;
  }
  if (const auto lists = split_lists_in(content); !lists.empty()) {
    for (const auto& file : lists) append(read_manifest(file, options), *split_of(file.stem().string()), list);
    add_unnamed(folder, list);
    return list;
  }
  if (automatic && has_split_folders(content)) return list_split_folders(folder, content, options);
  FolderList folders(options.labels_from, list);
  folders.add_label_folders(folder, {});
  note_labels(folders.labels(), folder.string(), list);
  return list;
}

// The file's videos if it is a table or a list of paths. A text that is neither is an ordinary file, not a bad
// manifest.
std::optional<ImportList> read_if_manifest(const fs::path& file, const ListOptions& options) {
  if (!is_manifest(file)) return std::nullopt;
  try {
    return read_manifest(file, options);
  } catch (const Exception&) {
    const auto ending = file.extension().string();
    if (ending != ".txt" && ending != ".list") throw;
    return std::nullopt;
  }
}

}  // namespace

bool is_list_name(const fs::path& file) {
  const auto name = file.filename().string();
  const bool manifest = std::find(kManifests.begin(), kManifests.end(), name) != kManifests.end();
  return manifest || is_class_names_file(file) || (split_of(file.stem().string()) && is_manifest(file));
}

ImportList list_path(const fs::path& path, const ListOptions& options) {
  if (path.empty())
    throw Exception(Code::invalid_argument, "import: an empty path; name a folder, a manifest or a video");
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) throw Exception(Code::not_found, "import: " + path.string() + " is not there");
  if (fs::is_directory(status)) {
    auto list = list_folder(path, options);
    if (list.entries.empty()) throw Exception(Code::not_found, "import: " + path.string() + " holds no files");
    return list;
  }
  if (auto manifest = read_if_manifest(path, options)) return std::move(*manifest);
  ImportList list;
  list.entries.push_back(entry_of_file(path, {}));
  return list;
}

}  // namespace reeltag::collect
