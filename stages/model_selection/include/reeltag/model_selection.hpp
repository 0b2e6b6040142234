// Which net? What each shipped net costs on this machine, how accurate it is known to be, which ones no other beats,
// and the one to take within given limits. Functions: any thread. Everything else: plain values. Failure: Exception.
// invalid_argument for a net or a training set that there is not (naming the nearest), invalid_config for a recipe or
// metadata that cannot be read, interrupted when the process was asked to stop. A net that cannot be measured, and a
// run that cannot be read, are named with the reason and the rest goes on.
//
//   auto shelf = model_selection::list_nets();
//   model_selection::add_own_results(shelf.nets, home / "runs");
//   model_selection::measure_nets(shelf.nets, options, measure_one);
//   const auto choice = model_selection::choose(shelf.nets, {.ms_per_video = 2000});
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

// Accuracies are shares in [0,1], kUnknown where they are not known.
struct PublishedAccuracy {
  double top1 = kUnknown, top5 = kUnknown;
  std::string views = {};  // crops x clips of a video, "1x5"; empty for images
};
struct OwnResult {
  std::string run = {}, dataset = {}, split = {};
  double top1 = kUnknown, top5 = kUnknown;
  std::int64_t videos = 0;
};

// Of one forward pass of one clip in evaluation mode.
struct Cost {
  double ms_per_view = kUnknown;
  double peak_bytes = kUnknown;  // resident memory of the whole process
  bool measured = false;         // else both are estimates
  std::string failure = {};      // why it could not be measured; both figures are then unknown
};

struct Net {
  std::string name = {};          // of the shipped recipe
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
  std::vector<OmittedNet> omitted;  // recipes that make no classifier
};

// The shipped recipes, sorted by name, with the published accuracy that NAME.meta.yml gives.
NetList list_nets();

// `published: {top1: 81.0, top5: 94.6, views: 1x5}` of a metadata file; nothing where it has none. Throws
// invalid_config for figures outside [0,100].
std::optional<PublishedAccuracy> read_published(const std::filesystem::path& meta);

// Gives each net the results of its runs: RUN/metrics.json, unless it is of the training split. A run belongs to the
// shipped net of the same shape whose recipe differs from the run's in the fewest values. Returns the runs that were
// passed over, with the reason.
std::vector<OmittedNet> add_own_results(std::vector<Net>& nets, const std::filesystem::path& runs);

// Keeps the named nets ("Kinetics/MVITv2_S_16x4", or "MVITv2_S_16x4" where only one has that name) and, where
// training_set is not empty, those with a result on it: kinetics, imagenet, ssv2 or an own one as choose() names it.
void select(NetList& nets_considered, const std::vector<std::string>& names, const std::string& training_set);

// Bytes of the largest block's tensors that live at one time, by the plan: its input, queries, keys and values, the two
// score matrices, or the two sides of its MLP; float32, one clip.
double activation_bytes(const model::Plan& plan);

struct Machine {
  std::string cpu = {};
  int threads = 1;
  double free_bytes = 0.0;  // that a new process could have without swapping
};
Machine this_machine(int threads);

struct Measurement {
  double ms_per_view = 0.0, peak_bytes = 0.0;
};
using Measure = std::function<Result<Measurement>(const Net& net)>;
using OnNet = std::function<void(std::int64_t done, const std::string& net)>;  // before each, and at the end

struct MeasureOptions {
  Machine machine = {};
  std::string program = {}, libtorch = {};  // versions
  std::filesystem::path kept = {};          // measured.json; docs/adr/0070
  bool fresh = false;                       // measure again what is kept
  bool all = false;                         // also what would take long or more memory than is free
  double longest_pass = 20.0;               // seconds
  std::stop_token stop = {};
};

// Fills every net's cost, in rising order of multiply-adds: what was kept from an earlier call, else what `measure`
// says, else an estimate from the throughput of the measured net nearest in size. Each measurement is kept at once.
void measure_nets(std::vector<Net>& nets, const MeasureOptions& options, const Measure& measure, const OnNet& on_net);

struct Limits {
  std::optional<double> ms_per_video = {}, memory_bytes = {};
  int views = 5;            // of a video
  double free_bytes = 0.0;  // of the machine; a limit where memory_bytes is not given. 0: none
};

// A net on one training set.
struct Point {
  std::size_t net = 0;  // of the nets that choose() was given
  double top1 = 0.0;
  std::string source = {};  // "published", or the run's id
  bool on_front = false;    // no other net is both at least as fast and as accurate, and better in one of the two
  bool fits = false;        // within the limits
};
struct Front {
  std::string training_set;              // "kinetics", or "652f558c6a203657 (val)"
  std::vector<Point> points;             // from fast to slow
  std::optional<std::size_t> pick = {};  // of points: the most accurate that fits, the faster of two equal ones
  std::string why = {};  // one sentence; where nothing fits: the tightest limit and what the nearest needs
};
struct Choice {
  std::vector<Front> fronts;             // kinetics, imagenet, ssv2, then own ones by name
  std::optional<std::size_t> pick = {};  // the first of fronts that has one
  std::string why = {};
  bool fits = false;  // some net is within the limits: with a known accuracy where any net has one
};

// Fronts, marks and picks. training_set: only this one, or empty for all. Nets whose cost is unknown are on no front.
Choice choose(const std::vector<Net>& nets, const Limits& limits, const std::string& training_set = {});

// All that the three answers below are made from.
struct Answer {
  Machine machine = {};
  std::string program = {}, libtorch = {};
  Limits limits = {};
  NetList nets_considered = {};
  Choice choice = {};
};
std::string to_json(const Answer& answer);                // one line
std::vector<std::string> to_table(const Answer& answer);  // lines for a terminal
std::string to_html(const Answer& answer);                // report.html, needing nothing else

}  // namespace reeltag::model_selection
