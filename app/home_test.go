package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
	"inselnetz/mesh/sim"
)

// TestSinceTheLastVisit: what others did while nobody looked at the page is new,
// stays new during the visit, and is known at the next one.
func TestSinceTheLastVisit(t *testing.T) {
	sim.Run(t, 71, func(w *sim.World) {
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		ctx := w.T.Context()
		news := func() []string {
			h, err := b.ws.Home(ctx)
			must(w.T, err)
			var out []string
			for _, d := range h.Documents {
				out = append(out, d.Meta.Title)
			}
			slices.Sort(out)
			return out
		}
		write := func(d *device, title string) {
			_, err := d.ws.CreateDocument(ctx, d.ws.everyone(), document.Meta{Title: title}, nil)
			must(w.T, err)
		}
		must(w.T, b.ws.Look(false))
		time.Sleep(time.Minute)
		write(a, "first")
		write(b, "own")
		o.until("the first document is new", func() bool { return slices.Equal(news(), []string{"first"}) })
		must(w.T, b.ws.Look(false))
		time.Sleep(visitGap + time.Minute) // nobody looks
		write(a, "second")
		o.until("the second is here", func() bool { return len(news()) == 2 })
		b.kill() // also over a restart
		b.start()
		must(w.T, b.ws.Look(false)) // the next visit
		if got := news(); !slices.Equal(got, []string{"second"}) {
			w.T.Errorf("new at the second visit: %v", got)
		}
		for range 3 { // the page stays open
			time.Sleep(visitGap / 2)
			must(w.T, b.ws.Look(false))
		}
		if got := news(); !slices.Equal(got, []string{"second"}) {
			w.T.Errorf("new while the page stays open: %v", got)
		}
		must(w.T, b.ws.Look(true))
		if got := news(); len(got) > 0 {
			w.T.Errorf("new after all was seen: %v", got)
		}
	})
}

// TestHomeOrder: mentions come first, then direct messages, then the newest.
func TestHomeOrder(t *testing.T) {
	named := func(name string, unread int, mentioned bool, kind string, at int64) Channel {
		c := Channel{Kind: kind}
		c.Name, c.Unread, c.Mentioned, c.LastAt = name, unread, mentioned, at
		return c
	}
	var got []string
	for _, c := range unreadFirst([]Channel{
		named("old", 1, false, KindEveryone, 1), named("read", 0, false, KindEveryone, 9), named("new", 2, false, KindNamed, 5),
		named("direct", 1, false, KindDirect, 2), named("mention", 1, true, KindEveryone, 3),
	}) {
		got = append(got, c.Name)
	}
	if want := "mention direct new old"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// TestOnlyHere: own work that nobody else has is told while nobody is here.
func TestOnlyHere(t *testing.T) {
	sim.Run(t, 72, func(w *sim.World) {
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		a.post("one")
		o.until("b said that it has it", func() bool { return a.ws.onlyHere() == 0 })
		b.halt()
		o.devices = o.devices[:1]
		o.until("a is alone, and what b has is safe", func() bool {
			h, err := a.ws.Home(w.T.Context())
			must(w.T, err)
			return h.DevicesHere == 1 && !a.hasPoint("only-here")
		})
		a.post("two")
		if !a.hasPoint("only-here") {
			w.T.Error("nothing says that the last message is only here")
		}
		b.start()
		o.devices = append(o.devices, b)
		o.until("b has it", func() bool { return !a.hasPoint("only-here") })
	})
}

// BenchmarkHome asks for Home with 100,000 messages and 1,000 documents.
func BenchmarkHome(b *testing.B) {
	w, space := manyDocuments(b, 1000, 2)
	ctx := context.Background()
	const lot = 100
	for n := range 100_000 / lot {
		ops := make([]chat.Op, lot)
		for i := range ops {
			ops[i] = chat.Post{Text: fmt.Sprintf("Nachricht %d", n*lot+i)}
		}
		payload, err := chat.Encode(ops)
		must(b, err)
		_, err = w.append(ctx, space, log.KindChat, payload, "")
		must(b, err)
	}
	if _, err := w.Home(ctx); err != nil { // documents are folded once
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		if _, err := w.Home(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
