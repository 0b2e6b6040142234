#include "process_group.hpp"

#include <algorithm>
#include <csignal>
#include <thread>

#define USE_C10D_GLOO  // the wheel's headers show ProcessGroupGloo only then; Gloo's own are Debian's (docs/adr/0075)
#include <torch/torch.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "reeltag/base/log.hpp"

namespace reeltag::train {

using std::chrono::milliseconds;
using torch::Tensor;
using Clock = std::chrono::steady_clock;

struct ProcessGroup::Gloo {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;  // reset at the first failure
};

namespace {

constexpr std::int64_t kBucketBytes = 32 << 20;
constexpr milliseconds kPoll{50};
constexpr milliseconds kGoodbye{10'000};  // longest wait for other ranks to read the reason

// First sentence of the error, without libtorch's source location.
std::string cause_of(const std::exception& e) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&e);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : e.what();
  text = text.substr(0, text.find('\n'));
  const auto source = text.starts_with("[/") ? text.find("] ") : std::string::npos;
  if (source != std::string::npos) text = text.substr(source + 2);
  return text.substr(0, text.find(". "));
}

std::string place(const World& world) { return world.address + ":" + std::to_string(world.port); }

std::string key(const char* what, int rank) { return std::string(what) + "/" + std::to_string(rank); }

// "rank 1 of 3", "ranks 1, 2 of 4".
std::string named(const std::vector<int>& ranks, int size) {
  std::string out = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i) out += (i > 0 ? ", " : "") + std::to_string(ranks[i]);
  return out + " of " + std::to_string(size);
}

c10::intrusive_ptr<c10d::Store> open_store(const World& world, milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(world.port);
  options.isServer = world.rank == 0 && !world.launcher_store;
  options.waitWorkers = false;  // missing() reports the absent ranks
  options.timeout = timeout;
  auto store = c10::make_intrusive<c10d::TCPStore>(world.address, options);
  return c10::make_intrusive<c10d::PrefixStore>("reeltag/" + std::to_string(world.attempt), store);
}

// Returns the ranks that set none of these keys within `patience`.
std::vector<int> missing(c10d::Store& store, std::initializer_list<const char*> keys, std::vector<int> ranks,
                         milliseconds patience) {
  for (const auto end = Clock::now() + patience;; std::this_thread::sleep_for(kPoll)) {
    std::erase_if(ranks, [&](int r) {
      return std::any_of(keys.begin(), keys.end(), [&](const char* what) { return store.check({key(what, r)}); });
    });
    if (ranks.empty() || Clock::now() >= end) return ranks;
  }
}

std::vector<int> all_but(const World& world) {
  std::vector<int> out;
  for (int r = 0; r < world.size; ++r) {
    if (r != world.rank) out.push_back(r);
  }
  return out;
}

// Chooses the network device: the interface in GLOO_SOCKET_IFNAME; loopback if rank 0's address is loopback, since all
// ranks are then on this host; else by the host's name.
std::shared_ptr<gloo::transport::Device> device(const World& world) {
  if (const char* name = std::getenv("GLOO_SOCKET_IFNAME"); name != nullptr && *name != '\0')
    return c10d::ProcessGroupGloo::createDeviceForInterface(name);
  if (world.address == "localhost" || world.address.starts_with("127."))
    return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  return c10d::ProcessGroupGloo::createDefaultDevice();
}

}  // namespace

ProcessGroup::ProcessGroup(const World& world, std::chrono::seconds timeout) : world_(world), timeout_(timeout) {
  if (world.size == 1) return;
  std::signal(SIGPIPE, SIG_IGN);  // Gloo's threads may write to closed connections: an error, but not fatal
  FLAGS_caffe2_log_level = 3;     // c10d's lines on stderr repeat the exceptions, less clearly
  group_ = std::make_unique<Gloo>();
  std::vector<int> late;
  try {
    const auto begin = Clock::now();
    group_->store = open_store(world, timeout_);
    group_->store->set(key("joined", world.rank), "");
    late = missing(*group_->store, {"joined"}, all_but(world), timeout_);
    if (late.empty()) {
      const auto options = c10d::ProcessGroupGloo::Options::create(timeout_);
      options->devices.push_back(device(world));
      options->threads = 1;
      group_->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(group_->store, world.rank, world.size, options);
    }
    log::info("joined", {{"rank", world.rank}, {"processes", world.size}, {"seconds", Clock::now() - begin}});
  } catch (const std::exception& e) {
    throw RankLost(named({world.rank}, world.size) + " cannot join the others at " + place(world) + ": " + cause_of(e) +
                   "; see that all processes run and that MASTER_ADDR and MASTER_PORT are right");
  }
  if (!late.empty()) {
    throw RankLost(named(late, world.size) + " did not come to " + place(world) + " within " +
                   std::to_string(timeout.count()) + " s; start all processes, or raise train.rank_timeout");
  }
}

