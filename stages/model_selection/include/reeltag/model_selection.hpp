// Helps to choose a net: what each shipped net costs on this machine, how accurate it is known to be, which nets are on
// the Pareto front of time and accuracy, and the best one within given limits.
// Functions: any thread. Everything else: plain values. Throws Exception: invalid_argument for an unknown net or
// training set (naming the nearest), invalid_config for an unreadable recipe or metadata file, interrupted if the
// process was asked to stop. A net that cannot be measured and a run that cannot be read are reported with the reason;
// the rest goes on.
//
//   auto list = model_selection::list_nets();
//   model_selection::add_own_results(list.nets, home / "runs");
//   model_selection::measure_nets(list.nets, options, measure_one, on_net);
//   const auto choice = model_selection::choose(list.nets, {.ms_per_video = 2000});
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "reeltag/base/error.hpp"
#include "reeltag/model/plan.hpp"

namespace reeltag::model_selection {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Accuracies are in [0,1], kUnknown if not known.
struct PublishedAccuracy {
  double top1 = kUnknown, top5 = kUnknown;
  std::string views = {};  // crops x clips of a video, "1x5"; empty for images
};
struct OwnResult {
  std::string run = {}, dataset = {}, split = {};
  double top1 = kUnknown, top5 = kUnknown;
  std::int64_t videos = 0;
};

// The cost of one forward pass of one clip in evaluation mode.
struct Cost {
  double ms_per_view = kUnknown;
  double peak_bytes = kUnknown;  // resident memory of the whole process
  bool measured = false;         // false: both are estimates
  std::string failure = {};      // why it could not be measured; both figures are then unknown
};

struct Net {
  std::string name = {};          // name of the shipped recipe
  std::string training_set = {};  // kinetics, imagenet, ssv2; empty for the small nets of this project
  model::Recipe recipe = {};
  std::int64_t parameters = 0;
  double multiply_adds = 0.0;
  double activation_bytes = 0.0;  // estimate, see activation_bytes()
  std::optional<PublishedAccuracy> published = {};
  std::vector<OwnResult> own = {};
  Cost cost = {};
};
struct OmittedNet {
  std::string net, reason;
};
struct NetList {
  std::vector<Net> nets;
  std::vector<OmittedNet> omitted;  // recipes that are not classifiers
};

// Lists the shipped recipes, sorted by name, with the published accuracy from NAME.meta.yml.
NetList list_nets();

// Reads `published: {top1: 81.0, top5: 94.6, views: 1x5}` from a metadata file; nullopt if it has none. Throws
// invalid_config for figures outside [0,100].
std::optional<PublishedAccuracy> read_published(const std::filesystem::path& meta);

// Adds to each net the results of its runs: RUN/metrics.json, unless it is of the training split. A run belongs to the
// shipped net of the same shape whose recipe differs from the run's in the fewest values. Returns the runs that were
// skipped, with the reason.
std::vector<OmittedNet> add_own_results(std::vector<Net>& nets, const std::filesystem::path& runs);

// Keeps only the named nets ("Kinetics/MVITv2_S_16x4", or "MVITv2_S_16x4" if that is unambiguous) and, if training_set
// is not empty, only those with a result on it: kinetics, imagenet, ssv2 or an own one as named by choose().
void select(NetList& nets_considered, const std::vector<std::string>& names, const std::string& training_set);

// Estimates, from the plan, the peak bytes of the largest block's live tensors: its input, queries, keys and values,
// the two score matrices, or the two sides of its MLP; float32, one clip.
double activation_bytes(const model::Plan& plan);

struct Machine {
  std::string cpu = {};
  int threads = 1;
  double free_bytes = 0.0;  // available to a new process without swapping
};
Machine this_machine(int threads);

struct Measurement {
  double ms_per_view = 0.0, peak_bytes = 0.0;
};
using Measure = std::function<Result<Measurement>(const Net& net)>;
using OnNet = std::function<void(std::int64_t done, const std::string& net)>;  // called before each net, and at the end

struct MeasureOptions {
  Machine machine = {};
  std::string program = {}, libtorch = {};  // versions
  std::filesystem::path kept = {};          // path of measured.json, the saved measurements; docs/adr/0070
  bool fresh = false;                       // repeat saved measurements
  bool all = false;                         // also nets that take long or need more than the free memory
  double longest_pass = 20.0;               // seconds
  std::stop_token stop = {};
};

// Sets every net's cost, in ascending order of multiply-adds: a measurement saved by an earlier call, else the result
// of `measure`, else an estimate from the throughput of the measured net nearest in size. Saves each measurement at
// once.
void measure_nets(std::vector<Net>& nets, const MeasureOptions& options, const Measure& measure, const OnNet& on_net);

struct Limits {
  std::optional<double> ms_per_video = {}, memory_bytes = {};
  int views = 5;            // of a video
  double free_bytes = 0.0;  // of the machine; the limit if memory_bytes is not given. 0: none
};

// A net on one training set.
struct Point {
  std::size_t net = 0;  // index into the nets given to choose()
  double top1 = 0.0;
  std::string source = {};  // "published", or the run's id
  bool on_front = false;    // no other net is at least as fast and as accurate, and better in one
  bool fits = false;        // within the limits
};
struct Front {
  std::string training_set;              // "kinetics", or "652f558c6a203657 (val)"
  std::vector<Point> points;             // from fast to slow
  std::optional<std::size_t> pick = {};  // index into points: the most accurate that fits, of equals the faster
  std::string why = {};                  // one sentence; if nothing fits: the tightest limit and the nearest net's need
};
struct Choice {
  std::vector<Front> fronts;             // kinetics, imagenet, ssv2, then own ones by name
  std::optional<std::size_t> pick = {};  // the first front with a pick
  std::string why = {};
  bool fits = false;  // a net is within the limits: one of known accuracy, if any net has one
};

// Builds the fronts and picks a net. training_set: only this one; empty: all. Nets of unknown cost are on no front.
Choice choose(const std::vector<Net>& nets, const Limits& limits, const std::string& training_set = {});

// The input of the three formatters below.
struct Answer {
  Machine machine = {};
  std::string program = {}, libtorch = {};
  Limits limits = {};
  NetList nets_considered = {};
  Choice choice = {};
};
std::string to_json(const Answer& answer);                // one line
std::vector<std::string> to_table(const Answer& answer);  // lines for a terminal
std::string to_html(const Answer& answer);                // report.html, self-contained

}  // namespace reeltag::model_selection
