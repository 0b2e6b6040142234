// Damages videos in many small ways and decodes each through the isolated decoder, as a download would be:
//   mutate_media --count 1000 CLIP...
// One line of JSON a clip: how many mutations were decoded, how many were refused with which code, the longest time,
// the largest memory of a worker; and what must not be: a refusal without a reason or the file's name, a call that
// outlives its deadline, a worker above its memory. Status 1 when any of these is not zero.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "reeltag/media.hpp"

using namespace reeltag;

namespace {

namespace fs = std::filesystem;
using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); }

void flip_bits(std::string& bytes, Random& random) {
  for (std::size_t n = 1 + below(random, 64); n > 0; --n) {
    char& byte = bytes[below(random, bytes.size())];
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << below(random, 8)));
  }
}

void overwrite(std::string& bytes, Random& random) {
  const std::size_t at = below(random, bytes.size()),
                    length = 1 + below(random, std::min<std::size_t>(256, bytes.size() - at));
  const bool zeros = below(random, 2) == 0;
  for (std::size_t i = 0; i < length; ++i) bytes[at + i] = zeros ? '\0' : static_cast<char>(random());
}

// Sizes and counts live in the headers as 32-bit numbers: these get values at the edges.
void lie_in_a_header(std::string& bytes, Random& random) {
  static constexpr std::uint32_t kEdges[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFF00, 0x00010000};
  const std::size_t head = std::min<std::size_t>(bytes.size(), 4096);
  if (head < 4) return;
  const std::size_t at = below(random, head - 3);
  const std::uint32_t value = kEdges[below(random, std::size(kEdges))];
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (24 - 8 * i));
}

void cut(std::string& bytes, Random& random) { bytes.resize(1 + below(random, bytes.size())); }

void repeat_a_part(std::string& bytes, Random& random) {
  const std::size_t from = below(random, bytes.size());
  const std::string part = bytes.substr(from, 1 + below(random, 4096));
  bytes.insert(below(random, bytes.size()), part);
}

std::string mutated(std::string bytes, Random& random) {
  static constexpr void (*kKinds[])(std::string&, Random&) = {flip_bits, flip_bits,       overwrite,
                                                              cut,       lie_in_a_header, repeat_a_part};
  for (std::size_t n = 1 + below(random, 3); n > 0; --n) kKinds[below(random, std::size(kKinds))](bytes, random);
  return bytes;
}

struct Tally {
  int decoded = 0;
  std::map<std::string, int> refused;  // by code
  int unnamed = 0, late = 0;
  double longest_ms = 0.0;
};

// Opens, lists the times and decodes eight frames, as tagging does. The code of the first refusal, empty for none.
std::string decode(const fs::path& file, const media::Limits& limits, std::string& message) {
  const auto refused = [&](const Error& error) {
    message = error.message;
    return std::string(code_name(error.code));
  };
  const auto video = media::Decoder::open(file, limits);
  if (!video) return refused(video.error());
  std::vector<double> times;
  for (int i = 0; i < 8; ++i) times.push_back((*video)->probe().duration * i / 8);
  const auto frames = (*video)->frames_at(times, {.short_side = 64});
  return frames ? "" : refused(frames.error());
}

Tally run(const std::string& original, int first, int count, std::uint64_t seed, const fs::path& file,
          const media::Limits& limits) {
  Tally tally;
  for (int i = first; i < first + count; ++i) {
    Random random(seed * 1'000'003 + static_cast<std::uint64_t>(i));
    std::ofstream(file, std::ios::binary | std::ios::trunc) << mutated(original, random);
    const auto begin = std::chrono::steady_clock::now();
    std::string message;
    const std::string code = decode(file, limits, message);
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    tally.longest_ms = std::max(tally.longest_ms, ms);
    // Three calls, each with its own deadline, and the time to end a process.
    if (ms > 3 * 1000 * limits.max_decode_seconds + 1000) ++tally.late;
    if (code.empty()) {
      ++tally.decoded;
    } else {
      ++tally.refused[code];
      if (message.find(file.filename().string()) == std::string::npos || message.size() < 15) ++tally.unnamed;
    }
  }
  return tally;
}

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Options {
  std::vector<std::string> clips;
  int count = 1000;
  std::uint64_t seed = 1;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  media::Limits limits;
};

Tally run_parallel(const std::string& original, const Options& o) {
  std::vector<Tally> tallies(o.jobs);
  {
    std::vector<std::jthread> threads;
    for (unsigned j = 0; j < o.jobs; ++j) {
      threads.emplace_back([&, j] {
        const fs::path file =
            fs::path("/dev/shm") / ("mutated-" + std::to_string(::getpid()) + "-" + std::to_string(j));
        const auto jobs = static_cast<int>(o.jobs), job = static_cast<int>(j);
        const int share = o.count / jobs + (job < o.count % jobs ? 1 : 0);
        tallies[j] = run(original, job * o.count, share, o.seed, file, o.limits);
        fs::remove(file);
      });
    }
  }
  Tally all;
  for (const auto& t : tallies) {
    all.decoded += t.decoded;
    all.unnamed += t.unnamed;
    all.late += t.late;
    all.longest_ms = std::max(all.longest_ms, t.longest_ms);
    for (const auto& [code, n] : t.refused) all.refused[code] += n;
  }
  return all;
}

// Prints the line; how many things went wrong that must not.
int mutate(const std::string& clip, const Options& o) {
  const Tally all = run_parallel(content(clip), o);
  struct rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const double peak_mb = static_cast<double>(usage.ru_maxrss) / 1024.0;  // of any worker so far
  const nlohmann::ordered_json line{{"clip", fs::path(clip).filename().string()},
                                    {"mutations", o.count},
                                    {"decoded", all.decoded},
                                    {"refused", all.refused},
                                    {"unnamed", all.unnamed},
                                    {"late", all.late},
                                    {"longest_ms", std::round(all.longest_ms)},
                                    {"worker_peak_mb", std::round(peak_mb)}};
  std::cout << line.dump() << std::endl;
  return all.unnamed + all.late + (peak_mb > o.limits.worker.memory_mb ? 1 : 0);
}

int run_all(int argc, char** argv) {
  CLI::App app{"Decodes damaged copies of videos in isolated workers"};
  Options o;
  o.limits.isolate = "always";
  o.limits.max_decode_seconds = 5.0;
  o.limits.worker.memory_mb = 1024;
  std::string program;
  app.add_option("clips", o.clips)->required()->check(CLI::ExistingFile);
  app.add_option("--count", o.count)->capture_default_str();
  app.add_option("--seed", o.seed)->capture_default_str();
  app.add_option("--jobs", o.jobs)->capture_default_str();
  app.add_option("--memory-mb", o.limits.worker.memory_mb)->capture_default_str();
  app.add_option("--worker", program, "The reeltag program that decodes (default: the one beside this)");
  CLI11_PARSE(app, argc, argv);
  o.limits.worker.program = program;
  int wrong = 0;
  for (const auto& clip : o.clips) wrong += mutate(clip, o);
  return wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_all(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mutate_media: %s\n", e.what());
    return 1;
  }
}
