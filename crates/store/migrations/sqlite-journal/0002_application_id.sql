-- By this mark the file is known as a journal of caller-id: "CID", 2.
PRAGMA application_id = 0x43494402;
