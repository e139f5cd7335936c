//go:build unix

package store

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// wipeChild erases from a store that is there, or drops a space of it, and kills itself at a step.
func wipeChild(dir string, at int) error {
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
	if os.Getenv(crashWipe) == "drop" {
		if err := s.Use(bg, plainReader{}); err != nil {
			return err
		}
		err := s.Drop(bg, log.SpaceID{5})
		fmt.Println("steps", steps)
		return err
	}
	g, err := recalled(s)
	if err != nil {
		return err
	}
	if err := s.Use(bg, g.erased()); err != nil {
		return err
	}
	if !s.Wiped() {
		return fmt.Errorf("not wiped")
	}
	fmt.Println("steps", steps)
	return nil // without closing
}

// recalled finds the gossip in a store by the value it left there.
func recalled(s *Store) (*gossip, error) {
	g := &gossip{}
	raw, err := s.Get("refs")
	if err != nil {
		return nil, err
	}
	for ; len(raw) > 0; raw = raw[cardLen+40:] {
		card, _ := decodeCard(raw[:cardLen])
		ref := Ref{Card: card, Hash: log.Hash(raw[cardLen : cardLen+32])}
		for _, b := range raw[cardLen+32 : cardLen+40] {
			ref.Seq = ref.Seq<<8 | uint64(b)
		}
		g.refs = append(g.refs, ref)
	}
	g.id = chat.MsgID{Log: g.refs[0].Card.ID(), Seq: g.refs[0].Seq}
	return g, nil
}

// gossiped makes a directory with a store to erase from.
func gossiped(t *testing.T) (string, *gossip) {
	dir := t.TempDir()
	s := openStore(t, dir, sealedRules{newRules()})
	g := fillGossip(t, s)
	var raw []byte
	for _, ref := range g.refs {
		raw = append(append(raw, encodeCard(ref.Card)...), ref.Hash[:]...)
		for i := 56; i >= 0; i -= 8 {
			raw = append(raw, byte(ref.Seq>>i))
		}
	}
	if err := s.Put("refs", raw); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, g
}

// checkWiped opens what a kill left and lets the erasure come to its end.
func checkWiped(t *testing.T, dir string, g *gossip, what string) {
	t.Helper()
	s, rep, err := Open(dir, Options{Unsafe: true})
	if err != nil || rep.Damaged != "" {
		t.Fatalf("%s: %+v, %v", what, rep, err)
	}
	defer s.Close()
	if err := s.Use(bg, g.erased()); err != nil || !s.Wiped() {
		t.Fatalf("%s: use: %v, wiped %v", what, err, s.Wiped())
	}
	if n := traces(t, dir, g.secrets...); n > 0 {
		t.Errorf("%s: %d traces", what, n)
	}
	g.check(t, s)
}

// TestKilledWhileErasing kills the program at each step of an erasure, and before
// each of its writes; the next Use ends it.
func TestKilledWhileErasing(t *testing.T) {
	dir, g := gossiped(t)
	t.Setenv(crashWipe, "1")
	_, steps := runCrash(t, copyDir(t, dir), 0)
	if steps < 10 {
		t.Fatalf("only %d steps", steps)
	}
	for at := 1; at <= steps; at++ {
		dir := copyDir(t, dir)
		if _, end := runCrash(t, dir, at); end != 0 {
			t.Fatalf("step %d: came to the end", at)
		}
		checkWiped(t, dir, g, fmt.Sprintf("killed at step %d of %d", at, steps))
	}
	t.Logf("killed at each of %d steps", steps)
	strace, err := exec.LookPath("strace")
	if err != nil || testing.Short() {
		return
	}
	trace := t.TempDir() + "/trace"
	if _, steps := runCrash(t, copyDir(t, dir), 0, strace, "-f", "-qq", "-o", trace, "-e", "trace=pwrite64,fdatasync,fsync,ftruncate"); steps == 0 {
		return
	}
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	kills := 0
	for _, call := range []string{"fdatasync", "fsync", "ftruncate", "pwrite64"} {
		n := strings.Count(string(b), " "+call+"(")
		for at := 1; at <= n; at += 1 + n/40 {
			dir := copyDir(t, dir)
			runCrash(t, dir, 0, strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, at))
			checkWiped(t, dir, g, fmt.Sprintf("killed at %s %d of %d", call, at, n))
			kills++
		}
	}
	t.Logf("killed at %d system calls", kills)
}

// TestKilledWhileDropping a space: it is either whole, or gone and the next Use
// frees the files.
func TestKilledWhileDropping(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, plainReader{})
	_, _, other := twoSpaces(t, s)
	s.Close()
	t.Setenv(crashWipe, "drop")
	_, steps := runCrash(t, copyDir(t, dir), 0)
	whole, gone := 0, 0
	for at := 1; at <= steps; at++ {
		dir := copyDir(t, dir)
		runCrash(t, dir, at)
		s := openStore(t, dir, plainReader{})
		if p, err := s.Messages(bg, Query{Space: other}); err != nil || p.Total != 0 && p.Total != 120 {
			t.Fatalf("killed at step %d: %d messages, %v", at, p.Total, err)
		} else if p.Total > 0 {
			whole++
		} else {
			gone++
			if n := traces(t, dir, []byte("Klausurwort")); n > 0 || !s.Wiped() {
				t.Errorf("killed at step %d: %d traces, wiped %v", at, n, s.Wiped())
			}
		}
		if got := texts(t, s); len(got) != 120 {
			t.Errorf("killed at step %d: %d messages elsewhere", at, len(got))
		}
		checkIndex(t, s)
		s.Close()
	}
	if whole == 0 || gone == 0 {
		t.Errorf("%d whole, %d gone", whole, gone)
	}
}
