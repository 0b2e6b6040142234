// sagemaker train: a training job out of the commands that there are: import, dataset freeze, train, evaluate, models
// export, in a home of their own.
#include <netdb.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/base/subprocess.hpp"
#include "sagemaker/command_runner.hpp"
#include "sagemaker/sagemaker.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t kMaxFile = 16LL << 20;        // of the platform's files
constexpr std::size_t kFailureCharacters = 1024;     // what the platform shows
constexpr auto kPatience = std::chrono::minutes(5);  // for a pipe, or a host's name
constexpr auto kLook = std::chrono::milliseconds(200);
constexpr auto kUnpackTime = std::chrono::hours(24);

// One of the names that a channel may have, where it is there.
const DataChannel* find(const std::map<std::string, DataChannel>& channels, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto found = channels.find(name); found != channels.end()) return &found->second;
  }
  return nullptr;
}

void wait_until(const std::string& what, const std::function<bool()>& happened) {
  for (const auto end = std::chrono::steady_clock::now() + kPatience; !happened(); std::this_thread::sleep_for(kLook)) {
    stop::throw_if_requested();
    if (std::chrono::steady_clock::now() > end) throw Exception(Code::unavailable, what);
  }
}

bool is_pipe(const fs::path& path) { return fs::is_fifo(fs::status(path)); }

bool has_address(const std::string& host) {
  addrinfo* found = nullptr;
  const bool resolved = getaddrinfo(host.c_str(), nullptr, nullptr, &found) == 0;
  if (resolved) freeaddrinfo(found);
  return resolved;
}

class Job {
 public:
  Job(const Context& context, fs::path base)
      : base_(std::move(base)),
        hyperparameters_(hyperparameters_of(read("hyperparameters.json", json::object()))),
        channels_(channels_of(read("inputdataconfig.json", channels_that_are_there()))),
        hosts_(hosts_of(read("resourceconfig.json", {{"current_host", "localhost"}, {"hosts", {"localhost"}}}))),
        output_(base_ / "output" / "data"),
        name_(name_of_job()),
        commands_({.home = home_.path(), .log = prepared(output_) / "reeltag.log", .globals = globals_of(context)}) {
    if (find(channels_, {"train", "training"}) == nullptr)
      throw Exception(Code::invalid_config, "inputdataconfig.json has no channel train");
  }

  void run() {
    if (hosts_.names.size() > 1) {
      const auto& master = hosts_.names.front();
      wait_until("the name of host " + master + " is not resolved", [&] { return has_address(master); });
    }
    import_channels();
    const auto set = json::parse(commands_.run(freeze_words()));
    train();
    if (hosts_.rank != 0) return;
    evaluate(set);
    keep_model();
  }

 private:
  json read(const char* name, json otherwise) const {
    const auto path = base_ / "input" / "config" / name;
    if (!fs::exists(path)) return otherwise;
    const auto text = value_or_throw(read_file(path, kMaxFile));
    auto parsed = parse_json(text, path.string());
    if (!parsed) throw Exception(Code::invalid_config, parsed.error().message);
    return *parsed;
  }

  json channels_that_are_there() const {
    json channels = json::object();
    if (fs::is_directory(base_ / "input" / "data")) {
      for (const auto& entry : fs::directory_iterator(base_ / "input" / "data")) {
        if (entry.is_directory()) channels[entry.path().filename().string()] = json::object();
      }
    }
    return channels;
  }

  static std::string name_of_job() {
    const char* name = std::getenv("TRAINING_JOB_NAME");
    return name != nullptr && *name != '\0' ? fs::path(name).filename().string() : "training";
  }

  static fs::path prepared(const fs::path& folder) {
    fs::create_directories(folder);
    return folder;
  }

  std::vector<std::string> globals_of(const Context& context) const {
    std::vector<std::string> globals;
    if (!context.config_option.empty()) globals = {"--config", context.config_option.string()};
    for (const auto* sets : {&hyperparameters_.sets, &context.sets}) {
      for (const auto& one : *sets) globals.insert(globals.end(), {"--set", one});
    }
    return globals;
  }

