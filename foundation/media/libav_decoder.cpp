// The in-process decoder.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <new>
#include <stdexcept>

#include "decoders.hpp"
#include "frame_reader.hpp"
#include "input.hpp"
#include "picture.hpp"
#include "timeline.hpp"

namespace reeltag::media {
namespace {

// A file may lack this share of its declared duration before it is an error: sound, rounding and the last frame's
// length make valid files differ slightly.
constexpr double kMissingShare = 0.1;

std::string seconds(double s) {
  std::string text(32, '\0');
  text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%.2f s", s)));
  return text;
}

class LibavDecoder final : public Decoder {
 public:
  LibavDecoder(std::shared_ptr<const File> file, const Limits& limits, std::unique_ptr<Input> input)
      : file_(std::move(file)), limits_(limits), input_(std::move(input)), probe_(input_->probe()) {}

  [[nodiscard]] const Probe& probe() const override { return probe_; }

  // Reads the packets if the header lacks the duration, or if it may be that of one part of the file.
  Result<void> complete_probe() {
    if (probe_.duration > 0 && probe_.fps > 0 && !input_->times_may_restart()) return {};
    if (auto ready = load_timeline(); !ready) return ready;
    if (probe_.duration <= 0 || timeline_->joined()) probe_.duration = timeline_->end();
    const auto frames = static_cast<double>(timeline_->times().size());
    if (probe_.fps <= 0 && timeline_->end() > 0) probe_.fps = frames / timeline_->end();
    return check_duration(probe_.duration);
  }

  Result<Frames> frames_at(std::span<const double> times, const Scale& scale) override {
    try {
      input_->start_clock();
      return decode(times, scale);
    } catch (const std::bad_alloc&) {
      return fail(no_memory(times.size()));
    } catch (const std::length_error&) {
      return fail(no_memory(times.size()));
    }
  }

  Result<std::vector<double>> frame_times() override {
    input_->start_clock();
    if (auto ready = load_timeline(); !ready) return fail(ready.error());
    return timeline_->times();
  }

 private:
  // One call's selected frames (sorted, no repeats) and the positions of each in the result.
  struct Order {
    std::vector<int> frames;
    std::vector<std::vector<int>> places;
  };

  Result<void> load_timeline();
  [[nodiscard]] Result<void> check_duration(double length) const;
  Result<void> check_times(std::span<const double> times) const;
  Result<Size> output_size(const Scale& scale) const;
  [[nodiscard]] Order order_of(std::span<const double> times) const;
  Result<Frames> decode(std::span<const double> times, const Scale& scale);
  Result<std::vector<int>> fill(const Order& order, const std::vector<int>& frames, bool carefully, Frames& result,
                                std::string& problem);
  [[nodiscard]] Error no_memory(std::size_t frames) const {
    return input_->error(
        Code::too_large,
        std::to_string(frames) + " frames of this size do not fit into memory; ask for fewer or smaller ones");
  }
  [[nodiscard]] Error undecodable(double at, const std::string& problem) const;

