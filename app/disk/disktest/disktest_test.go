package disktest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"inselnetz/app/disk"
)

func TestSuite(t *testing.T) {
	for name, opts := range map[string]Options{
		"plain": {}, "folding": {Folds: true}, "cloning": {Clones: true}, "poor": {NoExchange: true, NoNameless: true}, "coarse": {Coarse: 100},
	} {
		t.Run(name, func(t *testing.T) {
			Suite(t, func(t *testing.T) disk.FS { return New(1, opts) })
		})
	}
}

// seeds calls f for some seeds, or for SEED alone.
func seeds(t *testing.T, n uint64, f func(t *testing.T, seed uint64)) {
	if s := os.Getenv("SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		must(t, err)
		f(t, seed)
		return
	}
	for seed := range n {
		if t.Failed() {
			return
		}
		f(t, seed)
	}
}

// TestSafeWrite is the way every file is replaced: after a crash at any call
// the file is the old or the new one, and the new one once that was said.
func TestSafeWrite(t *testing.T) {
	old, young := strings.Repeat("old", 5000), strings.Repeat("young", 4000)
	write := func(f *FS, all bool) error {
		h, err := f.Create("tmp", 0)
		if err != nil {
			return err
		}
		if _, err := h.WriteAt([]byte(young), 0); err != nil {
			return err
		}
		if !all {
			if err := h.Sync(); err != nil {
				return err
			}
		}
		if err := h.Close(); err != nil {
			return err
		}
		if all {
			if err := f.SyncAll(); err != nil {
				return err
			}
		}
		if err := f.Rename("tmp", "d/file"); err != nil {
			return err
		}
		return f.SyncDir("d")
	}
	seen := map[string]int{}
	seeds(t, 3000, func(t *testing.T, seed uint64) {
		f := New(seed, Options{})
		Write(t, f, "d/file", old)
		must(t, f.SyncAll())
		calls, stop := 0, rand.New(rand.NewPCG(seed, 1)).IntN(8)
		next := f
		f.At = func(string, string) {
			if calls++; calls-1 == stop {
				next = f.Crash()
			}
		}
		err := write(f, seed%2 == 0)
		if err == nil {
			next = f.Crash()
		}
		got := Content(t, next, "d/file")
		switch {
		case got != old && got != young:
			t.Errorf("SEED=%d: neither old nor new", seed)
		case err == nil && got != young:
			t.Errorf("SEED=%d: lost though said to be durable", seed)
		case err != nil && !errors.Is(err, ErrDead):
			t.Errorf("SEED=%d: %v", seed, err)
		}
		seen[fmt.Sprint(err == nil, got == young)]++
	})
	t.Log(seen)
	if os.Getenv("SEED") == "" && len(seen) < 3 {
		t.Error("a crash always leaves the same:", seen)
	}
}

// TestUnsafeWrite must see what happens to those who do not flush.
func TestUnsafeWrite(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(500) {
		f := New(seed, Options{})
		Write(t, f, "file", "old content")
		must(t, f.SyncAll())
		Write(t, f, "tmp", "NEW CONTENT, LONGER")
		must(t, f.Rename("tmp", "file"))
		Write(t, f, "other", "x")
		f = f.Crash()
		what := "absent"
		if b, _, err := f.Read("file", nil); err == nil {
			what = string(b)
			if strings.Trim(what, "\x00") == "" {
				what = fmt.Sprint(len(what), " zeros")
			}
		}
		if strings.HasPrefix(what, "NEW CONTENT, ") && len(what) < 19 {
			what = "part"
		}
		if _, err := f.Stat("other"); err == nil && what == "old content" {
			what += " although a later name survived"
		}
		seen[what]++
	}
	t.Log(seen)
	for _, w := range []string{"old content", "NEW CONTENT, LONGER", "0 zeros", "19 zeros", "part", "old content although a later name survived"} {
		if seen[w] == 0 {
			t.Errorf("never happened: %s", w)
		}
	}
}

// TestRenamesStayWhole moves files and directories about, with crashes: a file
// that was durable once is never lost nor in two places.
func TestRenamesStayWhole(t *testing.T) {
	seeds(t, 400, func(t *testing.T, seed uint64) {
		f := New(seed, Options{})
		rng := rand.New(rand.NewPCG(seed, 2))
		const n = 8
		for i := range n {
			Write(t, f, fmt.Sprintf("d%d/f%d", i%3, i), fmt.Sprint(i))
		}
		must(t, f.SyncAll())
		for range 6 {
			for range rng.IntN(30) {
				from, to := pick(t, f, rng), pick(t, f, rng)
				switch rng.IntN(6) {
				case 0:
					f.SyncDir(to)
				case 1:
					f.Exchange(from, to)
				case 2:
					f.Mkdir(to + "/n" + fmt.Sprint(rng.IntN(9)))
				case 3:
					if i, err := f.Stat(from); err == nil && i.Kind == disk.Dir {
						f.Remove(from)
					}
				default:
					if i, err := f.Stat(to); err == nil && i.Kind == disk.Dir {
						to += "/m" + fmt.Sprint(rng.IntN(1000))
					}
					f.RenameNew(from, to)
				}
			}
			f = f.Crash()
			var got []string
			walk(t, f, "", func(path string, i disk.Info) {
				if i.Kind == disk.File {
					got = append(got, Content(t, f, path))
				}
			})
			slices.Sort(got)
			if s := strings.Join(got, ""); s != "01234567" {
				t.Fatalf("SEED=%d: files are %s", seed, s)
			}
		}
	})
}

