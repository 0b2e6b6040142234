#include "reeltag/dataset.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

#include "commands.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/dataset/review.hpp"
#include "reeltag/dataset/stats.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamed = 5;  // of the videos left out for one reason

std::string day(std::int64_t seconds) { return utc_text(seconds, "%Y-%m-%d %H:%M"); }

std::string summary_line(const dataset::Summary& s) {
  return s.id + "  " + day(s.created) + "  train " + std::to_string(s.videos[0]) + ", val " +
         std::to_string(s.videos[1]) + ", test " + std::to_string(s.videos[2]) + "  " + std::to_string(s.hashtags) +
         " hashtags (" + std::string(dataset::kLabelModeNames[static_cast<std::size_t>(s.label_mode)]) + ")" +
         (s.rejected > 0 ? "  rejected " + std::to_string(s.rejected) : "") +
         (s.forgotten > 0 ? "  forgotten " + std::to_string(s.forgotten) : "");
}

void print_support(const dataset::Dataset& set) {
  const auto support = set.support();
  std::size_t width = 8;
  for (const auto& hashtag : set.vocabulary) width = std::max(width, hashtag.size() + 1);
  char text[256];
  std::snprintf(text, sizeof text, "%-*s %7s %7s %7s", static_cast<int>(width), "hashtag", "train", "val", "test");
  print(text);
  for (std::size_t i = 0; i < support.size(); ++i) {
    std::snprintf(text, sizeof text, "%-*s %7lld %7lld %7lld", static_cast<int>(width),
                  ("#" + set.vocabulary[i]).c_str(), static_cast<long long>(support[i][0]),
                  static_cast<long long>(support[i][1]), static_cast<long long>(support[i][2]));
    print(text);
  }
}

// Videos that came before there were fingerprints.
void look_for_copies(const Context& context, catalog::Catalog& catalog, store::Store& store,
                     const dataset::FreezeOptions& o) {
  if (o.split.by == "group") return;
  std::optional<Progress> progress;
  dataset::take_fingerprints(catalog, store, context.config().media, stop::token(),
                             [&](std::int64_t done, std::int64_t total) {
                               if (!progress) progress.emplace("fingerprints", total);
                               progress->update(done);
                             });
}

// Leaving videos out is what freezing does: a line for each reason. The list is in `dataset show`.
void say_left_out(catalog::Catalog& catalog, const dataset::Dataset& set) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const auto& one : set.rejected) {
    const bool is_lost = one.reason.starts_with("the store has no ");
    by_reason[is_lost ? "the store has lost them" : one.reason].push_back(one.video);
  }
  for (const auto& [reason, videos] : by_reason) {
    std::string names;
    for (std::size_t i = 0; i < std::min(kNamed, videos.size()); ++i) {
      const auto video = catalog.videos.get(videos[i]);
      const auto name = video ? catalog::file_name_of(*video) : std::string();
      names += (i == 0 ? "" : ", ") + (name.empty() ? videos[i].substr(0, 12) : name);
    }
    if (videos.size() > kNamed) names += " and " + std::to_string(videos.size() - kNamed) + " more";
    log::info("videos_left_out", {{"count", videos.size()}, {"reason", reason}, {"files", names}});
  }
}

// Of a set that somebody made by hand.
void warn_of_parted(Context& context, const dataset::Dataset& set) {
  const auto found = dataset::parted(set);
  if (found.empty()) return;
  context.item_failed(set.id, {Code::corrupt, "training refuses dataset " + set.id + ": " + found}, "dataset");
}