  // The folder of a channel; what comes as a stream is unpacked first.
  fs::path folder_of(const DataChannel& channel) {
    const auto path = base_ / "input" / "data" / channel.name;
    if (!channel.pipe) return path;
    const fs::path pipe = path.string() + "_0";  // of the first epoch: later ones would bring the same
    wait_until("the pipe " + pipe.string() + " does not appear", [&] { return is_pipe(pipe); });
    const auto folder = prepared(home_.path() / "channels" / channel.name);
    // Archives one behind the other are one stream, so their ends are passed over.
    const auto done =
        value_or_throw(reeltag::run({"tar", "--extract", "--ignore-zeros", "--no-same-owner", "--no-same-permissions",
                                     "--file", pipe.string(), "--directory", folder.string()},
                                    {.deadline = kUnpackTime, .stop = stop::token()}));
    if (done.status != 0)
      throw Exception(Code::corrupt, "channel " + channel.name + " must be a stream of tar archives: " + done.err);
    return folder;
  }

  // What is kept for the test comes first: a video that is in several channels stays the one of the first.
  void import_channels() {
    // Names of authors are only compared. All hosts, and the job when it is started again, must find the same; the
    // catalog itself ends with the job.
    write_file(home_.path() / "author.salt", hex(sha256("reeltag sagemaker")));
    fs::permissions(home_.path() / "author.salt", fs::perms::owner_read | fs::perms::owner_write);
    import("test", find(channels_, {"test"}));
    import("val", find(channels_, {"validation", "val"}));
    import("train", find(channels_, {"train", "training"}));
  }

  void import(const char* source, const DataChannel* channel) {
    if (channel == nullptr) return;
    commands_.run({"import", "--source", source, folder_of(*channel).string()});
  }

  std::vector<std::string> freeze_words() const {
    const auto& h = hyperparameters_.known;
    const bool val = find(channels_, {"validation", "val"}) != nullptr, test = find(channels_, {"test"}) != nullptr;
    std::vector<std::string> words{"dataset",        "freeze",
                                   "--labels",       h.labels,
                                   "--min-support",  std::to_string(h.min_support),
                                   "--max-hashtags", std::to_string(h.max_hashtags),
                                   "--val",          std::to_string(val ? 0 : h.val),
                                   "--test",         std::to_string(test ? 0 : h.test),
                                   "--by",           val || test ? "source" : "related"};
    if (h.drop_unlabelled) words.emplace_back("--drop-unlabelled");
    return words;
  }

  // A file or folder of a channel, or what reeltag knows by this name.
  [[nodiscard]] std::string in_channels(const std::string& name) const {
    const auto path = base_ / "input" / "data" / name;
    std::error_code unusable;
    return fs::exists(path, unusable) ? path.string() : name;
  }

  [[nodiscard]] std::vector<std::string> train_words() const {
    const auto& h = hyperparameters_.known;
    std::vector<std::string> words{"train", "--run", name_};
    if (!h.from.empty()) words.insert(words.end(), {"--from", in_channels(h.from)});
    if (h.frozen) {
      words.emplace_back("--frozen");
      for (const auto& block : h.blocks) words.insert(words.end(), {"--blocks", block});
      return words;
    }
    words.insert(words.end(), {"--recipe", in_channels(h.recipe)});
    const auto key = [&](const std::string& assignment) { words.insert(words.end(), {"--key", assignment}); };
    for (const auto& one : hyperparameters_.keys) key(one);
    if (h.epochs > 0) key("SOLVER.MAX_EPOCH=" + std::to_string(h.epochs));
    if (h.batch_size > 0) key("TRAIN.BATCH_SIZE=" + std::to_string(h.batch_size));
    if (h.learning_rate > 0) key("SOLVER.BASE_LR=" + json(h.learning_rate).dump());
    if (h.seed >= 0) key("RNG_SEED=" + std::to_string(h.seed));
    return words;
  }

