-- By this mark the file is known as the main file of caller-id: "CID", 1.
PRAGMA application_id = 0x43494401;
