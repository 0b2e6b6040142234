-- Videos and their typed hashtags.
-- Never change this file once it is released: catalogs record its checksum. Write the next number instead.
-- Names in braces stand for what a dialect calls the type, see kTypeNames in migrate.cpp.

-- row_no is internal: links hold it in place of the 64 characters of id.
CREATE TABLE video (
  row_no {row_no},
  id {text} NOT NULL UNIQUE,
  store_key {text} NOT NULL,
  source {text} NOT NULL,
  source_id {text} NOT NULL,
  split_group {text} NOT NULL,
  author {text} NOT NULL,
  caption {text} NOT NULL,
  created {int64},
  duration {float64} NOT NULL,
  width {int64} NOT NULL,
  height {int64} NOT NULL,
  fps {float64} NOT NULL,
  codec {text} NOT NULL,
  size_bytes {int64} NOT NULL,
  attributes {text} NOT NULL,
  added {int64} NOT NULL
) {table};

CREATE INDEX video_by_source ON video (source, id);

-- name is the normalised hashtag.
CREATE TABLE hashtag (
  row_no {row_no},
  name {text} NOT NULL UNIQUE
) {table};

-- typed is how the author wrote it; two spellings of one hashtag on one video are two rows.
CREATE TABLE video_hashtag (
  video_row {int64} NOT NULL REFERENCES video (row_no) ON DELETE CASCADE,
  position {int64} NOT NULL,
  hashtag_row {int64} NOT NULL REFERENCES hashtag (row_no),
  typed {text} NOT NULL,
  PRIMARY KEY (video_row, position)
) {keyed_table};

CREATE INDEX video_hashtag_by_hashtag ON video_hashtag (hashtag_row, video_row);
