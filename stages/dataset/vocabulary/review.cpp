#include "reeltag/dataset/review.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "vocabulary/counts.hpp"
#include "vocabulary/generic.hpp"
#include "vocabulary/merges.hpp"

namespace reeltag::dataset {
namespace {

std::size_t at_hashtag(int i) { return static_cast<std::size_t>(i); }

void check_review(const ReviewOptions& o) {
  const auto wrong = [](const std::string& what) { throw Exception(Code::invalid_argument, "vocabulary: " + what); };
  if (o.labels != "multi" && o.labels != "single") wrong("labels is multi or single, not " + o.labels);
  if (o.min_support < 1 || o.min_groups < 1 || o.max_hashtags < 1)
    wrong("min_support, min_groups and max_hashtags are at least 1");
  if (!(o.generic_share >= 0.0 && o.generic_share <= 1.0)) wrong("generic_share lies between 0 and 1");
  if (!(o.generic_bits >= 0.0)) wrong("generic_bits is not negative");
}

class Reviewer {
 public:
  Reviewer(std::span<const TypedHashtags> rows, const ReviewOptions& options, const Decisions& decided)
      : counts_(rows, known(decided)), options_(options), decided_(decided), into_(counts_.names.size()) {
    std::iota(into_.begin(), into_.end(), 0);
    for (const auto& name : decided.vocabulary) note(name, kept_);
    for (const auto& [spelling, name] : decided.spellings) {
      note(spelling, kept_);
      note(name, kept_);
    }
    for (const auto& name : decided.out) note(name, out_);
  }

  Review run() {
    found_.videos = static_cast<std::int64_t>(counts_.videos.size());
    found_.tagged = counts_.tagged;
    found_.distinct = static_cast<std::int64_t>(counts_.supported(1));
    generic_ = find_generic(counts_, options_, kept_);
    found_.usual_company = generic_.usual_company;
    leave_out();
    merge();
    choose();
    return std::move(found_);
  }

 private:
  static std::set<std::string> known(const Decisions& decided) {
    std::set<std::string> names(decided.vocabulary.begin(), decided.vocabulary.end());
    for (const auto& one : decided.spellings) names.insert({one.first, one.second});
    return names;
  }
  void note(const std::string& name, std::set<int>& where) const {
    if (const int h = counts_.find(name); h >= 0) where.insert(h);
  }
  [[nodiscard]] Companionship companionship(int h) const {
    return at_hashtag(h) < generic_.companionship.size() ? generic_.companionship[at_hashtag(h)] : Companionship{};
  }

  void leave_out() {
    for (int h = 0; h < static_cast<int>(counts_.names.size()); ++h) {
      const bool by_hand = out_.contains(h);
      if (!by_hand && !generic_.has(h)) continue;
      out_.insert(h);
      if (!by_hand && counts_.support(h) < options_.min_support) continue;  // rare as well as generic: not listed
      const std::string& name = counts_.names[at_hashtag(h)];
      ExcludedHashtag left{
          .hashtag = name, .videos = counts_.support(h), .companionship = companionship(h), .reason = {}};
      left.reason = !by_hand                      ? generic_.reason[at_hashtag(h)]
                    : decided_.out.contains(name) ? "decided"
                                                  : "a vocabulary file cannot hold this text";
      (by_hand ? found_.blocked : found_.generic).push_back(std::move(left));
    }
  }

  void merge() {
    std::set<int> fixed = out_;
    fixed.insert(kept_.begin(), kept_.end());
    auto merges = find_merges(counts_, options_, fixed);
    for (const auto& [spelling, hashtag] : merges.into) into_[at_hashtag(spelling)] = hashtag;
    for (auto& one : merges.done) {
      one.into = counts_.names[at_hashtag(into_[at_hashtag(counts_.find(one.hashtag))])];  // resolves chains of merges
      found_.merges.push_back(std::move(one));
    }
    found_.suggested = std::move(merges.suggested);
    for (const auto& [spelling, name] : decided_.spellings) {
      const int from = counts_.find(spelling), into = counts_.find(name);
      into_[at_hashtag(from)] = into;
      const auto both = common(counts_.having[at_hashtag(from)], counts_.having[at_hashtag(into)]);
      found_.merges.push_back({.hashtag = spelling,
                               .into = name,
                               .videos = counts_.support(from),
                               .together = static_cast<std::int64_t>(both.size()),
                               .likeness = 0.0,
                               .reason = "decided"});
    }
  }

  // Videos of each hashtag that is not a spelling, in the label mode.
  [[nodiscard]] std::vector<std::vector<int>> carriers() const {
    std::vector<std::vector<int>> having(counts_.names.size());
    for (int video = 0; video < static_cast<int>(counts_.videos.size()); ++video) {
      for (const int typed : counts_.videos[at_hashtag(video)]) {
        if (out_.contains(typed)) continue;
        auto& mine = having[at_hashtag(into_[at_hashtag(typed)])];
        if (mine.empty() || mine.back() != video) mine.push_back(video);
        if (options_.labels == "single") break;
      }
    }
    return having;
  }

  void choose() {
    const auto having = carriers();
    std::map<int, std::vector<std::string>> spellings;
    for (int h = 0; h < static_cast<int>(into_.size()); ++h) {
      if (into_[at_hashtag(h)] != h) spellings[into_[at_hashtag(h)]].push_back(counts_.names[at_hashtag(h)]);
    }
    std::vector<VocabularyEntry> found;
    const std::set<std::string> decided(decided_.vocabulary.begin(), decided_.vocabulary.end());
    for (int h = 0; h < static_cast<int>(into_.size()); ++h) {
      if (into_[at_hashtag(h)] != h || out_.contains(h) || decided.contains(counts_.names[at_hashtag(h)])) continue;
      auto kept = kept_of(h, having[at_hashtag(h)], spellings);
      if (kept.videos >= options_.min_support && kept.groups >= options_.min_groups) {
        found.push_back(std::move(kept));
      } else {
        ++found_.rare;
      }
    }
    std::stable_sort(found.begin(), found.end(), [](const VocabularyEntry& a, const VocabularyEntry& b) {
      return a.videos != b.videos ? a.videos > b.videos : a.hashtag < b.hashtag;
    });
    for (const auto& name : decided_.vocabulary) {
      const int h = counts_.find(name);
      if (!having[at_hashtag(h)].empty()) found_.vocabulary.push_back(kept_of(h, having[at_hashtag(h)], spellings));
    }
    for (auto& kept : found) found_.vocabulary.push_back(std::move(kept));
    const auto most = static_cast<std::size_t>(options_.max_hashtags);
    if (found_.vocabulary.size() > most) found_.vocabulary.resize(most);
  }

  VocabularyEntry kept_of(int h, const std::vector<int>& having,
                          std::map<int, std::vector<std::string>>& spellings) const {
    return {.hashtag = counts_.names[at_hashtag(h)],
            .videos = static_cast<std::int64_t>(having.size()),
            .groups = counts_.groups_of(having),
            .spellings = spellings[h],
            .companionship = companionship(h)};
  }

  Counts counts_;
  const ReviewOptions& options_;
  const Decisions& decided_;
  std::vector<int> into_;     // target of each hashtag, usually itself
  std::set<int> kept_, out_;  // by decision; out_ also has the generic ones
  Generic generic_;
  Review found_;
};

}  // namespace

Review review(std::span<const TypedHashtags> rows, const ReviewOptions& options, const Decisions& decided) {
  check_review(options);
  return Reviewer(rows, options, decided).run();
}

}  // namespace reeltag::dataset
