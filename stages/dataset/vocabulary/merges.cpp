#include "vocabulary/merges.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "vocabulary/spelling.hpp"

namespace reeltag::dataset {
namespace {

constexpr std::int64_t kMinRare = 3;            // videos of a spelling whose merge needs evidence
constexpr std::int64_t kMinVideosTogether = 2;  // groups that use both, for evidence by co-occurrence
constexpr double kLift = 10.0;                  // and this factor above chance
constexpr double kLikeness = 0.3;               // similarity of companions, for evidence by companions
constexpr int kSharedCompanions = 3;            // minimum number of common companions
constexpr std::size_t kMinEditable = 5;         // characters of words that may differ in one letter
constexpr std::size_t kMinJoined = 4;           // bytes left without separators and stretched letters
constexpr double kSame = 0.9, kNearly = 0.5;    // share of the videos with either that have both
constexpr std::int64_t kMinSame = 8;            // such videos, from three groups
constexpr std::size_t kMaxSuggested = 500;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

std::string fixed(double value, int digits) {
  std::array<char, 400> text{};
  return {text.data(),
          std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits).ptr};
}

enum class Kind { joined, accents, pictures, plural, letter };

class Merger {
 public:
  Merger(const Counts& counts, const ReviewOptions& options, const std::set<int>& fixed)
      : counts_(counts), options_(options), fixed_(fixed), supported_(counts.supported(options.min_support)) {
    for (int h = 0; h < counts_.supported(kMinRare); ++h) {
      auto text = code_points(counts_.names[at(h)]);
      if (fixed_.contains(h) || text.size() < kMinEditable) continue;
      for (auto& form : deletions(text)) near_[std::move(form)].push_back(h);
    }
    for (int h = 0; h < counts_.supported(1); ++h) {
      if (fixed_.contains(h)) continue;
      for (auto& form : joined(counts_.names[at(h)])) joined_.emplace(std::move(form), h);
      auto plain = without_accents(counts_.names[at(h)]);
      if (plain != counts_.names[at(h)]) plain_.emplace(std::move(plain), h);
    }
  }

  Merges find() {
    for (int h = 0; h < counts_.supported(1); ++h) {
      if (!fixed_.contains(h)) spellings(h);
    }
    for (int h = 0; h < supported_; ++h) {
      if (!fixed_.contains(h) && !merges_.into.contains(h)) inseparable(h);
    }
    std::stable_sort(merges_.done.begin(), merges_.done.end(),
                     [&](const Merge& a, const Merge& b) { return counts_.find(a.hashtag) < counts_.find(b.hashtag); });
    if (merges_.suggested.size() > kMaxSuggested) merges_.suggested.resize(kMaxSuggested);
    return std::move(merges_);
  }

 private:
  struct Pair {
    int rare, frequent;
    Kind kind;
  };
  struct Evidence {
    std::int64_t together = 0, groups = 0;  // videos with both, their groups
    double lift = 0.0, likeness = 0.0;
    int shared = 0;
  };

