package app

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/mesh/sim"
)

// accessSeeds is how many histories TestHistories plays. The rules alone, with
// adversaries, are played far more often in crdt/access.
const accessSeeds = 150

// TestHistories plays random histories of offices in which people come into
// spaces and go, get roles, are removed, erase, and all of it in partitions, with
// crashes and restored backups. After healing all who are still in agree on
// everything they may see, and what members wrote is there.
func TestHistories(t *testing.T) {
	replayable(t, accessSeeds, 10, func(w *sim.World, seed uint64) {
		h := &history{
			o: newOffice(w, 3+rand.New(rand.NewPCG(seed, 3)).IntN(3)), r: rand.New(rand.NewPCG(seed, 2)),
			said: map[chat.MsgID]*device{}, texts: map[chat.MsgID]string{}, erased: map[chat.MsgID]*device{},
			backups: map[*device]map[string][]byte{}, restored: map[*device]bool{},
		}
		defer h.o.close()
		h.play()
	})
}

type history struct {
	o        *office
	r        *rand.Rand
	said     map[chat.MsgID]*device // acknowledged in the space of all
	texts    map[chat.MsgID]string
	erased   map[chat.MsgID]*device // by whom
	backups  map[*device]map[string][]byte
	restored map[*device]bool
}

func (h *history) play() {
	for range 60 {
		d := h.o.devices[h.r.IntN(len(h.o.devices))]
		switch act := h.r.IntN(40); {
		case d.ws == nil:
			d.start()
		case act < 12:
			h.post(d)
		case act < 24:
			h.change(d)
		case act < 26:
			d.kill()
		case act < 27:
			d.halt()
			h.backups[d] = d.files()
			d.start()
		case act < 28 && h.backups[d] != nil:
			d.halt()
			d.put(h.backups[d])
			d.start()
			h.restored[d] = true
		case act < 30:
			var groups [2][]string
			for _, d := range h.o.devices {
				g := h.r.IntN(2)
				groups[g] = append(groups[g], d.name)
			}
			h.o.net.Partition(groups[:]...)
		case act < 32:
			h.o.net.HealAll()
		default:
			time.Sleep(time.Duration(h.r.IntN(30_000)) * time.Millisecond)
		}
	}
	h.o.net.HealAll()
	for _, d := range h.o.devices {
		if d.ws == nil {
			d.start()
		}
	}
	time.Sleep(3 * time.Minute) // keys are handed on, logs ended
	h.check()
}

// post writes into any channel the device may write in.
func (h *history) post(d *device) {
	rows, err := d.ws.Channels(context.Background())
	must(h.o.t, err)
	rows = slices.DeleteFunc(rows, func(c Channel) bool { return !c.Write })
	if len(rows) == 0 {
		return
	}
	c := rows[h.r.IntN(len(rows))]
	m, err := d.ws.Post(context.Background(), Draft{Channel: c.Ref, Text: fmt.Sprint(d.name, " says ", h.r.Uint32())})
	if isProblem(err, "no-key") { // on its way
		return
	}
	must(h.o.t, err)
	if c.Kind == KindEveryone {
		h.said[m.ID], h.texts[m.ID] = d, m.Text
	}
}

func (h *history) other(d *device) *device {
	return h.o.devices[h.r.IntN(len(h.o.devices))]
}

// change does something about access, as this device sees it; it may be refused.
func (h *history) change(d *device) {
	ctx := context.Background()
	to := h.other(d)
	st := d.ws.snapshot()
	person := st.Devices[to.self].Person
	level := access.Level(1 + h.r.IntN(3))
	var err error
	switch h.r.IntN(9) {
	case 0:
		_, err = d.ws.CreateSpace(ctx, fmt.Sprint("Bereich ", h.r.IntN(1000)), map[access.PersonID]access.Level{person: level})
	case 1, 2, 3:
		spaces, serr := d.ws.Spaces()
		must(h.o.t, serr)
		if len(spaces) < 2 {
			return
		}
		sp := spaces[1+h.r.IntN(len(spaces)-1)]
		if h.r.IntN(2) == 0 {
			_, err = d.ws.ChangeSpace(ctx, sp.ID, "", map[access.PersonID]access.Level{person: level}, nil)
		} else {
			_, err = d.ws.ChangeSpace(ctx, sp.ID, "", nil, []access.PersonID{person})
		}
	case 4:
		_, err = d.ws.Direct(ctx, person)
	case 5:
		err = d.ws.SetRole(ctx, person, []access.Role{access.Owner, access.Admin, access.Member}[h.r.IntN(3)])
	case 6:
		if h.r.IntN(3) == 0 && to != d {
			err = d.ws.Remove(ctx, access.PersonID{}, to.self, nil)
		}
	case 7:
		err = d.ws.Adopt(ctx, to.self)
	case 8:
		ids := slices.SortedFunc(maps.Keys(h.said), func(a, b chat.MsgID) int { return strings.Compare(a.String(), b.String()) })
		if len(ids) > 0 {
			id := ids[h.r.IntN(len(ids))]
			if err = d.ws.Erase(ctx, id); err == nil {
				h.erased[id] = d
			}
		}
	}
	for _, code := range []string{"no-such-person", "not-permitted", "senior", "last-manager", "no-change", "no-key", "not-yours", "no-such-message", "device-removed", "no-such-channel", "no-such-space"} {
		if isProblem(err, code) {
			return
		}
	}
	must(h.o.t, err)
}

