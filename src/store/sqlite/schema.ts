/**
 * The version of the tables below. Raised when a reader of the one before could not read them, or what stands in them; `migration.ts` brings older ones to
 * it.
 */
export const formatVersion = 4;

/** Tells the file apart from other programs' databases: "Stil". */
export const applicationId = 0x5374696c;

// Times are milliseconds since 1970. `roots` has a line for each root, `walk function hash size`, the first for what the ref is about.
const refTables = `
  CREATE TABLE refs (
    id INTEGER PRIMARY KEY,
    space TEXT NOT NULL,
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    message BLOB NOT NULL,
    roots TEXT NOT NULL,
    pinned INTEGER NOT NULL DEFAULT 0,
    stored INTEGER NOT NULL,
    used INTEGER NOT NULL,
    expires INTEGER,
    put_by TEXT,
    artifact INTEGER,
    key TEXT,
    place INTEGER,
    UNIQUE (space, instance, name)
  ) STRICT;
`;

/** What leads from artifacts and their keys to refs. Of one format there were several. */
export const refIndexes = `
  CREATE INDEX refs_of_artifact ON refs (artifact, stored, place, expires) WHERE artifact IS NOT NULL;
  CREATE INDEX refs_by_key ON refs (instance, substr(key, 1, 8)) WHERE key IS NOT NULL;
`;

/** The artifacts that refs name (`artifact-tables.ts`). */
export const artifactTables = `
  CREATE TABLE elements (
    id INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    project TEXT NOT NULL,
    element TEXT NOT NULL,
    UNIQUE (instance, project, element)
  ) STRICT;
  CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY,
    instance TEXT NOT NULL,
    element INTEGER NOT NULL,
    generation TEXT NOT NULL,
    content TEXT NOT NULL,
    pushed INTEGER NOT NULL,
    put_by TEXT,
    expires INTEGER,
    UNIQUE (element, content, generation)
  ) STRICT;
  CREATE INDEX artifacts_by_time ON artifacts (instance, pushed);
`;

/** All that the order of use needs, without the messages: a hundredth of the bytes. In each kind of refs what is used goes to one end. */
export const useIndex = "CREATE INDEX refs_by_use ON refs (instance, space, pinned, used, expires);";

/** How many refs of each kind there are. */
export const countTable = `
  CREATE TABLE counts (
    space TEXT NOT NULL,
    instance TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    refs INTEGER NOT NULL,
    PRIMARY KEY (space, instance, pinned)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER count_new AFTER INSERT ON refs BEGIN
    INSERT INTO counts VALUES (new.space, new.instance, new.pinned, 1) ON CONFLICT DO UPDATE SET refs = refs + 1;
  END;
  CREATE TRIGGER count_removed AFTER DELETE ON refs BEGIN
    UPDATE counts SET refs = refs - 1 WHERE space = old.space AND instance = old.instance AND pinned = old.pinned;
  END;
  CREATE TRIGGER count_pinned AFTER UPDATE OF pinned ON refs WHEN new.pinned <> old.pinned BEGIN
    UPDATE counts SET refs = refs - 1 WHERE space = old.space AND instance = old.instance AND pinned = old.pinned;
    INSERT INTO counts VALUES (new.space, new.instance, new.pinned, 1) ON CONFLICT DO UPDATE SET refs = refs + 1;
  END;
`;

export const tables = refTables + refIndexes + artifactTables + useIndex + countTable;
