package keep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"inselnetz/app/disk"
	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/tree"
)

// seeds calls f for some seeds, or for SEED alone.
func seeds(t *testing.T, n uint64, f func(t *testing.T, seed uint64)) {
	if s := os.Getenv("SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		must(t, err)
		f(t, seed)
		return
	}
	if testing.Short() {
		n /= 10
	}
	for seed := range n {
		if t.Run(fmt.Sprint("SEED=", seed), func(t *testing.T) { f(t, seed) }); t.Failed() {
			return
		}
	}
}

// user plays with a store and knows what it must hold.
type user struct {
	t     *testing.T
	rng   *rand.Rand
	f     *disktest.FS
	s     *Store
	have  map[int]bool // put in and not dropped
	acked map[int]bool // of these, what a Sync said to be durable
	files int
	armed bool // calls count towards the crash
}

// trace says what happens, with SEED.
func (u *user) trace(format string, args ...any) {
	if os.Getenv("SEED") != "" {
		u.t.Logf(format, args...)
	}
}

// act does one thing. An error of the disk is fine.
func (u *user) act() (what string, err error) {
	n := u.rng.IntN(60)
	b, sum := content(n)
	switch u.rng.IntN(14) {
	case 0, 1, 2, 3:
		what, err = fmt.Sprint("put ", n), u.s.Put(sum, b)
		if err == nil {
			u.have[n] = true
		}
	case 4, 5, 6, 7:
		u.files++
		path := fmt.Sprint("file", u.files)
		what = fmt.Sprint("adopt ", n)
		disktest.Write(u.t, u.f.User(), path, string(b))
		if u.rng.IntN(3) == 0 {
			i, _ := u.f.User().Stat(path)
			what, err = fmt.Sprint("copy in ", n), u.s.CopyIn(context.Background(), sum, i, path)
		} else {
			err = u.s.Adopt(sum, int64(len(b)), path)
		}
		if err == nil {
			u.have[n] = true
		}
	case 8, 9:
		delete(u.acked, n)
		what, err = fmt.Sprint("drop ", n), u.s.Drop(sum)
		if err == nil {
			delete(u.have, n)
		}
	case 10, 11, 12:
		what = "sync"
		if u.rng.IntN(3) == 0 {
			what, err = "sync all", u.s.SyncAll()
		} else {
			err = u.s.Sync()
		}
		if err == nil {
			u.acked = maps.Clone(u.have)
			for n := range u.have {
				if _, sum := content(n); !u.s.Durable(sum) {
					u.t.Errorf("content %d is not durable after a sync", n)
				}
			}
		}
	case 13:
		what, err = "compact", u.s.Compact(context.Background())
	}
	return what, err
}

// note takes what the store says to be durable at its word.
func (u *user) note() {
	if u.rng.IntN(4) > 0 {
		return
	}
	for n := range u.have {
		if _, sum := content(n); u.s.Durable(sum) {
			u.acked[n] = true
		}
	}
}

// check looks at all that is kept.
func (u *user) check(acked bool) {
	u.t.Helper()
	for n := range u.acked {
		b, sum := content(n)
		if got, err := get(u.s, sum); err != nil || !bytes.Equal(got, b) {
			u.t.Fatalf("content %d was durable and is not there: %v", n, err)
		}
	}
	if acked {
		return
	}
	known := map[tree.Sum]int{}
	for n := range 60 {
		_, sum := content(n)
		known[sum] = n
	}
	used := int64(0)
	for i := range u.s.Each {
		b, _ := content(known[i.Sum])
		if got, err := get(u.s, i.Sum); err != nil || !bytes.Equal(got, b) {
			u.t.Fatalf("content %d is said to be kept, and is not: %v", known[i.Sum], err)
		}
		used += i.Size
		if !i.Loose {
			used += headerSize
		}
	}
	if used != u.s.Used() {
		u.t.Errorf("used %d, said %d", used, u.s.Used())
	}
}

