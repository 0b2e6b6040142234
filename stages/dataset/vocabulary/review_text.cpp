#include "vocabulary/review_text.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "reeltag/base/json.hpp"
#include "reeltag/dataset/review.hpp"

namespace reeltag::dataset {
namespace {

using nlohmann::json;

constexpr std::size_t kColumn = 40;  // start of comments
constexpr const char* kHead =
    "# A vocabulary to look over: change it, then freeze by it (reeltag dataset freeze --vocabulary THIS_FILE).\n"
    "#   tennis              a hashtag that a model shall learn\n"
    "#   color = colour      the same, with other spellings of it, separated by commas\n"
    "#   - fyp               out\n"
    "#   \"rock, paper\"       quotes for a hashtag with a comma, \" = \" or \" #\" in it\n"
    "# The order is that of the model's outputs. What follows '#' is a comment.\n";

// Number of code points: approximately the columns of an editor.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string line(std::string text, const std::string& comment) {
  text.resize(text.size() + (width(text) < kColumn ? kColumn - width(text) : 0), ' ');
  return text + "  # " + comment + "\n";
}

std::string count_text(std::int64_t n, const std::string& one) {
  return std::to_string(n) + " " + one + (n == 1 ? "" : "s");
}

double rounded(double value) { return std::round(value * 1000.0) / 1000.0; }

json json_of(const Companionship& s) {
  return {{"companions", s.companions},
          {"bits", rounded(s.bits)},
          {"chance", rounded(s.chance)},
          {"accompanied", rounded(s.accompanied)},
          {"company", rounded(s.company)}};
}

json json_of(const std::vector<ExcludedHashtag>& list) {
  auto result = json::array();
  for (const auto& one : list) {
    result.push_back({{"hashtag", one.hashtag},
                      {"videos", one.videos},
                      {"saying", json_of(one.companionship)},
                      {"reason", one.reason}});
  }
  return result;
}

json json_of(const std::vector<Merge>& list) {
  auto result = json::array();
  for (const auto& one : list) {
    result.push_back({{"hashtag", one.hashtag},
                      {"into", one.into},
                      {"videos", one.videos},
                      {"together", one.together},
                      {"likeness", rounded(one.likeness)},
                      {"reason", one.reason}});
  }
  return result;
}

std::string kept_text(const Review& found) {
  std::map<std::string, const Merge*> why;
  for (const auto& merge : found.merges) why.emplace(merge.hashtag, &merge);
  std::string text;
  for (const auto& one : found.vocabulary) {
    std::string left = vocabulary_word(one.hashtag), reasons;
    const auto alone = left.size();
    for (const auto& spelling : one.spellings) {
      left += (left.size() == alone ? " = " : ", ") + vocabulary_word(spelling);
      const auto merge = why.find(spelling);
      if (merge == why.end()) continue;
      reasons += "; " + spelling + " (" + std::to_string(merge->second->videos) + "): " + merge->second->reason;
    }
    text += line(left, count_text(one.videos, "video") + " of " + count_text(one.groups, "group") + reasons);
  }
  return text;
}

std::string left_text(const std::string& title, const std::vector<ExcludedHashtag>& list) {
  std::string text;
  for (const auto& one : list) {
    text += line("- " + vocabulary_word(one.hashtag), count_text(one.videos, "video") + "; " + one.reason);
  }
  return text.empty() ? "" : "\n# " + title + "\n" + text;
}

}  // namespace

std::string vocabulary_word(std::string_view hashtag) {
  const auto has = [&](std::string_view text) { return hashtag.find(text) != std::string_view::npos; };
  const bool plain = hashtag != "-" && !hashtag.starts_with("- ") && !hashtag.starts_with('#') && !has("\"") &&
                     !has(",") && !has(" =") && !has(" #");
  if (plain) return std::string(hashtag);
  std::string word = "\"";
  for (const char c : hashtag) {
    if (c == '"' || c == '\\') word += '\\';
    word += c;
  }
  return word + "\"";
}

std::string review_text(const Review& found) {
  std::string text = kHead;
  text += "# Found in " + count_text(found.videos, "video") + ", " + std::to_string(found.tagged) +
          " of them with one of " + count_text(found.distinct, "hashtag") + ": " +
          std::to_string(found.vocabulary.size()) + " to learn, " + std::to_string(found.generic.size()) +
          " generic, " + std::to_string(found.merges.size()) + " merged, " + std::to_string(found.rare) +
          " too rare.\n\n";
  text += kept_text(found);
  text += left_text("Generic: they stand everywhere and say little. To keep one, take its \"- \" away.", found.generic);
  text += left_text("Out by decision.", found.blocked);
  if (!found.suggested.empty()) {
    text += "\n# Perhaps the same, but the data does not bear it out. To merge, join the two lines as these show.\n";
    for (const auto& one : found.suggested)
      text += line("# " + vocabulary_word(one.into) + " = " + vocabulary_word(one.hashtag),
                   count_text(one.videos, "video") + "; " + one.reason);
  }
  return text;
}

std::string to_json(const Review& found) {
  auto vocabulary = json::array();
  for (const auto& one : found.vocabulary) {
    vocabulary.push_back({{"hashtag", one.hashtag},
                          {"videos", one.videos},
                          {"groups", one.groups},
                          {"spellings", one.spellings},
                          {"saying", json_of(one.companionship)}});
  }
  return dump_json({{"videos", found.videos},
                    {"tagged", found.tagged},
                    {"distinct", found.distinct},
                    {"usual_company", rounded(found.usual_company)},
                    {"vocabulary", std::move(vocabulary)},
                    {"generic", json_of(found.generic)},
                    {"blocked", json_of(found.blocked)},
                    {"merges", json_of(found.merges)},
                    {"suggested", json_of(found.suggested)},
                    {"rare", found.rare}});
}

}  // namespace reeltag::dataset
