package keep

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/tree"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	contents [60][]byte
	sums     [60]tree.Sum
)

func init() {
	for n := range contents {
		contents[n] = makeContent(n)
		sums[n] = nameOf(contents[n], n%20 == 1)
	}
}

// content returns the n-th content and its name.
func content(n int) ([]byte, tree.Sum) { return contents[n], sums[n] }

func makeContent(n int) []byte {
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	size := 1 + rng.IntN(700)
	switch n % 10 {
	case 0:
		size = 1000 + rng.IntN(6000) // loose
	case 1:
		size = 130<<10 + rng.IntN(1000) // of several blocks
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func nameOf(b []byte, list bool) tree.Sum {
	if list {
		return sha256.Sum256(b)
	}
	var sums []tree.Sum
	for c := range slices.Chunk(b, tree.BlockSize(int64(len(b)))) {
		sums = append(sums, sha256.Sum256(c))
	}
	return tree.SumOf(sums)
}

var testOptions = Options{Small: 900, Pack: 12 << 10}

func get(s *Store, sum tree.Sum) ([]byte, error) {
	size, ok := s.Has(sum)
	if !ok {
		return nil, ErrNone
	}
	b := make([]byte, size)
	if _, err := s.ReadAt(sum, b, 0); err != nil {
		return nil, err
	}
	return b, nil
}

func TestKeep(t *testing.T) {
	f := disktest.New(1, disktest.Options{})
	now := time.Unix(1000, 5)
	opts := testOptions
	opts.Now = func() time.Time { return now }
	s, err := Open(f, ".inselnetz/keep", opts)
	must(t, err)
	small, sum := content(2)
	must(t, s.Put(sum, small))
	must(t, s.Put(sum, small))
	large, lsum := content(10)
	must(t, s.Put(lsum, large))
	if size, ok := s.Has(sum); !ok || size != int64(len(small)) {
		t.Error(size, ok)
	}
	if _, ok := s.Has(tree.Sum{1}); ok {
		t.Error("has what it has not")
	}
	if size, ok := s.Has(tree.Sum{}); !ok || size != 0 {
		t.Error("the empty content:", size, ok)
	}
	if _, err := s.ReadAt(tree.Sum{}, small, 0); err != io.EOF {
		t.Error("the empty content:", err)
	}
	must(t, s.Put(tree.Sum{}, nil))
	if _, err := s.ReadAt(tree.Sum{1}, small, 0); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	check := func() {
		t.Helper()
		for sum, b := range map[tree.Sum][]byte{sum: small, lsum: large} {
			got, err := get(s, sum)
			if err != nil || !bytes.Equal(got, b) {
				t.Error("not what was put in:", err)
			}
			part := make([]byte, 10)
			if n, err := s.ReadAt(sum, part, 5); n != 10 || err != nil || !bytes.Equal(part, b[5:15]) {
				t.Error(n, err)
			}
			if n, err := s.ReadAt(sum, part, int64(len(b))-4); n != 4 || err != io.EOF || !bytes.Equal(part[:4], b[len(b)-4:]) {
				t.Error(n, err)
			}
			if _, err := s.ReadAt(sum, part, int64(len(b))); err != io.EOF {
				t.Error(err)
			}
		}
	}
	check()
	must(t, s.Sync())
	check()
	if p, ok := s.Loose(lsum); !ok || disktest.Content(t, f, p) != string(large) {
		t.Error(p, ok)
	}
	if _, ok := s.Loose(sum); ok {
		t.Error("a packed content is no file")
	}
	must(t, s.Close())
	must(t, s.Close())
	now = time.Unix(2000, 0)
	s, err = Open(f, ".inselnetz/keep", opts)
	must(t, err)
	check()
	for i := range s.Each {
		if i.Since != 1_000_000 || i.Loose != (i.Sum == lsum) {
			t.Errorf("%+v", i)
		}
	}
	want := int64(len(large) + len(small) + headerSize)
	if s.Used() != want {
		t.Error("used", s.Used(), "want", want)
	}
	disktest.Write(t, f, "other", "x")
	must(t, s.Adopt(sum, int64(len(small)), "other")) // here already
	if _, err := f.Stat("other"); err == nil {
		t.Error("a file that was not needed stays")
	}
	must(t, s.Drop(sum))
	must(t, s.Drop(lsum))
	must(t, s.Drop(lsum))
	if s.Used() != 0 || s.Len() != 0 {
		t.Error(s.Used(), s.Len())
	}
	must(t, s.Compact(t.Context()))
	if l, _ := f.List(".inselnetz/keep/packs"); len(l) > 1 {
		t.Error("packs of what was dropped stay:", l)
	}
	must(t, s.Close())
	if err := s.Put(sum, small); err == nil {
		t.Error("put after close")
	}
}

// TestDropLasts drops a content and closes the store: that is no crash.
func TestDropLasts(t *testing.T) {
	f := disktest.New(1, disktest.Options{})
	s, err := Open(f, "keep", testOptions)
	must(t, err)
	for n := 2; n < 5; n++ {
		b, sum := content(n)
		must(t, s.Put(sum, b))
	}
	must(t, s.Close())
	s, err = Open(f, "keep", testOptions)
	must(t, err)
	_, sum := content(3)
	must(t, s.Drop(sum))
	must(t, s.Close())
	writes := 0
	f.At = func(op, path string) {
		if op == "WriteAt" {
			writes++
		}
	}
	s, err = Open(f, "keep", testOptions)
	must(t, err)
	if _, ok := s.Has(sum); ok || s.Len() != 2 {
		t.Error("a dropped content is back")
	}
	must(t, s.Compact(t.Context()))
	must(t, s.Compact(t.Context()))
	must(t, s.Close())
	if writes > 0 {
		t.Error("nothing changed and something was written")
	}
}

// TestOpaque keeps bytes under names that have nothing to do with them.
func TestOpaque(t *testing.T) {
	for seed := range uint64(60) {
		f := disktest.New(seed, disktest.Options{})
		s, err := Open(f, "keep", Options{Opaque: true})
		must(t, err)
		want := map[tree.Sum][]byte{}
		rng := rand.New(rand.NewPCG(seed, 1))
		put := func(b []byte) {
			sum := tree.Sum{byte(len(want)), 1}
			must(t, s.Put(sum, b))
			want[sum] = b
		}
		for range 20 {
			b, _ := content(rng.IntN(len(contents)))
			put(b)
		}
		if seed == 0 {
			put(make([]byte, 16<<20+56))
		}
		must(t, s.Sync())
		must(t, s.Put(tree.Sum{2: 9}, []byte("not acknowledged")))
		if seed%2 == 0 {
			must(t, s.Compact(t.Context()))
		}
		f = f.Crash()
		s, err = Open(f, "keep", Options{Opaque: true})
		must(t, err)
		for sum, b := range want {
			if got, err := get(s, sum); err != nil || !bytes.Equal(got, b) {
				t.Fatal(seed, err)
			}
		}
		must(t, s.Close())
	}
}

func TestCopyIn(t *testing.T) {
	for _, clones := range []bool{false, true} {
		f := disktest.New(1, disktest.Options{Clones: clones})
		s, err := Open(f, "keep", testOptions)
		must(t, err)
		b, sum := content(10)
		disktest.Write(t, f, "file", string(b))
		i, err := f.Stat("file")
		must(t, err)
		must(t, s.CopyIn(t.Context(), sum, i, "file"))
		if got, err := get(s, sum); err != nil || !bytes.Equal(got, b) || disktest.Content(t, f, "file") != string(b) {
			t.Error(err)
		}
		must(t, s.Drop(sum))
		// The user edits in the middle.
		f.At = func(op, path string) {
			if op == "Clone" || op == "CopyFrom" {
				disktest.Write(t, f.User(), "file", "other")
			}
		}
		if err := s.CopyIn(t.Context(), sum, i, "file"); !errors.Is(err, ErrOther) {
			t.Error(err)
		}
		f.At = nil
		if err := s.CopyIn(t.Context(), sum, i, "file"); !errors.Is(err, ErrOther) {
			t.Error(err)
		}
		if err := s.CopyIn(t.Context(), sum, i, "none"); err == nil {
			t.Error("copied nothing")
		}
		if l, _ := f.List("keep"); len(l) != 2 {
			t.Error("left over:", l)
		}
		must(t, s.Close())
	}
}

// TestMeanwhile lets contents come in while others are made durable: the index
// that is written then must not speak for them.
func TestMeanwhile(t *testing.T) {
	for seed := range uint64(80) {
		f := disktest.New(seed, disktest.Options{})
		s, err := Open(f, "keep", testOptions)
		must(t, err)
		b, sum := content(2)
		must(t, s.Put(sum, b))
		came := false
		f.At = func(op, path string) {
			if op != "Sync" || came {
				return
			}
			came = true
			for _, n := range []int{3, 10} {
				b, sum := content(n)
				disktest.Write(t, f.User(), "file", string(b))
				if n == 3 {
					must(t, s.Put(sum, b))
				} else {
					must(t, s.Adopt(sum, int64(len(b)), "file"))
				}
			}
		}
		must(t, s.Compact(t.Context()))
		f = f.Crash()
		s, err = Open(f, "keep", testOptions)
		must(t, err)
		if got, err := get(s, sum); err != nil || !bytes.Equal(got, b) {
			t.Fatal(seed, err)
		}
		for i := range s.Each {
			if got, err := get(s, i.Sum); err != nil || !holds(i.Sum, got) {
				t.Fatalf("seed %d: %v is said to be there: %v", seed, i, err)
			}
		}
		must(t, s.Close())
	}
}

// TestShortPack cuts the end off a pack that the index covers: what comes later
// is not mixed up with what was there.
func TestShortPack(t *testing.T) {
	f := disktest.New(1, disktest.Options{})
	s, err := Open(f, "keep", Options{})
	must(t, err)
	for n := 2; n < 10; n++ {
		b, sum := content(n)
		must(t, s.Put(sum, b))
	}
	must(t, s.Close())
	h, err := f.Edit("keep/packs/00000000")
	must(t, err)
	must(t, h.Truncate(500))
	must(t, h.Sync())
	must(t, h.Close())
	// The index is not written in time.
	kept := f.Copy()
	kept.Fail = func(op, path string) error {
		if op == "Create" && strings.Contains(path, "index") {
			return disk.ErrFull
		}
		return nil
	}
	s, err = Open(kept, "keep", Options{})
	must(t, err)
	for n := 22; n < 30; n++ {
		b, sum := content(n)
		must(t, s.Put(sum, b))
	}
	must(t, s.Sync())
	f = kept.Crash()
	s, err = Open(f, "keep", Options{})
	must(t, err)
	for n := 22; n < 30; n++ {
		b, sum := content(n)
		if got, err := get(s, sum); err != nil || !bytes.Equal(got, b) {
			t.Errorf("content %d: %v", n, err)
		}
	}
	must(t, s.Close())
}
