package keep

import (
	"bytes"
	"context"
	"testing"

	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/tree"
)

func pack0(t testing.TB, opts Options, fill func(s *Store)) *disktest.FS {
	f := disktest.New(1, disktest.Options{})
	s, err := Open(f, "keep", opts)
	must(t, err)
	fill(s)
	must(t, s.Close())
	return f
}

// FuzzPack opens a store with any bytes as a pack, and with them as damage in a
// good one. What the store then says to have it must have.
func FuzzPack(f *testing.F) {
	good := pack0(f, Options{}, func(s *Store) {
		for n := 2; n < 8; n++ {
			b, sum := content(n)
			must(f, s.Put(sum, b))
		}
		b, sum := content(10)
		must(f, s.Put(sum, b))
	})
	raw := []byte(disktest.Content(f, good, "keep/packs/00000000"))
	f.Add(raw, 0)
	f.Add([]byte{}, 0)
	f.Add([]byte("x"), 100)
	f.Add(raw[headerSize:300], 30)
	h := header{kind: recLoose, size: 5, sum: tree.Sum{1}}
	f.Add(h.append(nil), 0)
	// A record inside a content, which only shows when the header before it is gone.
	fake := header{kind: recContent, size: 3, sum: tree.Sum{9}, dataCRC: crc([]byte("abc"))}
	outer := append(fake.append([]byte("....")), "abc...."...)
	oh := header{kind: recContent, size: uint64(len(outer)), sum: nameOf(outer, false), dataCRC: crc(outer)}
	f.Add(append(oh.append(nil), outer...), 0)
	f.Add([]byte{0}, 3)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		for _, p := range [][]byte{b, damage(raw, b, at)} {
			fs := disktest.New(1, disktest.Options{})
			disktest.Write(t, fs, "keep/packs/00000000", string(p))
			s, err := Open(fs, "keep", Options{})
			must(t, err)
			look(t, s)
			x, sum := content(3)
			must(t, s.Put(sum, x))
			must(t, s.Compact(context.Background()))
			look(t, s)
			must(t, s.Close())
			s, err = Open(fs, "keep", Options{})
			must(t, err)
			look(t, s)
			if got, err := get(s, sum); err != nil || !bytes.Equal(got, x) {
				t.Error("what came later is not there:", err)
			}
		}
	})
}

func damage(raw, b []byte, at int) []byte {
	at = (at%len(raw) + len(raw)) % len(raw)
	return append(append(append([]byte{}, raw[:at]...), b...), raw[min(len(raw), at+len(b)):]...)
}

// look reads all that a store says to have.
func look(t *testing.T, s *Store) {
	t.Helper()
	used := int64(0)
	for i := range s.Each {
		b, err := get(s, i.Sum)
		if err != nil || int64(len(b)) != i.Size {
			t.Fatalf("said to be there: %v", err)
		}
		if !holds(i.Sum, b) {
			t.Fatal("another content has this name")
		}
		used += i.Size
		if !i.Loose {
			used += headerSize
		}
	}
	if used != s.Used() {
		t.Fatal("used", s.Used(), "and not", used)
	}
}

// FuzzIndex takes any bytes for an index, with a right checksum too.
func FuzzIndex(f *testing.F) {
	fs := pack0(f, testOptions, func(s *Store) {
		for n := range 30 {
			b, sum := content(n)
			must(f, s.Put(sum, b))
		}
	})
	good := []byte(disktest.Content(f, fs, "keep/index"))
	f.Add(good, false)
	f.Add(good[:indexHeader], true)
	f.Add(good[:len(good)-entryLine], true)
	f.Fuzz(func(t *testing.T, b []byte, right bool) {
		if right && len(b) >= indexHeader {
			b = bytes.Clone(b)
			copy(b, indexMagic)
			sum := crc(b[8:])
			b[4], b[5], b[6], b[7] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
		}
		if snap, err := decodeSnapshot(b); err == nil {
			again, err := decodeSnapshot(snap.encode())
			must(t, err)
			if again.next != snap.next || len(again.packs) != len(snap.packs) || len(again.entries) != len(snap.entries) {
				t.Error("not the same again")
			}
		}
		c := fs.Copy()
		disktest.Write(t, c, "keep/index", string(b))
		s, err := Open(c, "keep", testOptions)
		must(t, err)
		for i := range s.Each {
			if b, err := get(s, i.Sum); err == nil && !holds(i.Sum, b) {
				t.Error("wrong bytes")
			}
		}
		must(t, s.Compact(context.Background()))
		must(t, s.Close())
	})
}

// TestDamage flips bytes of what is on the disk: the rest is still there, and
// nothing wrong is read.
func TestDamage(t *testing.T) {
	fs := pack0(t, Options{Small: 900}, func(s *Store) {
		for n := range 30 {
			b, sum := content(n)
			must(t, s.Put(sum, b))
		}
	})
	size := len(disktest.Content(t, fs, "keep/packs/00000000"))
	total := 0
	for at := 0; at < size; at += 97 {
		for _, index := range []bool{true, false} {
			c := fs.Copy()
			h, err := c.Edit("keep/packs/00000000")
			must(t, err)
			b := make([]byte, 1)
			h.ReadAt(b, int64(at))
			b[0] ^= 0x10
			h.WriteAt(b, int64(at))
			must(t, h.Close())
			if !index {
				must(t, c.Remove("keep/index"))
			}
			s, err := Open(c, "keep", Options{Small: 900})
			must(t, err)
			good := 0
			for n := range 30 {
				b, sum := content(n)
				got, err := get(s, sum)
				switch {
				case err == nil && !bytes.Equal(got, b):
					t.Fatal("wrong bytes")
				case err == nil:
					good++
				default:
					must(t, s.Put(sum, b)) // can be kept again
				}
			}
			if good < 29 {
				t.Fatalf("one byte at %d of the pack damaged %d contents (index %v)", at, 30-good, index)
			}
			total++
			for n := range 30 {
				b, sum := content(n)
				if got, err := get(s, sum); err != nil || !bytes.Equal(got, b) {
					t.Fatal("not there again:", err)
				}
			}
			must(t, s.Close())
		}
	}
	t.Log(total, "damages")
}