ProcessGroup::~ProcessGroup() = default;

template <class Operation>
void ProcessGroup::run(const Operation& operation) {
  try {
    operation(*group_->gloo)->wait();
  } catch (const std::exception& e) {
    lost(cause_of(e));
  }
}

void ProcessGroup::sum(const std::vector<Tensor>& tensors) {
  if (!group_) return;
  for (const Tensor& tensor : tensors) {
    run([&](c10d::ProcessGroupGloo& gloo) {
      std::vector<Tensor> one{tensor};
      return gloo.allreduce(one, {});
    });
  }
}

void ProcessGroup::broadcast(const std::vector<Tensor>& tensors) {
  if (!group_) return;
  const torch::NoGradGuard no_grad;
  for (const Tensor& tensor : tensors) {
    std::vector<Tensor> one{tensor.detach().to(torch::kCPU).contiguous()};
    run([&](c10d::ProcessGroupGloo& gloo) { return gloo.broadcast(one, {}); });
    if (!first()) Tensor(tensor).copy_(one[0]);
  }
}

std::vector<std::string> ProcessGroup::gather(const std::string& bytes) {
  if (!group_) return {bytes};
  Tensor lengths = torch::zeros({size()}, torch::kInt64);
  lengths[rank()] = static_cast<std::int64_t>(bytes.size());
  sum({lengths});
  std::vector<std::string> out;
  for (int r = 0; r < size(); ++r) {
    std::string text =
        r == rank() ? bytes : std::string(static_cast<std::size_t>(lengths[r].item<std::int64_t>()), '\0');
    std::vector<Tensor> one{torch::from_blob(text.data(), {static_cast<std::int64_t>(text.size())}, torch::kUInt8)};
    c10d::BroadcastOptions options;
    options.rootRank = r;
    if (!text.empty()) run([&](c10d::ProcessGroupGloo& gloo) { return gloo.broadcast(one, options); });
    out.push_back(std::move(text));
  }
  return out;
}

void ProcessGroup::barrier() {
  if (group_) run([&](c10d::ProcessGroupGloo& gloo) { return gloo.barrier({}); });
}

void ProcessGroup::lost(const std::string& cause) {
  group_->gloo.reset();  // closes this rank's connections, so that ranks which wait for it fail too and report below
  c10d::Store& store = *group_->store;
  std::vector<int> silent = all_but(world_), ended;
  std::string reason;
  try {
    store.set(key("lost", rank()), "");
    for (const auto end = Clock::now() + timeout_;; std::this_thread::sleep_for(kPoll)) {
      ended = all_but(world_);
      std::erase_if(ended, [&](int r) { return !store.check({key("left", r)}); });
      std::erase_if(silent, [&](int r) { return store.check({key("lost", r)}); });
      // A failure means that some rank is gone, so a single silent rank is the lost one.
      if (!ended.empty() || silent.size() <= 1 || Clock::now() >= end) break;
    }
    if (!ended.empty()) reason = store.get_to_str(key("left", ended.front()));
    store.set(key("told", rank()), "");
    std::vector<int> others = all_but(world_);  // that still read the store; ranks that have ended do not
    const auto& gone = ended.empty() ? silent : ended;
    std::erase_if(others, [&](int r) { return std::find(gone.begin(), gone.end(), r) != gone.end(); });
    if (first()) missing(store, {"told", "left"}, others, kGoodbye);  // the store ends with rank 0
  } catch (const std::exception& e) {
    throw RankLost((world_.launcher_store ? "the launcher's store at " + place(world_) : named({0}, size())) +
                   " is gone: " + cause);
  }
  if (!ended.empty()) throw RankLost(named({ended.front()}, size()) + " has ended: " + reason);
  if (!silent.empty())
    throw RankLost(named(silent, size()) + (silent.size() == 1 ? " is gone: " : " do not answer: ") + cause);
  throw RankLost("the processes lost each other: " + cause);
}

