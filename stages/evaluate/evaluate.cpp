#include "reeltag/evaluate.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "curves.hpp"
#include "examples.hpp"
#include "metrics.hpp"
#include "notes.hpp"
#include "reeltag/base/log.hpp"
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

// Adds one video's scores in all time orders.
void take_scores(const dataset::Item& item, const std::vector<model::Prediction>& predictions, const Matching& matching,
                 Evaluation& e, SamplesByOrder& changed) {
  e.videos.push_back(item.video);
  e.samples.push_back(sample_of(item, predictions.front(), matching));
  for (std::size_t i = 1; i < predictions.size(); ++i) changed[i].push_back(sample_of(item, predictions[i], matching));
}

SamplesByOrder score_videos(const std::vector<const dataset::Item*>& items, const Matching& matching,
                            const Model& model, store::Store& store, const OnProgress& progress, Evaluation& e) {
  const auto orders = std::span(kTimeOrders).first(e.options.time_check ? kTimeOrders.size() : 1);
  std::vector<std::optional<std::vector<model::Prediction>>> stored;
  std::vector<std::string> keys;  // of the videos that must be decoded
  for (const auto* item : items) {
    stored.push_back(model.stored ? model.stored(*item, orders) : std::nullopt);
    if (!stored.back()) keys.push_back(item->key);
  }
  Prefetch prefetch(std::move(keys), model.choose_frames, e.options, store);
  SamplesByOrder changed;
  std::int64_t done = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    stop::throw_if_requested();
    Result<std::vector<model::Prediction>> scores;
    if (stored[i]) {
      scores = std::move(*stored[i]);
    } else if (const auto fetched = prefetch.next()) {
      scores = model.predict(*items[i], *fetched, orders);
    } else {
      scores = fail(fetched.error());
    }
    if (scores) {
      take_scores(*items[i], *scores, matching, e, changed);
    } else {
      e.failures.push_back({items[i]->video, scores.error()});
    }
    if (progress) progress(++done, static_cast<std::int64_t>(items.size()));
  }
  if (e.options.time_check && model.one_frame) {
    const auto predictions = model.one_frame(e.videos);
    auto& repeated = changed[static_cast<std::size_t>(model::TimeOrder::repeated)];
    std::unordered_map<std::string_view, const dataset::Item*> by_video;
    for (const auto* item : items) by_video.emplace(item->video, item);
    for (std::size_t i = 0; i < predictions.size(); ++i)
      repeated.at(i) = sample_of(*by_video.at(e.videos[i]), predictions[i], matching);
  }
  if (e.samples.empty()) {
    throw Exception(Code::unavailable, "evaluate: none of the " + std::to_string(items.size()) +
                                           " videos could be scored; the first: " + e.failures.front().error.message);
  }
  return changed;
}

// Rows of the videos as they are and with one frame repeated, for one_frame_scores().
struct SeenRows {
  std::unordered_map<std::string, std::vector<float>> forward, repeated;

  void note(const std::string& video, model::TimeOrder order, const std::vector<float>& row) {
    if (order == model::TimeOrder::forward) forward[video] = row;
    if (order == model::TimeOrder::repeated) repeated[video] = row;
  }
};

// A repeated frame never changes, and no video that the head learned from was like that: the change would give it away
// as foreign. So the block of changes is the mean of all videos, which says nothing of one. Empty without that block.
std::vector<model::Prediction> one_frame_scores(const model::Predictor& predictor, const SeenRows& rows,
                                                const std::vector<std::string>& videos) {
  std::size_t first = 0, width = 0;
  for (const auto& block : predictor.extractor().blocks()) {
    width = static_cast<std::size_t>(block.width);
    if (block.name == model::kImageDelta) break;
    first += width;
  }
  if (first >= static_cast<std::size_t>(predictor.extractor().width()) || rows.forward.size() != videos.size())
    return {};
  std::vector<double> mean(width, 0.0);
  for (const auto& [video, row] : rows.forward)
    for (std::size_t i = 0; i < width; ++i) mean[i] += row[first + i] / static_cast<double>(videos.size());
  std::vector<model::Prediction> out;
  for (const auto& video : videos) {
    auto row = rows.repeated.at(video);
    for (std::size_t i = 0; i < width; ++i) row[first + i] = static_cast<float>(mean[i]);
    out.push_back(value_or_throw(predictor.score({row}, {model::View{}})));
  }
  return out;
}

// The scores from the features that training or an earlier evaluation stored.
std::optional<std::vector<model::Prediction>> predict_stored(const model::Predictor& predictor, store::Store* kept,
                                                             const dataset::Item& item, Orders orders, SeenRows& seen) {
  if (kept == nullptr) return std::nullopt;
  const auto& extractor = predictor.extractor();
  std::vector<model::Prediction> out;
  for (const auto order : orders) {
    const auto bytes = kept->get(model::feature_key(extractor.id(), item.video, order));
    std::vector<float> row(static_cast<std::size_t>(extractor.width()));
    if (!bytes || bytes->size() != row.size() * sizeof(float)) return std::nullopt;
    std::memcpy(row.data(), bytes->data(), bytes->size());
    auto prediction = predictor.score({row}, {model::View{}});
    if (!prediction) return std::nullopt;  // decoding it says why
    seen.note(item.video, order, row);
    out.push_back(std::move(*prediction));
  }
  return out;
}

// A store that takes nothing (read-only, full) costs a later evaluation time, and nothing else.
void keep(store::Store& store, const std::string& key, const std::vector<float>& row) try {
  store.put(key, {reinterpret_cast<const char*>(row.data()), row.size() * sizeof(float)});
} catch (const Exception& e) {
  log::debug("features_not_kept", {{"key", key}, {"reason", e.what()}});
}

Result<std::vector<model::Prediction>> predict_and_keep(model::Predictor& predictor, store::Store* kept,
                                                        const dataset::Item& item, const DecodedVideo& video,
                                                        Orders orders, SeenRows& seen) {
  const auto features = predictor.features(video.frames, video.views, orders);
  if (!features) return fail(features.error());
  std::vector<model::Prediction> out;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const auto& rows = (*features)[i];
    auto prediction = predictor.score(rows, video.views);
    if (!prediction) return fail(prediction.error());
    out.push_back(std::move(*prediction));
    if (rows.size() == 1) seen.note(item.video, orders[i], rows[0]);
    if (kept != nullptr && rows.size() == 1)
      keep(*kept, model::feature_key(predictor.extractor().id(), item.video, orders[i]), rows[0]);
  }
  return out;
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
  // A row stands for the whole video where one view does.
  store::Store* const kept = extractor.spans_video() && options.view_seconds <= 0.0 ? &store : nullptr;
  SeenRows seen;
  const Model model{
      .bundle = predictor.bundle(),
      .choose_frames =
          [&](double duration) {
            auto views = options.view_seconds > 0.0 ? model::cover(duration, options.view_seconds, options.max_views)
                                                    : extractor.whole(duration);
            return Request{views, extractor.wanted(views)};
          },
      .predict = [&](const dataset::Item& item, const DecodedVideo& video,
                     Orders orders) { return predict_and_keep(predictor, kept, item, video, orders, seen); },
      .stored = [&](const dataset::Item& item,
                    Orders orders) { return predict_stored(predictor, kept, item, orders, seen); },
      .one_frame = [&](const std::vector<std::string>& videos) { return one_frame_scores(predictor, seen, videos); }};
  return run(set, split, model, store, options, progress);
}

}  // namespace reeltag::evaluate
