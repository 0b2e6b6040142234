-- For whom a job is done and in whose turn it waits, and from where a video came: a keyed hash of a visitor's address, as a visitor may
-- have many names; or the owner. Empty for jobs and videos of before.
-- Never change this file once it is released: catalogs record its checksum. Write the next number instead.

ALTER TABLE job ADD COLUMN client {text} NOT NULL DEFAULT '';
CREATE INDEX job_by_client ON job (client, state);
ALTER TABLE holding ADD COLUMN client {text} NOT NULL DEFAULT '';
CREATE INDEX holding_by_client ON holding (client);
