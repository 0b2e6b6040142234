// Test source with scripted pages. One thread. Throws nothing itself.
//
//   FakeSource source;
//   source.pages[""] = {Page{.items = {...}, .next = "2", .more = true}};
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "crawl/source.hpp"

namespace reeltag::collect {

class FakeSource final : public Source {
 public:
  using Answer = tl::expected<Page, SourceFailure>;

  [[nodiscard]] std::string_view name() const override { return "fake"; }
  [[nodiscard]] std::string_view site() const override { return "site"; }
  [[nodiscard]] std::int64_t daily_requests() const override { return daily; }
  Answer page(const PageRequest& ask, Gate& gate) override {
    if (auto may = gate.enter(true); !may) return tl::unexpected(may.error());
    asked.push_back(ask.hashtag + ":" + ask.cursor);
    for (const auto& id : ids) {
      if (ask.settled(std::string(site()), id)) known.push_back(id);
    }
    auto& answers = pages[ask.cursor];
    if (answers.empty()) return Page{};
    auto answer = answers.front();
    if (answers.size() > 1) answers.pop_front();  // the last one repeats
    return answer;
  }
  [[nodiscard]] std::vector<std::string> preview(const PageRequest&) const override { return {}; }

  std::map<std::string, std::deque<Answer>> pages;  // by cursor
  std::vector<std::string> asked;
  std::vector<std::string> ids, known;  // ids that page() looks up; those that were settled
  std::int64_t daily = 0;
};

inline tl::unexpected<SourceFailure> source_error(SourceError kind, double retry_after = 0.0) {
  return tl::unexpected(SourceFailure{kind, "the test says so", retry_after});
}

}  // namespace reeltag::collect
