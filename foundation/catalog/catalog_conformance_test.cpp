#include "catalog_conformance.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "child.hpp"

namespace reeltag::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::string numbered(const std::string& word, int number) {
  std::string text = word;
  return text.append(std::to_string(number));
}

TEST_P(CatalogConformance, AnEmptyCatalogIsEmpty) {
  EXPECT_EQ(catalog_->videos.get(id_of(1)), std::nullopt);
  EXPECT_EQ(catalog_->videos.get("no id"), std::nullopt);
  EXPECT_EQ(catalog_->videos.count({}), 0);
  EXPECT_THAT(ids({}), IsEmpty());
  EXPECT_THAT(catalog_->videos.hashtag_counts(), IsEmpty());
  EXPECT_THAT(catalog_->videos.add_all({}), IsEmpty());
}

TEST_P(CatalogConformance, AddSetsTheTimeAndKeepsTheRest) {
  auto video = video_of(1, {"Cat", "dog"});
  video.added = 5;
  const auto before = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  EXPECT_EQ(catalog_->videos.add(video), AddOutcome::added);
  const auto added = catalog_->videos.get(video.id)->added;
  EXPECT_GE(added, before);
  EXPECT_LE(added, before + 60);
  video.added = 0;
  EXPECT_EQ(stored(video.id), video);
}

TEST_P(CatalogConformance, ADuplicateKeepsTheRowAndGainsTheHashtagsItLacks) {
  auto first = video_of(1, {"Cat", "dog"});
  first.caption = "the first";
  catalog_->videos.add(first);
  auto second = video_of(1, {"CAT", "bird", "Dog", "Bird", "fish"}, "tiktok");
  second.caption = "the second";
  EXPECT_EQ(catalog_->videos.add(second), AddOutcome::duplicate);
  first.hashtags = {"Cat", "dog", "bird", "fish"};
  EXPECT_EQ(stored(first.id), first);
  EXPECT_EQ(catalog_->videos.add(first), AddOutcome::duplicate);
  EXPECT_EQ(stored(first.id), first);
  EXPECT_EQ(catalog_->videos.count({}), 1);
}

TEST_P(CatalogConformance, SpellingsOfOneHashtagAreKeptAndCountedOnce) {
  // Full-width letters and a combining accent give the same hashtag.
  const auto video = video_of(1, {"Caf\xC3\xA9", "CAFE\xCC\x81", "\xEF\xBC\xA3\xEF\xBC\xA1\xEF\xBC\xB4", "cat", "cat"});
  catalog_->videos.add(video);
  EXPECT_EQ(stored(video.id).hashtags, video.hashtags);
  EXPECT_THAT(catalog_->videos.hashtag_counts(), ElementsAre(Pair("caf\xC3\xA9", 1), Pair("cat", 1)));
}

TEST_P(CatalogConformance, HashtagCountsAreSortedByCountThenByBytes) {
  catalog_->videos.add_all(std::vector<Video>{video_of(1, {"b", "common", "\xF0\x9F\x90\x88"}),
                                              video_of(2, {"a", "Common"}), video_of(3, {"_", "COMMON", "\xC3\xA9"}),
                                              video_of(4, {"a"})});
  EXPECT_THAT(catalog_->videos.hashtag_counts(),
              ElementsAre(Pair("common", 3), Pair("a", 2), Pair("_", 1), Pair("b", 1), Pair("\xC3\xA9", 1),
                          Pair("\xF0\x9F\x90\x88", 1)));
}

