-- What was forgotten and must not come back.
-- Never change this file once it is released: catalogs record its checksum. Write the next number instead.

-- name is the SHA-256 of the catalog's salt (the note forget/salt), the kind and the value: what is forgotten is not
-- named here, only recognised.
CREATE TABLE tombstone (
  kind {text} NOT NULL,
  name {text} NOT NULL,
  made {int64} NOT NULL,
  PRIMARY KEY (kind, name)
) {keyed_table};

-- To find the posts of a video, and what an author made.
CREATE INDEX post_by_video ON post (video);
CREATE INDEX post_by_author ON post (author);
CREATE INDEX video_by_author ON video (author);
CREATE INDEX video_by_group ON video (split_group);
