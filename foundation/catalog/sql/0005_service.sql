-- What a server remembers: work that was accepted, who brought which video, what was found in it and said about it.
-- Never change this file once it is released: catalogs record its checksum. Write the next number instead.

-- A video that is to be tagged. It comes from an upload, which only the server with that folder (place) can read, or
-- from a reference, which any can. lease: until when (seconds since 1970) its worker has it.
CREATE TABLE job (
  row_no {row_no},
  id {text} NOT NULL UNIQUE,
  owner {text} NOT NULL,
  state {text} NOT NULL,
  created {int64} NOT NULL,
  updated {int64} NOT NULL,
  name {text} NOT NULL,
  upload {text} NOT NULL,
  reference {text} NOT NULL,
  place {text} NOT NULL,
  request_key {text} NOT NULL,
  deadline {float64} NOT NULL,
  stage {text} NOT NULL,
  progress {float64} NOT NULL,
  video {text} NOT NULL,
  error_code {text} NOT NULL,
  error_message {text} NOT NULL,
  attempts {int64} NOT NULL,
  worker {text} NOT NULL,
  lease {int64} NOT NULL
) {table};

CREATE INDEX job_by_state ON job (state, attempts, row_no);
CREATE INDEX job_by_owner ON job (owner, row_no);
CREATE INDEX job_by_video ON job (video);
CREATE UNIQUE INDEX job_by_upload ON job (upload) WHERE upload <> '';
CREATE UNIQUE INDEX job_by_request ON job (owner, request_key) WHERE request_key <> '';

-- Who brought a video; several may have brought the same one.
CREATE TABLE holding (
  owner {text} NOT NULL,
  video {text} NOT NULL REFERENCES video (id) ON DELETE CASCADE,
  name {text} NOT NULL,
  added {int64} NOT NULL,
  PRIMARY KEY (owner, video)
) {keyed_table};
CREATE INDEX holding_by_video ON holding (video);

-- What a model found, all of it as JSON; and the hashtags that it was sure of, normalised.
CREATE TABLE tagging (
  video {text} NOT NULL PRIMARY KEY REFERENCES video (id) ON DELETE CASCADE,
  model {text} NOT NULL,
  made {int64} NOT NULL,
  result {text} NOT NULL
) {keyed_table};
CREATE TABLE tagging_hashtag (
  name {text} NOT NULL,
  video {text} NOT NULL REFERENCES video (id) ON DELETE CASCADE,
  PRIMARY KEY (name, video)
) {keyed_table};
CREATE INDEX tagging_hashtag_by_video ON tagging_hashtag (video);

-- What people say of a hashtag of a video; name is the normalised hashtag.
CREATE TABLE feedback (
  video {text} NOT NULL REFERENCES video (id) ON DELETE CASCADE,
  owner {text} NOT NULL,
  name {text} NOT NULL,
  typed {text} NOT NULL,
  verdict {text} NOT NULL,
  given {int64} NOT NULL,
  PRIMARY KEY (video, owner, name)
) {keyed_table};

-- Bytes of videos that were taken away, and are still to be deleted from the store.
CREATE TABLE leftover (
  video {text} NOT NULL PRIMARY KEY,
  store_key {text} NOT NULL
) {keyed_table};

-- hash is the SHA-256 of the token, which nobody keeps.
CREATE TABLE token (
  id {text} NOT NULL PRIMARY KEY,
  name {text} NOT NULL UNIQUE,
  hash {text} NOT NULL UNIQUE,
  scopes {text} NOT NULL,
  created {int64} NOT NULL,
  used {int64} NOT NULL
) {keyed_table};