void add_freeze(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("freeze", "Freeze the catalog into a dataset: vocabulary, labels, split");
  auto o = std::make_shared<dataset::FreezeOptions>();
  o->split.by = "auto";
  cmd->add_option("--source", o->source, "Only videos of this source");
  cmd->add_option("--hashtag", o->hashtag, "Only videos with this hashtag");
  cmd->add_option("--labels", o->labels, "multi: all hashtags of a video; single: its first one")
      ->check(CLI::IsMember({"multi", "single"}))
      ->capture_default_str();
  cmd->add_option("--min-support", o->min_support, "Videos that a hashtag needs")->capture_default_str();
  cmd->add_option("--max-hashtags", o->max_hashtags, "Maximum of hashtags in the vocabulary")->capture_default_str();
  cmd->add_option("--vocabulary", o->vocabulary,
                  "File with the vocabulary, a hashtag a line: see `dataset vocabulary`");
  cmd->add_option("--block", o->block, "File with hashtags that never enter the vocabulary");
  cmd->add_flag("--drop-unlabelled", o->drop_unlabelled, "Leave out videos without a hashtag of the vocabulary");
  auto* val = cmd->add_option("--val", o->split.val, "Percent of the groups for validation")->capture_default_str();
  auto* test = cmd->add_option("--test", o->split.test,
                               "Percent of the groups for the test; 100: a test set alone, for a model "
                               "that exists")
                   ->capture_default_str();
  cmd->add_option("--salt", o->split.salt, "Changes the split; auto: chosen once so that hashtags are divided evenly")
      ->capture_default_str();
  cmd->add_option(
         "--by", o->split.by,
         "What decides: related (a group, an author, copies stay together), group (that alone), time (old to train), "
         "source (the sources train, val and test, as given: only a missing val is cut from train), auto: source where "
         "all videos have one of these, else related")
      ->check(CLI::IsMember({"auto", "related", "group", "time", "source"}))
      ->capture_default_str();
  cmd->add_option("--turn", o->split.turn,
                  "Percent by which the split is turned: 0, 20 ... 80 with --test 20 are five folds")
      ->check(CLI::Range(0, 99))
      ->capture_default_str();
  cmd->callback([o, val, test, &context] {
    context.start();
    const auto catalog = context.open_catalog();
    const auto store = context.open_store();
    if (o->split.test == 100 && val->count() == 0) o->split.val = 0;
    const auto asked = o->split;
    o->split = dataset::choose_split(*catalog, *o, test->count() > 0);
    if (asked.by == "auto" && o->split.by == "source")
      log::info("split_as_given",
                {{"message", "the sources train, val and test stay as they are; --by related divides anew"}});
    dataset::check_group_count(*catalog, *o);
    look_for_copies(context, *catalog, *store, *o);
    const auto set = dataset::freeze(*catalog, *store, *o, context.home() / "datasets");
    say_left_out(*catalog, set);
    const auto summary = dataset::summary_of(set);
    print(context.json ? dataset::to_json(summary) : summary_line(summary));
  });
}

struct ReviewArguments {
  fs::path from, out, decided;
  std::string source, hashtag;
  bool videos_only = false;
  dataset::ReviewOptions options;
};

void run_review(Context& context, const ReviewArguments& a) {
  std::vector<dataset::TypedHashtags> rows;
  if (!a.from.empty()) {
    rows = dataset::typed_in_manifest(a.from);
  } else {
    catalog::Filter filter;
    if (!a.source.empty()) filter.source = a.source;
    if (!a.hashtag.empty()) filter.hashtag = a.hashtag;
    rows = dataset::typed_in_catalog(*context.open_catalog(), filter, !a.videos_only);
  }
  const auto found =
      dataset::review(rows, a.options, a.decided.empty() ? dataset::Decisions{} : dataset::read_decisions(a.decided));
  if (!a.out.empty()) write_file(a.out, dataset::review_text(found));
  if (context.json) return print(dataset::to_json(found));
  if (a.out.empty()) return print(dataset::review_text(found));
  print(a.out.string() + ": " + std::to_string(found.vocabulary.size()) + " hashtags to learn, " +
        std::to_string(found.generic.size()) + " generic, " + std::to_string(found.merges.size()) + " merged, " +
        std::to_string(found.suggested.size()) + " merges suggested; look it over, then dataset freeze --vocabulary " +
        a.out.string());
}

void add_vocabulary(CLI::App& parent, Context& context) {
  auto* cmd =
      parent.add_subcommand("vocabulary", "Propose a vocabulary to review: without generic hashtags, spellings merged");
  auto a = std::make_shared<ReviewArguments>();
  auto* from =
      cmd->add_option("--from", a->from, "Manifest (.jsonl) with hashtags, instead of the catalog; no videos needed");
  cmd->add_option("--source", a->source, "Only videos of this source")->excludes(from);
  cmd->add_option("--hashtag", a->hashtag, "Only videos with this hashtag")->excludes(from);
  cmd->add_flag("--videos-only", a->videos_only, "Leave out posts of the catalog that have no video")->excludes(from);
  cmd->add_option("-o,--out", a->out, "Vocabulary file to write (default: standard output)");
  cmd->add_option("--decided", a->decided, "Vocabulary file whose lines go before what the data says");
  cmd->add_option("--labels", a->options.labels, "multi: all hashtags of a video count; single: its first one")
      ->check(CLI::IsMember({"multi", "single"}))
      ->capture_default_str();
  cmd->add_option("--min-support", a->options.min_support, "Videos that a hashtag needs")->capture_default_str();
  cmd->add_option("--min-groups", a->options.min_groups, "Groups (authors) that a hashtag needs")
      ->capture_default_str();
  cmd->add_option("--max-hashtags", a->options.max_hashtags, "Maximum of hashtags in the vocabulary")
      ->capture_default_str();
  cmd->add_option("--generic-share", a->options.generic_share,
                  "Share of the videos from which a hashtag may be generic")
      ->capture_default_str();
  cmd->add_option("--generic-bits", a->options.generic_bits,
                  "Treat a hashtag as generic when it tells less about the others of its videos, in bits")
      ->capture_default_str();
  cmd->callback([a, &context] {
    context.start();
    run_review(context, *a);
  });
}

