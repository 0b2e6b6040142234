#include <algorithm>
#include <charconv>

#include "media_type.hpp"

namespace reeltag::serve::sagemaker {
namespace {

constexpr int kBatchMegabytes = 100;     // of all concurrent requests of a batch transform: the platform's limit
constexpr double kMargin = 0.9;          // of the platform's timeout; the rest is for transfer
constexpr double kDrainPatience = 60.0;  // seconds; the platform's default timeout if the environment has none

class Reader {
 public:
  explicit Reader(const Variables& get) : get_(get) {}

  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const {
    const auto value = get_(name);
    return value && !value->empty() ? *value : otherwise;
  }

  [[nodiscard]] bool truth(const std::string& name) const {
    const auto value = text(name, "false");
    return value == "true" || value == "True" || value == "1";
  }

  [[nodiscard]] int number(const std::string& name, int otherwise, int min, int max) const {
    const auto value = text(name, "");
    if (value.empty()) return otherwise;
    int out = 0;
    const auto* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, out);
    if (error != std::errc() || stop != end || out < min || out > max) {
      throw Exception(Code::invalid_config, name + "=" + value + ": must be a whole number from " +
                                                std::to_string(min) + " to " + std::to_string(max));
    }
    return out;
  }

 private:
  const Variables& get_;
};

MediaType form_from(const Reader& read) {
  const auto type = read.text("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json");
  const auto media_type = media_type_named(type);
  if (!media_type) {
    throw Exception(Code::invalid_config, "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT=" + type +
                                              ": must be application/json, application/jsonlines or text/csv");
  }
  return *media_type;
}

void read_times(const Reader& read, bool batch, Options& o) {
  const int patience = read.number("SAGEMAKER_MODEL_SERVER_TIMEOUT", static_cast<int>(kDrainPatience), 1, 3600);
  o.max_seconds = kMargin * patience;
  // A longer timeout was configured so that long videos are processed in full.
  const bool patient = batch || patience > kDrainPatience;
  o.seconds = patient ? o.max_seconds : std::min(o.seconds, o.max_seconds);
}

void read_batch(const Reader& read, int processors, Options& o) {
  o.batch_at_once = read.number("SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", std::clamp(processors, 1, 4), 1, o.at_once);
  const int megabytes = read.number("SAGEMAKER_MAX_PAYLOAD_IN_MB", -1, 0, 100'000);
  if (megabytes > 0) o.max_request_bytes = static_cast<std::int64_t>(megabytes) << 20;
  o.max_text_bytes = std::min(o.max_text_bytes, o.max_request_bytes);
  o.batch_payload_mb = megabytes >= 0 ? megabytes : kBatchMegabytes / o.batch_at_once;
  o.batch_strategy = read.text("SAGEMAKER_BATCH_STRATEGY", o.batch_strategy);
  std::transform(o.batch_strategy.begin(), o.batch_strategy.end(), o.batch_strategy.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  if (o.batch_strategy == "SINGLERECORD") o.batch_strategy = "SINGLE_RECORD";
  if (o.batch_strategy == "MULTIRECORD") o.batch_strategy = "MULTI_RECORD";
  if (o.batch_strategy != "SINGLE_RECORD" && o.batch_strategy != "MULTI_RECORD") {
    throw Exception(Code::invalid_config,
                    "SAGEMAKER_BATCH_STRATEGY=" + o.batch_strategy + ": must be SINGLE_RECORD or MULTI_RECORD");
  }
}

}  // namespace

Container container_from(const Variables& get, int processors) {
  const Reader read(get);
  Container c;
  c.base = read.text("SAGEMAKER_BASE_DIR", c.base.string());
  c.port = read.number("SAGEMAKER_BIND_TO_PORT", c.port, 0, 65535);
  c.many_models = read.truth("SAGEMAKER_MULTI_MODEL");
  const bool is_batch = read.truth("SAGEMAKER_BATCH");
  // The platform concatenates the answers of a batch.
  if (is_batch) c.options.max_response_bytes = static_cast<std::int64_t>(kBatchMegabytes) << 20;
  if (get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT")) c.options.media_type = form_from(read);
  c.options.workers = read.number("SAGEMAKER_MODEL_SERVER_WORKERS", std::max(2, processors), 1, 256);
  read_times(read, is_batch, c.options);
  read_batch(read, processors, c.options);
  return c;
}

}  // namespace reeltag::serve::sagemaker
