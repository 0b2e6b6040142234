// bench_catalog URL VIDEOS: fills an empty catalog with synthetic videos (four hashtags each) and a post each, then
// times the pipeline's queries. Prints one line of JSON: seconds to fill, and for each query the median and maximum
// milliseconds of its repetitions, wall time of the caller.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "reeltag/catalog.hpp"

namespace {

using namespace reeltag;
using Clock = std::chrono::steady_clock;

constexpr int kBatch = 1000;
constexpr int kHashtags = 10'000;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::string id_of(int number) {
  char id[65];
  std::snprintf(id, sizeof id, "%08x%056d", static_cast<unsigned>(number) * 2654435761U, number);
  return id;
}

std::string tag(int rank) { return "tag" + std::to_string(rank); }

// Hashtags by Zipf's law: the most frequent is on about a third of the videos, most on a few.
class Draw {
 public:
  Draw() {
    std::vector<double> weights;
    for (int rank = 0; rank < kHashtags; ++rank) weights.push_back(1.0 / (rank + 1));
    zipf_ = std::discrete_distribution<int>(weights.begin(), weights.end());
  }
  catalog::Video video(int number) {
    catalog::Video v;
    v.id = id_of(number);
    v.key = "videos/" + v.id + ".mp4";
    v.source = number % 10 == 0 ? "research" : "tiktok";
    v.source_id = std::to_string(7'300'000'000'000'000'000 + number);
    v.author = id_of(number / 7);
    v.group = v.author;
    v.caption = "a video about " + tag(zipf_(random_)) + " and " + tag(zipf_(random_));
    while (v.hashtags.size() < 4) {
      auto one = tag(zipf_(random_));
      if (std::find(v.hashtags.begin(), v.hashtags.end(), one) == v.hashtags.end())
        v.hashtags.push_back(std::move(one));
    }
    v.created = 1'700'000'000 + number;
    v.duration = 15.0;
    v.width = 576;
    v.height = 1024;
    v.fps = 30.0;
    v.codec = "h264";
    v.size_bytes = 2'000'000;
    v.attributes = R"({"views":1200,"likes":34})";
    return v;
  }

 private:
  std::mt19937 random_{0};
  std::discrete_distribution<int> zipf_;
};

catalog::Post post_of(const catalog::Video& v) {
  return {.site = "tiktok",
          .id = v.source_id,
          .source = v.source,
          .video = v.id,
          .outcome = "added",
          .round = 1,
          .author = v.author,
          .caption = v.caption,
          .hashtags = v.hashtags,
          .created = v.created,
          .attributes = v.attributes};
}

nlohmann::json timed(int repeat, const std::function<void(int)>& ask) {
  std::vector<double> ms;
  for (int i = 0; i < repeat; ++i) {
    const auto begin = Clock::now();
    ask(i);
    ms.push_back(1e3 * seconds_since(begin));
  }
  std::sort(ms.begin(), ms.end());
  return {{"median_ms", ms[ms.size() / 2]}, {"longest_ms", ms.back()}, {"repeat", repeat}};
}

// As `import` does: many rows per transaction.
nlohmann::json fill(catalog::Catalog& catalog, Draw& draw, int videos) {
  const auto begin = Clock::now();
  std::vector<catalog::Video> batch;
  for (int number = 0; number < videos; ++number) {
    batch.push_back(draw.video(number));
    if (batch.size() == kBatch || number + 1 == videos) {
      catalog.videos.add_all(batch);
      batch.clear();
    }
  }
  return {{"videos", videos}, {"hashtag_rows", 4 * videos}, {"seconds", seconds_since(begin)}};
}

nlohmann::json ask(catalog::Catalog& catalog, Draw& draw, int videos) {
  nlohmann::json out;
  const auto some = [&](int i) { return (i * 7919 + 13) % videos; };
  out["record: a new video with its post and a note"] = timed(200, [&](int i) {
    auto video = draw.video(videos + i);
    auto post = post_of(video);
    catalog.record({.video = std::move(video), .post = std::move(post), .notes = {{"journal", std::to_string(i)}}});
  });
  out["get: a video by id"] = timed(500, [&](int i) { catalog.videos.get(id_of(some(i))); });
  out["post: by site and id"] = timed(
      500, [&](int i) { catalog.posts.get("tiktok", std::to_string(7'300'000'000'000'000'000 + videos + i % 200)); });
  out["post_counts: by outcome"] = timed(20, [&](int) { catalog.posts.counts("tiktok"); });
  out["is_forgotten: an author"] =
      timed(200, [&](int i) { catalog.tombstones.holds(catalog::Forgettable::author, id_of(some(i))); });
  out["count: all"] = timed(20, [&](int) { catalog.videos.count({}); });
  out["count: a source"] = timed(20, [&](int) { catalog.videos.count({.source = "research", .hashtag = {}}); });
  out["count: the most frequent hashtag"] =
      timed(20, [&](int) { catalog.videos.count({.source = {}, .hashtag = tag(0)}); });
  out["each: a hashtag of some hundred videos"] =
      timed(20, [&](int) { catalog.videos.each({.source = {}, .hashtag = tag(99)}, [](const catalog::Video&) {}); });
  out["hashtag_counts: all hashtags (full scan)"] = timed(5, [&](int) { catalog.videos.hashtag_counts(); });
  out["each: all videos (full scan)"] = timed(3, [&](int) { catalog.videos.each({}, [](const catalog::Video&) {}); });
  return out;
}

int run(int argc, char** argv) {
  if (argc != 3) throw Exception(Code::invalid_argument, "usage: bench_catalog URL VIDEOS");
  const int videos = std::stoi(argv[2]);
  const auto catalog = catalog::open(argv[1]);
  Draw draw;
  nlohmann::json out{{"fill", fill(*catalog, draw, videos)}};
  out["questions"] = ask(*catalog, draw, videos);
  std::cout << out.dump() << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "bench_catalog: " << e.what() << "\n";
    return 1;
  }
}
