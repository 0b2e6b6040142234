-- What sites said about their videos, and where collections stand.
-- Never change this file once it is released: catalogs record its checksum. Write the next number instead.

-- One row per video of a site, whether its bytes are here or not. video is the id of the bytes in the table video, empty
-- while there are none; outcome and round_no are those of the last try; hashtags is a JSON list.
CREATE TABLE post (
  site {text} NOT NULL,
  id {text} NOT NULL,
  source {text} NOT NULL,
  video {text} NOT NULL,
  outcome {text} NOT NULL,
  round_no {int64} NOT NULL,
  author {text} NOT NULL,
  caption {text} NOT NULL,
  hashtags {text} NOT NULL,
  created {int64},
  attributes {text} NOT NULL,
  seen {int64} NOT NULL,
  PRIMARY KEY (site, id)
) {keyed_table};

-- Small texts that outlive a run: cursors, ledgers.
CREATE TABLE note (
  name {text} NOT NULL PRIMARY KEY,
  body {text} NOT NULL
) {keyed_table};
