package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"inselnetz/crdt/log"
)

// Names of files in the data directory.
const (
	dbName      = "inselnetz.db"
	lockName    = "inselnetz.lock"
	suspectName = "inselnetz.db.suspect" // the database turned out damaged while it was in use
	salvageName = "inselnetz.db.salvage" // names the damaged database until all is taken over from it
)

// A Store is open until Close. Its methods may be called from several
// goroutines.
type Store struct {
	dir     string
	opts    Options
	log     *slog.Logger
	held    held
	damage  atomic.Pointer[error]
	found   atomic.Bool // entries of a damaged file wait for a gap to be filled
	readers chan *conn  // nil for one not dialled yet
	lock    *os.File

	using   sync.Mutex // before imports; one Use or Drop at a time
	imports sync.Mutex // before turn, for those who can wait
	turn    sync.Mutex // whoever holds it is the writer
	w       *writer
	closed  bool // under turn

	mu       sync.RWMutex // the writer changes these under mu and reads them without
	logs     map[log.LogID]*logState
	byID     map[int64]*logState
	chans    map[chanKey]*chanState
	chanByID map[int64]*chanState
	unread   map[unreadKey]unreadCount
	turns    map[log.SpaceID]int // see DocumentsTurn
	reader   Reader              // the same as the writer's
	used     Used
	unwiped  bool // bytes of what was erased may be left in the files
}

const maxReaders = 3

// Open opens the store in dir, which it makes. A damaged database is moved
// aside, and what can be read of it is taken over.
func Open(dir string, opts Options) (*Store, Report, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, Report{}, fmt.Errorf("make data directory: %w", diskState(err))
	}
	lf, err := lock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, Report{}, fmt.Errorf("open store: %w", diskState(err))
	}
	s := &Store{dir: dir, opts: opts, log: opts.Log, lock: lf}
	report, err := s.open()
	if err != nil {
		s.abandon()
		lf.Close()
		return nil, Report{}, fmt.Errorf("open store: %w", diskState(err))
	}
	return s, report, nil
}

func (s *Store) path() string { return filepath.Join(s.dir, dbName) }

// open loads the database; if it is damaged, a new one with what could be
// saved of the old.
func (s *Store) open() (Report, error) {
	aside, err := s.unfinished()
	if err != nil {
		return Report{}, err
	}
	if aside == "" {
		err := s.load()
		if err == nil || !errors.Is(err, ErrDamaged) {
			return Report{Rebuilt: s.w != nil && s.w.rebuilt}, err
		}
		s.log.Warn("database is damaged and moved aside", "err", err)
		s.abandon()
		if aside, err = s.begin(); err != nil {
			return Report{}, err
		}
	}
	if err := s.moveAside(aside); err != nil {
		return Report{}, err
	}
	if err := s.load(); err != nil {
		return Report{}, err
	}
	r, err := s.salvage(aside)
	r.Damaged = aside
	if err == nil {
		err = s.end()
	}
	return r, err
}

// abandon closes connections after a failed opening.
func (s *Store) abandon() {
	if s.w != nil && s.w.c != nil {
		s.w.c.close()
	}
	s.w = nil
}

