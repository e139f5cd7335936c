package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/app/stick"
	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/mesh/sim"
)

// export makes a file for a device, nil for all.
func (d *device) export(to *device, whole bool) []byte {
	d.o.t.Helper()
	ask := ExportAsk{Whole: whole}
	if to != nil {
		ask.For = to.self
	}
	var out bytes.Buffer
	must(d.o.t, d.ws.Export(d.o.t.Context(), ask, &out))
	return out.Bytes()
}

// carry brings a file in.
func (d *device) carry(file []byte) Imported {
	d.o.t.Helper()
	got, err := d.ws.Import(d.o.t.Context(), bytes.NewReader(file))
	must(d.o.t, err)
	return got
}

// apart cuts every device off from every other.
func (o *office) apart() {
	var groups [][]string
	for _, d := range o.devices {
		groups = append(groups, []string{d.name})
	}
	o.net.Partition(groups...)
}

// same reports whether the running devices hold the same of the control space and
// the space of all.
func (o *office) same() bool {
	var first *device
	for _, d := range o.devices {
		if d.ws == nil {
			continue
		}
		if first == nil {
			first = d
		}
		for _, space := range []log.SpaceID{log.Control, first.ws.everyone()} {
			if first.ws.store.Heights(space).Digest() != d.ws.store.Heights(space).Digest() {
				return false
			}
		}
	}
	return true
}

func TestStickBothWays(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		a.post("vorher")
		o.agree(time.Minute)
		time.Sleep(time.Minute) // they tell each other what they hold
		o.apart()
		for i := range 40 {
			a.post(fmt.Sprint("am einen Ort ", i))
			b.post(fmt.Sprint("am anderen Ort ", i))
		}
		there := a.export(b, false)
		if x := a.ws.Exchange(); x.Going != "" || x.Last != "whole" {
			t.Errorf("after the export it stands at %+v", x)
		}
		size, err := a.ws.ExportSize(t.Context(), ExportAsk{For: b.self})
		must(t, err)
		if size.Entries != 40 || size.Messages != 40 || size.Bytes < 40*200 || size.Bytes > int64(len(there)) {
			t.Errorf("a file for the other holds %+v, it has %d bytes", size, len(there))
		}
		if bytes.Contains(there, []byte("Kanzlei")) || bytes.Contains(there, []byte("Person")) {
			t.Error("the file names somebody")
		}
		changes, stop := b.ws.Subscribe()
		defer stop()
		got := b.carry(there)
		if got.New.Messages != 40 || got.New.Entries != 40 || len(got.Refused) != 0 || got.Why != nil || got.By.Device != "pc0" || got.For != "pc1" {
			t.Errorf("the other took %+v", got)
		}
		heard := map[string]bool{}
		for len(changes) > 0 {
			heard[(<-changes).What] = true
		}
		if !heard["channel"] || !heard["stick"] {
			t.Errorf("pages heard of %v", heard)
		}
		if hits, _, err := b.ws.Search(t.Context(), "einen", nil, 0, 100); err != nil || len(hits) != 40 {
			t.Errorf("search finds %d, %v", len(hits), err)
		}
		a.carry(b.export(nil, false))
		if !slices.Equal(a.shown(), b.shown()) || len(a.shown()) != 81 {
			t.Errorf("%d and %d lines", len(a.shown()), len(b.shown()))
		}
		if again, err := a.ws.ExportSize(t.Context(), ExportAsk{For: b.self}); err != nil || again.Entries != 0 {
			t.Errorf("after the way back there are %+v for the other, %v", again, err)
		}
		m, err := a.ws.Message(t.Context(), a.post("danach"))
		must(t, err)
		if m.Held != 1 {
			t.Errorf("a new message is on %d devices", m.Held)
		}
		again := b.carry(there)
		if again.New.Entries != 0 || again.Known != 40 || len(again.Refused) != 0 {
			t.Errorf("the same file again brought %+v", again)
		}
		o.noForks()
	})
}

// TestStickBetweenOthers: what came by a file goes on over the network.
func TestStickBetweenOthers(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o := newOffice(w, 3)
		defer o.close()
		a := o.devices[0]
		o.agree(time.Minute)
		w.Partition([]string{"pc0"}, []string{"pc1", "pc2"})
		a.post("von drüben")
		file := a.export(nil, false)
		o.devices[1].carry(file)
		if !w.Until(10*time.Second, func() bool { return len(o.devices[2].shown()) == 1 }) {
			w.T.Error("the neighbour of the one with the stick does not get it")
		}
	})
}

