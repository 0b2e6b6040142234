// make_clips: command line that generates synthetic clips.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <iostream>

#include "reeltag/make_clips.hpp"

namespace {

using reeltag::Code;
using reeltag::Exception;
namespace make_clips = reeltag::make_clips;

constexpr const char* kHelp =
    "Makes short clips whose true labels are known: shapes that move over textures and scenes.\n"
    "Writes OUT/<class>/<id>.mp4 and OUT/manifest.jsonl (id, file, group, hashtags, caption, category, author, "
    "created,\n"
    "truth), which `reeltag import OUT` reads. The same options give the same bytes.\n"
    "Sets: motion  classes differ only in how the shape moves: a single frame says nothing about the class\n"
    "      mixed   a class is a shape with a motion, over any texture or scene\n"
    "      look    a class is a shape";

void parse_size(const std::string& text, make_clips::Options& options) {
  const char* end = text.data() + text.size();
  const auto [x, error] = std::from_chars(text.data(), end, options.width);
  if (error == std::errc{} && x != end && *x == 'x') {
    const auto [rest, second] = std::from_chars(x + 1, end, options.height);
    if (second == std::errc{} && rest == end) return;
  }
  throw Exception(Code::invalid_argument, "--size wants WIDTHxHEIGHT, for instance 128x128 or 144x256, not " + text);
}

int run(int argc, char** argv) {
  CLI::App app{kHelp, "make_clips"};
  make_clips::Options options;
  std::string out, set = "mixed", drift = "none", size = "128x128";
  bool quiet = false;
  app.add_option("--out", out, "Folder to write; must not have a manifest yet")->required();
  app.add_option("--set", set, "motion, mixed or look")->capture_default_str();
  app.add_option("--classes", options.classes, "Classes; 0 for all of the set (mixed: 12 of up to 90)")
      ->capture_default_str();
  app.add_option("--clips-per-class", options.clips_per_class, "Clips of each class")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Length of a clip")->capture_default_str();
  app.add_option("--size", size, "WIDTHxHEIGHT in pixels, even; 144x256 stands upright")->capture_default_str();
  app.add_option("--fps", options.fps, "Frames per second")->capture_default_str();
  app.add_option("--seed", options.seed, "Another seed, other clips")->capture_default_str();
  app.add_option("--wrong", options.wrong, "Probability that the class hashtag is another class's")
      ->capture_default_str();
  app.add_option("--missing", options.missing, "Probability that a true hashtag is left out")->capture_default_str();
  app.add_option("--generic", options.generic, "Probability of hashtags such as fyp")->capture_default_str();
  app.add_option("--text", options.text, "Probability of words on the frames (not in motion)")->capture_default_str();
  app.add_option("--drift", drift,
                 "none; labels: neighbouring classes swap hashtags half-way; mix: the classes' shares change by month")
      ->capture_default_str();
  app.add_option("--months", options.months, "Months over which the clips are spread")->capture_default_str();
  app.add_flag("-q,--quiet", quiet, "No progress on stderr");
  CLI11_PARSE(app, argc, argv);
  options.set = make_clips::parse_set(set);
  options.drift = make_clips::parse_drift(drift);
  parse_size(size, options);
  const int count = make_clips::write(options, out, [quiet](int n, int total) {
    if (!quiet && (n % 50 == 0 || n == total)) std::fprintf(stderr, "make_clips: %d of %d\n", n, total);
  });
  std::cout << "{\"clips\":" << count << "}\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Exception& e) {
    std::cerr << "make_clips: " << e.what() << "\n";
    return reeltag::exit_status(e.code());
  } catch (const std::exception& e) {
    std::cerr << "make_clips: " << e.what() << "\n";
    return 1;
  }
}
