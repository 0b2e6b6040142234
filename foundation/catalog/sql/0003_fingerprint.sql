-- What a video looks like, by which copies of it are found.
-- Never change this file once it is released: catalogs record its checksum. Write the next number instead.

-- frames is media's text of the fingerprint, empty for a video that has none. cluster_name is shared by the videos that
-- look alike, empty for one that is alone.
CREATE TABLE fingerprint (
  video_row {int64} NOT NULL PRIMARY KEY REFERENCES video (row_no) ON DELETE CASCADE,
  frames {text} NOT NULL,
  cluster_name {text} NOT NULL
) {keyed_table};
