// Package store keeps the entries of all logs on disk, and with them the views
// and the search index that people see. FORMAT.md describes the files.
package store

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// Errors that callers branch on.
var (
	ErrInUse    = errors.New("data directory is in use by another running program")
	ErrFull     = errors.New("disk is full")
	ErrReadOnly = errors.New("data directory cannot be written")
	ErrNewer    = errors.New("data directory was written by a newer version of this program")
	ErrDamaged  = errors.New("database is damaged")
	ErrClosed   = errors.New("store is closed")
	ErrNotFound = errors.New("not found")
	ErrBehind   = errors.New("entries do not start where the log ends")
	ErrFork     = errors.New("the device wrote two different entries at one place")
	ErrNoKey    = errors.New("key is not known yet") // for Reader.Plain
)

// A Reader understands entries for the store.
type Reader interface {
	// Plain returns the payload in the clear. ErrNoKey puts the entry aside until
	// the next Use; on any other error it will never be looked at again.
	Plain(card log.Card, e *log.Entry) ([]byte, error)
	// Person returns whose device this is. While it is not known the device's
	// entries are put aside.
	Person(log.DeviceID) (chat.PersonID, bool)
}

// Options tune a Store. The zero value is right for a program.
type Options struct {
	Log     *slog.Logger       // nil discards
	Now     func() time.Time   // nil is time.Now; names damaged files
	Unsafe  bool               // never waits for the disk; for tests and benchmarks
	Rebuild func(done, of int) // told how far a rebuild at opening is; may be nil
	hook    func(point string) // called at every step of the commit path; for tests
}

// A Report says what Open found.
type Report struct {
	Damaged  string // where a damaged database was moved to; empty: it was sound
	Salvaged int    // entries taken over from the damaged database
	Lost     bool   // something may be missing: this device's logs must not be continued, but begun anew
	Rebuilt  bool   // views were folded anew
}

// A Stored entry with the identity of its log.
type Stored struct {
	Card  log.Card
	Entry *log.Entry
}

// Next is what a new own entry has to follow.
type Next struct {
	Height log.Height
	Last   log.HLC   // clock of the log's last entry
	Seen   log.HLC   // highest clock of the space's other logs
	Deps   []log.Dep // newest entries of other logs that came since the log's last one, ascending by log
}

// Applied says what an Append or Import did.
type Applied struct {
	Height   log.Height       // of the log, afterwards
	Entries  int              // new on disk
	Channels []chat.ChannelID // of the space, where something visible changed
	Messages []chat.MsgID     // new messages, at most 64 of them
	Control  bool             // control entries are among the new ones
	Again    bool             // the nonce was used before: nothing was done, Messages names what was posted then
}

// A Fork is the proof that a device wrote two entries at one place.
type Fork struct {
	Card  log.Card
	Seq   uint64
	Proof log.ForkProof
}

// A ChannelRow is a channel in a list.
type ChannelRow struct {
	ID        chat.ChannelID
	Name      string
	Unread    int   // messages of others after the person's marker, counted up to MaxUnread
	Mentioned bool  // one of them mentions the person
	LastAt    int64 // clock of the newest message in ms; 0 if there is none
	LastText  string
	Total     int
}

// MaxUnread is where counting unread messages ends.
const MaxUnread = 1000

// A Query asks for a page of a channel. Positions are Row.Pos; 0 is none. With
// none of the three the page ends at the newest message.
type Query struct {
	Space                 log.SpaceID
	Channel               chat.ChannelID
	Before, After, Around int64
	Limit                 int // 0 is 50
}

// A Page is part of a channel in the order people see.
type Page struct {
	Rows           []Row
	Earlier, Later bool // there is more before, after
	Total          int  // messages in the channel
}

// A Row is a message as views hold it.
type Row struct {
	ID        chat.MsgID
	Pos       int64 // order on this device, ascending, below 2^53
	Space     log.SpaceID
	Channel   chat.ChannelID
	Author    chat.PersonID
	Device    log.DeviceID
	Text      string // empty once retracted
	At        int64  // author's clock in ms
	Placed    int64  // the clock in ms that its place in the order stands for
	Edited    int64  // author's clock at the last edit; 0 never
	Retracted bool
	Reply     *Quote
	Replies   int
	Mentions  []chat.PersonID
	Reactions []Reaction // in the order of the words
}

// A Quote is the message another one answers. Pos is 0 if it is not here (yet).
type Quote struct {
	ID        chat.MsgID
	Pos       int64
	Author    chat.PersonID
	Text      string
	Retracted bool
}

// A Reaction is a word and who said it.
type Reaction struct {
	Word string
	By   []chat.PersonID
}