void add_dataset_list(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("list", "All datasets, newest first");
  cmd->callback([&context] {
    context.start();
    for (const auto& s : dataset::list(context.home() / "datasets")) {
      if (s) {
        print(context.json ? dataset::to_json(*s) : summary_line(*s));
      } else {
        context.item_failed("dataset", s.error());
      }
    }
  });
}

void add_dataset_show(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("show", "A dataset's vocabulary with the videos of each hashtag");
  auto id = std::make_shared<std::string>();
  cmd->add_option("id", *id, "The dataset, or the beginning of its id (default: the newest)");
  cmd->callback([id, &context] {
    context.start();
    const auto set = dataset::load(context.home() / "datasets", *id, context.tombstones());
    warn_of_parted(context, set);
    if (context.json) return print(dataset::to_json(set));
    print(summary_line(dataset::summary_of(set)));
    print_support(set);
  });
}

void print_dataset_stats(const dataset::Dataset& set, const dataset::Stats& s, const fs::path& report) {
  const auto list = [](const std::string& name, const std::vector<std::int64_t>& counts) {
    std::string line = name;
    for (std::size_t n = 0; n < counts.size(); ++n) {
      if (counts[n] > 0) line += "  " + std::to_string(n) + ": " + std::to_string(counts[n]);
    }
    print(line);
  };
  print(summary_line(dataset::summary_of(set)));
  print("groups: " + std::to_string(s.groups) + ", the largest with " + std::to_string(s.largest_group) + " videos");
  list("videos by hashtags of the vocabulary:", s.per_video);
  list("videos by hashtags typed:", s.typed);
  char text[160];
  const auto& d = s.durations;
  std::snprintf(text, sizeof text, "seconds: %.1f to %.1f, median %.1f, %.2f hours in all", d.shortest, d.longest,
                d.median, d.total / 3600.0);
  print(text);
  std::string sources = "sources:";
  for (const auto& [source, n] : s.sources) sources += "  " + source + " " + std::to_string(n);
  print(sources);
  if (s.unknown > 0) print("the catalog does not know " + std::to_string(s.unknown) + " of the videos any more");
  for (std::size_t i = 0; i < std::min<std::size_t>(s.together.size(), 10); ++i) {
    const auto& t = s.together[i];
    std::snprintf(text, sizeof text, " in %lld videos, %.1f times chance", static_cast<long long>(t.videos), t.lift);
    print("together: #" + set.vocabulary[static_cast<std::size_t>(t.a)] + " #" +
          set.vocabulary[static_cast<std::size_t>(t.b)] + text);
  }
  print_support(set);
  print("report: " + report.string());
}

void add_dataset_stats(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("stats", "Describe a dataset in figures and as a page (report.html)");
  auto id = std::make_shared<std::string>();
  cmd->add_option("id", *id, "The dataset, or the beginning of its id (default: the newest)");
  cmd->callback([id, &context] {
    context.start();
    const auto root = context.home() / "datasets";
    const auto catalog = context.open_catalog();
    const auto set = dataset::load(root, *id, catalog->tombstones.all());
    warn_of_parted(context, set);
    const auto store = context.open_store();
    const auto stats = dataset::stats_of(set, *catalog);
    const auto report = dataset::write_report(root / set.id, set, stats, *store, context.config().media);
    if (context.json) return print(dataset::to_json(set, stats, report));
    print_dataset_stats(set, stats, report);
  });
}

}  // namespace

void add_dataset(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("dataset", "Frozen snapshots of the catalog to train and test on");
  cmd->fallthrough();
  cmd->require_subcommand(1);
  add_freeze(*cmd, context);
  add_vocabulary(*cmd, context);
  add_dataset_list(*cmd, context);
  add_dataset_show(*cmd, context);
  add_dataset_stats(*cmd, context);
}

}  // namespace reeltag::app