// load opens the database and reads what is kept in memory.
func (s *Store) load() error {
	s.logs, s.byID = map[log.LogID]*logState{}, map[int64]*logState{}
	s.chans, s.chanByID = map[chanKey]*chanState{}, map[int64]*chanState{}
	s.unread = map[unreadKey]unreadCount{}
	s.turns = map[log.SpaceID]int{}
	s.readers = make(chan *conn, maxReaders)
	for range maxReaders {
		s.readers <- nil
	}
	s.damage.Store(nil)
	if _, err := os.Stat(filepath.Join(s.dir, suspectName)); err == nil {
		return fmt.Errorf("%w: so it turned out when it was last in use", ErrDamaged)
	}
	if fi, err := os.Stat(s.path()); err != nil || fi.Size() == 0 {
		// Without its database SQLite would throw the write-ahead log away.
		if fi, err := os.Stat(s.path() + "-wal"); err == nil && fi.Size() > 0 {
			return fmt.Errorf("%w: write-ahead log without its database", ErrDamaged)
		}
	}
	// SQLite opens what it may not write all the same, and says so too late.
	f, err := os.OpenFile(s.path(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	c, err := dial(s.path(), "PRAGMA page_size=4096", "PRAGMA busy_timeout=5000", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA secure_delete=FAST",
		"PRAGMA cache_size=-8000", "PRAGMA temp_store=FILE", "PRAGMA wal_autocheckpoint=2000", "PRAGMA journal_size_limit=33554432")
	if err != nil {
		return err
	}
	s.w = &writer{c: c, stamps: [2]map[int64]uint64{{}, {}}, waiters: map[log.LogID]map[log.LogID]struct{}{}, runnable: map[log.LogID]struct{}{}, erased: map[int64]struct{}{}, dropped: map[log.LogID]struct{}{}, given: map[log.LogID]int{}, nextLog: 1, nextChan: 1}
	if err := s.version(); err != nil {
		return err
	}
	if err := s.loadLogs(); err != nil {
		return err
	}
	return s.loadViews()
}

// version makes the tables of a new file and sees to it that those of an old
// one are as this program knows them.
func (s *Store) version() error {
	ctx, c := context.Background(), s.w.c
	app, err := c.get(ctx, "PRAGMA application_id")
	if err != nil {
		return err
	}
	ver, err := c.get(ctx, "PRAGMA user_version")
	if err != nil {
		return err
	}
	tables, err := c.get(ctx, "SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return err
	}
	const current = format*1000 + viewVersion
	switch v := ver.int(0); {
	case tables.int(0) == 0 && app.int(0) == 0 && v == 0:
		return c.script(fmt.Sprintf("BEGIN IMMEDIATE;%s%s%sPRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT;", schema, kept, views, appID, current))
	case app.int(0) != appID:
		return fmt.Errorf("%w: the file is of another program", ErrDamaged)
	case v/1000 > format:
		return ErrNewer
	case v/1000 < format:
		return fmt.Errorf("%w: tables of unknown version %d", ErrDamaged, v)
	case v != current:
		s.w.rebuilt = true
		c.forget()
		return c.script(fmt.Sprintf("BEGIN IMMEDIATE;%s%s%s%sPRAGMA user_version=%d;COMMIT;", kept, dropViews, views, refill, current))
	}
	return nil
}

// loadLogs reads the logs, and checks that the end of each is what was noted.
func (s *Store) loadLogs() error {
	ctx, c := context.Background(), s.w.c
	var all []*logState
	err := c.query(ctx, "SELECT id, card, last, ready, stamp FROM logs ORDER BY stamp", nil, func(r row) error {
		card, ok := decodeCard(r.bytes(1))
		if !ok {
			return fmt.Errorf("%w: card of a log", ErrDamaged)
		}
		all = append(all, &logState{id: r.int(0), lid: card.ID(), card: card, last: log.Height{Seq: r.uint(2)}, ready: r.uint(3), stamp: r.uint(4)})
		return nil
	})
	if err != nil {
		return err
	}
	for _, lg := range all {
		r, err := c.get(ctx, "SELECT max(at) FROM entries WHERE at BETWEEN ? AND ?", atOf(lg.id, 0), atOf(lg.id+1, 0)-1)
		if err != nil {
			return err
		}
		empty := lg.last.Seq == 0 && r[0] == nil // all of it was set aside
		if !empty && r.int(0) != atOf(lg.id, lg.last.Seq) || lg.ready > lg.last.Seq {
			return fmt.Errorf("%w: a log does not end where it should", ErrDamaged)
		}
		s.w.nextLog = max(s.w.nextLog, lg.id+1)
		s.logs[lg.lid], s.byID[lg.id] = lg, lg
		if empty {
			continue
		}
		e, err := c.entry(ctx, atOf(lg.id, lg.last.Seq))
		if err != nil {
			return err
		}
		// Its signature was checked when it came, and speaks for the log.
		if e.Log != lg.lid || e.Verify(lg.card.Device) != nil {
			return fmt.Errorf("%w: the last entry of a log is not the one stored", ErrDamaged)
		}
		lg.last.Hash, lg.clock = e.Hash(), e.HLC
		// Only the order of ticks matters, and stamps have it nearly.
		s.w.tick++
		lg.rose, lg.own = s.w.tick, s.w.tick
		if lg.ready < lg.last.Seq {
			s.w.runnable[lg.lid] = struct{}{}
		}
	}
	if err := s.loadLimits(); err != nil {
		return err
	}
	return c.query(ctx, "SELECT device, log, seq FROM held", nil, func(r row) error {
		if lg := s.byID[r.int(1)]; lg != nil {
			s.held.set(log.DeviceID(append(r.bytes(0), make([]byte, 32)...)[:32]), lg.lid, r.uint(2))
		}
		return nil
	})
}

// loadLimits reads where logs end, which were dropped, and what is left to do.
func (s *Store) loadLimits() error {
	ctx, c := context.Background(), s.w.c
	err := c.query(ctx, "SELECT log, seq, hash, upto, shown FROM limits", nil, func(r row) error {
		if lg := s.byID[r.int(0)]; lg != nil {
			lg.cut, lg.upto, lg.shown = true, r.uint(3), r.uint(4)
			lg.limit.Seq = r.uint(1)
			copy(lg.limit.Hash[:], r.bytes(2))
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = c.query(ctx, "SELECT log FROM dropped", nil, func(r row) error {
		s.w.dropped[r.id(0)] = struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	r, err := c.get(ctx, "SELECT count(*) FROM todo")
	if err != nil {
		return err
	}
	s.unwiped = r.int(0) > 0
	return nil
}

func (s *Store) loadViews() error {
	ctx, c := context.Background(), s.w.c
	err := c.query(ctx, "SELECT id, space, channel, name, total FROM channels", nil, func(r row) error {
		ch := &chanState{chanKey: chanKey{r.id(1), r.id(2)}, id: r.int(0), name: r.str(3), known: r[3] != nil, total: int(r.int(4))}
		s.chans[ch.chanKey], s.chanByID[ch.id] = ch, ch
		s.w.nextChan = max(s.w.nextChan, ch.id+1)
		return nil
	})
	if err != nil {
		return err
	}
	r, err := c.get(ctx, "SELECT count(*) FROM orphans")
	if err != nil {
		return err
	}
	s.w.orphans = int(r.int(0))
	r, err = c.get(ctx, "SELECT count(*) FROM sqlite_schema WHERE name='found'")
	if err != nil {
		return err
	}
	s.found.Store(r.int(0) > 0)
	return nil
}

// Close waits for what is under way and closes the files.
func (s *Store) Close() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.closed {
		return nil
	}
	if _, err := s.write(false, func(t *tx) error { return t.keepHeld() }); err != nil {
		s.log.Warn("storing what others hold", "err", err)
	}
	s.closed = true
	for range maxReaders {
		if c := <-s.readers; c != nil {
			c.close()
		}
	}
	close(s.readers)
	err := s.w.c.close()
	if e := s.lock.Close(); err == nil {
		err = e
	}
	return err
}

// note remembers that the database is damaged, if that is what err says.
func (s *Store) note(err error) error {
	if errors.Is(err, ErrDamaged) && s.damage.CompareAndSwap(nil, &err) {
		s.log.Warn("database turned out damaged", "err", err)
		// The next Open takes over what it can. If this fails too, there is Err.
		if f, e := os.Create(filepath.Join(s.dir, suspectName)); e == nil {
			f.Close()
		}
	}
	return err
}

// Err returns ErrDamaged once the database turned out to be damaged: the next
// Open repairs it.
func (s *Store) Err() error {
	if err := s.damage.Load(); err != nil {
		return *err
	}
	return nil
}

// read runs do with a connection of its own that sees one state of the disk.
func (s *Store) read(ctx context.Context, do func(*conn) error) error {
	var c *conn
	var ok bool
	select {
	case c, ok = <-s.readers:
		if !ok {
			return ErrClosed
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.readers <- c }()
	if c == nil {
		var err error
		if c, err = dial(s.path(), "PRAGMA busy_timeout=5000", "PRAGMA query_only=1", "PRAGMA cache_size=-2000", "PRAGMA temp_store=FILE"); err != nil {
			return s.note(err)
		}
	}
	if err := c.exec("BEGIN"); err != nil {
		c.close()
		c = nil
		return s.note(err)
	}
	err := do(c)
	if e := c.exec("COMMIT"); e != nil {
		c.close() // the next reader gets a new one
		if c = nil; err == nil {
			err = e
		}
	}
	return s.note(err)
}

// Check looks through the whole database for damage, which Err then reports.
func (s *Store) Check(ctx context.Context) error {
	return s.read(ctx, func(c *conn) error { return c.quickCheck(ctx) })
}

func (c *conn) quickCheck(ctx context.Context) error {
	r, err := c.get(ctx, "PRAGMA quick_check(1)")
	if err != nil {
		return err
	}
	if r.str(0) != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, r.str(0))
	}
	return nil
}