TEST_P(CatalogConformance, FiltersBySourceAndHashtag) {
  catalog_->videos.add_all(std::vector<Video>{video_of(4, {"cat"}, "tiktok"), video_of(2, {"Cat", "dog"}),
                                              video_of(3, {"dog"}), video_of(1, {}, "tiktok"),
                                              video_of(5, {"category", "cat", "CAT"})});
  EXPECT_THAT(ids({}), ElementsAre(id_of(1), id_of(2), id_of(3), id_of(4), id_of(5)));
  EXPECT_THAT(ids({.source = "tiktok", .hashtag = {}}), ElementsAre(id_of(1), id_of(4)));
  EXPECT_THAT(ids({.source = {}, .hashtag = "CAT"}), ElementsAre(id_of(2), id_of(4), id_of(5)));
  EXPECT_THAT(ids({.source = "import", .hashtag = "dog"}), ElementsAre(id_of(2), id_of(3)));
  EXPECT_THAT(ids({.source = "Import", .hashtag = {}}), IsEmpty());
  EXPECT_THAT(ids({.source = "", .hashtag = {}}), IsEmpty());
  EXPECT_THAT(ids({.source = {}, .hashtag = "ca%"}), IsEmpty());
  EXPECT_EQ(catalog_->videos.count({}), 5);
  EXPECT_EQ(catalog_->videos.count({.source = "tiktok", .hashtag = {}}), 2);
  EXPECT_EQ(catalog_->videos.count({.source = {}, .hashtag = "cat"}), 3);
  EXPECT_EQ(catalog_->videos.count({.source = "tiktok", .hashtag = "cat"}), 1);
}

TEST_P(CatalogConformance, EachGivesWholeVideosWithTheirHashtagsInOrder) {
  const std::vector<Video> videos = {video_of(1, {"z", "a", "m"}), video_of(2), video_of(3, {"only"}), video_of(4)};
  catalog_->videos.add_all(videos);
  std::vector<Video> seen;
  catalog_->videos.each({}, [&](const Video& video) {
    seen.push_back(video);
    seen.back().added = 0;
  });
  EXPECT_EQ(seen, videos);
  // A filter by one hashtag does not hide the others.
  catalog_->videos.each({.source = {}, .hashtag = "a"},
                        [&](const Video& video) { EXPECT_EQ(video.hashtags, videos[0].hashtags); });
}

TEST_P(CatalogConformance, ACallbackMayThrowButNotCallBack) {
  catalog_->videos.add_all(std::vector<Video>{video_of(1), video_of(2)});
  int seen = 0;
  EXPECT_THROW(catalog_->videos.each({},
                                     [&](const Video&) {
                                       ++seen;
                                       throw std::runtime_error("enough");
                                     }),
               std::runtime_error);
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(
      error_of([&] { catalog_->videos.each({}, [&](const Video& video) { catalog_->videos.get(video.id); }); }).code,
      Code::internal);
  EXPECT_EQ(ids({}).size(), 2U);
  EXPECT_EQ(catalog_->videos.add(video_of(3)), AddOutcome::added);
}

TEST_P(CatalogConformance, TextThatLooksLikeSqlIsText) {
  auto video = video_of(1, {"'); DROP TABLE video; --", "$1", "?"});
  video.caption = "it's \"quoted\"; $1 ?1 :a -- /* \\ %s";
  video.source = "x' OR '1'='1";
  catalog_->videos.add(video);
  EXPECT_EQ(stored(video.id), video);
  EXPECT_EQ(catalog_->videos.count({.source = video.source, .hashtag = "$1"}), 1);
  EXPECT_EQ(catalog_->videos.count({.source = "' OR ''='", .hashtag = {}}), 0);
}

