#include "vocabulary/generic.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "vocabulary/spelling.hpp"

namespace reeltag::dataset {
namespace {

// The divergence is used only with enough data: at least this many videos, and chance alone below this.
constexpr std::int64_t kEnough = 100;          // videos
constexpr double kMaxChance = 1.0;             // bits
constexpr double kAccompanied = 7.0 / 8.0;     // share of its videos, for generic by company
constexpr double kCompany = 1.2;               // times the usual number of generic hashtags, minus two standard errors
constexpr double kChanceOfCompany = 0.01;      // probability that a usual hashtag is accompanied as often
constexpr std::size_t kMinEditableLength = 6;  // characters; in shorter words one letter makes another word
constexpr std::size_t kMaxCompound = 64;       // bytes

std::size_t hashtag_index(int i) { return static_cast<std::size_t>(i); }

std::string fixed_text(double value, int digits) {
  std::array<char, 400> text{};
  return {text.data(),
          std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits).ptr};
}

// E[X log2(X / mean)] of a Poisson number X: contribution of one companion to the divergence of a random draw.
double noise(double mean) {
  constexpr double kLarge = 50.0, kTail = 1e-12;
  if (mean > kLarge) return (0.5 + 1.0 / (12.0 * mean)) / std::log(2.0);
  double sum = 0.0, probability = std::exp(-mean);
  for (int k = 1; k <= mean || probability > kTail; ++k) {
    probability *= mean / k;
    sum += probability * k * std::log2(k / mean);
  }
  return sum;
}

// Probability of at least k hits in n draws with probability p.
double tail(std::int64_t n, std::int64_t k, double p) {
  if (p <= 0.0 || p >= 1.0) return p >= 1.0 || k <= 0 ? 1.0 : 0.0;
  double sum = 0.0;
  for (std::int64_t i = k; i <= n; ++i) {
    const auto hits = static_cast<double>(i), all = static_cast<double>(n);
    sum += std::exp(std::lgamma(all + 1) - std::lgamma(hits + 1) - std::lgamma(all - hits + 1) + hits * std::log(p) +
                    (all - hits) * std::log1p(-p));
  }
  return sum;
}

// Counts companions of single hashtags.
class Companions {
 public:
  Companions(const Counts& counts, const std::vector<bool>& wanted)
      : counts_(counts), wanted_(wanted), mass_(wanted.size()), seen_(wanted.size()) {
    std::int64_t most = 0;
    for (const auto& video : counts.videos) {
      if (video.size() < 2) continue;
      std::int64_t n = 0;
      for (const int h : video) {
        if (!asked(h)) continue;
        mass_[hashtag_index(h)] += 1.0;
        ++n;
      }
      most += n * n;
    }
    for (const double m : mass_) total_ += m;
    for (double m = 1.0; m < 2.0 * static_cast<double>(most) + 2.0; m *= 2.0) chance_.push_back(divergence_of(m));
  }

  Companionship of(int hashtag) {
    Companionship s;
    std::vector<int> touched;
    for (const int video : counts_.having[hashtag_index(hashtag)]) {
      for (const int other : counts_.videos[hashtag_index(video)]) {
        if (other == hashtag || !asked(other)) continue;
        if (seen_[hashtag_index(other)]++ == 0) touched.push_back(other);
        ++s.companions;
      }
    }
    std::sort(touched.begin(), touched.end());  // sums of doubles depend on the order
    const double all = total_ - mass_[hashtag_index(hashtag)], mine = static_cast<double>(s.companions);
    for (const int other : touched) {
      const double n = seen_[hashtag_index(other)];
      s.bits += n / mine * std::log2(n / mine / (mass_[hashtag_index(other)] / all));
      seen_[hashtag_index(other)] = 0;
    }
    s.chance = chance_at(mine);
    return s;
  }

 private:
  [[nodiscard]] bool asked(int h) const { return hashtag_index(h) < wanted_.size() && wanted_[hashtag_index(h)]; }
  [[nodiscard]] double divergence_of(double draws) const {
    double sum = 0.0;
    for (const double m : mass_) sum += m > 0.0 ? noise(draws * m / total_) : 0.0;
    return sum / draws;
  }
  // Interpolates linearly in the logarithm between powers of two.
  [[nodiscard]] double chance_at(double draws) const {
    if (draws < 1.0 || chance_.size() < 2) return 0.0;
    const double x = std::min(std::log2(draws), static_cast<double>(chance_.size()) - 1.001);
    const auto i = static_cast<std::size_t>(x);
    const double share = x - static_cast<double>(i);
    return (1.0 - share) * chance_[i] + share * chance_[i + 1];
  }

