// Data capture: what came in and went out, in the records that SageMaker's own capture writes and its monitoring tools
// read (developer guide, "Data capture"). An endpoint of the platform captures by itself; this is for containers
// elsewhere. Thread-safe. Failure: a record that cannot be written is logged, and the request is answered all the same.
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
  // Larger bodies are captured without their data, as the platform's largest real-time request.
  static constexpr std::size_t kMaxBytes = 6U << 20;

  // Lines are appended to folder/yyyy/mm/dd/hh/<start>-<process>.jsonl, by the hour (UTC) of the inference.
  explicit Capture(std::filesystem::path folder);
  void add(const CaptureRecord& captured);

 private:
  std::filesystem::path folder_;
  std::string name_;
  std::mutex mutex_;
};

}  // namespace reeltag::serve::sagemaker
