//go:build linux

package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// smallDisk mounts a disk of some KiB, which needs root.
func smallDisk(t *testing.T, kib int, opts string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%dk%s", kib, opts)); err != nil {
		t.Skip("needs root to mount a small disk: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// TestFullDisk fills the disk while messages come in: the error says so, all
// that was acknowledged stays, and when there is room again it goes on.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, 1500, "")
	s, _, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Use(bg, plainReader{}); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 200<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	a, acked := newAuthor(1), 0
	add := func() error {
		before := *a
		_, err := s.Append(bg, a.card, "", func(n Next) (*log.Entry, error) {
			return a.write(t, baseMs+int64(acked), nil, chat.Post{Text: "hallo " + strings.Repeat("x", 3000)}), nil
		})
		if err != nil {
			*a = before
			return err
		}
		acked++
		return nil
	}
	for err = add(); err == nil && acked < 1000; err = add() {
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("after %d messages: %v", acked, err)
	}
	other := newAuthor(2)
	var many []*log.Entry
	for i := range 300 {
		many = append(many, other.write(t, baseMs+int64(i), nil, chat.Post{Text: strings.Repeat("y", 2000)}))
	}
	if _, err := s.Import(bg, other.card, many, false); !errors.Is(err, ErrFull) {
		t.Errorf("import: %v", err)
	}
	if err := s.Put("key", make([]byte, 100_000)); !errors.Is(err, ErrFull) {
		t.Errorf("put: %v", err)
	}
	check := func() {
		t.Helper()
		p, err := s.Messages(bg, Query{Space: space, Limit: 2000})
		if err != nil || len(p.Rows) != acked || p.Total != acked {
			t.Errorf("%d messages of %d, total %d: %v", len(p.Rows), acked, p.Total, err)
		}
	}
	check()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := add(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	check()
	if err := s.Err(); err != nil {
		t.Errorf("a full disk is no damage: %v", err)
	}
}

func TestOpenOnFullDisk(t *testing.T) {
	dir := smallDisk(t, 40, "")
	if s, _, err := Open(dir, Options{}); !errors.Is(err, ErrFull) {
		t.Errorf("open: %v", err)
		if err == nil {
			s.Close()
		}
	}
	if all, _ := filepath.Glob(filepath.Join(dir, "*damaged*")); len(all) > 0 {
		t.Errorf("moved aside: %v", all)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, 20_000, "")
	filled(t, dir, 3)
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip("needs root: ", err)
	}
	if _, _, err := Open(dir, Options{}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("open: %v", err)
	}
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	if all, _ := filepath.Glob(filepath.Join(dir, "*damaged*")); len(all) > 0 {
		t.Errorf("moved aside: %v", all)
	}
	openStore(t, dir, plainReader{})
}

// TestForbiddenDirectory opens as a user who may not write there.
func TestForbiddenDirectory(t *testing.T) {
	if dir := os.Getenv("INSELNETZ_TEST_FORBIDDEN"); dir != "" {
		_, _, err := Open(dir, Options{})
		fmt.Println("forbidden:", errors.Is(err, ErrReadOnly), err)
		return
	}
	for name, prepare := range map[string]func(dir string){
		"empty": func(string) {},
		"data":  func(dir string) { filled(t, dir, 3) },
		"database": func(dir string) {
			filled(t, dir, 3)
			os.Chmod(dir, 0o777)
			os.Chmod(filepath.Join(dir, lockName), 0o666)
		},
	} {
		t.Run(name, func(t *testing.T) {
			base, err := os.MkdirTemp("", "inselnetz")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(base) })
			dir := filepath.Join(base, "d")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			prepare(dir)
			if os.Getuid() != 0 {
				t.Skip("needs root to be another user")
			}
			for _, p := range []string{base, dir} {
				if fi, _ := os.Stat(p); fi.Mode().Perm() != 0o777 {
					os.Chmod(p, 0o755)
				}
			}
			prog := filepath.Join(base, "prog") // where the other user may run it
			b, err := os.ReadFile(os.Args[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(prog, b, 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(prog, "-test.run=TestForbiddenDirectory$")
			cmd.Dir = base
			cmd.Env = append(os.Environ(), "INSELNETZ_TEST_FORBIDDEN="+dir)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "forbidden: true") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// TestEraseOnFullDisk: there is no room to write the database anew. The message
// is gone from the views at once, its bytes when there is room.
func TestEraseOnFullDisk(t *testing.T) {
	dir := smallDisk(t, 20_000, "")
	s, _, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Use(bg, sealedRules{newRules()}); err != nil {
		t.Fatal(err)
	}
	g := fillGossip(t, s)
	s.turn.Lock()
	err = s.emptyLog(bg)
	s.turn.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, int(fs.Bavail)*int(fs.Bsize)-300<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Use(bg, g.erased()); err != nil {
		t.Fatal(err)
	}
	if s.Wiped() || s.Err() != nil {
		t.Errorf("wiped %v, %v", s.Wiped(), s.Err())
	}
	g.check(t, s)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.Wipe(bg); err != nil || !s.Wiped() {
		t.Errorf("wipe: %v", err)
	}
	if n := traces(t, dir, g.secrets...); n > 0 {
		t.Errorf("%d traces", n)
	}
}
