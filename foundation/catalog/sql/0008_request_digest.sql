-- What was asked with an Idempotency-Key, as a digest: the same key with another request is refused. Empty for jobs of before.
-- Never change this file once it is released: catalogs record its checksum. Write the next number instead.

ALTER TABLE job ADD COLUMN request_digest {text} NOT NULL DEFAULT '';
