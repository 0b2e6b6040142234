#include <set>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/retention.hpp"

namespace reeltag::app {
namespace {

struct ForgetArguments {
  std::vector<std::string> videos, authors;
  bool resume = false;
};

bool is_hash(const std::string& text) { return is_hex(text, 64); }

struct ForgetRequest {
  catalog::Forgettable kind;
  std::string value;
};

// All of it is looked at before anything is forgotten.
std::vector<ForgetRequest> asked_for(const Context& context, const ForgetArguments& a) {
  using catalog::Forgettable;
  std::vector<ForgetRequest> asked;
  for (const auto& video : a.videos) {
    if (!is_hash(video) && video.find(':') == std::string::npos) {
      throw Exception(Code::invalid_argument, "forget --video " + video + ": neither a video's id (64 digits) nor " +
                                                  "SITE:ID, such as tiktok:7300000000000000001");
    }
    asked.push_back({is_hash(video) ? Forgettable::video : Forgettable::post, video});
  }
  for (const auto& author : a.authors) {
    if (author.empty()) throw Exception(Code::invalid_argument, "forget --author: the name is empty");
    asked.push_back(
        {Forgettable::author, is_hash(author) ? author : collect::author_hash(context.home() / "author.salt", author)});
  }
  if (asked.empty() && !a.resume) {
    throw Exception(Code::invalid_argument,
                    "forget: say what, with --video or --author; --resume finishes earlier ones");
  }
  return asked;
}

// Videos that stay and look like one of those that go: it is for people to say whether they are the same.
std::vector<std::string> copies_of(const std::vector<std::string>& gone,
                                   const std::vector<catalog::SplitGrouping>& before) {
  std::set<std::string> clusters, names(gone.begin(), gone.end());
  for (const auto& one : before) {
    if (names.contains(one.video) && !one.cluster.empty()) clusters.insert(one.cluster);
  }
  std::vector<std::string> copies;
  for (const auto& one : before) {
    if (!names.contains(one.video) && clusters.contains(one.cluster)) copies.push_back(one.video);
  }
  return copies;
}

struct Report {
  std::int64_t videos = 0, posts = 0;
  std::vector<std::string> copies = {};
  retention::SweepReport swept = {};
  std::vector<retention::AffectedModel> affected = {};
};

nlohmann::ordered_json report_json(const Report& r) {
  auto sets = nlohmann::ordered_json::array(), reports = sets, affected = sets;
  for (const auto& set : r.swept.sets) sets.push_back({{"dataset", set.id}, {"videos", set.videos}});
  for (const auto& report : r.swept.reports) reports.push_back(report.string());
  for (const auto& one : r.affected) {
    affected.push_back({{"model", one.model}, {"dataset", one.dataset}, {"forgotten", one.forgotten}});
  }
  return {{"videos", r.videos},
          {"posts", r.posts},
          {"blobs", r.swept.blobs},
          {"downloads", r.swept.downloads},
          {"index", r.swept.indexed},
          {"datasets", std::move(sets)},
          {"reports", std::move(reports)},
          {"affected", std::move(affected)},
          {"copies", r.copies}};
}

void print_report(const Report& r) {
  const auto n = [](std::int64_t count) { return std::to_string(count); };
  print("forgot " + n(r.videos) + " videos and " + n(r.posts) + " posts; removed " + n(r.swept.blobs) + " blobs, " +
        n(r.swept.downloads) + " downloads and " + n(r.swept.indexed) + " rows of the index");
  for (const auto& set : r.swept.sets) print("dataset " + set.id + ": " + n(set.videos) + " videos taken out");
  for (const auto& report : r.swept.reports) {
    const bool page = report.extension() == ".html";
    print((page ? "deleted " : "cleaned ") + report.string() + (page ? "; make it again where it is wanted" : ""));
  }
  for (const auto& one : r.affected) {
    print("model " + one.model + " learned from dataset " + one.dataset + ", of which " + n(one.forgotten) +
          " videos are forgotten: train it anew where they must not count");
  }
  for (const auto& copy : r.copies) print("looks alike and stays: " + copy);
}

void run_forget(Context& context, const ForgetArguments& a) {
  context.start();
  const auto asked = asked_for(context, a);
  const auto catalog = context.open_catalog();
  const auto store = context.open_store();
  std::vector<catalog::SplitGrouping> before;
  if (!asked.empty())
    catalog->fingerprints.each([&](const catalog::SplitGrouping& grouping) { before.push_back(grouping); });
  Report report;
  std::vector<std::string> gone;
  for (const auto& one : asked) {
    const auto forgotten = catalog->tombstones.forget(one.kind, one.value);
    gone.insert(gone.end(), forgotten.videos.begin(), forgotten.videos.end());
    report.posts += static_cast<std::int64_t>(forgotten.posts.size());
  }
  report.videos = static_cast<std::int64_t>(gone.size());
  report.copies = copies_of(gone, before);
  const auto pending = catalog->tombstones.pending();
  report.swept = retention::sweep(context.retained_home(), *catalog, *store);
  for (const auto& [what, error] : report.swept.failed) context.item_failed(what, error, "file");
  if (report.swept.failed.empty()) catalog->tombstones.finish(pending);
  report.affected = retention::affected_models(context.home());
  if (context.json) return print(report_json(report).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  print_report(report);
}

}  // namespace

void add_forget(CLI::App& app, Context& context) {
  auto* cmd =
      app.add_subcommand("forget", "Remove videos or an author's videos for good, and keep them from coming back");
  auto arguments = std::make_shared<ForgetArguments>();
  cmd->add_option("--video", arguments->videos, "A video's id, or SITE:ID; may be repeated")->allow_extra_args(false);
  cmd->add_option("--author", arguments->authors, "An author's name or hash; may be repeated")->allow_extra_args(false);
  cmd->add_flag("--resume", arguments->resume, "Finish what was stopped or killed; any other `forget` does so too");
  cmd->callback([arguments, &context] { run_forget(context, *arguments); });
}

}  // namespace reeltag::app