// tidy sees that the store has no files that it does not need.
func (u *user) tidy() {
	u.t.Helper()
	f := u.f.User()
	list, err := f.List("keep/loose")
	must(u.t, err)
	loose := 0
	for i := range u.s.Each {
		if i.Loose {
			loose++
		}
	}
	if len(list) != loose {
		u.t.Errorf("%d files for %d loose contents", len(list), loose)
	}
	list, err = f.List("keep")
	must(u.t, err)
	for _, i := range list {
		if i.Name != "packs" && i.Name != "loose" && i.Name != "index" {
			u.t.Error("left over:", i.Name)
		}
	}
	list, err = f.List("keep/packs")
	must(u.t, err)
	var size, live int64
	for _, i := range list {
		size += i.Size
	}
	for i := range u.s.Each {
		if !i.Loose {
			live += i.Size + headerSize
		}
	}
	if size > 3*live+2*testOptions.Pack {
		u.t.Errorf("%d bytes of packs for %d bytes", size, live)
	}
}

// TestCrash stops at any call of the disk, by power cut or kill, again and again.
func TestCrash(t *testing.T) {
	seeds(t, 400, func(t *testing.T, seed uint64) {
		u := &user{t: t, rng: rand.New(rand.NewPCG(seed, 1)), f: disktest.New(seed, disktest.Options{Clones: seed%3 == 0}), have: map[int]bool{}, acked: map[int]bool{}}
		for range 6 {
			calls, stop := 0, u.rng.IntN(200)
			next := u.f
			power := u.rng.IntN(3) > 0
			u.f.At = func(string, string) {
				if !u.armed {
					return
				}
				if calls++; calls != stop {
					return
				}
				if power {
					next = u.f.Crash()
				} else {
					next = u.f.Kill()
				}
			}
			var err error
			u.armed = true
			if u.s, err = Open(u.f, "keep", testOptions); err == nil {
				u.armed = false
				u.check(u.rng.IntN(2) == 0)
				u.armed = true
				for range 60 {
					u.note()
					what, err := u.act()
					u.trace("%s: %v", what, err)
					if err != nil {
						if !errors.Is(err, disktest.ErrDead) && !u.f.Dead() {
							t.Fatal(what, err)
						}
						break
					}
				}
				if !u.f.Dead() {
					u.s.Close()
				}
			}
			if !u.f.Dead() {
				u.f.At = nil
				next = u.f.Crash()
			}
			u.f = next
			u.trace("crash %v at call %d of %d", power, stop, calls)
			u.s, err = Open(u.f, "keep", testOptions)
			must(t, err)
			u.check(false)
			u.tidy()
			if u.rng.IntN(2) == 0 {
				must(t, u.s.Compact(t.Context()))
				u.check(false)
				u.tidy()
				must(t, u.s.Close())
			}
			// What is there now is all there is, durable or not.
			u.have = map[int]bool{}
			for n := range 60 {
				if _, sum := content(n); second(u.s.Has(sum)) {
					u.have[n] = true
				}
			}
			u.f = u.f.Kill()
		}
	})
}

func second[T any](_ T, ok bool) bool { return ok }

// TestFaults lets calls fail now and then: what was acknowledged stays, and
// afterwards all works.
func TestFaults(t *testing.T) {
	seeds(t, 200, func(t *testing.T, seed uint64) {
		u := &user{t: t, rng: rand.New(rand.NewPCG(seed, 1)), f: disktest.New(seed, disktest.Options{}), have: map[int]bool{}, acked: map[int]bool{}}
		var err error
		u.s, err = Open(u.f, "keep", testOptions)
		must(t, err)
		u.f.Fail = func(op, path string) error {
			if u.rng.IntN(25) == 0 {
				return []error{disk.ErrFull, disk.ErrDenied, disk.ErrBusy, errors.New("input/output error")}[u.rng.IntN(4)]
			}
			return nil
		}
		for range 120 {
			what, err := u.act()
			u.trace("%s: %v", what, err)
		}
		u.f.Fail = nil
		u.check(false)
		must(t, u.s.Sync())
		u.acked = maps.Clone(u.have)
		u.check(false)
		must(t, u.s.Compact(t.Context()))
		must(t, u.s.Close())
		u.f = u.f.Crash()
		u.s, err = Open(u.f, "keep", testOptions)
		must(t, err)
		u.check(false)
		u.tidy()
	})
}
