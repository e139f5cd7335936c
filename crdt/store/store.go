// Package store keeps the entries of all logs on disk, and with them the views
// and the search index that people see. FORMAT.md describes the files.
package store

import (
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
	ErrStripped = errors.New("entry came without its payload, though it is not erased")
	ErrDropped  = errors.New("log was dropped from this device: begin a new one")
)

// A Reader understands entries for the store.
type Reader interface {
	// Plain returns the payload in the clear. ErrNoKey puts the entry aside until
	// the next Use; on any other error it will never be looked at again.
	Plain(card log.Card, e *log.Entry) ([]byte, error)
	// Person returns whose device this is. While it is not known the device's
	// entries are put aside.
	Person(log.DeviceID) (chat.PersonID, bool)
	// Limit says where a log ends: only entries on the chain up to at count (with
	// Seq 0: none), later ones are in quarantine. false: it has no end. It is not
	// asked about the control space.
	Limit(log.Card) (at log.Height, cut bool)
	// Erased reports whether an entry's payload is to be dropped.
	Erased(card log.Card, seq uint64, hash log.Hash) bool
	// Stripped reports whether an entry may come without its payload: one that is
	// erased, or was for those who did not know yet that the erasure does not
	// count.
	Stripped(card log.Card, seq uint64, hash log.Hash) bool
	// ErasedRefs lists all entries for which Erased is true, held here or not.
	ErasedRefs() []Ref
}

// A Ref names an entry.
type Ref struct {
	Card log.Card
	Seq  uint64
	Hash log.Hash
}

// Used is what Use and Drop did that others have to hear of.
type Used struct {
	Channels []ChannelKey // where something visible changed
	Fell     []log.Card   // logs that end earlier than before, so that sync brings the branch that counts
	Erased   int          // entries that lost their payload
}

// A ChannelKey names a channel of any space.
type ChannelKey struct {
	Space   log.SpaceID
	Channel chat.ChannelID
}

// A Quarantine is what is held of a log beyond its limit, shown nowhere else.
type Quarantine struct {
	Card     log.Card
	Limit    log.Height // as named; the entry may not be held
	Last     log.Height // of the log
	Entries  int        // held beyond the limit
	Aside    int        // of another branch, taken out of the log; not part of Entries
	Messages []QuarantinedMessage
}

// A QuarantinedMessage is a message posted beyond a limit.
type QuarantinedMessage struct {
	ID      chat.MsgID
	Channel chat.ChannelID
	Text    string
	At      int64 // author's clock in ms
}

// MaxQuarantined is how many messages a Quarantine names, the oldest ones.
const MaxQuarantined = 50

// Options tune a Store. The zero value is right for a program.
type Options struct {
	Log     *slog.Logger       // nil discards
	Now     func() time.Time   // nil is time.Now; names damaged files
	Unsafe  bool               // never waits for the disk; for tests and benchmarks
	Rebuild func(done, of int) // told how far Use is when views are folded anew; may be nil
	hook    func(point string) // called at every step of the commit path; for tests
}

// A Report says what Open found.
type Report struct {
	Damaged  string // where a damaged database was moved to; empty: it was sound
	Salvaged int    // entries taken over from the damaged database
	Lost     bool   // something may be missing: this device's logs must not be continued, but begun anew
	Rebuilt  bool   // views are folded anew by the next Use
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
	Seq      uint64           // of the own entry; Append only
	Own      *log.Entry       // the own entry, unless Again; Append only
	Entries  int              // new on disk
	Channels []chat.ChannelID // of the space, where something visible changed
	Messages []chat.MsgID     // new messages, at most 64 of them
	Control  bool             // control entries are among the new ones
	Document bool             // entries of documents are
	Again    bool             // the nonce was used before: nothing was done, Messages names what was posted then

	touched []chanKey  // as Channels, of all spaces
	fell    []log.Card // logs that end earlier than before
	erased  int        // entries that lost their payload
	reopen  bool       // entries were put aside that can be shown
}

// A Fork is the proof that a device wrote two entries at one place.
type Fork struct {
	Card  log.Card
	Seq   uint64
	Proof log.ForkProof
}

// A ChannelRow is a channel in a list.
type ChannelRow struct {
	Space     log.SpaceID
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

// A Query asks for a page of a channel. Positions are Row.Pos; 0 is none,
// and After: 1 begins at the oldest message. With none of the three the page
// ends at the newest.
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
	Pos       int64 // order on this device, ascending, from 2 to 2^53
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