// A Hit is a message found.
type Hit struct {
	Row
	Snippet []Piece
}

// A Piece is part of a snippet; Hit pieces are what was searched for.
type Piece struct {
	Text string
	Hit  bool
}

// A Store is open until Close. Its methods may be called from several
// goroutines.
type Store struct {
}

var errTodo = errors.New("not built yet")

// Open opens the store in dir, which it makes. A damaged database is moved
// aside, and what can be read of it is taken over.
func Open(dir string, opts Options) (*Store, Report, error) { return nil, Report{}, errTodo }

// Use sets who understands entries, and tries all entries put aside again.
// Call it after opening, and whenever keys or members have become known.
func (s *Store) Use(ctx context.Context, r Reader) error { return errTodo }

// Close waits for what is under way and closes the files.
func (s *Store) Close() error { return errTodo }

// Err returns ErrDamaged once the database turned out to be damaged: the next
// Open repairs it.
func (s *Store) Err() error { return nil }

// Check looks through the whole database for damage, which Err then reports.
func (s *Store) Check(ctx context.Context) error { return errTodo }

// Rebuild folds all views and the search index anew from the entries.
func (s *Store) Rebuild(ctx context.Context, progress func(done, of int)) error { return errTodo }

// Get returns a value that Put stored, or ErrNotFound.
func (s *Store) Get(key string) ([]byte, error) { return nil, errTodo }

// Put stores a small value and returns when it is safe on disk. A nil value
// removes it.
func (s *Store) Put(key string, v []byte) error { return errTodo }

// Spaces returns the spaces with at least one log, in ascending order.
func (s *Store) Spaces() []log.SpaceID { return nil }

// Heights returns a copy of the heights of a space's logs.
func (s *Store) Heights(space log.SpaceID) log.Heights { return nil }

// Card returns the identity of a log held here.
func (s *Store) Card(id log.LogID) (log.Card, bool) { return log.Card{}, false }

// Cards returns the identities of a space's logs.
func (s *Store) Cards(space log.SpaceID) []log.Card { return nil }

// Control returns all entries of the control space, log by log.
func (s *Store) Control(ctx context.Context) ([]Stored, error) { return nil, errTodo }

// Entries returns encoded entries of a log, in order, at least one and as many
// as fit in max bytes, not past to. The signature of the last one was checked.
func (s *Store) Entries(ctx context.Context, id log.LogID, from, to uint64, max int) ([][]byte, error) {
	return nil, errTodo
}

// Append adds an own entry: build gets what it has to follow and returns it.
// When Append returns, the entry and what it changed are safe on disk. A nonce
// that is not empty makes the same call twice do it once.
func (s *Store) Append(ctx context.Context, card log.Card, nonce string, build func(Next) (*log.Entry, error)) (Applied, error) {
	return Applied{}, errTodo
}

// Import adds entries of one log, in order. It checks that they continue the
// log, and their signatures: of all when live, else one a run. Entries held
// already are skipped. On an error some of the entries may have been stored.
func (s *Store) Import(ctx context.Context, card log.Card, entries []*log.Entry, live bool) (Applied, error) {
	return Applied{}, errTodo
}

// Forks returns the proofs found so far.
func (s *Store) Forks(ctx context.Context) ([]Fork, error) { return nil, errTodo }

// SetHeld notes what a device said it holds of this store's logs.
func (s *Store) SetHeld(dev log.DeviceID, h log.Heights) {}

// Held returns the devices that said they hold an entry.
func (s *Store) Held(id log.LogID, seq uint64) []log.DeviceID { return nil }

// Channels returns a space's channels, the one of all first, then by name.
func (s *Store) Channels(ctx context.Context, space log.SpaceID, me chat.PersonID) ([]ChannelRow, error) {
	return nil, errTodo
}

// Messages returns a page of a channel.
func (s *Store) Messages(ctx context.Context, q Query) (Page, error) { return Page{}, errTodo }

// Message returns one message, or ErrNotFound.
func (s *Store) Message(ctx context.Context, id chat.MsgID) (Row, error) { return Row{}, errTodo }

// Search returns messages with all words of text, the last of them perhaps
// unfinished, newest first, and whether there are more. A nil channel is all;
// before is the position to go on from, 0 the newest.
func (s *Store) Search(ctx context.Context, space log.SpaceID, text string, channel *chat.ChannelID, before int64, limit int) ([]Hit, bool, error) {
	return nil, false, errTodo
}

// ReadMarks returns up to which position people have read a channel.
func (s *Store) ReadMarks(ctx context.Context, space log.SpaceID, channel chat.ChannelID) (map[chat.PersonID]int64, error) {
	return nil, errTodo
}
