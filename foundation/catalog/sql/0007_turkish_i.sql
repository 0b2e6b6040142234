-- The Turkish dotted and dotless i are folded to "i" (foundation/hashtag): istanbul finds every spelling of it. Hashtags that
-- were folded before become the new ones, and where a video or an owner has both one stays.
-- Never change this file once it is released: catalogs record its checksum. Write the next number instead.

INSERT INTO hashtag (name) SELECT DISTINCT REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i') FROM hashtag WHERE REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i') <> name ON CONFLICT (name) DO NOTHING;
UPDATE video_hashtag SET hashtag_row = (
    SELECT n.row_no FROM hashtag o JOIN hashtag n ON n.name = REPLACE(REPLACE(o.name, 'i̇', 'i'), 'ı', 'i') WHERE o.row_no = video_hashtag.hashtag_row)
  WHERE hashtag_row IN (SELECT row_no FROM hashtag WHERE REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i') <> name);
DELETE FROM hashtag WHERE REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i') <> name;

INSERT INTO tagging_hashtag (name, video) SELECT DISTINCT REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i'), video FROM tagging_hashtag WHERE REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i') <> name
  ON CONFLICT (name, video) DO NOTHING;
DELETE FROM tagging_hashtag WHERE REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i') <> name;

DELETE FROM feedback WHERE REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i') <> name AND EXISTS (
    SELECT 1 FROM feedback f WHERE f.video = feedback.video AND f.owner = feedback.owner AND (f.name = REPLACE(REPLACE(feedback.name, 'i̇', 'i'), 'ı', 'i')
      OR (f.name < feedback.name AND REPLACE(REPLACE(f.name, 'i̇', 'i'), 'ı', 'i') = REPLACE(REPLACE(feedback.name, 'i̇', 'i'), 'ı', 'i'))));
UPDATE feedback SET name = REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i') WHERE REPLACE(REPLACE(name, 'i̇', 'i'), 'ı', 'i') <> name;
