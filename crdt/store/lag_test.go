package store

import (
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

func TestLag(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a, elsewhere := newAuthor(1), newAuthor(2).in(log.SpaceID{9})
	post := func(text string) chat.Op { return chat.Post{Channel: chat.Main, Text: text} }
	for i, text := range []string{"eins", "zwei", "drei"} {
		a.write(t, baseMs+int64(i)*1000, nil, post(text))
	}
	file, err := log.New(a.key, log.Header{Log: a.card.ID(), Seq: 4, Prev: a.last.Hash, HLC: log.Tick(baseMs+5000, a.hlc, 0), Kind: log.KindFile}, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	mustImport(t, s, a.card, append(a.all, file)...)
	elsewhere.write(t, baseMs, nil, post("woanders"))
	mustImport(t, s, elsewhere.card, elsewhere.all...)

	id := a.card.ID()
	for name, tt := range map[string]struct {
		theirs uint64
		want   Lag
	}{
		"nothing said":     {0, Lag{Entries: 4, Messages: 3, Files: 1, Since: baseMs}},
		"behind":           {1, Lag{Entries: 3, Messages: 2, Files: 1, Since: baseMs + 1000}},
		"the file alone":   {3, Lag{Entries: 1, Files: 1}},
		"as far as we are": {4, Lag{}},
		"ahead":            {9, Lag{Owed: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			dev := log.DeviceID{byte(tt.theirs + 1)}
			s.SetHeld(dev, log.Heights{id: {Seq: tt.theirs}})
			got, err := s.Lags(bg, space, []log.DeviceID{dev, a.card.Device})
			if err != nil || got[dev] != tt.want {
				t.Errorf("%+v, %v; want %+v", got[dev], err, tt.want)
			}
			if l := got[a.card.Device]; l != (Lag{}) {
				t.Errorf("who wrote it lacks %+v", l)
			}
		})
	}
}

func TestLagOfMany(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a := newAuthor(1)
	for range mostLooked + 1 {
		a.write(t, baseMs, nil, chat.Post{Channel: chat.Main, Text: "x"})
	}
	mustImport(t, s, a.card, a.all...)
	dev := log.DeviceID{1}
	got, err := s.Lags(bg, space, []log.DeviceID{dev})
	if want := (Lag{Entries: mostLooked + 1}); err != nil || got[dev] != want {
		t.Errorf("%+v, %v; want %+v", got[dev], err, want)
	}
}
