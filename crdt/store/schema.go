package store

// The file is known by its application id; the user version is the version of
// the tables that hold what is only here, times 1000, plus that of the views,
// which can be folded anew.
const (
	appID       = 0x494e534c // "INSL"
	format      = 1
	viewVersion = 5
	pageSize    = 4096
)

// schema makes the tables that hold what is only here. FORMAT.md describes them.
const schema = `
CREATE TABLE logs(id INTEGER PRIMARY KEY, card BLOB NOT NULL, last INTEGER NOT NULL, ready INTEGER NOT NULL, stamp INTEGER NOT NULL);
CREATE TABLE entries(at INTEGER PRIMARY KEY, header BLOB NOT NULL, sig BLOB NOT NULL, payload BLOB, stamp INTEGER, card BLOB);
CREATE TABLE vals(key TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB, sum BLOB NOT NULL);
CREATE TABLE forks(log INTEGER NOT NULL, seq INTEGER NOT NULL, proof BLOB NOT NULL, PRIMARY KEY(log, seq));
CREATE TABLE posted(id INTEGER PRIMARY KEY, nonce TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, posts INTEGER NOT NULL);
CREATE TABLE held(device BLOB NOT NULL, log INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(device, log)) WITHOUT ROWID;
`

// kept makes tables of the same kind that came later.
const kept = `
CREATE TABLE IF NOT EXISTS limits(log INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL, upto INTEGER NOT NULL, shown INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS aside(log BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, header BLOB NOT NULL, sig BLOB NOT NULL, payload BLOB, PRIMARY KEY(log, seq, hash));
CREATE TABLE IF NOT EXISTS dropped(log BLOB PRIMARY KEY);
CREATE TABLE IF NOT EXISTS todo(what TEXT PRIMARY KEY);
`

// views makes the tables that are folded from entries.
const views = `
CREATE TABLE sealed(at INTEGER PRIMARY KEY, key BLOB);
CREATE TABLE files(at INTEGER PRIMARY KEY);
CREATE TABLE documents(at INTEGER PRIMARY KEY);
CREATE TABLE papers(space BLOB NOT NULL, doc BLOB NOT NULL, heights BLOB NOT NULL, body BLOB NOT NULL, sum BLOB NOT NULL, PRIMARY KEY(space, doc)) WITHOUT ROWID;
CREATE INDEX sealed_key ON sealed(key) WHERE key IS NOT NULL;
CREATE TABLE channels(id INTEGER PRIMARY KEY, space BLOB NOT NULL, channel BLOB NOT NULL, name TEXT, total INTEGER NOT NULL, UNIQUE(space, channel));
CREATE TABLE messages(pos INTEGER PRIMARY KEY, at INTEGER NOT NULL, n INTEGER NOT NULL, chan INTEGER NOT NULL, stamp INTEGER NOT NULL,
	author BLOB NOT NULL, clock INTEGER NOT NULL, text TEXT NOT NULL, mentions BLOB, reply BLOB,
	estamp INTEGER, eat INTEGER, en INTEGER, eclock INTEGER, retracted INTEGER NOT NULL);
CREATE UNIQUE INDEX message_at ON messages(at, n);
CREATE INDEX message_chan ON messages(chan);
CREATE INDEX message_reply ON messages(reply) WHERE reply IS NOT NULL;
CREATE TABLE votes(at INTEGER NOT NULL, n INTEGER NOT NULL, person BLOB NOT NULL, word TEXT NOT NULL, yes INTEGER NOT NULL,
	stamp INTEGER NOT NULL, byat INTEGER NOT NULL, byn INTEGER NOT NULL, PRIMARY KEY(at, n, person, word)) WITHOUT ROWID;
CREATE TABLE marks(chan INTEGER NOT NULL, person BLOB NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(chan, person)) WITHOUT ROWID;
CREATE TABLE orphans(id INTEGER PRIMARY KEY, target BLOB NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL, stamp INTEGER NOT NULL,
	clock INTEGER NOT NULL, author BLOB NOT NULL, op BLOB NOT NULL);
CREATE INDEX orphan_target ON orphans(target);
CREATE TABLE acts(target BLOB NOT NULL, at INTEGER NOT NULL, n INTEGER NOT NULL, kind INTEGER NOT NULL, PRIMARY KEY(target, at, n)) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(text, chan, content='messages', content_rowid='pos', tokenize='unicode61 remove_diacritics 2', columnsize=0);
INSERT INTO words(words, rank) VALUES('automerge', 8);
`

// dropViews removes what views made.
const dropViews = `
DROP TABLE IF EXISTS sealed; DROP TABLE IF EXISTS files; DROP TABLE IF EXISTS documents; DROP TABLE IF EXISTS words; DROP TABLE IF EXISTS channels; DROP TABLE IF EXISTS messages;
DROP TABLE IF EXISTS votes; DROP TABLE IF EXISTS marks; DROP TABLE IF EXISTS orphans; DROP TABLE IF EXISTS acts; DROP TABLE IF EXISTS papers;
`

// clearViews empties them.
const clearViews = `
INSERT INTO words(words) VALUES('delete-all');
DELETE FROM messages; DELETE FROM votes; DELETE FROM marks; DELETE FROM orphans; DELETE FROM acts; DELETE FROM papers;
UPDATE channels SET name=NULL, total=0;
`

// refill puts all ready entries aside, to be looked at again.
const refill = `
INSERT OR IGNORE INTO sealed(at) SELECT at FROM entries WHERE stamp IS NOT NULL;
UPDATE limits SET shown=upto;
`

// An entry's rowid is its log's local number and its sequence number.
const seqBits = 40

func atOf(local int64, seq uint64) int64 { return local<<seqBits | int64(seq) }

func splitAt(at int64) (local int64, seq uint64) {
	return at >> seqBits, uint64(at) & (1<<seqBits - 1)
}