func walk(t *testing.T, f disk.FS, dir string, visit func(string, disk.Info)) {
	l, err := f.List(dir)
	must(t, err)
	for _, i := range l {
		path := strings.TrimPrefix(dir+"/"+i.Name, "/")
		visit(path, i)
		if i.Kind == disk.Dir {
			walk(t, f, path, visit)
		}
	}
}

func pick(t *testing.T, f disk.FS, rng *rand.Rand) string {
	var all []string
	walk(t, f, "", func(path string, _ disk.Info) { all = append(all, path) })
	return all[rng.IntN(len(all))]
}

func TestFaults(t *testing.T) {
	f := New(1, Options{Total: 100})
	Write(t, f, "a", strings.Repeat("x", 60))
	h, err := f.Create("b", 0)
	must(t, err)
	if n, err := h.WriteAt(make([]byte, 60), 0); n != 40 || !errors.Is(err, disk.ErrFull) {
		t.Error(n, err)
	}
	must(t, f.Remove("a"))
	if _, err := h.WriteAt(make([]byte, 60), 0); err != nil {
		t.Error(err)
	}
	f.Fail = func(op, path string) error {
		if op == "WriteAt" && path == "b" {
			return disk.ErrFull
		}
		if op == "Stat" {
			return disk.ErrDenied
		}
		return nil
	}
	_, err = h.WriteAt(make([]byte, 60), 0)
	want(t, err, disk.ErrFull)
	_, err = f.Stat("b")
	want(t, err, disk.ErrDenied)
	if _, err := f.User().Stat("b"); err != nil {
		t.Error("the user has no faults:", err)
	}
	// The user has it open.
	f.Fail = nil
	u, err := f.User().Edit("b")
	must(t, err)
	u.WriteAt([]byte("?"), 1)
	_, _, err = f.Read("b", nil)
	want(t, err, disk.ErrBusy)
	must(t, u.Close())
	Content(t, f, "b")
	// The user edits while a file is read.
	f.At = func(op, path string) {
		if op == "Reading" {
			u, err := f.User().Edit(path)
			must(t, err)
			u.WriteAt([]byte("!"), 0)
			u.Close()
		}
	}
	_, _, err = f.Read("b", nil)
	want(t, err, disk.ErrChanged)
	f.At = nil
	next := f.Kill()
	_, err = f.Stat("b")
	want(t, err, ErrDead)
	want(t, h.Sync(), ErrDead)
	if _, err := next.Stat("b"); err != nil {
		t.Error(err)
	}
	c := next.Copy()
	Write(t, next, "b", "changed")
	if s := Content(t, c, "b"); s[0] != '!' || len(s) != 60 {
		t.Error("a copy is not independent:", s)
	}
	if _, err := c.Crash().Stat("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := New(1, Options{})
		w, err := disk.Watch(ctx, f)
		must(t, err)
		next := func() string {
			synctest.Wait()
			var s []string
			for _, e := range <-w.C {
				s = append(s, e.What.String()+" "+e.Path)
			}
			return strings.Join(s, ", ")
		}
		u := f.User()
		must(t, u.Mkdir("a/b"))
		Write(t, u, "x", "1")
		Write(t, u, disk.Hidden+"/x", "1")
		// The first event may go alone: the receiver waited for it.
		got := next()
		if !strings.Contains(got, "x") {
			got += ", " + next()
		}
		if got != "closed a, closed a/b, closed x" {
			t.Error(got)
		}
		must(t, u.Rename("x", "a/y"))
		synctest.Wait()
		h, err := u.Edit("a/y")
		must(t, err)
		h.WriteAt([]byte("1"), 0)
		got = next() + "; " + next()
		if got != "gone x, closed a/y; touched a/y" && got != "gone x; touched a/y" {
			t.Error(got)
		}
		h.Close()
		if got := next(); got != "closed a/y" {
			t.Error(got)
		}
		if w.Err() != nil || !w.Closes {
			t.Error(w.Err(), w.Closes)
		}
		cancel()
		if _, ok := <-w.C; ok {
			t.Error("goes on")
		}
	})
}
