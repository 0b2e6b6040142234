#include "reeltag/catalog/exchange.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "catalog_conformance.hpp"
#include "reeltag/base/file.hpp"
#include "test_servers.hpp"

namespace reeltag::catalog {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Exchange : public testing::Test {
 protected:
  [[nodiscard]] fs::path path(const std::string& name) const { return folder_.path() / name; }
  std::unique_ptr<Catalog> sqlite(const std::string& name) { return open(path(name + ".db").string()); }
  static std::unique_ptr<Catalog> postgres() { return open(postgres_server().url(postgres_server().make_database())); }
  static std::vector<Row> rows_of(Catalog& catalog) {
    std::vector<Row> rows;
    catalog.each_row([&](const Row& row) { rows.push_back(row); });
    return rows;
  }
  // More than one batch of every kind that is stored in batches, and texts that are hard to encode.
  static void fill(Catalog& catalog) {
    std::vector<Row> rows;
    for (int i = 0; i < 1500; ++i) {
      auto video = video_of(2 + i * 7919 % 100'003, {"tag" + std::to_string(i % 50), "\xF0\x9F\x90\x88", "TAG", "tag"});
      video.caption = "line\nbreak \"quoted\" \\ \x01 \xE2\x80\xA8 " + std::to_string(i);
      video.duration = i / 7.0;
      video.fps = 5e-324;
      video.size_bytes = std::numeric_limits<std::int64_t>::min() + i;
      video.width = std::numeric_limits<int>::max();
      if (i % 2 == 0) video.created = -i;
      video.added = i;
      if (i % 3 == 0) video.hashtags.clear();
      rows.emplace_back(video);
      if (i % 4 == 0) rows.emplace_back(FingerprintRow{.video = video.id, .fingerprint = "f", .cluster = ""});
      Post post{.site = "tiktok",
                .id = std::to_string(i),
                .source = "s",
                .video = video.id,
                .outcome = "added",
                .author = "a",
                .caption = video.caption,
                .hashtags = video.hashtags,
                .created = video.created};
      post.seen = i;
      rows.emplace_back(post);
    }
    rows.emplace_back(Note{.name = "cursor", .body = "5"});
    catalog.restore(rows);
    catalog.tombstones.forget(Forgettable::video, id_of(1));
  }

  TemporaryFolder folder_;
};

TEST_F(Exchange, ARoundTripThroughAllFormsAndDatabasesChangesNothing) {
  const auto first = sqlite("first");
  fill(*first);
  const auto rows = rows_of(*first);
  ASSERT_GT(rows.size(), 3000U);
  const auto out = export_to(*first, path("a.jsonl"), {.secrets = true});
  EXPECT_EQ(out.rows.videos, 1500);  // the forgotten video was never stored
  EXPECT_EQ(out.rows.tombstones, 1);
  EXPECT_EQ(out.tombstones_left_out, 0);

  const auto second = postgres();
  const auto in = import_from(*second, path("a.jsonl"), {.secrets = true});
  EXPECT_EQ(in.rows, out.rows);
  EXPECT_EQ(in.stored, out.rows);
  EXPECT_TRUE(in.rejected.empty());
  EXPECT_EQ(rows_of(*second), rows);
  EXPECT_EQ(second->videos.add(video_of(1)), AddOutcome::forgotten);

  EXPECT_EQ(export_to(*second, path("b"), {.secrets = true}).rows, out.rows);
  const auto third = sqlite("third");
  EXPECT_EQ(import_from(*third, path("b"), {.secrets = true}).stored, out.rows);
  EXPECT_EQ(rows_of(*third), rows);
  EXPECT_EQ(third->videos.hashtag_counts(), first->videos.hashtag_counts());
}

TEST_F(Exchange, NobodyElseCanReadTheFiles) {
  const auto catalog = sqlite("c");
  fill(*catalog);
  export_to(*catalog, path("a.jsonl"));
  export_to(*catalog, path("b"));
  EXPECT_EQ(fs::status(path("a.jsonl")).permissions(), fs::perms{0600});
  EXPECT_EQ(fs::status(path("b")).permissions(), fs::perms{0700});
  for (const auto& file : fs::directory_iterator(path("b"))) EXPECT_EQ(file.status().permissions(), fs::perms{0600});
}

TEST_F(Exchange, SecretsGoOnlyWhereTheyAreAskedFor) {
  const auto catalog = sqlite("c");
  fill(*catalog);
  const auto salt = *catalog->notes.get(kSaltNote);
  const auto out = export_to(*catalog, path("plain.jsonl"));
  EXPECT_EQ(out.tombstones_left_out, 1);
  EXPECT_EQ(out.rows.tombstones, 0);
  EXPECT_THAT(*read_file(path("plain.jsonl"), 1 << 30), AllOf(Not(HasSubstr(salt)), Not(HasSubstr("tombstone\""))));
  export_to(*catalog, path("secret.jsonl"), {.secrets = true});
  EXPECT_THAT(*read_file(path("secret.jsonl"), 1 << 30), HasSubstr(salt));
  const auto other = sqlite("other");
  import_from(*other, path("secret.jsonl"));
  EXPECT_EQ(other->notes.get(kSaltNote), std::nullopt);
  EXPECT_TRUE(other->tombstones.all().empty());
}

TEST_F(Exchange, AnImportThatWasStoppedGoesOn) {
  const auto first = sqlite("first");
  fill(*first);
  export_to(*first, path("a.jsonl"), {.secrets = true});
  const auto second = postgres();
  std::stop_source stop;
  const auto stopped = error_of([&] {
    import_from(*second, path("a.jsonl"),
                {.secrets = true, .stop = stop.get_token(), .progress = [&](std::int64_t) { stop.request_stop(); }});
  });
  EXPECT_EQ(stopped.code, Code::interrupted);
  EXPECT_GT(second->videos.count({}), 0);
  EXPECT_LT(second->videos.count({}), first->videos.count({}));
  const auto rest = import_from(*second, path("a.jsonl"), {.secrets = true});
  EXPECT_LT(rest.stored.videos, rest.rows.videos);
  EXPECT_EQ(rows_of(*second), rows_of(*first));
}

TEST_F(Exchange, AStoppedExportLeavesNothing) {
  const auto catalog = sqlite("c");
  fill(*catalog);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of([&] { export_to(*catalog, path("b"), {.stop = stop.get_token()}); }).code, Code::interrupted);
  for (const auto& entry : fs::directory_iterator(folder_.path()))
    EXPECT_THAT(entry.path().string(), HasSubstr("c.db"));
  export_to(*catalog, path("b"));
  EXPECT_EQ(error_of([&] { export_to(*catalog, path("b")); }).code, Code::already_exists);
  EXPECT_EQ(error_of([&] { export_to(*catalog, path("b") / ""); }).code, Code::already_exists);
}

TEST_F(Exchange, AFileThatIsCutOffOrChangedStoresNothing) {
  const auto catalog = sqlite("c");
  fill(*catalog);
  export_to(*catalog, path("a.jsonl"));
  export_to(*catalog, path("b"));
  const auto text = *read_file(path("a.jsonl"), 1 << 30);
  const auto refused = [&](const std::string& bytes) {
    write_file(path("bad.jsonl"), bytes);
    const auto other = sqlite("other");
    const auto error = error_of([&] { import_from(*other, path("bad.jsonl")); });
    EXPECT_THAT(error.message, HasSubstr("bad.jsonl"));
    EXPECT_EQ(other->videos.count({}), 0);
    return error.code;
  };
  EXPECT_EQ(refused(text.substr(0, text.size() / 2)), Code::corrupt);
  EXPECT_EQ(refused(text.substr(0, text.rfind("{\"end\""))), Code::corrupt);
  const auto second_line = text.find('\n') + 1;
  EXPECT_EQ(refused(text.substr(0, second_line) + text.substr(text.find('\n', second_line) + 1)), Code::corrupt);
  EXPECT_EQ(refused("{\"reeltag_catalog\":2}\n"), Code::unsupported);
  EXPECT_EQ(refused("{\"video\":{}}\n"), Code::invalid_argument);
  EXPECT_EQ(refused("{\"reeltag_catalog\":1}\n{\"note\":{\"name\":\"n\"}}\n"), Code::corrupt);
  EXPECT_EQ(refused("{\"reeltag_catalog\":1}\n{\"note\":{\"name\":\"n\",\"body\":1}}\n"), Code::corrupt);

  fs::resize_file(path("b") / "posts.parquet", fs::file_size(path("b") / "posts.parquet") / 2);
  const auto other = sqlite("other");
  const auto error = error_of([&] { import_from(*other, path("b")); });
  EXPECT_EQ(error.code, Code::corrupt) << error.message;
  EXPECT_THAT(error.message, HasSubstr("posts.parquet"));
  fs::remove(path("b") / "posts.parquet");
  EXPECT_EQ(error_of([&] { import_from(*other, path("b")); }).code, Code::corrupt);
  fs::copy(path("b") / "notes.parquet", path("b") / "posts.parquet");
  EXPECT_EQ(error_of([&] { import_from(*other, path("b")); }).code, Code::corrupt);
  EXPECT_EQ(other->videos.count({}), 0);
  EXPECT_EQ(error_of([&] { import_from(*other, path("nowhere")); }).code, Code::not_found);
}

TEST_F(Exchange, ARowThatNoCatalogCanHoldIsNamedAndTheRestStored) {
  write_file(path("a.jsonl"), "{\"reeltag_catalog\":1}\n{\"note\":{\"name\":\"" + std::string(1001, 'n') +
                                  "\",\"body\":\"x\"}}\n{\"note\":{\"name\":\"good\",\"body\":\"x\"}}\n"
                                  "{\"end\":{\"videos\":0,\"looks\":0,\"posts\":0,\"notes\":2,\"tombstones\":0}}\n");
  const auto catalog = sqlite("c");
  const auto report = import_from(*catalog, path("a.jsonl"));
  EXPECT_EQ(report.rows.notes, 2);
  EXPECT_EQ(report.stored.notes, 1);
  ASSERT_EQ(report.rejected.size(), 1U);
  EXPECT_THAT(report.rejected[0].second.message, HasSubstr("1000 bytes"));
  EXPECT_EQ(catalog->notes.get("good"), "x");
}

}  // namespace
}  // namespace reeltag::catalog
