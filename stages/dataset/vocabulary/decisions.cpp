// Reads vocabulary and block files.
#include <algorithm>
#include <sstream>
#include <unordered_set>

#include "reeltag/base/file.hpp"
#include "reeltag/dataset/review.hpp"
#include "reeltag/hashtag.hpp"
#include "vocabulary/vocabulary.hpp"

namespace reeltag::dataset {
namespace {

namespace fs = std::filesystem;

struct Line {
  std::string text;   // without comment
  std::string place;  // "vocabulary.txt:12"
};

[[noreturn]] void wrong(const Line& line, const std::string& what) {
  throw Exception(Code::invalid_config, line.place + " " + what);
}

// The lines that are neither empty nor comments.
std::vector<Line> decision_lines(const fs::path& file) {
  constexpr std::int64_t kMax = 64LL << 20;
  std::istringstream in(value_or_throw(read_file(file, kMax)));
  std::vector<Line> lines;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    if (++number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (line.ends_with('\r')) line.pop_back();
    for (const char* comment : {" #", "\t#"}) line.resize(std::min(line.size(), line.find(comment)));
    if (line.starts_with('#') || line.find_first_not_of(" \t") == std::string::npos) continue;
    lines.push_back({line, file.string() + ":" + std::to_string(number)});
  }
  return lines;
}

std::string hashtag_of(const Line& line, std::string_view text) {
  auto hashtag = hashtag::normalize(text);
  if (hashtag.empty()) wrong(line, "is no hashtag");
  return hashtag;
}

class Reader {
 public:
  void read(const Line& line) {
    const auto start = line.text.find_first_not_of(" \t"), last = line.text.find_last_not_of(" \t");
    const std::string_view text = std::string_view(line.text).substr(start, last + 1 - start);
    if (text.starts_with("- ")) {
      add_out(line, hashtag_of(line, text.substr(2)));
      return;
    }
    const auto equals = text.find(" = ");
    const auto hashtag = hashtag_of(line, text.substr(0, equals));
    if (decided_.out.contains(hashtag)) wrong(line, "keeps #" + hashtag + ", which another line puts out");
    if (decided_.spellings.contains(hashtag)) wrong(line, "keeps #" + hashtag + ", a spelling of another hashtag");
    if (listed_.insert(hashtag).second) decided_.vocabulary.push_back(hashtag);
    if (equals == std::string_view::npos) return;
    std::istringstream rest{std::string(text.substr(equals + 3))};
    for (std::string spelling; std::getline(rest, spelling, ',');)
      add_spelling(line, hashtag_of(line, spelling), hashtag);
  }
  Decisions take() { return std::move(decided_); }

 private:
  void add_out(const Line& line, const std::string& hashtag) {
    if (listed_.contains(hashtag) || decided_.spellings.contains(hashtag))
      wrong(line, "puts #" + hashtag + " out, which another line keeps");
    decided_.out.insert(hashtag);
  }
  void add_spelling(const Line& line, const std::string& spelling, const std::string& hashtag) {
    if (spelling == hashtag) return;
    if (listed_.contains(spelling)) wrong(line, "makes #" + spelling + " a spelling, which has a line of its own");
    if (decided_.out.contains(spelling)) wrong(line, "keeps #" + spelling + ", which another line puts out");
    const auto& known = decided_.spellings.emplace(spelling, hashtag).first->second;
    if (known != hashtag) wrong(line, "makes #" + spelling + " a spelling of #" + hashtag + " and of #" + known);
  }

  Decisions decided_;
  std::unordered_set<std::string> listed_;
};

}  // namespace

Decisions read_decisions(const fs::path& file) {
  Reader reader;
  for (const auto& line : decision_lines(file)) reader.read(line);
  return reader.take();
}

std::vector<std::string> read_hashtags(const fs::path& file) {
  std::vector<std::string> hashtags;
  std::unordered_set<std::string> seen;
  for (const auto& line : decision_lines(file)) {
    auto hashtag = hashtag_of(line, line.text);
    if (seen.insert(hashtag).second) hashtags.push_back(std::move(hashtag));
  }
  if (hashtags.empty()) {
    throw Exception(Code::invalid_config,
                    file.string() + " names no hashtag: write one on each line, without '#' (that begins a comment)");
  }
  return hashtags;
}

}  // namespace reeltag::dataset
