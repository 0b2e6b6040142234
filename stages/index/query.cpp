#include "query.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "loose_spelling.hpp"

namespace reeltag::index {
namespace {

constexpr std::size_t kMaxParts = 32;       // a longer query is a pasted text; 32 fit a mask and bound the time
constexpr std::size_t kMaxTextRun = 4;      // words written as one
constexpr std::size_t kMaxNameRun = 6;      // words of a predicted hashtag
constexpr std::size_t kShortestHalf = 2;    // letters per half when a joined hashtag is split
constexpr std::size_t kMaxTakenApart = 40;  // letters; bounds the time

std::vector<QueryPart> distinct_parts(std::string_view text) {
  std::vector<QueryPart> kept;
  for (auto& part : parts_of(text)) {
    if (kept.size() == kMaxParts) break;
    const bool known = std::any_of(kept.begin(), kept.end(), [&](const QueryPart& k) { return k.words == part.words; });
    if (!known) kept.push_back(std::move(part));
  }
  return kept;
}

std::uint64_t bit(std::size_t part) { return std::uint64_t{1} << part; }

// Adds every split of "playingguitar" into two words.
void take_apart(const std::string& word, std::uint64_t covers, std::vector<Phrase>& phrases) {
  std::vector<std::size_t> letters;  // byte offset of each
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((static_cast<unsigned char>(word[i]) & 0xC0) != 0x80) letters.push_back(i);
  }
  if (letters.size() > kMaxTakenApart) return;
  for (std::size_t n = kShortestHalf; n + kShortestHalf <= letters.size(); ++n) {
    phrases.push_back({.words = {word.substr(0, letters[n]), word.substr(letters[n])}, .covers = covers});
  }
}

}  // namespace

Query parse_query(std::string_view text) {
  const auto parts = distinct_parts(text);
  Query query;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    query.phrases.push_back({.words = parts[i].words, .covers = bit(i)});
    if (parts[i].after_hash && parts[i].kind == Word::Kind::letters) {
      take_apart(parts[i].words.front(), bit(i), query.phrases);
    }
    std::string joined;
    std::uint64_t covers = 0;
    bool letters = true;
    for (std::size_t n = i; n < std::min(parts.size(), i + kMaxNameRun); ++n) {
      joined += parts[n].joined();
      covers |= bit(n);
      letters = letters && parts[n].kind == Word::Kind::letters;
      query.names.push_back(joined);
      // Other kinds are always separate words in texts.
      if (letters && n > i && n < i + kMaxTextRun) query.phrases.push_back({.words = {joined}, .covers = covers});
    }
  }
  for (const auto& part : parts_of(text, Spelling::exact)) {
    if (query.spelled.size() < kMaxParts)
      query.spelled.insert(query.spelled.end(), part.words.begin(), part.words.end());
  }
  std::sort(query.names.begin(), query.names.end());
  query.names.erase(std::unique(query.names.begin(), query.names.end()), query.names.end());
  return query;
}

std::vector<std::pair<std::string, double>> names_of(std::string_view hashtag) {
  const auto parts = parts_of(hashtag);
  std::vector<std::pair<std::string, double>> names;
  const auto add = [&](const std::string& name, double share) {
    const bool known = std::any_of(names.begin(), names.end(), [&](const auto& n) { return n.first == name; });
    if (!known) names.emplace_back(name, share);
  };
  std::string joined;
  for (const auto& part : parts) joined += part.joined();
  if (!joined.empty()) add(joined, 1.0);
  for (const auto& part : parts) add(part.joined(), 1.0 / static_cast<double>(parts.size()));
  return names;
}

std::array<double, 64> weights_of(const PartCounts& found_in, std::int64_t videos) {
  std::array<double, 64> weights{};
  double highest = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (found_in.at(i) == 0) continue;
    const auto count = static_cast<double>(found_in.at(i)), all = static_cast<double>(std::max(videos, found_in.at(i)));
    weights.at(i) = std::log1p((all - count + 0.5) / (count + 0.5));
    highest = std::max(highest, weights.at(i));
  }
  for (auto& weight : weights) weight = highest > 0 ? weight / highest : 0.0;
  return weights;
}

std::vector<std::pair<std::int64_t, double>> Board::best(std::size_t limit, std::span<const double> weights) const {
  std::vector<std::pair<std::int64_t, double>> rows;
  for (const auto& [number, page] : pages_) {
    for (std::size_t i = 0; i < page.size(); ++i) {
      const double score = page[i].score(weights);
      if (score > 0) rows.emplace_back(number * kPageRows + static_cast<std::int64_t>(i), score);
    }
  }
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(std::min(limit, rows.size()));
  std::partial_sort(rows.begin(), middle, rows.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  rows.erase(middle, rows.end());
  return rows;
}

bool holds(const std::vector<Word>& text, std::span<const Phrase> phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [&](const Phrase& phrase) {
    const auto same = [](const Word& word, const std::string& wanted) { return word.text == wanted; };
    return std::search(text.begin(), text.end(), phrase.words.begin(), phrase.words.end(), same) != text.end();
  });
}

int spelled_otherwise(const Query& query, std::string_view caption, std::span<const std::string> typed) {
  auto words = words_of(caption, Spelling::exact);
  auto of_typed = words_of_typed(typed, Spelling::exact);
  std::move(of_typed.begin(), of_typed.end(), std::back_inserter(words));
  return static_cast<int>(std::count_if(query.spelled.begin(), query.spelled.end(), [&](const std::string& wanted) {
    const auto is_same = [&](const Word& word) { return word.text == wanted; };
    if (std::any_of(words.begin(), words.end(), is_same)) return false;
    const auto loose = loose_spelling(wanted);
    return std::any_of(words.begin(), words.end(),
                       [&](const Word& word) { return loose_spelling(word.text) == loose; });
  }));
}

std::vector<Word> words_of_typed(std::span<const std::string> typed, Spelling spelling) {
  std::vector<Word> words;
  for (const auto& hashtag : typed) {
    auto of_one = words_of(hashtag, spelling);
    std::move(of_one.begin(), of_one.end(), std::back_inserter(words));
  }
  return words;
}

std::vector<Segment> united(std::vector<Segment> segments) {
  std::sort(segments.begin(), segments.end(),
            [](const Segment& a, const Segment& b) { return std::pair(a.start, a.end) < std::pair(b.start, b.end); });
  std::vector<Segment> out;
  for (const auto& segment : segments) {
    if (!out.empty() && segment.start <= out.back().end) {
      out.back().end = std::max(out.back().end, segment.end);
    } else {
      out.push_back(segment);
    }
  }
  return out;
}

}  // namespace reeltag::index