// TestStickMembers: somebody was away for weeks, in which people came and went.
func TestStickMembers(t *testing.T) {
	sim.Run(t, 3, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 4)
		defer o.close()
		a, gone, away, carrier := o.devices[0], o.devices[1], o.devices[2], o.devices[3]
		o.agree(time.Minute)
		o.apart()
		time.Sleep(time.Hour) // weeks are no different, and cost as many beacons
		gone.post("bevor ich ging")
		before := gone.export(nil, false)
		must(t, a.ws.Remove(t.Context(), gone.person(), log.DeviceID{}, nil))
		late := o.device("pc4")
		late.start()
		a.admit(late)
		late.post("die Neue")
		a.post("nach dem Wechsel")
		a.carry(late.export(a, false))

		if _, err := gone.ws.Import(t.Context(), bytes.NewReader(a.export(nil, true))); !isProblem(err, "stick-foreign") {
			t.Errorf("a device that was removed reads what came later: %v", err)
		}
		got := away.carry(a.export(away, false))
		if len(got.Refused) != 0 || got.Why != nil || len(away.shown()) != 2 {
			t.Errorf("who was away took %+v and shows %d", got, len(away.shown()))
		}
		if _, in := away.ws.snapshot().Devices[gone.self]; in {
			t.Error("who was away does not know of the removal")
		}
		if got := away.carry(before); got.New.Entries == 0 || len(away.shown()) != 2 {
			t.Errorf("what the removed one wrote, unseen by anybody, counts: %+v", got)
		}
		// This one does not know the new one, whose keys reach back.
		carrier.post("von dem, der nichts weiß")
		if got := late.carry(carrier.export(nil, true)); got.Why != nil || len(late.shown()) != 2 {
			t.Errorf("the new one took %+v and shows %d", got, len(late.shown()))
		}
		o.noForks()
	})
}

// TestStickSpaces: whoever is not in a space gets nothing of it by a file either.
func TestStickSpaces(t *testing.T) {
	sim.Run(t, 4, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 3)
		defer o.close()
		a, in, out := o.devices[0], o.devices[1], o.devices[2]
		o.agree(time.Minute)
		o.apart()
		sp, err := a.ws.CreateSpace(t.Context(), "Steuer", map[access.PersonID]access.Level{in.person(): access.Write})
		must(t, err)
		space := sp.ID
		_, err = a.ws.Post(t.Context(), Draft{Channel: ChannelRef{Space: space}, Text: "nur für uns"})
		must(t, err)
		file := a.export(nil, false)
		if got := out.carry(file); got.Closed != 1 || got.Why != nil || len(got.Refused) != 0 || len(out.ws.store.Heights(space)) != 0 {
			t.Errorf("who is not in the space took %+v", got)
		}
		if got := in.carry(file); got.Closed != 0 || len(in.ws.store.Heights(space)) == 0 || got.New.Messages != 1 {
			t.Errorf("who is in the space took %+v", got)
		}
		if got := in.carry(a.export(out, false)); got.Closed != 0 || got.New.Entries != 0 {
			t.Errorf("a file for the other holds the space: %+v", got)
		}
	})
}

