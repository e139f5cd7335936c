//go:build unix

package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// The tests here show that a message acknowledged to the user survives: the
// program killed at every step and every write of the commit path, and writes
// that reached the disk torn or in another order.

const (
	crashDir  = "INSELNETZ_TEST_CRASH_DIR"  // makes the test program the one that is killed
	crashAt   = "INSELNETZ_TEST_CRASH_AT"   // step at which it kills itself
	crashN    = 6                           // messages it writes
	crashOpen = "INSELNETZ_TEST_CRASH_OPEN" // it only opens
	crashWipe = "INSELNETZ_TEST_CRASH_WIPE" // it erases
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := crashChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crashChild appends messages and says so after each is acknowledged.
func crashChild(dir string) error {
	runtime.LockOSThread() // system calls are counted by thread
	at, _ := strconv.Atoi(os.Getenv(crashAt))
	if os.Getenv(crashWipe) != "" {
		return wipeChild(dir, at)
	}
	steps := 0
	s, _, err := Open(dir, Options{hook: func(string) {
		if steps++; steps == at {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}})
	if err != nil {
		return err
	}
	if os.Getenv(crashOpen) != "" {
		fmt.Println("steps", steps)
		return nil
	}
	if err := s.Use(bg, plainReader{}); err != nil {
		return err
	}
	for i := range crashN {
		if err := crashAppend(s, i); err != nil {
			return err
		}
		fmt.Println("ack", i)
	}
	fmt.Println("steps", steps)
	return nil // without closing: that is a crash too
}

// crashAppend appends message i, which also edits the one before.
func crashAppend(s *Store, i int) error {
	a := newAuthor(1)
	_, err := s.Append(bg, a.card, fmt.Sprint("nonce ", i), func(n Next) (*log.Entry, error) {
		ops := []chat.Op{chat.Post{Text: crashText(i)}}
		if i > 0 {
			ops = append(ops, chat.Edit{Message: a.id(n.Height.Seq, 0), Text: crashText(i-1) + " geändert"})
		}
		payload, err := chat.Encode(ops)
		if err != nil {
			return nil, err
		}
		h := log.Header{Log: a.card.ID(), Seq: n.Height.Seq + 1, Prev: n.Height.Hash, HLC: log.Tick(baseMs+int64(i), n.Last, n.Seen), Deps: n.Deps, Kind: log.KindChat}
		return log.New(a.key, h, payload)
	})
	return err
}

func crashText(i int) string {
	return fmt.Sprintf("Nachricht %d ", i) + strings.Repeat("mit etwas Text ", 20*i)
}

// checkCrash opens what a crash left and checks that every acknowledged
// message is there, whole, once and to be found, and at most one more; then it
// writes the rest as the program would when asked again.
func checkCrash(dir string, acked int) error {
	s, rep, err := Open(dir, Options{Unsafe: true})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer s.Close()
	if rep.Damaged != "" {
		return fmt.Errorf("damaged: %+v", rep)
	}
	if err := s.Use(bg, plainReader{}); err != nil {
		return err
	}
	look := func() (int, error) {
		p, err := s.Messages(bg, Query{Space: space, Limit: 500})
		if err != nil {
			return 0, err
		}
		for i, m := range p.Rows {
			want := crashText(i)
			if i < len(p.Rows)-1 {
				want += " geändert"
			}
			if m.Text != want || (m.Edited != 0) != (i < len(p.Rows)-1) {
				return 0, fmt.Errorf("message %d is %q", i, m.Text)
			}
		}
		hits, _, err := s.Search(bg, []log.SpaceID{space}, "nachricht", nil, 0, 100)
		if err != nil || len(hits) != len(p.Rows) || p.Total != len(p.Rows) {
			return 0, fmt.Errorf("%d messages, total %d, search finds %d: %w", len(p.Rows), p.Total, len(hits), err)
		}
		if h := s.Heights(space)[newAuthor(1).card.ID()]; int(h.Seq) != len(p.Rows) {
			return 0, fmt.Errorf("%d entries, %d messages", h.Seq, len(p.Rows))
		}
		return len(p.Rows), s.Check(bg)
	}
	n, err := look()
	if err != nil {
		return err
	}
	if n < acked || n > acked+1 {
		return fmt.Errorf("%d messages acknowledged, %d there", acked, n)
	}
	for i := acked; i < acked+2; i++ {
		if err := crashAppend(s, i); err != nil {
			return fmt.Errorf("write on: %w", err)
		}
	}
	if n, err = look(); err == nil && n != acked+2 {
		err = fmt.Errorf("%d messages after writing on, expected %d", n, acked+2)
	}
	return err
}

// runCrash runs the child and returns how many messages it acknowledged, and
// how many steps it made if it came to the end.
func runCrash(t *testing.T, dir string, at int, wrap ...string) (acked, steps int) {
	t.Helper()
	args := append(wrap, os.Args[0])
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashAt+"="+strconv.Itoa(at))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var n int
		if _, err := fmt.Sscanf(lines.Text(), "ack %d", &n); err == nil {
			acked = n + 1
		}
		fmt.Sscanf(lines.Text(), "steps %d", &steps)
	}
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && (exit.Sys().(syscall.WaitStatus).Signaled() || exit.ExitCode() == 128+int(syscall.SIGKILL))) {
		t.Fatalf("child: %v\n%s", err, errs.String())
	}
	return acked, steps
}