  // Hashtags that h may be a spelling of, most certain kind first, then most frequent.
  [[nodiscard]] std::vector<Pair> candidates(int h) const {
    const std::string& name = counts_.names[at(h)];
    std::vector<Pair> pairs;
    const auto add = [&](int other, Kind kind) {
      if (other < 0 || other == h || fixed_.contains(other) || merges_.into.contains(other)) return;
      const int rare = std::max(h, other), frequent = std::min(h, other);
      if (rare == h) pairs.push_back({rare, frequent, kind});
    };
    const auto by_form = [&](const std::unordered_map<std::string, int>& forms, const std::string& form, Kind kind) {
      if (const auto found = forms.find(form); found != forms.end()) add(found->second, kind);
    };
    for (const auto& form : joined(name)) {
      if (form.size() < kMinJoined) continue;
      add(counts_.find(form), Kind::joined);
      by_form(joined_, form, Kind::joined);
    }
    if (name.size() >= kMinJoined) by_form(joined_, name, Kind::joined);
    const auto plain = without_accents(name);
    if (plain != name) add(counts_.find(plain), Kind::accents);
    by_form(plain_, plain, Kind::accents);
    add(counts_.find(undecorated(name)), Kind::pictures);
    plurals(h, add);
    letters(h, add);
    std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
      return a.kind != b.kind ? a.kind < b.kind : a.frequent < b.frequent;
    });
    return pairs;
  }

  template <class Add>
  void plurals(int h, const Add& add) const {
    const std::string& name = counts_.names[at(h)];
    for (const auto& one : singulars(name)) add(counts_.find(one), Kind::plural);
    for (const auto& many : {name + "s", name + "es", name.substr(0, name.size() - 1) + "ies"}) {
      const auto forms = singulars(many);
      if (std::find(forms.begin(), forms.end(), name) != forms.end()) add(counts_.find(many), Kind::plural);
    }
  }

  template <class Add>
  void letters(int h, const Add& add) const {
    const auto text = code_points(counts_.names[at(h)]);
    if (text.size() < kMinEditable || counts_.support(h) < kMinRare) return;
    for (const auto& form : deletions(text)) {
      const auto found = near_.find(form);
      if (found == near_.end()) continue;
      for (const int other : found->second) {
        if (other < h && one_edit(text, code_points(counts_.names[at(other)]))) add(other, Kind::letter);
      }
    }
  }

  // Log of the lift of each companion with support beside h.
  const std::unordered_map<int, double>& profile(int h) {
    const auto [where, fresh] = profiles_.try_emplace(h);
    if (!fresh) return where->second;
    std::unordered_map<int, double>& own = where->second;
    for (const int video : counts_.having[at(h)]) {
      for (const int other : counts_.videos[at(video)]) {
        if (other != h && other < supported_ && !fixed_.contains(other)) own[other] += 1.0;
      }
    }
    for (auto& [other, n] : own) {
      n = std::max(0.0, std::log2(n * static_cast<double>(counts_.tagged) / static_cast<double>(counts_.support(h)) /
                                  static_cast<double>(counts_.support(other))));
    }
    return own;
  }

  Evidence evidence(int a, int b) {
    Evidence e;
    const auto both = common(counts_.having[at(a)], counts_.having[at(b)]);
    e.together = static_cast<std::int64_t>(both.size());
    e.groups = counts_.groups_of(both);
    e.lift = static_cast<double>(e.together) * static_cast<double>(counts_.tagged) /
             static_cast<double>(counts_.support(a)) / static_cast<double>(counts_.support(b));
    const auto &of_a = profile(a), &of_b = profile(b);
    const auto square = [&](const std::unordered_map<int, double>& of) {
      std::vector<double> terms;
      for (const auto& [other, w] : of) {
        if (other != a && other != b) terms.push_back(w * w);
      }
      return sum(terms);
    };
    std::vector<double> terms;
    for (const auto& [other, w] : of_a) {
      const auto found = of_b.find(other);
      if (other != b && found != of_b.end()) terms.push_back(w * found->second);
    }
    e.shared = static_cast<int>(std::count_if(terms.begin(), terms.end(), [](double t) { return t > 0.0; }));
    const double norm = std::sqrt(square(of_a) * square(of_b));
    e.likeness = norm > 0.0 ? sum(terms) / norm : 0.0;
    return e;
  }

  // Sorts first, since hash table order is unspecified.
  static double sum(std::vector<double>& terms) {
    std::sort(terms.begin(), terms.end());
    double total = 0.0;
    for (const double t : terms) total += t;
    return total;
  }

  // The evidence for the merge; empty: none.
  static std::string bears_out(const Evidence& e) {
    if (e.groups >= kMinVideosTogether && e.lift >= kLift) {
      return "together in " + std::to_string(e.together) + " videos, " + fixed(e.lift, 0) + " times what chance gives";
    }
    if (e.likeness >= kLikeness && e.shared >= kSharedCompanions)
      return "their companions are alike, " + fixed(e.likeness, 2);
    return {};
  }

  void spellings(int h) {
    constexpr std::array<const char*, 5> kNames{"separators or stretched letters", "accents", "pictures at the end",
                                                "plural", "one letter"};
    std::optional<Merge> suggestion;
    for (const auto& pair : candidates(h)) {
      const std::string kind = kNames.at(static_cast<std::size_t>(pair.kind));
      if (pair.kind != Kind::joined && counts_.support(h) < kMinRare) continue;
      const auto e = evidence(pair.rare, pair.frequent);
      const auto why = bears_out(e);
      auto merge = made(pair.rare, pair.frequent, e);
      if (pair.kind == Kind::joined || !why.empty()) {
        merge.reason = kind + (why.empty() ? "" : "; " + why);
        merges_.into[h] = pair.frequent;
        merges_.done.push_back(std::move(merge));
        return;
      }
      if (suggestion || counts_.support(pair.frequent) < options_.min_support) continue;
      merge.reason = kind + ", but together in " + std::to_string(e.together) + " videos and companions alike only " +
                     fixed(e.likeness, 2);
      suggestion = std::move(merge);
    }
    if (suggestion) merges_.suggested.push_back(std::move(*suggestion));
  }

  [[nodiscard]] Merge made(int from, int into, const Evidence& e) const {
    return {.hashtag = counts_.names[at(from)],
            .into = counts_.names[at(into)],
            .videos = counts_.support(from),
            .together = e.together,
            .likeness = e.likeness,
            .reason = {}};
  }

  // Merges hashtags that almost always occur together, and so say the same of a video.
  void inseparable(int h) {
    std::map<int, std::int64_t> beside;
    for (const int video : counts_.having[at(h)]) {
      for (const int other : counts_.videos[at(video)]) {
        if (other < h && !fixed_.contains(other) && !merges_.into.contains(other)) ++beside[other];
      }
    }
    for (const auto& [other, together] : beside) {
      const double share =
          static_cast<double>(together) / static_cast<double>(counts_.support(h) + counts_.support(other) - together);
      if (share < kNearly || together < kMinSame) continue;
      const auto e = evidence(h, other);
      if (e.groups < 3) continue;
      auto merge = made(h, other, e);
      merge.reason = "both in " + std::to_string(together) + " of the " +
                     std::to_string(counts_.support(h) + counts_.support(other) - together) +
                     " videos with either, of " + std::to_string(e.groups) + " groups";
      if (share < kSame) {
        merges_.suggested.push_back(std::move(merge));
        continue;
      }
      merges_.into[h] = other;
      for (auto& [from, to] : merges_.into) {
        if (to == h) to = other;
      }
      merges_.done.push_back(std::move(merge));
      return;
    }
  }

  const Counts& counts_;
  const ReviewOptions& options_;
  const std::set<int>& fixed_;
  int supported_;
  std::unordered_map<std::u32string, std::vector<int>> near_;
  std::unordered_map<std::string, int> joined_, plain_;  // forms, with the most frequent hashtag that has them
  std::unordered_map<int, std::unordered_map<int, double>> profiles_;
  Merges merges_;
};

}  // namespace

Merges find_merges(const Counts& counts, const ReviewOptions& options, const std::set<int>& fixed) {
  return Merger(counts, options, fixed).find();
}

}  // namespace reeltag::dataset
