#include "reeltag/http/multipart.hpp"

#include <algorithm>
#include <cstring>

#include "reeltag/http/header_value.hpp"
#include "target.hpp"

namespace reeltag::http {
namespace {

using server::lower_case;
using server::trimmed;

tl::unexpected<Error> bad(std::string what) {
  return fail(Code::invalid_argument, "multipart form: " + std::move(what));
}

// Uses memmem, because string_view::find stops at every byte equal to the first one: content of only line breaks would
// be searched ten times slower.
std::size_t find_in(std::string_view text, std::string_view wanted) {
  const void* at = ::memmem(text.data(), text.size(), wanted.data(), wanted.size());
  return at == nullptr ? std::string_view::npos : static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

// Source: RFC 2046, 5.1.1.
bool is_boundary(std::string_view text) {
  return !text.empty() && text.size() <= 70 && text.back() != ' ' && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<MultipartParser> MultipartParser::make(std::string_view content_type, MultipartOptions options,
                                              MultipartSink sink) {
  const auto type = parse_header_value(content_type);
  if (!type || type->value != "multipart/form-data")
    return fail(Code::unsupported, "want a body of Content-Type multipart/form-data");
  const std::string* boundary = type->find("boundary");
  if (boundary == nullptr || !is_boundary(*boundary)) return bad("its Content-Type has no valid boundary");
  return MultipartParser(*boundary, std::move(options), std::move(sink));
}

MultipartParser::MultipartParser(const std::string& boundary, MultipartOptions options, MultipartSink sink)
    : delimiter_("\r\n--" + boundary), options_(std::move(options)), sink_(std::move(sink)) {}

Result<void> MultipartParser::feed(std::string_view bytes) {
  if (failure_) return fail(*failure_);
  buffer_ += bytes;
  rest_ = buffer_;
  for (;;) {
    const Result<bool> went_on = step();
    if (!went_on) {
      failure_ = went_on.error();
      return fail(*failure_);
    }
    if (!*went_on) break;
  }
  buffer_.erase(0, buffer_.size() - rest_.size());
  rest_ = {};
  return {};
}

Result<MultipartForm> MultipartParser::finish() {
  if (failure_) return fail(*failure_);
  if (state_ != State::end) return bad("it ends before its last boundary");
  return std::move(form_);
}

Result<bool> MultipartParser::step() {
  switch (state_) {
    case State::preamble:
      return step_preamble();
    case State::boundary:
      return step_boundary();
    case State::head:
      return step_head();
    case State::field:
    case State::file:
      return step_content();
    case State::end:
      break;
  }
  rest_ = {};  // bytes after the last boundary are ignored
  return false;
}

Result<bool> MultipartParser::step_preamble() {
  const auto found = find_in(rest_, delimiter_);
  if (std::min(found, rest_.size()) > options_.max_head_bytes + delimiter_.size())
    return bad("its first boundary does not come");
  if (found == std::string_view::npos) return false;
  rest_.remove_prefix(found + delimiter_.size());
  state_ = State::boundary;
  return true;
}

// After a boundary: the end, or spaces and a line break.
Result<bool> MultipartParser::step_boundary() {
  if (rest_.size() < 2) return false;
  if (rest_.starts_with("--")) {
    state_ = State::end;
    return true;
  }
  constexpr std::size_t kMaxPadding = 64;
  const auto line = rest_.find_first_not_of(" \t");
  if (std::min(line, rest_.size()) > kMaxPadding) return bad("a boundary's line is too long");
  if (line == std::string_view::npos || line + 2 > rest_.size()) return false;
  if (rest_.substr(line, 2) != "\r\n") return bad("something stands behind a boundary");
  if (++parts_ > options_.max_parts)
    return fail(Code::too_large, "multipart form: more than " + std::to_string(options_.max_parts) + " parts");
  rest_.remove_prefix(line);  // keeps the line break: a part without a head is an empty line
  state_ = State::head;
  return true;
}

Result<bool> MultipartParser::step_head() {
  const auto end = rest_.find("\r\n\r\n");
  if (std::min(end, rest_.size()) > options_.max_head_bytes)
    return fail(Code::too_large, "multipart form: a part's head is too long");
  if (end == std::string_view::npos) return false;
  if (const auto begun = begin_part(rest_.substr(0, end + 2)); !begun) return fail(begun.error());
  rest_.remove_prefix(end + 4);
  return true;
}

// `head` has a line break before and after each line.
Result<void> MultipartParser::begin_part(std::string_view head) {
  std::optional<HeaderValue> disposition;
  std::string content_type;
  for (head.remove_prefix(2); !head.empty();) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    head.remove_prefix(end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || has_control_character(line))
      return bad("a part's head is no list of fields");
    const std::string name = lower_case(line.substr(0, colon));
    if (name == "content-type") content_type = trimmed(line.substr(colon + 1));
    if (name != "content-disposition") continue;
    if (disposition) return bad("a part has two Content-Disposition fields");
    disposition = parse_header_value(line.substr(colon + 1));
    if (!disposition) return bad("a part's Content-Disposition is not valid");
  }
  const std::string* name = disposition ? disposition->find("name") : nullptr;
  if (name == nullptr || disposition->value != "form-data") return bad("a part has no name");
  const std::string* file_name = disposition->find("filename");
  if (*name == options_.file_field) {
    if (form_.file) return bad("there are two parts '" + options_.file_field + "'");
    const std::string given = file_name == nullptr ? "" : *file_name;
    form_.file = MultipartFile{.name = given.substr(given.find_last_of("/\\") + 1), .content_type = content_type};
    state_ = State::file;
  } else {
    if (file_name != nullptr) return bad("a file in another part than '" + options_.file_field + "'");
    form_.fields.emplace_back(*name, "");
    state_ = State::field;
  }
  return {};
}

// Passes on content up to the next boundary; keeps back the last bytes, which may be the start of one.
Result<bool> MultipartParser::step_content() {
  const auto found = find_in(rest_, delimiter_);
  const bool ends = found != std::string_view::npos;
  const std::size_t sure = ends ? found : rest_.size() - std::min(rest_.size(), delimiter_.size() - 1);
  if (sure > 0) {
    if (const auto taken = take(rest_.substr(0, sure)); !taken) return fail(taken.error());
  }
  rest_.remove_prefix(ends ? found + delimiter_.size() : sure);
  if (ends) state_ = State::boundary;
  return ends;
}

Result<void> MultipartParser::take(std::string_view content) {
  if (state_ == State::file) {
    if (static_cast<std::int64_t>(content.size()) > options_.max_file_bytes - form_.file->bytes) {
      return fail(Code::too_large,
                  "multipart form: the file is larger than " + std::to_string(options_.max_file_bytes) + " bytes");
    }
    form_.file->bytes += static_cast<std::int64_t>(content.size());
    return sink_(content);
  }
  std::string& field = form_.fields.back().second;
  if (field.size() + content.size() > options_.max_field_bytes) {
    return fail(Code::too_large,
                "multipart form: a field is larger than " + std::to_string(options_.max_field_bytes) + " bytes");
  }
  field += content;
  return {};
}

}  // namespace reeltag::http
