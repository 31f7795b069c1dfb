"""Files, checksums, cards, schemas, names and errors, used by all other packages."""
