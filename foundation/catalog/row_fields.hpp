// Lists the fields of each kind of row by name, shared by all file formats. Private to the catalog. The names are part
// of the formats: docs/adr/0039.
//
//   fields(visitor, video);   // calls visitor("id", video.id), visitor("key", video.key) ...
#pragma once

#include <string_view>
#include <type_traits>

#include "reeltag/catalog.hpp"

namespace reeltag::catalog {

// The name of a kind in files: of an object in JSON Lines, of a Parquet file.
template <class Kind>
struct KindName;
template <>
struct KindName<Video> {
  static constexpr std::string_view kOne = "video", kAll = "videos";
};
template <>
struct KindName<FingerprintRow> {
  static constexpr std::string_view kOne = "look", kAll = "looks";
};
template <>
struct KindName<Post> {
  static constexpr std::string_view kOne = "post", kAll = "posts";
};
template <>
struct KindName<Note> {
  static constexpr std::string_view kOne = "note", kAll = "notes";
};
template <>
struct KindName<Tombstone> {
  static constexpr std::string_view kOne = "tombstone", kAll = "tombstones";
};

template <class T, class Kind>
concept IsKind = std::is_same_v<std::remove_const_t<T>, Kind>;

template <class V>
void fields(V& v, IsKind<Video> auto& x) {
  v("id", x.id), v("key", x.key), v("source", x.source), v("source_id", x.source_id), v("group", x.group);
  v("author", x.author), v("caption", x.caption), v("hashtags", x.hashtags), v("created", x.created);
  v("duration", x.duration), v("width", x.width), v("height", x.height), v("fps", x.fps), v("codec", x.codec);
  v("size_bytes", x.size_bytes), v("attributes", x.attributes), v("added", x.added);
}

template <class V>
void fields(V& v, IsKind<FingerprintRow> auto& x) {
  v("video", x.video), v("fingerprint", x.fingerprint), v("cluster", x.cluster);
}

template <class V>
void fields(V& v, IsKind<Post> auto& x) {
  v("site", x.site), v("id", x.id), v("source", x.source), v("video", x.video), v("outcome", x.outcome);
  v("round", x.round), v("author", x.author), v("caption", x.caption), v("hashtags", x.hashtags);
  v("created", x.created), v("attributes", x.attributes), v("seen", x.seen);
}

template <class V>
void fields(V& v, IsKind<Note> auto& x) {
  v("name", x.name), v("body", x.body);
}

template <class V>
void fields(V& v, IsKind<Tombstone> auto& x) {
  v("kind", x.kind), v("name", x.name), v("made", x.made);
}

template <class V>
void fields(V& v, IsKind<Counts> auto& x) {
  v("videos", x.videos), v("looks", x.fingerprints), v("posts", x.posts), v("notes", x.notes),
      v("tombstones", x.tombstones);
}

}  // namespace reeltag::catalog
