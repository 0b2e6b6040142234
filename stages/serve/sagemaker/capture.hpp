// Captures requests and responses in the record format that SageMaker's data capture writes and its monitoring tools
// read (developer guide, "Data capture"). Endpoints on the platform capture by themselves; this is for containers
// elsewhere. Thread-safe. Failure: a record that cannot be written is logged, and the request is answered normally.
//
//   Capture capture("/var/log/reeltag/capture");
//   capture.add({.input = {"video/mp4", bytes}, .output = {"application/json", answer}, .event = request_id});
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

namespace reeltag::serve::sagemaker {

struct Payload {
  std::string content_type;
  std::string data;
};

struct CaptureRecord {
  Payload input, output;
  std::string event;  // the request's id
  std::string inference_id = {}, custom_attributes = {};
};

class Capture {
 public:
  // Larger bodies are captured without their data; equals the platform's largest real-time request.
  static constexpr std::size_t kMaxBytes = 6U << 20;

  // Appends lines to folder/yyyy/mm/dd/hh/<start>-<process>.jsonl, by the hour (UTC) of the inference.
  explicit Capture(std::filesystem::path folder);
  void add(const CaptureRecord& captured);

 private:
  std::filesystem::path folder_;
  std::string name_;
  std::mutex mutex_;
};

}  // namespace reeltag::serve::sagemaker
