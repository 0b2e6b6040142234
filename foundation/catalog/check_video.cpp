#include "check_video.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/hashtag.hpp"

#include <unicode/utf8.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace reeltag::catalog {
namespace {

constexpr std::size_t kIdDigits = 64;  // SHA-256

// A caption has a few kilobytes; longer texts are mistakes and would exceed the databases' own limits.
constexpr std::size_t kMaxTextBytes = 16U << 20;

// PostgreSQL allows 2704 bytes for all columns of an index together; the longest index has two texts.
constexpr std::size_t kMaxKeyBytes = 1000;

[[noreturn]] void refuse(const std::string& what, const std::string& why) {
  throw Exception(Code::invalid_argument, what + " " + why);
}

bool is_utf8_without_nul(std::string_view text) {
  const auto length = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT(text.data(), i, length, c);
    if (c <= 0) return false;
  }
  return true;
}

bool is_id(std::string_view id) { return is_hex(id, kIdDigits); }

bool is_json_object(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' && nlohmann::json::accept(text);
}

}  // namespace

void check_text(std::string_view text, const std::string& what) {
  if (text.size() > kMaxTextBytes) refuse(what, "is longer than " + std::to_string(kMaxTextBytes) + " bytes");
  if (!is_utf8_without_nul(text)) refuse(what, "is not UTF-8 without NUL");
}

void check_key(std::string_view text, const std::string& what) {
  check_text(text, what);
  if (text.size() > kMaxKeyBytes) refuse(what, "is longer than " + std::to_string(kMaxKeyBytes) + " bytes");
}

void check_video(const Video& video) {
  if (!is_id(video.id)) {
    check_text(video.id, "a video's id");
    refuse("video id '" + video.id + "'", "is not a SHA-256 of 64 lower-case hex digits");
  }
  const std::string prefix = "video " + video.id + ": ";
  const std::pair<const char*, const std::string&> texts[] = {
      {"key", video.key},     {"source", video.source},        {"source_id", video.source_id},
      {"group", video.group}, {"author", video.author},        {"caption", video.caption},
      {"codec", video.codec}, {"attributes", video.attributes}};
  for (const auto& [field, text] : texts) check_text(text, prefix + field);
  for (const auto& hashtag : video.hashtags) {
    check_text(hashtag, prefix + "a hashtag");
    if (hashtag.empty()) refuse(prefix + "a hashtag", "is empty");
    check_key(hashtag::fold(hashtag), prefix + "a hashtag");
  }
  check_key(video.source, prefix + "source");
  check_key(video.group, prefix + "group");
  check_key(video.author, prefix + "author");
  if (!std::isfinite(video.duration)) refuse(prefix + "duration", "is not a finite number");
  if (!std::isfinite(video.fps)) refuse(prefix + "fps", "is not a finite number");
  if (!is_json_object(video.attributes)) refuse(prefix + "attributes", "is not a JSON object");
}

void check_post(const Post& post) {
  check_key(post.site, "a post's site");
  check_key(post.id, "a post's id");
  if (post.site.empty() || post.id.empty()) refuse("a post", "has no site or no id");
  const std::string prefix = "post " + post.site + " " + post.id + ": ";
  const std::pair<const char*, const std::string&> texts[] = {{"source", post.source},
                                                              {"outcome", post.outcome},
                                                              {"author", post.author},
                                                              {"caption", post.caption},
                                                              {"attributes", post.attributes}};
  for (const auto& [field, text] : texts) check_text(text, prefix + field);
  check_key(post.author, prefix + "author");
  for (const auto& hashtag : post.hashtags) check_text(hashtag, prefix + "a hashtag");
  if (!post.video.empty() && !is_id(post.video))
    refuse(prefix + "video", "is not a SHA-256 of 64 lower-case hex digits");
  if (!is_json_object(post.attributes)) refuse(prefix + "attributes", "is not a JSON object");
}

void check_note(const Note& note) {
  check_key(note.name, "a note's name");
  check_text(note.body, "note " + note.name);
}

void check_fingerprint(const FingerprintRow& fingerprint_row) {
  check_text(fingerprint_row.video, "a video's id");
  check_text(fingerprint_row.fingerprint, "the fingerprint of video " + fingerprint_row.video);
  check_text(fingerprint_row.cluster, "the cluster of video " + fingerprint_row.video);
}

void check_tombstone(const Tombstone& tombstone) {
  check_key(tombstone.kind, "a tombstone's kind");
  check_key(tombstone.name, "a tombstone's name");
}

void check_row(const Row& row) {
  if (const auto* video = std::get_if<Video>(&row)) check_video(*video);
  if (const auto* fingerprint_row = std::get_if<FingerprintRow>(&row)) check_fingerprint(*fingerprint_row);
  if (const auto* post = std::get_if<Post>(&row)) check_post(*post);
  if (const auto* note = std::get_if<Note>(&row)) check_note(*note);
  if (const auto* tombstone = std::get_if<Tombstone>(&row)) check_tombstone(*tombstone);
}

}  // namespace reeltag::catalog