  // The run's folder is the platform's checkpoints, so that a job that is started again finds it.
  void train() {
    const auto run = home_.path() / "runs" / name_;
    prepared(run.parent_path());
    auto words = train_words();
    if (!hyperparameters_.known.frozen) {
      const auto kept = prepared(base_ / "checkpoints" / "run");
      fs::create_directory_symlink(fs::absolute(kept), run);
      if (fs::exists(kept / "options.json")) {
        log::info("resuming", {{"checkpoints", kept}});
        words = {"train", "--resume", name_};
      }
    }
    Metrics metrics(run / "log.jsonl");
    const auto said = commands_.run(words, peer_variables(hosts_), [&] { metrics.print_new(); });
    if (hyperparameters_.known.frozen) print_figures("val_", json::parse(said).at("val"));
    if (fs::exists(run / "log.jsonl")) fs::copy_file(run / "log.jsonl", output_ / "log.jsonl", kOverwrite);
  }

  void evaluate(const json& set) {
    const auto& videos = set.at("videos");
    const std::string split = videos.at("test") > 0 ? "test" : "val";
    if (videos.at(split) == 0) return log::warning("not_evaluated", {{"reason", "no video for a test or validation"}});
    const auto figures =
        json::parse(commands_.run({"evaluate", "--run", name_, "--split", split, "--out", output_.string()}));
    print_figures(split == "test" ? "test_" : "best_", figures);
  }

  void keep_model() {
    const auto whole = home_.path() / "exported";
    commands_.run({"models", "export", name_, "--out", whole.string()});
    fs::copy(whole, prepared(base_ / "model"), kOverwrite | fs::copy_options::recursive);
  }

  static void print_figures(const std::string& prefix, const json& figures) {
    std::string line;
    for (const char* name : {"gap20", "hit1", "loss", "map", "perr", "top1", "top5"}) {
      if (!figures.contains(name) || !figures[name].is_number()) continue;
      char text[96];
      std::snprintf(text, sizeof text, "%s%s%s=%.6g", line.empty() ? "" : " ", prefix.c_str(), name,
                    figures[name].get<double>());
      line += text;
    }
    if (!line.empty()) print(line);
  }

  // Lines of the run's log as they come. Those of epochs that an earlier start has printed are left out.
  class Metrics {
   public:
    explicit Metrics(fs::path log) : log_(std::move(log)) {
      each([&](std::int64_t epoch, auto&&) { last_ = epoch; });
    }
    void print_new() {
      each([&](std::int64_t epoch, const std::string& line) {
        if (epoch > last_) print(metrics_line(line));
        last_ = std::max(last_, epoch);
      });
    }

   private:
    template <class Visit>
    void each(const Visit& visit) const {
      std::ifstream lines(log_);
      for (std::string line; std::getline(lines, line) && !lines.eof();) {
        const auto parsed = json::parse(line, nullptr, false);
        if (parsed.is_object() && parsed.contains("epoch")) visit(parsed["epoch"].get<std::int64_t>(), line);
      }
    }

    fs::path log_;
    std::int64_t last_ = 0;
  };

  static constexpr auto kOverwrite = fs::copy_options::overwrite_existing;

  TemporaryFolder home_;
  fs::path base_;
  HyperparameterFile hyperparameters_;
  std::map<std::string, DataChannel> channels_;
  Hosts hosts_;
  fs::path output_;
  std::string name_;
  CommandRunner commands_;
};

// The characters that the platform takes, no half one at the end.
void write_failure(const fs::path& base, std::string text) {
  if (text.size() > kFailureCharacters) {
    auto end = kFailureCharacters;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
  }
  fs::create_directories(base / "output");
  write_file(base / "output" / "failure", text);
}

}  // namespace

void run_sagemaker_train(Context& context, const SagemakerArguments& arguments) {
  const auto base = container_of(arguments).base;
  settle(context);
  context.start();
  try {
    Job(context, base).run();
  } catch (const Exception& e) {
    // Stopped is not failed: started again, the job goes on.
    if (!stop::token().stop_requested()) write_failure(base, std::string(code_name(e.code())) + ": " + e.what());
    throw;
  } catch (const std::exception& e) {
    write_failure(base, e.what());
    throw;
  }
}

}  // namespace reeltag::app
