#include "invocation.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "reeltag/base/base64.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "response.hpp"

namespace reeltag::serve::sagemaker {
namespace {

using http::server::problem;
using http::server::Request;
using http::server::Response;

constexpr const char* kAttributes = "X-Amzn-SageMaker-Custom-Attributes";

// Holds one slot of a semaphore until it is destroyed.
class SlotGuard {
 public:
  explicit SlotGuard(std::counting_semaphore<>* taken) : taken_(taken) {}
  ~SlotGuard() {
    if (taken_ != nullptr) taken_->release();
  }
  SlotGuard(SlotGuard&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  SlotGuard& operator=(SlotGuard&&) = delete;

 private:
  std::counting_semaphore<>* taken_;
};

struct Head {
  Content content = Content::video;
  std::string content_type;
  MediaType media_type = MediaType::json;
  std::string attributes, inference_id, id;
  Overrides overrides;
  std::stop_token stop;
  bool may_read_objects = true;
};

Response echoed(Response&& response, const std::string& attributes) {
  if (!attributes.empty()) response.with(kAttributes, attributes);
  return std::move(response);
}

Result<void> write_all(const Descriptor& file, std::string_view rest) {
  while (!rest.empty()) {
    const auto put = ::write(file.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return fail(Code::unavailable, "the video cannot be stored: is the disk full?");
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

class Invocation final : public http::server::Upload {
 public:
  Invocation(std::shared_ptr<SharedState> shared, SlotGuard place, std::shared_ptr<tag::Model> model, Head head)
      : shared_(std::move(shared)), slot_(std::move(place)), model_(std::move(model)), head_(std::move(head)) {
    if (head_.content == Content::video) body_ = open_unnamed_file(options().scratch);
  }

  Result<void> write(std::string_view part) override {
    if (body_.is_open()) return write_all(body_, part);
    if (static_cast<std::int64_t>(text_.size() + part.size()) > options().max_text_bytes) {
      return fail(Code::too_large, "a request of JSON may have " + std::to_string(options().max_text_bytes) +
                                       " bytes; send the video itself, or its s3_uri or url");
    }
    text_.append(part);
    return {};
  }

  Response finish() override {
    const auto input = shared_->capture ? input_for_capture() : Payload{};
    auto request = ask();
    if (!request) return refused(request.error());
    const auto end = begin_ + seconds_for(request->deadline);
    std::vector<VideoResult> found;
    std::int64_t failed = 0;
    for (auto& entry : request->entries) {
      auto tagged = look(entry, share_of(end, request->entries.size() - found.size()));
      if (!tagged && !request->many) return refused(tagged.error());
      failed += tagged ? 0 : 1;
      found.push_back({std::move(entry.name), std::move(tagged)});
    }
    log::info("invocation", {{"request", head_.id},
                             {"inference_id", head_.inference_id},
                             {"model", model_->name()},
                             {"videos", static_cast<std::int64_t>(found.size())},
                             {"failed", failed},
                             {"seconds", Clock::now() - begin_}});
    auto text = text_of(found, request->many, head_.media_type);
    const auto captured = shared_->capture ? text : std::string();
    auto response = answer(std::move(text));
    if (shared_->capture && response.status == 200) {
      shared_->capture->add({.input = input,
                             .output = {std::string(content_type_of(head_.media_type)), captured},
                             .event = head_.id,
                             .inference_id = head_.inference_id,
                             .custom_attributes = head_.attributes});
    }
    return response;
  }

 private:
  [[nodiscard]] const Options& options() const { return shared_->options; }

  [[nodiscard]] Payload input_for_capture() const {
    Payload input{head_.content_type, text_};
    if (!body_.is_open()) return input;
    struct stat facts{};
    if (::fstat(body_.get(), &facts) != 0) return input;
    // One byte beyond the limit marks the body as too large.
    input.data.resize(std::min(static_cast<std::size_t>(facts.st_size), Capture::kMaxBytes + 1));
    std::size_t have = 0;
    while (have < input.data.size()) {
      const auto got =
          ::pread(body_.get(), input.data.data() + have, input.data.size() - have, static_cast<off_t>(have));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    input.data.resize(have);
    return input;
  }

  Result<InvocationRequest> ask() {
    if (head_.content != Content::video) return parse_request(head_.content, std::exchange(text_, {}));
    InvocationRequest request{.deadline = head_.overrides.deadline};
    request.entries.push_back(
        {head_.inference_id.empty() ? head_.id : head_.inference_id, Item{.overrides = head_.overrides}});
    return request;
  }

  [[nodiscard]] Clock::duration seconds_for(const std::optional<double>& wished) const {
    const double seconds = std::min(wished.value_or(options().seconds), options().max_seconds);
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  // The end of the next video's equal share of the remaining time.
  static Clock::time_point share_of(Clock::time_point end, std::size_t left) {
    const auto now = Clock::now();
    return now + (end - now) / static_cast<Clock::rep>(left);
  }

  Result<tag::TagResult> look(Entry& entry, Clock::time_point deadline) {
    if (!entry.item) return fail(entry.item.error());
    if (head_.stop.stop_requested()) return fail(Code::interrupted, entry.name + ": the server is ending; ask again");
    if (!shared_->workers.try_acquire_until(deadline))
      return fail(Code::timeout, entry.name + ": the deadline passed before its turn came");
    const SlotGuard worker(&shared_->workers);
    auto file = open(*entry.item, entry.name, deadline);
    if (!file) return fail(file.error());
    auto video = media::Decoder::open_untrusted(std::move(*file), entry.name, shared_->sources.limits);
    if (!video) return fail(video.error());
    const auto& overrides = entry.item->overrides;
    return model_->tag(
        **video, entry.name,
        {.threshold = overrides.threshold, .top = overrides.top, .deadline = deadline, .stop = head_.stop});
  }

  Result<Descriptor> open(Item& item, const std::string& name, Clock::time_point deadline) {
    switch (item.where) {
      case InputKind::body:
        return std::move(body_);
      case InputKind::base64:
        return decoded(std::exchange(item.value, {}), name);
      case InputKind::url:
        return fetched(shared_->sources.url, item.value, deadline);
      case InputKind::s3:
        if (!head_.may_read_objects)
          return fail(Code::permission_denied, name + ": objects of a store need a token; send the video itself");
        return fetched(shared_->sources.s3, item.value, deadline);
    }
    return fail(Code::internal, name + ": refers to nothing");
  }

  [[nodiscard]] Result<Descriptor> decoded(const std::string& text, const std::string& name) const {
    const auto bytes = from_base64(text, Base64::lenient);
    if (!bytes) return fail(Code::invalid_argument, name + ": b64 is not base64 (RFC 4648)");
    Descriptor file = open_unnamed_file(options().scratch);
    if (const auto written = write_all(file, *bytes); !written) return fail(written.error());
    return file;
  }

  static Result<Descriptor> fetched(const Fetch& fetch, const std::string& reference, Clock::time_point deadline) {
    if (!fetch) return fail(Code::unsupported, reference + ": such references are switched off here");
    return fetch(reference, deadline);
  }

  [[nodiscard]] Response refused(const Error& error) const {
    log::warning("invocation", {{"request", head_.id},
                                {"inference_id", head_.inference_id},
                                {"code", code_name(error.code)},
                                {"message", error.message}});
    return echoed(problem(error), head_.attributes);
  }

  [[nodiscard]] Response answer(std::string text) const {
    if (static_cast<std::int64_t>(text.size()) > options().max_response_bytes) {
      return refused({Code::too_large, "the answer has " + std::to_string(text.size()) +
                                           " bytes, and the platform takes " +
                                           std::to_string(options().max_response_bytes) +
                                           "; ask for fewer videos, or fewer tags of each (top)"});
    }
    return echoed(http::server::text(std::move(text), std::string(content_type_of(head_.media_type))),
                  head_.attributes);
  }

  const Clock::time_point begin_ = Clock::now();
  std::shared_ptr<SharedState> shared_;
  SlotGuard slot_;
  std::shared_ptr<tag::Model> model_;
  Head head_;
  Descriptor body_;
  std::string text_;
};

// JSON, unless the request was JSON Lines: those clients split the response by lines.
MediaType preferred_media_type(const Options& options, Content content) {
  if (options.media_type) return *options.media_type;
  return content == Content::json_lines ? MediaType::json_lines : MediaType::json;
}

std::variant<Response, Head> head_of(const Options& options, const Request& request) {
  const auto content = content_of(request.header("content-type"));
  if (!content) {
    return problem(415, "unsupported",
                   "Content-Type must be video/mp4 (or another video type), application/octet-stream, "
                   "application/json or application/jsonlines");
  }
  const auto media_type = accepted_media_type(request.header("accept"), preferred_media_type(options, *content));
  if (!media_type)
    return problem(406, "unsupported", "Accept must allow application/json, application/jsonlines or text/csv");
  const auto limit = *content == Content::video ? options.max_request_bytes : options.max_text_bytes;
  if (request.content_length.value_or(0) > limit)
    return problem(413, "too_large", "such a request may have " + std::to_string(limit) + " bytes");
  const auto overrides = overrides_of(request.query);
  if (!overrides) return problem(overrides.error());
  return Head{.content = *content,
              .content_type = std::string(request.header("content-type")),
              .media_type = *media_type,
              .attributes = std::string(request.header("x-amzn-sagemaker-custom-attributes")),
              .inference_id = std::string(request.header("x-amzn-sagemaker-inference-id")),
              .id = request.id,
              .overrides = *overrides,
              .stop = request.stop};
}

}  // namespace

std::variant<Response, std::unique_ptr<http::server::Upload>> begin_invocation(
    const std::shared_ptr<SharedState>& shared, std::shared_ptr<tag::Model> model, const Request& request) {
  const std::string attributes(request.header("x-amzn-sagemaker-custom-attributes"));
  if (!model) return echoed(problem({Code::unavailable, "the model is not loaded yet"}), attributes);
  auto head = head_of(shared->options, request);
  if (auto* refusal = std::get_if<Response>(&head)) return echoed(std::move(*refusal), attributes);
  if (!shared->slots.try_acquire())
    return echoed(problem({Code::unavailable, "busy: too many requests at once"}), attributes);
  const auto& may_read_objects = shared->sources.may_read_objects;
  std::get<Head>(head).may_read_objects = !may_read_objects || may_read_objects(request);
  return std::make_unique<Invocation>(shared, SlotGuard(&shared->slots), std::move(model),
                                      std::move(std::get<Head>(head)));
}

}  // namespace reeltag::serve::sagemaker
