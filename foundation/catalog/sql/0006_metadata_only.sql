-- Posts of which the site gave no video were called "described" before; their outcome is now the word that users read.
-- Never change this file once it is released: catalogs record its checksum. Write the next number instead.

UPDATE post SET outcome = 'metadata_only' WHERE outcome = 'described';
