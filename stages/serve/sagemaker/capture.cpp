#include "capture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <ctime>

#include <nlohmann/json.hpp>

#include "reeltag/base/base64.hpp"
#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/time.hpp"

namespace reeltag::serve::sagemaker {
namespace {

using nlohmann::json;

json side(const Payload& payload, const char* mode) {
  const bool is_text =
      payload.content_type.starts_with("application/json") || payload.content_type.starts_with("text/csv");
  const bool is_csv = payload.content_type.starts_with("text/csv");
  const bool fits = payload.data.size() <= Capture::kMaxBytes;
  return {{"observedContentType", payload.content_type},
          {"mode", mode},
          {"data", !fits     ? ""
                   : is_text ? payload.data
                             : to_base64(payload.data)},
          {"encoding", is_csv    ? "CSV"
                       : is_text ? "JSON"
                                 : "BASE64"}};
}

}  // namespace

Capture::Capture(std::filesystem::path folder)
    : folder_(std::move(folder)),
      name_(utc_text(std::time(nullptr), "%Y%m%dT%H%M%SZ") + "-" + std::to_string(::getpid()) + ".jsonl") {
  std::filesystem::create_directories(folder_);
}

void Capture::add(const CaptureRecord& captured) {
  const auto now = std::time(nullptr);
  json event{{"eventId", captured.event}, {"inferenceTime", utc_text(now, "%Y-%m-%dT%H:%M:%SZ")}};
  if (!captured.inference_id.empty()) event["inferenceId"] = captured.inference_id;
  if (!captured.custom_attributes.empty()) event["customAttributes"] = json::array({captured.custom_attributes});
  const json record{
      {"captureData",
       {{"endpointInput", side(captured.input, "INPUT")}, {"endpointOutput", side(captured.output, "OUTPUT")}}},
      {"eventMetadata", event},
      {"eventVersion", "0"}};
  const auto line = record.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  const auto file = folder_ / utc_text(now, "%Y/%m/%d/%H") / name_;
  const std::lock_guard lock(mutex_);
  std::error_code unusable;
  std::filesystem::create_directories(file.parent_path(), unusable);
  const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  // One write per record, so that readers, also after a kill, see complete lines.
  if (!out.is_open() || ::write(out.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    log::warning("not_captured", {{"request", captured.event}, {"file", file}, {"message", "is the disk full?"}});
}

}  // namespace reeltag::serve::sagemaker
