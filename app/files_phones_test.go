package app

import (
	"slices"
	"testing"

	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

func TestPackIDs(t *testing.T) {
	ids := []tree.VersionID{{Log: log.LogID{1, 2}, Seq: 1, N: 0}, {Log: log.LogID{255}, Seq: 1 << 60, N: 1<<32 - 1}}
	for n := range len(ids) + 1 {
		got, err := unpackIDs(packIDs(ids[:n]))
		if err != nil || !slices.Equal(got, ids[:n]) {
			t.Errorf("%v, %v; want %v", got, err, ids[:n])
		}
	}
	for _, bad := range []string{"x", packIDs(ids)[:17], packIDs(ids) + "\x00"} {
		if ids, err := unpackIDs(bad); err == nil {
			t.Errorf("%q: %v", bad, ids)
		}
	}
}

func FuzzUnpackIDs(f *testing.F) {
	f.Add(packIDs([]tree.VersionID{{Seq: 300, N: 2}}))
	f.Fuzz(func(t *testing.T, s string) {
		ids, err := unpackIDs(s)
		if err != nil {
			return
		}
		again, err := unpackIDs(packIDs(ids))
		if err != nil || !slices.Equal(ids, again) {
			t.Errorf("%v then %v, %v", ids, again, err)
		}
	})
}

func TestGoodAddr(t *testing.T) {
	for addr, want := range map[string]bool{
		"192.168.1.7:22000": true, "tcp://nas:22000": true, "nas.local": true, "[fe80::1]:22000": true,
		"http://nas/": false, "nas:0": false, "nas:99999": false, ":22000": false, "a b": false,
	} {
		if got := goodAddr(addr); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}