// check holds all who are in against the founder, whom nobody can remove.
func (h *history) check() {
	t := h.o.t
	founder := h.o.devices[0]
	truth := founder.ws.snapshot()
	var in []*device
	for _, d := range h.o.devices {
		if _, ok := truth.Devices[d.self]; ok {
			in = append(in, d)
		}
	}
	if !slices.Contains(in, founder) {
		t.Fatal("the founder is out")
	}
	same := func() bool {
		for _, d := range in {
			if d.ws.store.Heights(log.Control).Digest() != founder.ws.store.Heights(log.Control).Digest() {
				return false
			}
			for _, e := range in {
				for _, space := range d.ws.readable(d.ws.snapshot()) {
					if keeps(truth, space, e.self) && d.ws.store.Heights(space).Digest() != e.ws.store.Heights(space).Digest() {
						return false
					}
				}
			}
		}
		return true
	}
	if !h.o.net.Until(5*time.Minute, same) {
		for _, d := range in {
			for _, space := range append(d.ws.readable(d.ws.snapshot()), log.Control) {
				t.Logf("%s: %v: %v quarantine %v", d.name, space, d.ws.store.Heights(space), d.late())
			}
		}
		t.Fatal("those who are in do not hold the same")
	}
	for _, d := range in {
		if got, want := facts(d.ws.snapshot()), facts(truth); got != want {
			t.Errorf("%s knows\n%s\nthe founder\n%s", d.name, got, want)
		}
		h.checkChannels(d, in)
	}
	texts := strings.Join(founder.shown(), "\n")
	for id, author := range h.said {
		_, still := truth.Devices[author.self]
		if !still || h.restored[author] || h.erased[id] != nil {
			continue
		}
		if !strings.Contains(texts, id.String()+" ") {
			t.Errorf("a message of %s is lost: %v", author.name, id)
		}
	}
	for id, by := range h.erased {
		// An erase does not count if its author was removed without knowing of it, or
		// lost it with a restored backup; where it was done it stays done.
		_, still := truth.Devices[by.self]
		if still && by == h.said[id] && !h.restored[by] && strings.Contains(texts, id.String()+" ") {
			t.Errorf("an erased message is shown: %v", id)
		}
	}
}

// checkChannels holds what a device shows against what the others in the same
// spaces show.
func (h *history) checkChannels(d *device, in []*device) {
	t := h.o.t
	st := d.ws.snapshot()
	for _, space := range d.ws.readable(st) {
		if st.Stale(space) {
			continue // nobody wrote there since someone left
		}
		if _, id, ok := st.Current(space); ok {
			if _, has := d.ws.keyring()[id]; !has {
				t.Errorf("%s lacks the key of space %v", d.name, space)
			}
		}
		want := h.lasting(d.reads(ChannelRef{space, chat.Main}))
		for _, e := range in {
			if e.ws.snapshot().Level(space, e.self) == access.None {
				continue
			}
			if got := h.lasting(e.reads(ChannelRef{space, chat.Main})); !slices.Equal(got, want) {
				t.Errorf("in space %v %s shows\n%q\nand %s\n%q", space, d.name, want, e.name, got)
			}
		}
	}
}

// lasting leaves out texts that somebody tried to erase.
func (h *history) lasting(texts []string) []string {
	return slices.DeleteFunc(texts, func(s string) bool {
		for id := range h.erased {
			if h.texts[id] == s {
				return true
			}
		}
		return false
	})
}

// facts is what a state says, as text.
func facts(st *access.State) string {
	var out []string
	for id, d := range st.Devices {
		out = append(out, fmt.Sprintf("in %x %v %v", id[:4], d.Role, d.Rank))
	}
	for id := range st.Gone {
		out = append(out, fmt.Sprintf("gone %x", id[:4]))
	}
	for id, s := range st.Spaces {
		var members []string
		for p, l := range s.Members {
			members = append(members, fmt.Sprintf("%x=%v", p[:4], l))
		}
		slices.Sort(members)
		_, key, _ := st.Current(id)
		out = append(out, fmt.Sprintf("space %x %v key %x stale %v", id[:4], members, key[:4], st.Stale(id)))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
