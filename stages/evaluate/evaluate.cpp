#include "reeltag/evaluate.hpp"

#include <array>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "curves.hpp"
#include "examples.hpp"
#include "metrics.hpp"
#include "notes.hpp"
#include "reeltag/base/stop.hpp"
#include "run.hpp"

namespace reeltag::evaluate {
namespace {

// Dataset and model number their classes independently; common classes are matched by hashtag.
struct Matching {
  std::vector<int> of_label;        // dataset's label -> class, or -1
  std::vector<std::size_t> in_net;  // class -> the model's index
};

Matching match(const dataset::Dataset& set, const model::Bundle& bundle, Evaluation& e) {
  std::unordered_map<std::string, std::size_t> net;
  for (std::size_t i = 0; i < bundle.vocabulary.size(); ++i) net.emplace(bundle.vocabulary[i], i);
  Matching m;
  for (const std::string& hashtag : set.vocabulary) {
    const auto found = net.find(hashtag);
    if (found == net.end()) {
      m.of_label.push_back(-1);
      e.missing_in_model.push_back(hashtag);
      continue;
    }
    m.of_label.push_back(static_cast<int>(m.in_net.size()));
    m.in_net.push_back(found->second);
    e.hashtags.push_back(hashtag);
    net.erase(found);
  }
  for (const std::string& hashtag : bundle.vocabulary) {
    if (net.contains(hashtag)) e.missing_in_data.push_back(hashtag);
  }
  if (e.hashtags.empty()) {
    throw Exception(Code::invalid_config, "evaluate: model " + bundle.name + " and dataset " + set.id +
                                              " have no hashtag in common; take the dataset that the model was trained "
                                              "on, or freeze one with its vocabulary");
  }
  return m;
}

Sample sample_of(const dataset::Item& item, const model::Prediction& prediction, const Matching& matching) {
  Sample s{.group = item.group, .labels = {}, .scores = {}};
  for (const int label : item.labels) {
    const int c = matching.of_label.at(static_cast<std::size_t>(label));
    if (c >= 0) s.labels.push_back(c);  // stays ascending: classes keep the dataset's order
  }
  for (const std::size_t i : matching.in_net) s.scores.push_back(prediction.mean.at(i));
  return s;
}

std::vector<const dataset::Item*> items_of(const dataset::Dataset& set, dataset::Split split) {
  std::vector<const dataset::Item*> items;
  for (const auto& item : set.items) {
    if (item.split == split) items.push_back(&item);
  }
  if (items.empty()) {
    throw Exception(Code::not_found, "evaluate: dataset " + set.id + " has no videos in its " +
                                         std::string(dataset::kSplitNames[static_cast<std::size_t>(split)]) +
                                         " split; take another split, or freeze a dataset with a larger share for it");
  }
  return items;
}

constexpr std::array kTimeOrders{model::TimeOrder::forward, model::TimeOrder::repeated, model::TimeOrder::shuffled,
                                 model::TimeOrder::reversed};
using SamplesByOrder = std::array<std::vector<Sample>, kTimeOrders.size()>;  // the first stays empty

// One video's scores in all time orders, or the reason why it has none.
Result<void> score_video(const dataset::Item& item, const DecodedVideo& video, const Matching& matching,
                         const Model& model, Evaluation& e, SamplesByOrder& changed) {
  const auto predictions =
      model.predict(video, std::span(kTimeOrders).first(e.options.time_check ? kTimeOrders.size() : 1));
  if (!predictions) return fail(predictions.error());
  e.videos.push_back(item.video);
  e.samples.push_back(sample_of(item, predictions->front(), matching));
  for (std::size_t i = 1; i < predictions->size(); ++i)
    changed[i].push_back(sample_of(item, (*predictions)[i], matching));
  return {};
}

SamplesByOrder score_videos(const std::vector<const dataset::Item*>& items, const Matching& matching,
                            const Model& model, store::Store& store, const OnProgress& progress, Evaluation& e) {
  std::vector<std::string> keys;
  for (const auto* item : items) keys.push_back(item->key);
  Prefetch prefetch(std::move(keys), model.choose_frames, e.options, store);
  SamplesByOrder changed;
  std::int64_t done = 0;
  for (const auto* item : items) {
    stop::throw_if_requested();
    const auto fetched = prefetch.next();
    const auto scored =
        fetched ? score_video(*item, *fetched, matching, model, e, changed) : Result<void>(fail(fetched.error()));
    if (!scored) e.failures.push_back({item->video, scored.error()});
    if (progress) progress(++done, static_cast<std::int64_t>(items.size()));
  }
  if (e.samples.empty()) {
    throw Exception(Code::unavailable, "evaluate: none of the " + std::to_string(items.size()) +
                                           " videos could be scored; the first: " + e.failures.front().error.message);
  }
  return changed;
}

}  // namespace

Evaluation run(const dataset::Dataset& set, dataset::Split split, const Model& model, store::Store& store,
               const EvaluateOptions& options, const OnProgress& progress) {
  const auto start = std::chrono::steady_clock::now();
  Evaluation e;
  e.dataset = set.id;
  e.model = model.bundle.name;
  e.split = split;
  e.label_mode = set.label_mode;
  e.options = options;
  const Matching matching = match(set, model.bundle, e);
  const auto items = items_of(set, split);
  const auto changed = score_videos(items, matching, model, store, progress, e);

  std::vector<double> thresholds;
  for (const std::size_t i : matching.in_net) thresholds.push_back(model.bundle.scoring.thresholds.at(i));
  e.metrics = measure(e.samples, thresholds, set.label_mode, options.resamples);
  for (std::size_t i = 1; options.time_check && i < kTimeOrders.size(); ++i) {
    const Metrics m = measure(changed[i], thresholds, set.label_mode, options.resamples);
    e.time.push_back({kTimeOrders[i], m.top1, m.map});
  }
  e.notes = notes_on(e, model.bundle);
  e.curves = draw_curves(e.samples, e.hashtags.size(), set.label_mode);
  pick_examples(e);
  std::unordered_map<std::string, const dataset::Item*> by_video;
  for (const auto* item : items) by_video.emplace(item->video, item);
  illustrate(e.best, by_video, store, options.limits);
  illustrate(e.worst, by_video, store, options.limits);
  e.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return e;
}

Evaluation evaluate(const dataset::Dataset& set, dataset::Split split, model::Predictor& predictor, store::Store& store,
                    const EvaluateOptions& options, const OnProgress& progress) {
  const auto& extractor = predictor.extractor();
  const Model model{.bundle = predictor.bundle(),
                    .choose_frames =
                        [&](double duration) {
                          auto views = options.view_seconds > 0.0
                                           ? model::cover(duration, options.view_seconds, options.max_views)
                                           : extractor.whole(duration);
                          return Request{views, extractor.wanted(views)};
                        },
                    .predict =
                        [&](const DecodedVideo& video, std::span<const model::TimeOrder> orders) {
                          return predictor.predict(video.frames, video.views, orders);
                        }};
  return run(set, split, model, store, options, progress);
}

}  // namespace reeltag::evaluate