// TestStickFaults: what a file that was cut, damaged or made by another office
// does, and a stick that is pulled out.
func TestStickFaults(t *testing.T) {
	sim.Run(t, 5, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		o.agree(time.Minute)
		o.apart()
		for i := range 300 {
			a.post(fmt.Sprint(i, strings.Repeat(" lang", 800)))
		}
		file := a.export(nil, false)
		for name, tt := range map[string]struct {
			in   io.Reader
			want string
		}{
			"no stick":   {strings.NewReader("%PDF-1.7"), "stick-other"},
			"empty":      {strings.NewReader(""), "stick-other"},
			"pulled out": {io.MultiReader(bytes.NewReader(file[:40]), pulled{}), "stick-unread"},
			"cut early":  {bytes.NewReader(file[:500]), "stick-damaged"},
			"newer":      {bytes.NewReader(slices.Concat(file[:15], []byte{9}, file[16:])), "stick-newer"},
		} {
			if _, err := b.ws.Import(t.Context(), tt.in); !isProblem(err, tt.want) {
				t.Errorf("%s: %v, want %s", name, err, tt.want)
			}
		}
		for _, in := range []io.Reader{bytes.NewReader(file[:len(file)/2]), io.MultiReader(bytes.NewReader(file[:len(file)*2/3]), pulled{})} {
			got, err := b.ws.Import(t.Context(), in)
			if err != nil || got.Why == nil || got.New.Entries == 0 || got.New.Messages != int(got.New.Entries) {
				t.Errorf("of half a file came %+v, %v", got, err)
			}
		}
		if got := b.carry(file); got.Why != nil || got.Known == 0 || len(b.shown()) != 300 {
			t.Errorf("then the whole one: %+v, shows %d", got, len(b.shown()))
		}
		stranger := o.device("fremd")
		stranger.start()
		if _, err := stranger.ws.Import(t.Context(), bytes.NewReader(file)); !isProblem(err, "not-member") {
			t.Errorf("a device of no office: %v", err)
		}
		must(t, stranger.ws.Found(t.Context(), "Andere", "Fremd", "pc"))
		if _, err := stranger.ws.Import(t.Context(), bytes.NewReader(file)); !isProblem(err, "stick-foreign") {
			t.Errorf("a device of another office: %v", err)
		}
	})
}

type pulled struct{}

func (pulled) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

// TestStickHostile: a member's file that says what no honest one does.
func TestStickHostile(t *testing.T) {
	sim.Run(t, 6, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 3)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		o.agree(time.Minute)
		o.apart()
		a.post("eins")
		a.post("zwei")
		good := partsOf(t, a)
		bad := func(change func(*stick.Part)) []byte {
			p := stick.Part{Card: good.Card, Entries: slices.Clone(good.Entries)}
			change(&p)
			return made(t, a, p)
		}
		for name, tt := range map[string]struct {
			file []byte
			why  string
		}{
			"no entry":           {bad(func(p *stick.Part) { p.Entries = [][]byte{[]byte("kein Eintrag")} }), "wrong"},
			"bit flipped":        {bad(func(p *stick.Part) { e := slices.Clone(p.Entries[0]); e[len(e)-1] ^= 1; p.Entries[0] = e }), "wrong"},
			"another's log":      {bad(func(p *stick.Part) { p.Card.Device = b.self }), "wrong"},
			"not in the role":    {bad(func(p *stick.Part) { p.Card.Device = log.DeviceID{9} }), "members"},
			"the first left out": {bad(func(p *stick.Part) { p.Entries = p.Entries[1:] }), "gap"},
		} {
			got := b.carry(tt.file)
			if len(got.Refused) != 1 || got.Refused[0].Why != tt.why || got.New.Entries != 0 || got.Why != nil {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if got := b.carry(a.export(nil, false)); got.New.Messages != 2 {
			t.Errorf("then the true one: %+v", got)
		}
		o.noForks()
	})
}

// partsOf is what a device wrote in the space of all.
func partsOf(t *testing.T, d *device) stick.Part {
	t.Helper()
	id, err := d.ws.ownLog(d.ws.everyone())
	must(t, err)
	card, _ := d.ws.store.Card(id)
	raw, err := d.ws.store.Entries(t.Context(), id, 1, log.MaxSeq, log.MaxBatch)
	must(t, err)
	return stick.Part{Card: card, Entries: raw}
}

// made seals a part as a member of the workspace.
func made(t *testing.T, by *device, p stick.Part) []byte {
	t.Helper()
	var out bytes.Buffer
	st := by.ws.snapshot()
	f, err := stick.NewWriter(&out, by.ws.members(st), stick.About{By: by.self})
	must(t, err)
	must(t, f.Space(p.Card.Space, by.ws.readers(st, p.Card.Space)))
	must(t, f.Part(p))
	must(t, f.Close())
	return out.Bytes()
}

// TestStickRestored: a device that is an old copy of itself learns by a file what
// it wrote, and writes none of it twice.
func TestStickRestored(t *testing.T) {
	sim.Run(t, 7, func(w *sim.World) {
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		a.post("vor der Sicherung")
		o.agree(time.Minute)
		a.halt()
		backup := a.files()
		a.start()
		a.post("danach")
		o.agree(time.Minute)
		o.apart()
		a.halt()
		a.put(backup)
		a.start()
		a.carry(b.export(a, true))
		a.post("als Kopie")
		b.carry(a.export(nil, false))
		if !slices.Equal(a.shown(), b.shown()) || len(a.shown()) != 3 {
			w.T.Errorf("%v\n%v", a.shown(), b.shown())
		}
		o.noForks()
	})
}