void ProcessGroup::leave(const std::string& reason) {
  if (!group_ || !group_->gloo) return;
  try {
    group_->store->set(key("left", rank()), reason.substr(0, 2000));
    group_->gloo.reset();
    if (first()) missing(*group_->store, {"told", "left"}, all_but(world_), std::min(timeout_, kGoodbye));
  } catch (const std::exception& e) {
    log::debug("leaving", {{"reason", cause_of(e)}});  // the other ranks see the closed connection
  }
}

StepPlan plan_step(ProcessGroup& group, std::size_t own_clips, bool stop) {
  const auto own = static_cast<std::int64_t>(own_clips);
  if (group.size() == 1) return {.first = 0, .clips = own, .stop = stop};
  Tensor counts = torch::zeros({group.size() + 1}, torch::kInt64);
  counts[group.rank()] = own;
  counts[group.size()] = stop ? 1 : 0;
  group.sum({counts});
  const auto at = counts.accessor<std::int64_t, 1>();
  StepPlan step_plan{.first = 0, .clips = 0, .stop = at[group.size()] > 0};
  for (int r = 0; r < group.size(); ++r) {
    if (r < group.rank()) step_plan.first += at[r];
    step_plan.clips += at[r];
  }
  return step_plan;
}

GradientSum::GradientSum(ProcessGroup& group, const model::NamedTensors& parameters) : ranks_(group) {
  if (group.size() == 1) return;
  std::vector<std::int64_t> sizes;
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.requires_grad()) continue;
    if (sizes.empty() || sizes.back() * static_cast<std::int64_t>(sizeof(float)) >= kBucketBytes) sizes.push_back(0);
    parameters_.push_back(parameter);
    places_.emplace_back(sizes.size() - 1, sizes.back());
    sizes.back() += parameter.numel();
  }
  for (const auto n : sizes) buckets_.push_back(torch::empty({n}, torch::kFloat));
}

void GradientSum::fill(double weight, Tensor& given) {
  auto at = given.accessor<double, 1>();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& gradient = parameters_[i].grad();
    Tensor part = buckets_[places_[i].first].narrow(0, places_[i].second, parameters_[i].numel());
    if (gradient.defined()) {
      part.copy_(gradient.reshape(-1)).mul_(weight);
      at[static_cast<std::int64_t>(i)] = 1.0;
    } else {
      part.zero_();
    }
  }
}

void GradientSum::take(const Tensor& given) {
  const auto at = given.accessor<double, 1>();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (at[static_cast<std::int64_t>(i)] == 0.0) continue;
    const Tensor part = buckets_[places_[i].first].narrow(0, places_[i].second, parameters_[i].numel());
    Tensor& gradient = parameters_[i].mutable_grad();
    if (!gradient.defined()) gradient = torch::empty_like(parameters_[i]);
    gradient.copy_(part.view_as(gradient));
  }
}

std::vector<StepFigures> GradientSum::reduce(const StepFigures& own) {
  if (ranks_.size() == 1) return {own};
  const torch::NoGradGuard no_grad;
  const std::int64_t size = ranks_.size(), learning = static_cast<std::int64_t>(parameters_.size());
  // Each rank fills its own column of figures, so the sums are exact. Gradients are weighted by the rank's clips.
  Tensor figures = torch::zeros({3, size}, torch::kDouble), given = torch::zeros({learning}, torch::kDouble);
  figures[0][ranks_.rank()] = own.loss;
  figures[1][ranks_.rank()] = static_cast<double>(own.clips);
  figures[2][ranks_.rank()] = static_cast<double>(own.hits);
  fill(static_cast<double>(own.clips), given);
  std::vector<Tensor> all = buckets_;
  all.push_back(given);
  all.push_back(figures);
  ranks_.sum(all);
  const double clips = figures[1].sum().item<double>();
  for (Tensor& bucket : buckets_) bucket.div_(clips);
  take(given);
  std::vector<StepFigures> out;
  const auto at = figures.accessor<double, 2>();
  for (std::int64_t r = 0; r < size; ++r) {
    out.push_back(
        {.loss = at[0][r], .clips = static_cast<std::int64_t>(at[1][r]), .hits = static_cast<std::int64_t>(at[2][r])});
  }
  return out;
}

}  // namespace reeltag::train