  std::shared_ptr<const File> file_;
  Limits limits_;
  std::unique_ptr<Input> input_;
  Probe probe_;
  std::optional<Timeline> timeline_;
};

Result<void> LibavDecoder::load_timeline() {
  if (timeline_) return {};
  auto timeline = Timeline::read(*input_);
  if (!timeline) return fail(timeline.error());
  if (timeline->times().empty())
    return fail(input_->error(Code::decode_failed,
                              "holds no frames" + (timeline->problem().empty() ? "" : ": " + timeline->problem())));
  if (auto fine = check_duration(timeline->end()); !fine) return fine;
  timeline_.emplace(std::move(*timeline));
  return {};
}

Result<void> LibavDecoder::check_duration(double length) const {
  if (length <= limits_.max_duration) return {};
  return fail(input_->error(Code::too_large, "lasts " + seconds(length) + ", the limit media.max_duration is " +
                                                 seconds(limits_.max_duration)));
}

// A truncated file still declares the whole duration. Times beyond its last frame must fail instead of silently
// returning that frame.
Result<void> LibavDecoder::check_times(std::span<const double> times) const {
  const Input::Claim claim = input_->claim();
  const double held = claim.whole_file ? timeline_->file_end() : timeline_->end();
  // A joined file's header speaks for one part, so it cannot tell whether the last part is cut off.
  const bool cut_off = !timeline_->joined() && claim.seconds - held > kMissingShare * claim.seconds;
  for (const double t : times) {
    if (!std::isfinite(t)) return fail(Code::invalid_argument, "a time that frames are asked for is not a number");
    if (!cut_off || t <= timeline_->end()) continue;
    return fail(input_->error(Code::decode_failed,
                              "breaks off after " + seconds(timeline_->end()) + " of " + seconds(claim.seconds) +
                                  (timeline_->problem().empty() ? "" : " (" + timeline_->problem() + ")") +
                                  "; the frame at " + seconds(t) + " is missing"));
  }
  return {};
}

Result<Size> LibavDecoder::output_size(const Scale& scale) const {
  const auto size = scaled_size(input_->geometry().upright(), scale);
  if (!size) return size;
  const std::int64_t pixels = static_cast<std::int64_t>(size->width) * size->height;
  if (pixels <= limits_.max_pixels) return size;
  return fail(input_->error(Code::too_large,
                            "scaled to " + std::to_string(size->width) + "x" + std::to_string(size->height) +
                                " it exceeds the limit media.max_pixels of " + std::to_string(limits_.max_pixels)));
}

LibavDecoder::Order LibavDecoder::order_of(std::span<const double> times) const {
  std::vector<std::pair<int, int>> asked;  // frame, position
  for (int i = 0; i < static_cast<int>(times.size()); ++i) asked.emplace_back(timeline_->frame_at(times[i]), i);
  std::sort(asked.begin(), asked.end());
  Order order;
  for (const auto& [frame, place] : asked) {
    if (order.frames.empty() || order.frames.back() != frame) {
      order.frames.push_back(frame);
      order.places.emplace_back();
    }
    order.places.back().push_back(place);
  }
  return order;
}

Result<Frames> LibavDecoder::decode(std::span<const double> times, const Scale& scale) {
  if (auto ready = load_timeline(); !ready) return fail(ready.error());
  if (auto fine = check_times(times); !fine) return fail(fine.error());
  const auto size = output_size(scale);
  if (!size) return fail(size.error());

  Frames result;
  result.count = static_cast<int>(times.size());
  result.width = size->width;
  result.height = size->height;
  result.times.resize(times.size());
  if (times.empty()) return result;
  if (result.frame_bytes() > result.data.max_size() / times.size()) return fail(no_memory(times.size()));
  result.data.resize(result.frame_bytes() * times.size());

  const Order order = order_of(times);
  std::string problem;
  auto missing = fill(order, order.frames, false, result, problem);
  if (missing && !missing->empty()) missing = fill(order, std::vector<int>(*missing), true, result, problem);
  if (!missing) return fail(missing.error());
  if (!missing->empty()) return fail(undecodable(timeline_->times()[missing->front()], problem));
  return result;
}

// Decodes frames (a subset of order.frames) to their positions. Returns the ones that could not be decoded.
Result<std::vector<int>> LibavDecoder::fill(const Order& order, const std::vector<int>& frames, bool carefully,
                                            Frames& result, std::string& problem) {
  if (carefully) {
    auto again = Input::open(file_, limits_);
    if (!again) return fail(again.error());
    (*again)->take_over(*input_);
    input_ = std::move(*again);
  }
  auto reader = FrameReader::open(*input_, *timeline_);
  if (!reader) return fail(reader.error());
  Converter converter(input_->geometry().orientation, {result.width, result.height});
  const auto& at = timeline_->times();
  const auto sink = [&](int chosen, int actual, const AVFrame& picture) -> Result<void> {
    if (std::abs(at[chosen] - at[actual]) > kMissingShare * timeline_->end())
      return fail(undecodable(at[chosen], reader->problem()));
    const auto k = std::lower_bound(order.frames.begin(), order.frames.end(), chosen) - order.frames.begin();
    const std::vector<int>& places = order.places[static_cast<std::size_t>(k)];
    const std::size_t bytes = result.frame_bytes();
    const std::span<std::uint8_t> first(result.data.data() + bytes * static_cast<std::size_t>(places[0]), bytes);
    if (auto done = converter.convert(picture, first); !done)
      return fail(input_->error(done.error().code, done.error().message));
    for (const int place : places) {
      result.times[place] = at[actual];
      if (place != places[0])
        std::copy(first.begin(), first.end(), result.data.begin() + static_cast<std::ptrdiff_t>(bytes) * place);
    }
    return {};
  };
  auto missing = carefully ? reader->read_carefully(frames, sink) : reader->read(frames, sink);
  problem = reader->problem();
  return missing;
}

Error LibavDecoder::undecodable(double at, const std::string& problem) const {
  // libav's message for a picture larger than the container declared.
  if (problem.find("exceeds specified max pixel count") != std::string::npos)
    return input_->error(Code::too_large, "has frames over the limit media.max_pixels of " +
                                              std::to_string(limits_.max_pixels) + ": " + problem);
  return input_->error(Code::decode_failed,
                       "the frame at " + seconds(at) + " cannot be decoded" + (problem.empty() ? "" : ": " + problem));
}

}  // namespace

Result<std::unique_ptr<Decoder>> open_libav(const std::shared_ptr<const File>& file, const Limits& limits) {
  auto input = Input::open(file, limits);
  if (!input) return fail(input.error());
  auto decoder = std::make_unique<LibavDecoder>(file, limits, std::move(*input));
  if (auto done = decoder->complete_probe(); !done) return fail(done.error());
  return decoder;
}

}  // namespace reeltag::media