// TestSticks plays offices without any network: files are carried between devices
// that crash, are cut off in the middle of an import, restart, or have lost the
// key of weeks ago. In the end all hold the same, and nothing is missing.
func TestSticks(t *testing.T) {
	replayable(t, 60, 8, func(w *sim.World, seed uint64) {
		t, r := w.T, rand.New(rand.NewPCG(seed, 11))
		o := newOffice(w, 2+r.IntN(3))
		defer o.close()
		o.agree(time.Minute)
		o.apart()
		said := map[chat.MsgID]string{}
		any := func() *device {
			for {
				if d := o.devices[r.IntN(len(o.devices))]; d.ws != nil {
					return d
				}
			}
		}
		var files [][]byte // that lie about
		for range 40 {
			d := any()
			switch act := r.IntN(16); {
			case act < 6:
				text := fmt.Sprint(d.name, " says ", r.Uint32())
				said[d.post(text)] = text
			case act < 7:
				edit(t, d, r, said)
			case act < 8:
				d.kill()
				d.start()
				o.apart()
			case act < 9:
				must(t, d.ws.rotate(t.Context(), d.ws.everyone()))
			case act < 11:
				var to *device
				if other := any(); other != d && r.IntN(2) == 0 {
					to = other
				}
				files = append(files, d.export(to, false))
			case act < 15 && len(files) > 0:
				file := files[r.IntN(len(files))]
				if r.IntN(3) == 0 {
					file = file[:r.IntN(len(file))]
				}
				got, err := d.ws.Import(t.Context(), bytes.NewReader(file))
				if err == nil && slices.ContainsFunc(got.Refused, func(r Refused) bool { return r.Why == "wrong" }) {
					t.Errorf("an honest file is refused: %+v", got)
				}
			default:
				time.Sleep(time.Duration(r.IntN(60)) * time.Second)
			}
		}
		for round := 0; !o.same(); round++ {
			if round == 3*len(o.devices) {
				t.Fatal("devices do not hold the same after all files were carried")
			}
			for _, from := range o.devices {
				for _, to := range o.devices {
					if from != to {
						if got := to.carry(from.export(to, round > 0)); got.Why != nil {
							t.Fatalf("%s took from %s %+v", to.name, from.name, got)
						}
					}
				}
			}
		}
		lines := strings.Join(o.devices[0].shown(), "\n")
		for _, d := range o.devices[1:] {
			if got := strings.Join(d.shown(), "\n"); got != lines {
				t.Fatalf("%s shows\n%s\nbut %s\n%s", d.name, got, o.devices[0].name, lines)
			}
		}
		for id := range said {
			if !strings.Contains(lines, id.String()+" ") {
				t.Errorf("acknowledged message %v is missing", id)
			}
		}
		o.noForks()
	})
}

// TestStickOutOfOrder: who was let in stands before whoever let them in.
func TestStickOutOfOrder(t *testing.T) {
	sim.Run(t, 8, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		o.agree(time.Minute)
		o.apart()
		chain := []*device{a}
		for i := range 4 { // each lets in the next
			d := o.device(fmt.Sprint("neu", i))
			d.start()
			o.apart()
			last := chain[len(chain)-1]
			last.admit(d)
			a.carry(last.export(nil, true))
			must(t, a.ws.SetRole(t.Context(), d.person(), access.Admin))
			d.carry(a.export(d, true))
			a.carry(d.export(a, true))
			chain = append(chain, d)
		}
		plan, err := a.ws.exports(ExportAsk{Whole: true})
		must(t, err)
		must(t, a.ws.admissionsFirst(t.Context(), plan))
		slices.Reverse(plan[0].logs)
		var out bytes.Buffer
		f, err := stick.NewWriter(&out, a.ws.members(a.ws.snapshot()), stick.About{By: a.self})
		must(t, err)
		must(t, a.ws.exportSpace(t.Context(), f, plan[0]))
		must(t, f.Close())
		if got := b.carry(out.Bytes()); len(got.Refused) > 0 || got.Why != nil || a.ws.store.Heights(log.Control).Digest() != b.ws.store.Heights(log.Control).Digest() {
			t.Errorf("the control space in reverse: %+v", got)
		}
	})
}