// TestKilledAtEveryStep kills the program at each step of the commit path, from
// opening on.
func TestKilledAtEveryStep(t *testing.T) {
	_, steps := runCrash(t, t.TempDir(), 0)
	if steps < crashN*5 {
		t.Fatalf("only %d steps", steps)
	}
	for at := 1; at <= steps; at++ {
		dir := t.TempDir()
		acked, end := runCrash(t, dir, at)
		if end != 0 {
			t.Fatalf("step %d: came to the end", at)
		}
		if err := checkCrash(dir, acked); err != nil {
			t.Errorf("killed at step %d of %d: %v", at, steps, err)
		}
	}
	t.Logf("killed at each of %d steps", steps)
}

// TestKilledDuringSalvage kills the program at each step of opening a damaged
// store; the next opening must not take the half of it for the whole.
func TestKilledDuringSalvage(t *testing.T) {
	dir := t.TempDir()
	authors := filled(t, dir, 300)
	f, err := os.OpenFile(filepath.Join(dir, dbName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 100), 0); err != nil {
		t.Fatal(err)
	}
	f.Close()
	t.Setenv(crashOpen, "1")
	_, steps := runCrash(t, copyDir(t, dir), 0)
	if steps < 20 {
		t.Fatalf("only %d steps", steps)
	}
	for at := 1; at <= steps; at += 1 + at/10 {
		dir := copyDir(t, dir)
		runCrash(t, dir, at)
		s, rep, err := Open(dir, Options{Unsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		if rep.Damaged == "" || rep.Lost || rep.Salvaged != 600 {
			t.Errorf("killed at step %d: %+v", at, rep)
		}
		if v, err := s.Get("identity"); err != nil || string(v) != "the secret" {
			t.Errorf("killed at step %d: value %q, %v", at, v, err)
		}
		s.Close()
		if rep, held := reopen(t, dir, authors); rep.Damaged != "" || held != 600 {
			t.Errorf("killed at step %d: opened again: %d entries, %+v", at, held, rep)
		}
	}
}

// TestKilledAtEveryWrite kills the program before each of its write and sync
// system calls, and checks that a sync comes before each acknowledgement.
func TestKilledAtEveryWrite(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	if testing.Short() {
		t.Skip("takes a while")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	if _, steps := runCrash(t, t.TempDir(), 0, strace, "-f", "-qq", "-o", trace, "-e", "trace=pwrite64,fdatasync,fsync,ftruncate,write"); steps == 0 {
		t.Skip("strace cannot trace here")
	}
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	acks, dirty := 0, ""
	for line := range strings.Lines(string(b)) {
		switch {
		case strings.Contains(line, " pwrite64("):
			dirty = line
		case strings.Contains(line, "sync("):
			dirty = ""
		case strings.Contains(line, ` write(1, "ack`):
			if acks++; dirty != "" {
				t.Errorf("acknowledged before the disk has it: %s", dirty)
			}
		}
	}
	if acks != crashN {
		t.Fatalf("%d acknowledgements in the trace", acks)
	}
	kills := 0
	for _, call := range []string{"fdatasync", "fsync", "ftruncate", "pwrite64"} {
		n := strings.Count(string(b), " "+call+"(")
		for at := 1; at <= n; at++ {
			dir := t.TempDir()
			acked, _ := runCrash(t, dir, 0, strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, at))
			if err := checkCrash(dir, acked); err != nil {
				t.Errorf("killed at %s %d of %d: %v", call, at, n, err)
			}
			kills++
		}
	}
	t.Logf("killed at each of %d system calls", kills)
}

// A state is what is in the files at one moment.
type state struct{ db, wal []byte }

func stateOf(t *testing.T, dir string) state {
	t.Helper()
	db, err := os.ReadFile(filepath.Join(dir, dbName))
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(filepath.Join(dir, dbName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	return state{db, wal}
}

func (s state) put(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range map[string][]byte{dbName: s.db, dbName + "-wal": s.wal} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// torn returns new up to x and old from there on, as long as what was written.
func torn(old, new []byte, x int) []byte {
	out := append([]byte{}, new[:x]...)
	if x < len(old) {
		out = append(out, old[x:]...)
	}
	return out
}

// shuffled returns new with some sectors not written: what a disk may hold when
// the power goes before a sync is through.
func shuffled(r *rand.Rand, old, new []byte) []byte {
	const sector = 512
	out := append([]byte{}, new...)
	for at := 0; at < len(new); at += sector {
		end := min(at+sector, len(new))
		if r.IntN(2) == 0 {
			continue
		}
		clear(out[at:end])
		if at < len(old) {
			copy(out[at:end], old[at:])
		}
	}
	return out
}

// TestTornWrites takes the files as they are while a message is being written,
// at every boundary of a page and around it, with bits flipped, and in any order
// of sectors; and while the write-ahead log moves into the database.
func TestTornWrites(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	dir := t.TempDir()
	s, _, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Use(bg, plainReader{}); err != nil {
		t.Fatal(err)
	}
	states := 0
	check := func(st state, acked int, what string, args ...any) {
		t.Helper()
		states++
		if err := checkCrash(st.put(t), acked); err != nil {
			t.Fatalf("%s (seed %d): %v", fmt.Sprintf(what, args...), seed, err)
		}
	}
	was := stateOf(t, dir)
	for i := range 5 {
		if i == 3 { // the write-ahead log begins at its start again
			before := stateOf(t, dir)
			if err := s.w.c.script("PRAGMA wal_checkpoint(RESTART)"); err != nil {
				t.Fatal(err)
			}
			after := stateOf(t, dir)
			for range 15 {
				check(state{shuffled(r, before.db, after.db), before.wal}, i, "torn while moving into the database")
			}
			was = after
		}
		if err := crashAppend(s, i); err != nil {
			t.Fatal(err)
		}
		now := stateOf(t, dir)
		check(now, i+1, "acknowledged")
		first := 0
		for first < min(len(was.wal), len(now.wal)) && was.wal[first] == now.wal[first] {
			first++
		}
		end := len(now.wal)
		for end > first && end <= len(was.wal) && was.wal[end-1] == now.wal[end-1] {
			end--
		}
		for frame := walHeader; frame <= len(now.wal); frame += frameHeader + pageSize {
			for _, x := range []int{frame - 1, frame, frame + 1, frame + frameHeader, frame + frameHeader + pageSize/2} {
				if x >= first && x < end { // at end it is all there
					check(state{was.db, torn(was.wal, now.wal, x)}, i, "message %d torn at byte %d of %d", i, x, len(now.wal))
				}
			}
		}
		for range 10 {
			mixed := shuffled(r, was.wal, now.wal)
			if !bytes.Equal(mixed[first:end], now.wal[first:end]) {
				check(state{was.db, mixed}, i, "message %d with sectors missing", i)
			}
			flipped := bytes.Clone(now.wal)
			flipped[end-1-r.IntN(min(pageSize+frameHeader, end-first))] ^= 1 << r.IntN(8)
			check(state{was.db, flipped}, i, "message %d with a bit flipped", i)
		}
		was = now
	}
	t.Logf("%d states of the files", states)
}
