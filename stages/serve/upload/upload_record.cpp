#include "upload_record.hpp"

#include <nlohmann/json.hpp>

#include "reeltag/base/json.hpp"

namespace reeltag::serve {
namespace {

constexpr int kVersion = 1;

nlohmann::json optional_number(const std::optional<std::int64_t>& number) {
  return number ? nlohmann::json(*number) : nlohmann::json(nullptr);
}

std::optional<std::int64_t> number_or_none(const nlohmann::json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<std::int64_t>());
}

}  // namespace

std::string to_text(const UploadRecord& record) {
  return dump_json({{"version", kVersion},
                    {"owner", record.owner},
                    {"name", record.name},
                    {"content_type", record.content_type},
                    {"metadata", record.metadata},
                    {"upload_metadata", record.upload_metadata},
                    {"length", optional_number(record.length)},
                    {"verified", optional_number(record.verified)},
                    {"created", record.created},
                    {"expires", record.expires},
                    {"job", record.job},
                    {"client", record.client},
                    {"request_key", record.request_key},
                    {"request_digest", record.request_digest},
                    {"one_body", record.one_body},
                    {"terminated", record.terminated},
                    {"released", record.released}}) +
         '\n';
}

Result<UploadRecord> parse_record(std::string_view text, const std::string& origin) {
  const auto json = parse_json(text, origin);
  if (!json) return fail(Code::corrupt, json.error().message);
  try {
    if (json->at("version") != kVersion)
      return fail(Code::corrupt, origin + ": another version than this program writes");
    UploadRecord record{.owner = json->at("owner"),
                        .name = json->at("name"),
                        .content_type = json->at("content_type"),
                        .metadata = json->at("metadata"),
                        .upload_metadata = json->at("upload_metadata"),
                        .length = number_or_none(json->at("length")),
                        .verified = number_or_none(json->at("verified")),
                        .created = json->at("created"),
                        .expires = json->at("expires"),
                        .job = json->at("job"),
                        .client = json->value("client", ""),
                        .request_key = json->value("request_key", ""),
                        .request_digest = json->value("request_digest", ""),
                        .one_body = json->at("one_body"),
                        .terminated = json->at("terminated"),
                        .released = json->at("released")};
    if (record.length.value_or(1) < 1 || record.verified.value_or(0) < 0)
      return fail(Code::corrupt, origin + ": a length that cannot be");
    return record;
  } catch (const nlohmann::json::exception& e) {
    return fail(Code::corrupt, origin + ": " + e.what());
  }
}

}  // namespace reeltag::serve
