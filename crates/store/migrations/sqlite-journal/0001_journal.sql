-- One row is one batch that was committed before anybody was answered. No secondary index, and no writer but one.
CREATE TABLE journal (
    seq    INTEGER PRIMARY KEY NOT NULL,
    events BLOB NOT NULL
) STRICT;
