#include "sources/ytdlp_child.hpp"

#include <unistd.h>

#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "reeltag/base/json.hpp"
#include "reeltag/base/subprocess.hpp"
#include "sources/ytdlp_answer.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

constexpr std::int64_t kMegabyte = 1 << 20;
constexpr double kRequests = 4.0;  // requests that one item may need, each after the interval
constexpr std::size_t kMaxLine = 16 << 20;

// Splits the output into lines.
class Lines {
 public:
  explicit Lines(const YtdlpChild::OnLine& on_line) : on_line_(on_line) {}

  void take(std::string_view piece) {
    rest_ += piece;
    std::size_t begin = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      line(std::string_view(rest_).substr(begin, end - begin));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    if (rest_.size() > kMaxLine) throw Exception(Code::too_large, "yt-dlp's answer has no end");
  }

  [[nodiscard]] bool broken() const { return broken_ || !rest_.empty(); }

 private:
  void line(std::string_view text) {
    const auto parsed = parse_json(text, "yt-dlp's answer");
    if (parsed && parsed->is_object() && !broken_) return on_line_(*parsed);
    broken_ = true;  // later output cannot be trusted either
  }

  const YtdlpChild::OnLine& on_line_;
  std::string rest_;
  bool broken_ = false;
};

}  // namespace

YtdlpChild::YtdlpChild(const YtdlpConfig& config, http::ClientOptions http, double interval,
                       std::function<std::string()> python, std::filesystem::path script, std::stop_token stop,
                       double start)
    : config_(config),
      http_(std::move(http)),
      interval_(interval),
      python_(std::move(python)),
      script_(std::move(script)),
      stop_(std::move(stop)),
      start_(start) {}

std::string YtdlpChild::input_of(const json& job, double seconds) const {
  json input = job;
  input["interval"] = interval_;
  input["deadline"] = seconds;
  input["memory"] = config_.memory * kMegabyte;
  input["proxy"] = config_.proxy;
  input["timeout"] = http_.connect_timeout;
  input["height"] = config_.height;
  input["allow"] = http_.allow;
  input["allow_private"] = http_.allow_private;
  input["parent"] = ::getpid();
  return dump_json(input);
}

// The child ends slow requests itself; this is for a child that hangs.
std::chrono::milliseconds YtdlpChild::longest(const json& job, double seconds) const {
  const auto items = job.find("items");
  const double pieces = items != job.end() ? static_cast<double>(items->size()) : 1.0;
  const double requests = items != job.end() ? kRequests * pieces : kRequests + config_.list;
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(1000.0 * (start_ + seconds * pieces + interval_ * requests)));
}

tl::expected<void, SourceFailure> YtdlpChild::run(const json& job, double seconds, Gate& gate, const OnLine& on_line) {
  const auto python = python_();
  if (auto may = gate.enter(true); !may) return may;  // for the first request, before the child is started
  bool first = true;
  std::optional<SourceFailure> failure;
  std::exception_ptr thrown;  // kept from run(), which would turn it into a Result
  const OnLine look = [&](const json& line) {
    if (line.contains("asks")) {
      // The child keeps the same interval itself, so this counts requests and rarely waits.
      if (!std::exchange(first, false) && !failure) {
        if (auto may = gate.enter(true); !may) failure = may.error();
      }
    } else if (line.contains("error") && !line.contains("item")) {
      failure = ytdlp_failure(line.at("error"));
    } else if (!line.contains("ready")) {
      on_line(line);
    }
  };
  Lines lines(look);
  RunOptions options{.input = input_of(job, seconds),
                     .deadline = longest(job, seconds),
                     .reduced = true,
                     .stop = stop_,
                     .on_out = [&](std::string_view piece) {
                       try {
                         lines.take(piece);
                       } catch (...) {
                         thrown = std::current_exception();
                         throw Exception(Code::internal, "ended by the one who asks");
                       }
                     }};
  if (!http_.ca_file.empty()) options.environment = {{"SSL_CERT_FILE", http_.ca_file}};
  const auto done = reeltag::run({python, "-I", "-B", script_.string()}, options);
  if (thrown) std::rethrow_exception(thrown);
  if (!done && done.error().code == Code::interrupted) throw Exception(done.error());
  if (failure) return tl::unexpected(*failure);
  if (!done) return tl::unexpected(SourceFailure{SourceError::unavailable, "yt-dlp: " + done.error().message});
  if (done->status != 0) {
    auto last = done->err.substr(done->err.size() > 300 ? done->err.size() - 300 : 0);
    return tl::unexpected(
        SourceFailure{SourceError::unavailable,
                      "yt-dlp ended with status " + std::to_string(done->status) + (last.empty() ? "" : ": " + last)});
  }
  if (lines.broken())
    return tl::unexpected(SourceFailure{SourceError::schema_changed, "yt-dlp's answer is no JSON Lines"});
  return {};
}

}  // namespace reeltag::collect
