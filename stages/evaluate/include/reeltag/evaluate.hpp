// Evaluates a model on one split of a dataset: metrics with confidence intervals, a table per hashtag, and an HTML
// report.
// Functions: any thread; one evaluation per Predictor at a time. Evaluation: a plain value.
// Throws Exception: invalid_config if model and dataset share no hashtag, not_found if the split has no videos,
// unavailable if none of its videos could be read, interrupted if the process was asked to stop. A video that fails is
// recorded with its reason and left out of the metrics.
//
//   model::Predictor predictor(run);
//   const auto result = evaluate::evaluate(set, dataset::Split::test, predictor, *store, {});
//   evaluate::write_results(run, result);      // metrics.json, report.html
//   print(evaluate::to_json(result));
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/dataset.hpp"
#include "reeltag/media.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/extractor.hpp"
#include "reeltag/store.hpp"

namespace reeltag::evaluate {

struct EvaluateOptions {
  double view_seconds = 0.0;
  int max_views = 30;
  int threads = 2;
  int examples = 8;
  int resamples = 1000;
  bool time_check = true;
  media::Limits limits;
};
template <class V>
void visit(V& v, EvaluateOptions& c) {
  v("view_seconds", c.view_seconds, "Longest view in seconds; 0 for one view over the whole video",
    config::Range{0.0, 3600.0});
  v("max_views", c.max_views, "Most views of a video, averaged", config::Range{1, 1000});
  v("threads", c.threads, "Threads that decode ahead of the network", config::Range{1, 256});
  v("examples", c.examples, "Best and worst videos shown in the report, each", config::Range{0, 100});
  v("resamples", c.resamples, "Resamples of the groups behind a 95 % interval; fewer for very large splits",
    config::Range{1, 1e5});
  v("time_check", c.time_check, "Also score every video with its frames repeated, shuffled and reversed");
  v.section("limits", c.limits);
}

// A metric with its 95 % confidence interval, all in [0,1]; NaN if undefined.
struct Figure {
  double value = 0.0, low = 0.0, high = 0.0;
};

struct ClassFigures {
  std::int64_t support = 0;  // videos that have the hashtag
  double prior = 0.0;        // support as a share of all videos: the AP of random scores
  Figure ap;                 // non-interpolated average precision
  double threshold = 0.0;
  double precision = 0.0, recall = 0.0;  // of "score >= threshold"; NaN if the divisor is 0
  double accuracy = 0.0;                 // single label: share of its videos with it as the top-scoring hashtag
};

// One video's labels and scores.
struct Sample {
  std::string group;          // unit of resampling
  std::vector<int> labels;    // ascending class indices; may be empty
  std::vector<float> scores;  // one per class
};

// Definitions. Hit@1, PERR, GAP@20: google/youtube-8m eval_util.py, over all videos. mAP: mean AP over the classes with
// support. top1, top5: over the videos with a label; single label: the label is among the best 1 (5) scores; multi
// label: one of the best 1 (5) hashtags is true. Ties are ordered by video and class index.
struct Metrics {
  std::int64_t videos = 0;
  std::int64_t labelled = 0;  // videos with at least one label
  Figure top1, top5, map, gap20, hit1, perr;
  double chance_top1 = 0.0;  // of always predicting the most frequent hashtag
  double chance_map = 0.0;   // the mean prior, which is the mAP of random scores
  int resamples = 0;
  std::vector<ClassFigures> classes;
  std::vector<std::vector<std::int64_t>> confusion;  // single label: [true][predicted] videos; else empty
};

// Data of the report's plots, over all (video, hashtag) pairs.
struct CurvePoint {
  double recall = 0.0, precision = 0.0, threshold = 0.0;
};
struct ReliabilityBin {
  double score = 0.0;  // mean score of the bin
  double share = 0.0;  // fraction of its entries that are true
  std::int64_t count = 0;
};
struct Curves {
  std::vector<CurvePoint> precision_recall;      // descending thresholds, at most 200 points
  std::array<std::int64_t, 20> true_scores{};    // histogram of the scores of true hashtags, bins of 0.05
  std::array<std::int64_t, 20> false_scores{};   // the same for all other hashtags
  std::array<ReliabilityBin, 10> reliability{};  // single label: best score against "is right"; multi: every score
  double calibration_error = 0.0;                // mean of |share - score| weighted by count (ECE)
};

struct Failure {
  std::string video;
  Error error;
};

// A video shown in the report.
struct Example {
  std::string video, caption;
  std::vector<std::string> hashtags;                      // the true ones
  std::vector<std::pair<std::string, double>> predicted;  // best first
  std::string jpeg;                                       // middle frame; empty when it could not be read
  double quality = 0.0;                                   // lowest score of a true hashtag minus highest of a false one
};

// Metrics of the same videos with their frames in another order. A model that scores as well with one frame repeated
// uses appearance only; one whose score drops uses motion.
struct TimeFigures {
  model::TimeOrder order = model::TimeOrder::repeated;
  Figure top1, map;
};

struct Evaluation {
  std::string dataset, model;  // id, name
  dataset::Split split = dataset::Split::test;
  dataset::LabelMode label_mode = dataset::LabelMode::multi;
  EvaluateOptions options;
  std::vector<std::string> hashtags;          // the classes, in the dataset's order: those known to both sides
  std::vector<std::string> missing_in_model;  // in the dataset's vocabulary only
  std::vector<std::string> missing_in_data;   // in the model's vocabulary only
  std::vector<Failure> failures;
  double seconds = 0.0;             // wall clock
  std::vector<std::string> videos;  // one id per sample
  std::vector<Sample> samples;
  Metrics metrics;
  Curves curves;
  std::vector<TimeFigures> time;   // repeated, shuffled, reversed; empty if time_check is off
  std::vector<std::string> notes;  // sentences for people: what the figures may hide
  std::vector<Example> best, worst;
};

// Computes the metrics from scores and labels. No I/O. Throws Exception(invalid_argument) if a sample's number of
// scores differs from the number of classes, a label is out of range, or a score is NaN. thresholds: one per class.
// resamples: bootstrap resamples of the groups, with a fixed seed; 0 gives intervals of zero width. Large inputs use
// fewer (reported in Metrics::resamples), but at least 100.
Metrics measure(std::span<const Sample> samples, std::span<const double> thresholds, dataset::LabelMode mode,
                int resamples);

using OnProgress = std::function<void(std::int64_t done, std::int64_t total)>;

Evaluation evaluate(const dataset::Dataset& set, dataset::Split split, model::Predictor& predictor, store::Store& store,
                    const EvaluateOptions& options, const OnProgress& progress = nullptr);

// Writes metrics.json and report.html into the folder, each atomically. If the folder has a log.jsonl of the training,
// the report plots it.
void write_results(const std::filesystem::path& folder, const Evaluation& evaluation);

// Writes JSON lines, for statistics of one's own: first {"model","dataset","split","hashtags":[...]}, then for each
// video {"video","group","labels":[...],"scores":[...]}, labels as indices into hashtags. Atomic.
void write_scores(const std::filesystem::path& file, const Evaluation& evaluation);

// One line: {"top1","top5","map","gap20","hit1","perr","videos":n,"failed":n,...}; null for undefined metrics.
std::string to_json(const Evaluation& evaluation);

}  // namespace reeltag::evaluate
