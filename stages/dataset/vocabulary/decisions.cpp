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

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The place of the quote that closes the one at `at`; npos if there is none.
std::size_t closing_quote(std::string_view text, std::size_t at) {
  for (auto i = at + 1; i < text.size(); ++i) {
    if (text[i] == '"') return i;
    if (text[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

// The end of a word that begins at `at`: of a quoted one behind its closing quote; of another one at a comma, at " = "
// or at a comment. The end of the line if a quote is never closed.
std::size_t word_end(std::string_view text, std::size_t at) {
  if (at < text.size() && text[at] == '"') {
    const auto quote = closing_quote(text, at);
    return quote == std::string_view::npos ? text.size() : quote + 1;
  }
  while (at < text.size()) {
    const auto rest = text.substr(at);
    if (rest.front() == ',' || rest.starts_with(" = ") || rest.starts_with(" #") || rest.starts_with("\t#")) break;
    ++at;
  }
  return at;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// Where the comment begins; a '#' within quotes begins none.
std::size_t comment_of(std::string_view text) {
  auto at = skip_blanks(text, 0);
  if (text.substr(at).starts_with('#')) return at;
  if (text.substr(at).starts_with("- ")) at = skip_blanks(text, at + 2);
  while (at < text.size()) {
    at = word_end(text, at);
    const auto next = skip_blanks(text, at);
    if (next >= text.size() || (text[next] == '#' && next > at)) return at;
    at = skip_blanks(text, next + 1);
  }
  return text.size();
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
    line.resize(comment_of(line));
    while (!line.empty() && is_blank(line.back())) line.pop_back();
    line.erase(0, skip_blanks(line, 0));
    if (line.empty()) continue;
    lines.push_back({line, file.string() + ":" + std::to_string(number)});
  }
  return lines;
}

// A word as it is, or without its quotes.
std::string hashtag_of(const Line& line, std::string_view word) {
  while (!word.empty() && is_blank(word.back())) word.remove_suffix(1);
  std::string text;
  if (word.starts_with('"')) {
    if (closing_quote(word, 0) != word.size() - 1) wrong(line, "has a quote that is never closed, or text behind it");
    for (std::size_t i = 1; i + 1 < word.size(); ++i) {
      if (word[i] == '\\') ++i;
      text += word[i];
    }
  } else {
    text = word;
  }
  auto hashtag = hashtag::normalize(text);
  if (hashtag.empty()) wrong(line, "is no hashtag");
  return hashtag;
}

class Reader {
 public:
  void read(const Line& line) {
    const std::string_view text = line.text;
    if (text.starts_with("- ")) {
      add_out(line, hashtag_of(line, text.substr(skip_blanks(text, 2))));
      return;
    }
    const auto end = first_end(text);
    const auto hashtag = hashtag_of(line, text.substr(0, end));
    if (decided_.out.contains(hashtag)) wrong(line, "keeps #" + hashtag + ", which another line puts out");
    if (decided_.spellings.contains(hashtag)) wrong(line, "keeps #" + hashtag + ", a spelling of another hashtag");
    if (listed_.insert(hashtag).second) decided_.vocabulary.push_back(hashtag);
    for (auto at = end; at < text.size();) {
      const auto begin = skip_blanks(text, at == end ? at + 3 : at + 1);
      at = word_end(text, begin);
      while (at < text.size() && text[at] != ',') ++at;
      add_spelling(line, hashtag_of(line, text.substr(begin, at - begin)), hashtag);
    }
  }
  Decisions take() { return std::move(decided_); }

 private:
  // The end of the line's first word: at " = ". A comma belongs to a plain word here: there is only one.
  static std::size_t first_end(std::string_view text) {
    if (text.starts_with('"')) {
      const auto end = word_end(text, 0);
      return text.substr(end).starts_with(" = ") ? end : text.size();
    }
    return std::min(text.find(" = "), text.size());
  }
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
