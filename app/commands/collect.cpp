#include "reeltag/collect.hpp"

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::app {
namespace {

struct CollectArguments {
  std::string source;
  std::vector<std::string> hashtags;
  std::int64_t limit = 0;
  bool dry_run = false;
};

// Sources may be asked by address too.
std::string named(const std::string& hashtag) { return http::is_url(hashtag) ? hashtag : "#" + hashtag; }

// What of a dry run people want to know.
void print_dry_run(const std::string& text) {
  const auto run_collect = nlohmann::json::parse(text);
  const auto source = run_collect.at("source").get<std::string>();
  print(run_collect.at("allowed").get<bool>()
            ? "collection from " + source + " is allowed; it would ask:"
            : "nothing would be asked of " + source + " now: " + run_collect.at("why").get<std::string>() +
                  "\nOnce it may, it would ask:");
  for (const auto& one : run_collect.at("requests")) {
    print("  " + one.at("method").get<std::string>() + " " + one.at("url").get<std::string>());
    if (one.contains("body")) print("    " + one.at("body").dump());
  }
  if (run_collect.contains("requests_left_today")) {
    print("requests left today: " + std::to_string(run_collect.at("requests_left_today").get<std::int64_t>()));
  }
}

void print_report(const collect::CollectReport& report) {
  for (const auto& [hashtag, r] : report.hashtags) {
    std::string line = named(hashtag) + ": seen " + std::to_string(r.seen) + ", added " + std::to_string(r.added) +
                       ", already there " + std::to_string(r.duplicate) + ", failed " + std::to_string(r.failed) +
                       " (" + r.ended + ")";
    for (const auto& [outcome, count] : r.outcomes) line += "\n  " + outcome + " " + std::to_string(count);
    print(line);
  }
}

void run_collect(Context& context, const CollectArguments& a) {
  context.start();
  auto config = context.config().collect;
  if (!a.source.empty()) config.source = a.source;
  if (!a.hashtags.empty()) config.hashtags = a.hashtags;
  if (a.limit > 0) config.limit = a.limit;
  const collect::CollectOptions options{
      .home = context.home(), .http = context.config().http, .media = context.config().media, .stop = stop::token()};
  const auto catalog = context.open_catalog();
  if (a.dry_run) {
    const auto text = collect::dry_run(config, options, *catalog);
    if (context.json) return print(text);
    return print_dry_run(text);
  }
  const auto store = context.open_store();
  const auto report =
      collect::collect(config, options, *catalog, *store,
                       [&](const std::string& item, const Error& error) { context.item_failed(item, error); });
  for (const auto& [hashtag, one] : report.hashtags) {
    if (one.failed > 0) context.status = 3;  // maybe named before a kill, and not again
    if (one.early()) {
      context.item_failed(named(hashtag), {Code::unavailable, one.ended + ": " + one.message}, "hashtag");
    }
  }
  if (context.json) return print(collect::to_json(report));
  print_report(report);
}

}  // namespace

void add_collect(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("collect", "Fetch videos of hashtags from a source that a policy file allows");
  auto arguments = std::make_shared<CollectArguments>();
  cmd->add_option("--source", arguments->source, "Source to collect from (default: collect.source)")
      ->check(CLI::IsMember({"research", "tiktok", "ytdlp"}));
  cmd->add_option("--hashtag", arguments->hashtags, "A hashtag; may be repeated (default: collect.hashtags)")
      ->allow_extra_args(false);
  cmd->add_option("--limit", arguments->limit, "Maximum of new videos per hashtag (default: collect.limit)")
      ->check(CLI::PositiveNumber);
  cmd->add_flag("--dry-run", arguments->dry_run,
                "Only show the requests that would be sent, and whether the policy allows them");
  cmd->callback([arguments, &context] { run_collect(context, *arguments); });
}

}  // namespace reeltag::app