TEST_P(CatalogConformance, AVideoThatBreaksARuleIsRefusedWithTheFieldsName) {
  const auto refused = [&](const std::string& field, const std::function<void(Video&)>& spoil) {
    auto video = video_of(7, {"tag"});
    spoil(video);
    const auto error = error_of([&] { catalog_->videos.add_all(std::vector<Video>{video_of(8), video}); });
    EXPECT_EQ(error.code, Code::invalid_argument) << field;
    EXPECT_THAT(error.message, HasSubstr(field));
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  refused("id", [](Video& v) { v.id = ""; });
  refused("id", [](Video& v) { v.id = "abc"; });
  refused("id", [](Video& v) { v.id[5] = 'A'; });
  refused("id", [](Video& v) { v.id[5] = '\0'; });
  refused("caption", [](Video& v) { v.caption = "broken \xFF utf-8"; });
  refused("caption", [](Video& v) { v.caption = std::string("nul\0", 4); });
  refused("key", [](Video& v) { v.key = "\xED\xA0\x80"; });
  refused("hashtag", [](Video& v) { v.hashtags = {"good", ""}; });
  refused("hashtag", [](Video& v) { v.hashtags = {"\xC3"}; });
  refused("hashtag", [](Video& v) { v.hashtags = {std::string(1001, 'x')}; });
  refused("source", [](Video& v) { v.source = std::string(1001, 'x'); });
  refused("duration", [](Video& v) { v.duration = std::nan(""); });
  refused("fps", [](Video& v) { v.fps = kInfinity; });
  refused("attributes", [](Video& v) { v.attributes = ""; });
  refused("attributes", [](Video& v) { v.attributes = "[1]"; });
  refused("attributes", [](Video& v) { v.attributes = "{\"a\":1} x"; });
  EXPECT_EQ(catalog_->videos.count({}), 0);  // all or nothing
}

TEST_P(CatalogConformance, TheLongestKeysFit) {
  // Random letters, because databases compress.
  std::mt19937 random(1);
  std::string longest;
  while (longest.size() < 1000) longest += static_cast<char>('a' + random() % 26);
  auto video = video_of(1, {longest}, longest);
  Post post{.site = longest,
            .id = longest,
            .source = {},
            .video = {},
            .outcome = {},
            .author = {},
            .caption = {},
            .hashtags = {},
            .created = {}};
  EXPECT_EQ(catalog_->record({.video = video, .post = post, .notes = {{longest, "x"}}}), AddOutcome::added);
  EXPECT_EQ(stored(video.id), video);
  EXPECT_TRUE(catalog_->posts.get(longest, longest).has_value());
  post.id += "x";
  EXPECT_EQ(error_of([&] { catalog_->record({.post = post}); }).code, Code::invalid_argument);
  EXPECT_EQ(error_of([&] { catalog_->record({.notes = {{longest + "x", ""}}}); }).code, Code::invalid_argument);
}

TEST_P(CatalogConformance, AddAllAnswersForEachVideoInOrder) {
  catalog_->videos.add(video_of(2));
  EXPECT_THAT(catalog_->videos.add_all(std::vector<Video>{video_of(3), video_of(2, {"new"}), video_of(1), video_of(3)}),
              ElementsAre(AddOutcome::added, AddOutcome::duplicate, AddOutcome::added, AddOutcome::duplicate));
  EXPECT_EQ(catalog_->videos.count({}), 3);
  EXPECT_THAT(stored(id_of(2)).hashtags, ElementsAre("new"));
}

// Texts with every kind of character that is known to have broken databases.
class RandomVideos {
 public:
  explicit RandomVideos(unsigned seed) : random_(seed) {}

  Video next() {
    Video video;
    for (int i = 0; i < 64; ++i) video.id += "0123456789abcdef"[below(16)];
    for (auto* field :
         {&video.key, &video.source, &video.source_id, &video.group, &video.author, &video.caption, &video.codec}) {
      *field = text(below(4) == 0 ? 0 : below(60));
    }
    for (auto n = below(6); n > 0; --n) video.hashtags.push_back(text(1 + below(12)));
    if (below(2) == 0) video.created = integer();
    video.size_bytes = integer();
    video.width = below(3) == 0 ? std::numeric_limits<int>::max() : static_cast<int>(below(4000));
    video.height = below(3) == 0 ? std::numeric_limits<int>::min() : static_cast<int>(below(4000));
    video.duration = real();
    video.fps = real();
    if (below(2) == 0) video.attributes = "{\"n\": [" + std::to_string(integer()) + ", \"\xF0\x9F\x90\x88\"]}";
    return video;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  std::string text(std::uint64_t pieces) {
    static const std::vector<std::string> alphabet = {
        "a",
        "Z",
        "0",
        " ",
        "\n",
        "\r\n",
        "\t",
        "\x01",
        "\x7F",
        "'",
        "\"",
        "\\",
        "%",
        "_",
        "$1",
        ";",
        "--",
        "{}",
        "#",
        "\xC3\x9F",
        "e\xCC\x81",
        "\xC4\xB0",
        "\xCF\x82",
        "\xD8\xB4",
        "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8D\xE0\xA4\xB7",
        "\xE7\x8C\xAB",
        "\xED\x95\x9C",
        "\xEF\xAC\x81",
        "\xEF\xBB\xBF",
        "\xEF\xBF\xBF",
        "\xEF\xBF\xBD",
        "\xE2\x80\xAE",
        "\xF0\x9F\x90\x88",
        "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
        "\xE2\x9D\xA4\xEF\xB8\x8F",
        "\xF0\x9F\x87\xAB\xF0\x9F\x87\xB7",
        "\xF4\x8F\xBF\xBF"};
    std::string out;
    for (; pieces > 0; --pieces) out += alphabet[below(alphabet.size())];
    return out;
  }
  std::int64_t integer() {
    using Limits = std::numeric_limits<std::int64_t>;
    const std::int64_t special[] = {Limits::min(), Limits::max(), 0, -1, 1LL << 53, (1LL << 53) + 1, 1LL << 31};
    return below(2) == 0 ? special[below(std::size(special))] : static_cast<std::int64_t>(random_());
  }
  double real() {
    using Limits = std::numeric_limits<double>;
    const double special[] = {
        0.0,  Limits::max(),     Limits::lowest(), Limits::min(), Limits::denorm_min(), 0.1, 30000.0 / 1001.0,
        1e15, 9007199254740993.0};
    return below(2) == 0 ? special[below(std::size(special))] : static_cast<double>(below(1U << 30)) / 977.0;
  }

  std::mt19937_64 random_;
};

TEST_P(CatalogConformance, RandomVideosComeBackUnchanged) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomVideos random(seed);
  std::vector<Video> videos;
  for (int i = 0; i < 300; ++i) videos.push_back(random.next());
  EXPECT_EQ(catalog_->videos.add(videos[0]), AddOutcome::added);
  catalog_->videos.add_all(std::span(videos).subspan(1));
  catalog_ = place_->open();
  for (const auto& video : videos) {
    EXPECT_EQ(stored(video.id), video) << testing::PrintToString(video.caption);
    for (const auto& hashtag : video.hashtags) {
      EXPECT_GE(catalog_->videos.count({.source = video.source, .hashtag = hashtag}), 1)
          << testing::PrintToString(hashtag);
    }
  }
  EXPECT_EQ(catalog_->videos.count({}), 300);
}

TEST_P(CatalogConformance, ManyThreadsShareOneCatalog) {
  constexpr int kThreads = 4, kEach = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_EQ(catalog_->videos.add(video_of(t * kEach + i, {"all", numbered("t", t)})), AddOutcome::added);
        EXPECT_TRUE(catalog_->videos.get(id_of(t * kEach + i)).has_value());
        EXPECT_GE(catalog_->videos.count({.source = {}, .hashtag = "all"}), i + 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(catalog_->videos.hashtag_counts().front(), (std::pair<std::string, std::int64_t>{"all", kThreads * kEach}));
}

TEST_P(CatalogConformance, TwoConnectionsWriteAtOnce) {
  constexpr int kEach = 40;
  const auto other = place_->open();
  const auto add = [&](Catalog& catalog, bool forwards) {
    for (int i = 0; i < kEach; ++i) {
      // The same new hashtags in different orders: no deadlock may occur.
      std::vector<std::string> hashtags{numbered("a", i), numbered("b", i), numbered("c", i)};
      if (!forwards) std::reverse(hashtags.begin(), hashtags.end());
      const int first = forwards ? 0 : 1000;
      catalog.videos.add_all(std::vector<Video>{video_of(first + i, hashtags), video_of(5000 + i, hashtags)});
    }
  };
  std::thread one([&] { add(*catalog_, true); }), two([&] { add(*other, false); });
  one.join();
  two.join();
  EXPECT_EQ(catalog_->videos.count({}), 3 * kEach);
  EXPECT_EQ(other->videos.count({.source = {}, .hashtag = "a7"}), 3);
  EXPECT_EQ(other->videos.hashtag_counts().size(), 3U * kEach);
}

TEST_P(CatalogConformance, TwoProcessesAddAtOnce) {
  constexpr int kEach = 60;
  catalog_.reset();
  const auto adder = [&](int first) {
    return [&, first](const test::Child::WriteLine&) {
      const auto catalog = place_->open();
      for (int i = 0; i < kEach; ++i) {
        catalog->videos.add(video_of(first + i, {numbered("own", first)}));
        catalog->videos.add(video_of(10'000 + i, {numbered("by", first)}));  // both add these
      }
    };
  };
  test::Child one(adder(0)), two(adder(1000));
  EXPECT_EQ(one.wait(), 0);
  EXPECT_EQ(two.wait(), 0);
  catalog_ = place_->open();
  EXPECT_EQ(catalog_->videos.count({}), 3 * kEach);
  for (const auto* hashtag : {"own0", "own1000", "by0", "by1000"}) {
    EXPECT_EQ(catalog_->videos.count({.source = {}, .hashtag = hashtag}), kEach) << hashtag;
  }
}

TEST_P(CatalogConformance, ProcessesCreateTheCatalogAtOnce) {
  for (int round = 0; round < 5; ++round) {
    const auto place = GetParam().make();
    const auto add = [&](int number) {
      return [&, number](const test::Child::WriteLine&) { place->open()->videos.add(video_of(number)); };
    };
    test::Child a(add(1)), b(add(2)), c(add(3));
    EXPECT_EQ(a.wait(), 0);
    EXPECT_EQ(b.wait(), 0);
    EXPECT_EQ(c.wait(), 0);
    EXPECT_EQ(place->open()->videos.count({}), 3);
  }
}

TEST_P(CatalogConformance, AKilledProcessLosesNothingAcknowledged) {
  catalog_.reset();
  std::mt19937 random(std::random_device{}());
  int next = 0;
  for (int round = 0; round < 10; ++round) {
    test::Child child([&, next](const test::Child::WriteLine& say) {
      const auto catalog = place_->open();
      for (int i = next;; i += 3) {
        catalog->videos.add(video_of(i, {"kept", numbered("n", i)}));
        say(std::to_string(i));
        catalog->videos.add_all(std::vector<Video>{video_of(i + 1, {"pair"}), video_of(i + 2, {"pair"})});
        say(std::to_string(i + 1));
        say(std::to_string(i + 2));
      }
    });
    auto said = child.read_line();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    child.kill();
    said += child.output();

    const auto catalog = place_->open();
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) {
      const int i = std::stoi(line);
      const auto video = catalog->videos.get(id_of(i));
      ASSERT_TRUE(video.has_value()) << "acknowledged and lost: " << i;
      EXPECT_EQ(video->hashtags.size(), i % 3 == 0 ? 2U : 1U);
      next = std::max(next, i + 3 - i % 3);
    }
    // An unacknowledged change set is stored as a whole or not at all.
    EXPECT_EQ(catalog->videos.count({.source = {}, .hashtag = "pair"}) % 2, 0);
    next += 3;
  }
}

}  // namespace
}  // namespace reeltag::catalog