  const Counts& counts_;
  const std::vector<bool>& wanted_;
  std::vector<double> mass_;  // videos of each hashtag that have another one too
  double total_ = 0.0;
  std::vector<double> chance_;  // at 1, 2, 4 ... draws
  std::vector<std::int32_t> seen_;
};

class Finder {
 public:
  Finder(const Counts& counts, const ReviewOptions& options, const std::set<int>& kept)
      : counts_(counts), options_(options), kept_(kept), supported_(counts.supported(options.min_support)) {
    const std::vector<bool> all(hashtag_index(supported_), true);
    Companions companions(counts, all);
    for (int h = 0; h < supported_; ++h) found_.companionship.push_back(companions.of(h));
    of_others_ = found_.companionship;
    found_.reason.resize(counts.names.size());
  }

  Generic find() {
    by_frequency();
    ask_of_others();
    measure_company();
    by_company();
    by_spelling();
    by_edit();
    measure_company();
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool open(int h) const { return !found_.has(h) && !kept_.contains(h); }
  // Uses only companions that are not generic, once those are known: the generic ones say nothing about it.
  [[nodiscard]] bool says_little(int h) const {
    const auto& s = of_others_[hashtag_index(h)];
    return s.bits - s.chance < options_.generic_bits;
  }
  [[nodiscard]] std::string says(int h, const char* which) const {
    const auto& s = of_others_[hashtag_index(h)];
    return "says " + fixed_text(std::max(0.0, s.bits - s.chance), 2) + " bits of its " + std::to_string(s.companions) +
           which + "companions";
  }

  void ask_of_others() {
    std::vector<bool> others(hashtag_index(supported_));
    for (int h = 0; h < supported_; ++h) others[hashtag_index(h)] = !found_.has(h);
    Companions companions(counts_, others);
    for (int h = 0; h < supported_; ++h) of_others_[hashtag_index(h)] = companions.of(h);
  }

  void by_frequency() {
    for (int h = 0; h < supported_; ++h) {
      const double share = static_cast<double>(counts_.support(h)) / static_cast<double>(counts_.tagged);
      const auto& s = found_.companionship[hashtag_index(h)];
      if (share < options_.generic_share || counts_.support(h) < kEnough || !open(h)) continue;
      if (s.companions == 0 || s.chance > kMaxChance || !says_little(h)) continue;
      found_.reason[hashtag_index(h)] =
          "on " + fixed_text(100.0 * share, 1) + " % of the videos with hashtags, and " + says(h, " ");
    }
  }

  // Generic hashtags beside h per video: mean, standard error, and the share of videos with any.
  struct Company {
    double mean = 0.0, error = 0.0, any = 0.0;
  };
  [[nodiscard]] Company company_of(int h) const {
    double sum = 0.0, squares = 0.0, any = 0.0;
    const auto n = static_cast<double>(counts_.support(h));
    for (const int video : counts_.having[hashtag_index(h)]) {
      const auto& all = counts_.videos[hashtag_index(video)];
      const auto beside = static_cast<double>(
          std::count_if(all.begin(), all.end(), [&](int other) { return other != h && found_.has(other); }));
      sum += beside;
      squares += beside * beside;
      any += beside > 0.0 ? 1.0 : 0.0;
    }
    const double mean = sum / n;
    const double variance = n > 1.0 ? std::max(0.0, (squares - n * mean * mean) / (n - 1.0)) : 0.0;
    return {.mean = mean, .error = std::sqrt(variance / n), .any = any / n};
  }

  void measure_company() {
    double sum = 0.0, any = 0.0, n = 0.0;
    errors_.assign(hashtag_index(supported_), 0.0);
    for (int h = 0; h < supported_; ++h) {
      const auto company = company_of(h);
      found_.companionship[hashtag_index(h)].company = company.mean;
      found_.companionship[hashtag_index(h)].accompanied = company.any;
      errors_[hashtag_index(h)] = company.error;
      if (found_.has(h)) continue;
      sum += company.mean * static_cast<double>(counts_.support(h));
      any += company.any * static_cast<double>(counts_.support(h));
      n += static_cast<double>(counts_.support(h));
    }
    found_.usual_company = n > 0.0 ? sum / n : 0.0;
    usually_accompanied_ = n > 0.0 ? any / n : 0.0;
  }

  void by_company() {
    std::vector<int> more;
    for (int h = 0; h < supported_; ++h) {
      const auto& s = found_.companionship[hashtag_index(h)];
      if (!open(h) || s.accompanied < kAccompanied || !says_little(h)) continue;
      if (s.company - 2.0 * errors_[hashtag_index(h)] < kCompany * found_.usual_company) continue;
      const auto hits = std::llround(s.accompanied * static_cast<double>(counts_.support(h)));
      if (tail(counts_.support(h), hits, usually_accompanied_) < kChanceOfCompany) more.push_back(h);
    }
    for (const int h : more) {
      const auto& s = found_.companionship[hashtag_index(h)];
      found_.reason[hashtag_index(h)] = "with other generic ones in " + fixed_text(100.0 * s.accompanied, 0) +
                                        " % of its videos, " + fixed_text(s.company, 1) + " of them where " +
                                        fixed_text(found_.usual_company, 1) + " are usual, and " + says(h, " other ");
    }
  }

  // Bare forms of the generic hashtags, each with the most frequent hashtag that has it.
  [[nodiscard]] std::unordered_map<std::string, int> bare_forms() const {
    std::unordered_map<std::string, int> forms;
    for (int h = 0; h < supported_; ++h) {
      auto form = bare(counts_.names[hashtag_index(h)]);
      if (found_.has(h) && code_points(form).size() > 1) forms.emplace(std::move(form), h);
    }
    return forms;
  }

  // The generic hashtags that concatenate to the text, or nothing; prefers the longest first part.
  [[nodiscard]] static std::vector<int> parts_of(const std::string& text,
                                                 const std::unordered_map<std::string, int>& forms) {
    if (text.size() > kMaxCompound) return {};
    std::vector<std::vector<int>> ways(text.size() + 1);
    for (std::size_t from = text.size(); from-- > 0;) {
      for (std::size_t to = text.size(); to > from; --to) {
        const auto part = forms.find(text.substr(from, to - from));
        if (part == forms.end() || (to < text.size() && ways[to].empty())) continue;
        ways[from] = {part->second};
        ways[from].insert(ways[from].end(), ways[to].begin(), ways[to].end());
        break;
      }
    }
    return ways[0];
  }

  void by_spelling() {
    const auto forms = bare_forms();
    for (int h = 0; h < static_cast<int>(counts_.names.size()) && !forms.empty(); ++h) {
      const auto parts = open(h) ? parts_of(bare(counts_.names[hashtag_index(h)]), forms) : std::vector<int>{};
      if (parts.empty()) continue;
      std::string names;
      for (const int part : parts) names += (names.empty() ? "#" : " and #") + counts_.names[hashtag_index(part)];
      found_.reason[hashtag_index(h)] = (parts.size() == 1 ? "a form of " : "made of ") + names;
    }
  }

  void by_edit() {
    std::unordered_map<std::u32string, int> forms;
    for (int h = 0; h < supported_; ++h) {
      const auto text = code_points(counts_.names[hashtag_index(h)]);
      if (!found_.has(h) || text.size() < kMinEditableLength - 1) continue;
      for (auto& form : deletions(text)) forms.emplace(std::move(form), h);
    }
    for (int h = 0; h < supported_; ++h) {
      const auto text = code_points(counts_.names[hashtag_index(h)]);
      if (!open(h) || text.size() < kMinEditableLength || !says_little(h)) continue;
      for (const auto& form : deletions(text)) {
        const auto near = forms.find(form);
        if (near == forms.end() || !one_edit(text, code_points(counts_.names[hashtag_index(near->second)]), true))
          continue;
        found_.reason[hashtag_index(h)] =
            "one letter from #" + counts_.names[hashtag_index(near->second)] + ", and " + says(h, " other ");
        break;
      }
    }
  }

  const Counts& counts_;
  const ReviewOptions& options_;
  const std::set<int>& kept_;
  int supported_;
  Generic found_;
  std::vector<Companionship> of_others_;
  std::vector<double> errors_;
  double usually_accompanied_ = 0.0;
};

}  // namespace

Generic find_generic(const Counts& counts, const ReviewOptions& options, const std::set<int>& kept) {
  return Finder(counts, options, kept).find();
}

}  // namespace reeltag::dataset
