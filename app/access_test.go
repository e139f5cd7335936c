package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/crdt/pairing"
	"inselnetz/crdt/store"
	"inselnetz/mesh/sim"
)

// person is the id of the person of this device.
func (d *device) person() access.PersonID { return access.PersonID(d.ws.me()) }

// say posts into a channel.
func (d *device) say(c ChannelRef, text string) chat.MsgID {
	d.o.t.Helper()
	m, err := d.ws.Post(context.Background(), Draft{Channel: c, Text: text})
	must(d.o.t, err)
	return m.ID
}

// reads returns the texts of a channel in order, nil if this device has none.
func (d *device) reads(c ChannelRef) []string {
	d.o.t.Helper()
	p, err := d.ws.Messages(context.Background(), store.Query{Space: c.Space, Channel: c.ID, Limit: 200})
	if isProblem(err, "no-such-channel") {
		return nil
	}
	must(d.o.t, err)
	out := []string{}
	for _, m := range p.Messages {
		if !m.Retracted {
			out = append(out, m.Text)
		}
	}
	return out
}

// until waits for something that time brings.
func (o *office) until(what string, is func() bool) {
	o.t.Helper()
	if !o.net.Until(3*time.Minute, is) {
		for _, d := range o.devices {
			if d.ws == nil {
				continue
			}
			in, gone := d.ws.People()
			o.t.Logf("%s knows %d people, %d gone, shows %q", d.name, len(in), len(gone), d.reads(ChannelRef{}))
		}
		o.t.Fatalf("it does not come about that %s", what)
	}
}

// gone reports whether a device knows another as removed.
func (d *device) knowsGone(other *device) bool {
	_, ok := d.ws.snapshot().Gone[other.id()]
	return ok
}

// id is the device's, also while it does not run.
func (d *device) id() log.DeviceID { return d.self }

// grep searches raw bytes of all files of the device.
func (d *device) grep(text string) (found []string) {
	d.o.t.Helper()
	must(d.o.t, filepath.WalkDir(d.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			found = append(found, e.Name())
		}
		return err
	}))
	return found
}

// TestRemovedInOnePartition: a device is removed where it is not, and goes on
// writing where it is. What was known when it was removed stays; what came later
// is in quarantine on every device until someone adopts it; it gets nothing new.
func TestRemovedInOnePartition(t *testing.T) {
	sim.Run(t, 31, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 4) // 0 owner, 1 with it; 2 goes, 3 with it
		defer o.close()
		a, c, d := o.devices[0], o.devices[2], o.devices[3]
		c.post("vorher")
		o.agree(time.Minute)
		w.Partition([]string{"pc0", "pc1"}, []string{"pc2", "pc3"})
		must(t, a.ws.Remove(t.Context(), access.PersonID{}, c.id(), nil))
		a.post("ohne ihn")
		c.post("zu spät")
		o.until("3 hears what was too late", func() bool { return slices.Contains(d.reads(ChannelRef{}), "zu spät") })
		w.HealAll()
		rest := []*device{a, o.devices[1], d}
		o.until("all have it in quarantine", func() bool {
			for _, dev := range rest {
				if !dev.knowsGone(c) || slices.Contains(dev.reads(ChannelRef{}), "zu spät") || dev.late() != "zu spät" {
					return false
				}
			}
			return true
		})
		for _, dev := range rest {
			if got := dev.reads(ChannelRef{}); !slices.Equal(got, []string{"vorher", "ohne ihn"}) {
				t.Errorf("%s shows %q", dev.name, got)
			}
		}
		a.post("danach")
		o.until("the others hear", func() bool { return slices.Contains(d.reads(ChannelRef{}), "danach") })
		time.Sleep(2 * time.Minute)
		if got := c.reads(ChannelRef{}); slices.Contains(got, "danach") || slices.Contains(got, "ohne ihn") {
			t.Errorf("the removed device shows %q", got)
		}
		_, id, _ := a.ws.snapshot().Current(a.ws.everyone())
		if _, has := c.ws.keyring()[id]; has || len(c.ws.store.Heights(log.Control)) >= len(a.ws.store.Heights(log.Control)) && c.knowsGone(c) {
			t.Error("the removed device got keys or control entries made after its removal")
		}
		if n := len(a.mustNotice("late-work")); n != 1 {
			t.Errorf("%d notices of late work", n)
		}
		must(t, a.ws.Adopt(t.Context(), c.id()))
		o.until("what was adopted shows everywhere", func() bool {
			for _, dev := range rest {
				if !slices.Contains(dev.reads(ChannelRef{}), "zu spät") || dev.late() != "" {
					return false
				}
			}
			return true
		})
		o.devices = rest
		o.agree(time.Minute)
		o.devices = append(o.devices, c)
	})
}

// late is the text of what is in quarantine.
func (d *device) late() string {
	found, err := d.ws.Late(context.Background())
	must(d.o.t, err)
	var out []string
	for _, l := range found {
		for _, m := range l.Messages {
			out = append(out, m.Text)
		}
	}
	return strings.Join(out, " ")
}

func (d *device) mustNotice(code string) (out []Notice) {
	for _, n := range d.ws.Info().Notices {
		if n.Code == code {
			out = append(out, n)
		}
	}
	return out
}

// TestMutualRemoval: two who manage remove each other at the same time. All
// agree afterwards, and one remains.
func TestMutualRemoval(t *testing.T) {
	sim.Run(t, 32, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 4)
		defer o.close()
		f, a, b := o.devices[0], o.devices[1], o.devices[2]
		must(t, f.ws.SetRole(t.Context(), a.person(), access.Admin))
		must(t, f.ws.SetRole(t.Context(), b.person(), access.Admin))
		o.agree(time.Minute)
		w.Partition([]string{"pc0", "pc3"}, []string{"pc1"}, []string{"pc2"})
		must(t, a.ws.Remove(t.Context(), b.person(), log.DeviceID{}, nil))
		if err := b.ws.Remove(t.Context(), a.person(), log.DeviceID{}, nil); !isProblem(err, "senior") {
			t.Errorf("the junior one may remove the senior one: %v", err)
		}
		// A program that does not ask writes it all the same.
		forced, err := b.ws.snapshot().Cut(b.id(), a.id(), b.ws.cutsOf(b.ws.snapshot(), a.id()))
		if err == nil {
			must(t, b.ws.control(t.Context(), forced))
		}
		w.HealAll()
		o.until("all agree that b is out", func() bool {
			return f.knowsGone(b) && a.knowsGone(b) && o.devices[3].knowsGone(b) && !f.knowsGone(a)
		})
		if n := managers(f.ws.snapshot()); n != 2 {
			t.Errorf("%d people manage, want the founder and a", n)
		}
	})
}

// TestOwnerLost: the owner's device is destroyed; a deputy and the sheet make
// another owner, who goes on.
func TestOwnerLost(t *testing.T) {
	sim.Run(t, 33, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 4)
		defer o.close()
		f, a, b := o.devices[0], o.devices[1], o.devices[2]
		kit, err := f.ws.Kit()
		must(t, err)
		words := strings.Join(kit.Words, " ")
		if err := f.ws.ConfirmKit([]string{"falsch", "falsch"}); !isProblem(err, "kit-words") {
			t.Errorf("wrong words confirm the sheet: %v", err)
		}
		must(t, f.ws.ConfirmKit([]string{kit.Words[kit.Ask[0]-1], kit.Words[kit.Ask[1]-1]}))
		if _, err := f.ws.Kit(); !isProblem(err, "kit-gone") {
			t.Errorf("the sheet is still here: %v", err)
		}
		for _, d := range o.devices {
			if hits := d.grep(strings.Join(kit.Words[:2], " ")); len(hits) > 0 {
				t.Errorf("words of the sheet in %v of %s", hits, d.name)
			}
		}
		must(t, f.ws.Propose(t.Context(), Proposal{Deputies: []access.PersonID{a.person(), b.person()}, KeepKit: true, Need: 2, Words: words}))
		o.until("the deputies are known", func() bool {
			r, err := a.ws.Recovery()
			must(t, err)
			return r.Need == 2 && len(r.Deputies) == 3
		})
		f.kill()
		lost := f.id()
		must(t, a.ws.Propose(t.Context(), Proposal{Lost: []log.DeviceID{lost}, Owner: a.person()}))
		if role, _ := a.ws.snapshot().Role(a.id()); role == access.Owner {
			t.Fatal("one deputy was enough")
		}
		var step Step
		o.until("b is asked", func() bool {
			r, err := b.ws.Recovery()
			must(t, err)
			if len(r.Steps) > 0 {
				step = r.Steps[0]
			}
			return len(r.Steps) > 0 && step.State == "open" && step.CanMine
		})
		if b.ws.Info().Approvals != 1 {
			t.Error("nothing says that b is asked")
		}
		must(t, b.ws.Approve(t.Context(), step.ID, ""))
		o.devices = o.devices[1:]
		o.until("a is owner everywhere", func() bool {
			for _, d := range o.devices {
				if role, _ := d.ws.snapshot().Role(a.id()); role != access.Owner || !d.knowsGone(f) {
					return false
				}
			}
			return true
		})
		must(t, a.ws.SetRole(t.Context(), b.person(), access.Admin))
		a.post("weiter geht es")
		o.agree(time.Minute)
		// The sheet alone with the other deputy works as well.
		must(t, b.ws.Propose(t.Context(), Proposal{Lost: []log.DeviceID{a.id()}, Owner: b.person(), Words: words}))
		o.until("the sheet and b outvote a", func() bool {
			role, _ := o.devices[2].ws.snapshot().Role(b.id())
			return role == access.Owner && o.devices[2].knowsGone(a)
		})
	})
}

// TestNewSheet: a new sheet is kept until it is printed, also while the deputies
// have not decided yet, and the old one counts until then.
func TestNewSheet(t *testing.T) {
	sim.Run(t, 41, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 3)
		defer o.close()
		f, a, b := o.devices[0], o.devices[1], o.devices[2]
		o.agree(time.Minute)
		first, err := f.ws.Kit()
		must(t, err)
		// While the first one waits it is not replaced.
		must(t, f.ws.Propose(t.Context(), Proposal{Deputies: []access.PersonID{a.person(), b.person()}, NewKit: true, Need: 2}))
		same, err := f.ws.Kit()
		must(t, err)
		if !slices.Equal(first.Words, same.Words) {
			t.Fatal("the sheet that waits to be printed was replaced")
		}
		must(t, f.ws.ConfirmKit([]string{first.Words[first.Ask[0]-1], first.Words[first.Ask[1]-1]}))
		must(t, f.ws.Propose(t.Context(), Proposal{Deputies: []access.PersonID{a.person(), b.person()}, NewKit: true, Need: 2}))
		if _, err := f.ws.Kit(); !isProblem(err, "kit-gone") {
			t.Errorf("a sheet that nobody approved is shown: %v", err)
		}
		f.kill()
		f.start()
		o.until("a is asked", func() bool { return a.ws.Info().Approvals == 1 })
		r, err := a.ws.Recovery()
		must(t, err)
		must(t, a.ws.Approve(t.Context(), r.Steps[0].ID, ""))
		o.until("the new sheet waits to be printed", func() bool { return f.ws.Info().Kit == KitWaiting })
		second, err := f.ws.Kit()
		must(t, err)
		if slices.Equal(first.Words, second.Words) {
			t.Error("the new sheet is the old one")
		}
		if err := b.ws.Approve(t.Context(), r.Steps[0].ID, strings.Join(first.Words, " ")); !isProblem(err, "kit-other") {
			t.Errorf("the old sheet still counts: %v", err)
		}
	})
}

// TestSpaces: who is not in a space gets nothing of it, who is taken out gets
// nothing new, who comes in reads what was.
func TestSpaces(t *testing.T) {
	sim.Run(t, 34, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 4)
		defer o.close()
		a, b, c, d := o.devices[0], o.devices[1], o.devices[2], o.devices[3]
		o.agree(time.Minute)
		sp, err := b.ws.CreateSpace(t.Context(), "Mandat Hansen", map[access.PersonID]access.Level{c.person(): access.Write, d.person(): access.Read})
		must(t, err)
		ch := ChannelRef{sp.ID, chat.Main}
		b.say(ch, "Vergleichsvorschlag")
		o.until("members read it", func() bool { return len(c.reads(ch)) == 1 && len(d.reads(ch)) == 1 })
		if _, err := d.ws.Post(t.Context(), Draft{Channel: ch, Text: "nein"}); !isProblem(err, "only-reading") {
			t.Errorf("who may only read writes: %v", err)
		}
		c.say(ch, "angenommen")
		o.until("all members have it", func() bool { return len(b.reads(ch)) == 2 && len(d.reads(ch)) == 2 })
		if a.reads(ch) != nil || len(a.ws.store.Heights(sp.ID)) > 0 || len(a.grep("Vergleichsvorschlag")) > 0 || len(a.grep("Hansen")) > 0 {
			t.Error("the founder, who is not in the space, has something of it")
		}
		if _, err := a.ws.ChangeSpace(t.Context(), sp.ID, "", map[access.PersonID]access.Level{a.person(): access.Write}, nil); !isProblem(err, "not-permitted") {
			t.Errorf("the founder lets itself in: %v", err)
		}
		if hits, _, err := c.ws.Search(t.Context(), "Vergleichsvorschlag", nil, 0, 10); err != nil || len(hits) != 1 {
			t.Errorf("search finds %d, %v", len(hits), err)
		}
		// d out, a in
		if _, err := b.ws.ChangeSpace(t.Context(), sp.ID, "Hansen ./. Möller", map[access.PersonID]access.Level{a.person(): access.Write}, []access.PersonID{d.person()}); err != nil {
			t.Fatal(err)
		}
		b.say(ch, "ohne d")
		o.until("a reads all of it", func() bool { return slices.Equal(a.reads(ch), []string{"Vergleichsvorschlag", "angenommen", "ohne d"}) })
		time.Sleep(time.Minute)
		if d.reads(ch) != nil || len(d.grep("ohne d")) > 0 {
			t.Error("who was taken out reads on")
		}
		o.until("the space is off the disk of who was taken out", func() bool { return len(d.grep("Vergleichsvorschlag")) == 0 })
		_, id, _ := b.ws.snapshot().Current(sp.ID)
		if _, ok := d.ws.keyring()[id]; ok {
			t.Error("who was taken out holds the new key")
		}
		// d in again, and writes: in a new log, as the old one was ended
		if _, err := b.ws.ChangeSpace(t.Context(), sp.ID, "", map[access.PersonID]access.Level{d.person(): access.Write}, nil); err != nil {
			t.Fatal(err)
		}
		o.until("d reads again", func() bool { return len(d.reads(ch)) == 3 })
		d.say(ch, "wieder da")
		o.until("all read d", func() bool { return len(a.reads(ch)) == 4 && len(c.reads(ch)) == 4 })
		spaces, err := a.ws.Spaces()
		must(t, err)
		if len(spaces) != 2 || spaces[1].Name != "Hansen ./. Möller" || len(spaces[1].Members) != 4 {
			t.Errorf("a's spaces: %+v", spaces)
		}
	})
}

// TestDirect: both begin at once, in two partitions; it is one conversation.
func TestDirect(t *testing.T) {
	sim.Run(t, 35, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 3)
		defer o.close()
		a, b, c := o.devices[0], o.devices[1], o.devices[2]
		o.agree(time.Minute)
		w.Partition([]string{"pc0"}, []string{"pc1"}, []string{"pc2"})
		ca, err := a.ws.Direct(t.Context(), b.person())
		must(t, err)
		cb, err := b.ws.Direct(t.Context(), a.person())
		must(t, err)
		if ca.Ref != cb.Ref || ca.With != b.person() {
			t.Fatalf("two conversations: %+v and %+v", ca.Ref, cb.Ref)
		}
		a.say(ca.Ref, "Geheimsache")
		b.say(cb.Ref, "Ja bitte")
		w.HealAll()
		o.until("both read both", func() bool { return len(a.reads(ca.Ref)) == 2 && len(b.reads(ca.Ref)) == 2 })
		time.Sleep(time.Minute)
		if c.reads(ca.Ref) != nil || len(c.ws.store.Heights(ca.Ref.Space)) > 0 || len(c.grep("Geheimsache")) > 0 {
			t.Error("a third one has something of it")
		}
	})
}

// TestEraseEverywhere: an erased message is on no device any more, in no version.
func TestEraseEverywhere(t *testing.T) {
	sim.Run(t, 36, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 3)
		defer o.close()
		a, b, c := o.devices[0], o.devices[1], o.devices[2]
		id := b.post("Diagnose Xylofonitis")
		_, err := b.ws.Edit(t.Context(), id, "Diagnose Xylofonitis, Stufe zwei")
		must(t, err)
		b.post("bleibt")
		o.agree(time.Minute)
		if len(c.grep("Xylofonitis")) == 0 {
			t.Fatal("the test searches in the wrong place")
		}
		w.Partition([]string{"pc0", "pc1"}, []string{"pc2"})
		if err := c.ws.Erase(t.Context(), id); !isProblem(err, "not-yours") {
			t.Errorf("a stranger to the message erases it: %v", err)
		}
		must(t, a.ws.Erase(t.Context(), id)) // it manages
		if hits := a.grep("Xylofonitis"); len(hits) > 0 {
			t.Errorf("when Erase returns the text is still in %v", hits)
		}
		w.HealAll()
		o.until("it is gone everywhere", func() bool {
			for _, d := range o.devices {
				if len(d.grep("Xylofonitis")) > 0 {
					return false
				}
			}
			return true
		})
		for _, d := range o.devices {
			if hits, _, err := d.ws.Search(t.Context(), "Xylofonitis", nil, 0, 10); err != nil || len(hits) > 0 {
				t.Errorf("%s finds it: %v %v", d.name, hits, err)
			}
			if got := d.reads(ChannelRef{}); !slices.Equal(got, []string{"bleibt"}) {
				t.Errorf("%s shows %q", d.name, got)
			}
		}
		o.agree(time.Minute)
	})
}

// admitAs lets another device in with a role, and its spaces.
func (d *device) admitAs(other *device, ask InviteAsk) {
	t := d.o.t
	t.Helper()
	offer, err := other.ws.offer("Person of "+other.name, other.name)
	must(t, err)
	_, err = d.ws.admit(t.Context(), ask, offer)
	must(t, err)
	st := d.ws.snapshot()
	must(t, other.ws.takeOver(t.Context(), pairing.Result{
		Workspace: d.ws.ws, State: st, Entries: st.Closure(st.Devices[other.ws.self].Entry),
		Keys: st.Keys(access.BoxSecret(other.ws.id.Box)), Inviter: st.Devices[d.ws.self].Card,
	}))
}

// TestGuestAndCarrier: a guest sees the spaces it was let into until its time is
// over; a carrier keeps everything and can read nothing.
func TestGuestAndCarrier(t *testing.T) {
	sim.Run(t, 37, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		a.post("nur für uns Kieselstein")
		sp, err := a.ws.CreateSpace(t.Context(), "Steuer", nil)
		must(t, err)
		ch := ChannelRef{sp.ID, chat.Main}
		a.say(ch, "Umsatzsteuer")
		g, n := o.device("guest"), o.device("nas")
		g.start()
		n.start()
		until := a.ws.opts.Now().Add(2 * time.Hour).UnixMilli()
		a.admitAs(g, InviteAsk{Role: access.Guest, Until: until, Spaces: map[log.SpaceID]access.Level{sp.ID: access.Write}})
		a.admitAs(n, InviteAsk{Role: access.Carrier})
		o.until("the guest reads its space", func() bool { return len(g.reads(ch)) == 1 })
		g.say(ch, "Beleg fehlt")
		o.until("a reads the guest", func() bool { return len(a.reads(ch)) == 2 })
		o.until("the carrier holds all", func() bool {
			for _, space := range []log.SpaceID{log.Control, a.ws.everyone(), sp.ID} {
				if n.ws.store.Heights(space).Digest() != a.ws.store.Heights(space).Digest() {
					return false
				}
			}
			return true
		})
		if g.reads(ChannelRef{}) != nil || len(g.grep("Kieselstein")) > 0 || len(g.ws.store.Heights(g.ws.everyone())) > 0 {
			t.Error("the guest has something of the space of all")
		}
		for _, word := range []string{"Kieselstein", "Umsatzsteuer", "Beleg", "Steuer"} {
			if hits := n.grep(word); len(hits) > 0 {
				t.Errorf("the carrier holds %q in the clear, in %v", word, hits)
			}
		}
		if keys := n.ws.keyring(); len(keys) == 0 {
			t.Error("the carrier holds no network key")
		} else {
			for _, k := range keys {
				if k.Space != access.Network {
					t.Error("the carrier holds a key of a space")
				}
			}
		}
		// What the guest misses while nobody else is here, the carrier brings.
		a.say(ch, "kommt morgen")
		o.until("the carrier has it", func() bool {
			return n.ws.store.Heights(sp.ID).Digest() == a.ws.store.Heights(sp.ID).Digest()
		})
		g.halt()
		g.start()
		a.halt()
		o.until("the guest has it from the carrier", func() bool { return len(g.reads(ch)) == 3 })
		a.start()
		time.Sleep(3 * time.Hour)
		o.until("the guest is out", func() bool { return a.knowsGone(g) && b.knowsGone(g) })
		a.say(ch, "nach dem Gast")
		time.Sleep(time.Minute)
		if slices.Contains(g.reads(ch), "nach dem Gast") {
			t.Error("the guest reads on")
		}
	})
}

// TestJoinByLink: a link lets one device in, once, as another device of a person.
func TestJoinByLink(t *testing.T) {
	sim.Run(t, 38, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		inv, err := a.ws.OpenInvite(InviteAsk{Link: true, Person: b.person()})
		must(t, err)
		if inv.Link == "" || inv.Person == "" || inv.Role != access.Member {
			t.Fatalf("invite %+v", inv)
		}
		c, late := o.newcomer("second"), o.newcomer("third")
		must(t, c.ws.Join(t.Context(), JoinAsk{Link: " " + inv.Link + "\n", Person: "Wer auch immer", Device: "Laptop"}))
		words := c.reach(StepWords)
		if words.Office != "Kanzlei" || words.Person != inv.Person || words.Words != a.ws.InviteState().Words {
			t.Errorf("joiner sees %+v, inviter %+v", words, a.ws.InviteState())
		}
		must(t, c.ws.ConfirmJoin(true))
		c.reach(StepDone)
		if c.person() != b.person() {
			t.Error("the second device is of another person")
		}
		must(t, late.ws.Join(t.Context(), JoinAsk{Link: inv.Link, Person: "Nachzügler"}))
		if st := late.reach(StepFailed); st.Why == nil || st.Why.Code != "link-used" {
			t.Errorf("a used link: %+v", st)
		}
		a.ws.CloseInvite()
		// A restored program revives no link.
		inv, err = a.ws.OpenInvite(InviteAsk{Link: true, Role: access.Member})
		must(t, err)
		a.kill()
		a.start()
		must(t, late.ws.Join(t.Context(), JoinAsk{Link: inv.Link, Person: "Nachzügler"}))
		if st := late.reach(StepFailed); st.Why == nil {
			t.Errorf("a link after a restart: %+v", st)
		}
		if !isProblem(late.ws.Join(t.Context(), JoinAsk{Link: "inselnetz:join?unsinn", Person: "X"}), "bad-link") {
			t.Error("nonsense is taken for a link")
		}
		late.halt()
		o.devices = o.devices[:3]
		o.agree(time.Minute)
	})
}

// TestPersonLeaves: one action removes all devices, hands over spaces, and says
// what nobody could read any more.
func TestPersonLeaves(t *testing.T) {
	sim.Run(t, 39, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 4)
		defer o.close()
		a, b, c := o.devices[0], o.devices[1], o.devices[2]
		second := o.device("second")
		second.start()
		a.admitAs(second, InviteAsk{Person: b.person(), Role: access.Member})
		o.agree(time.Minute)
		shared, err := b.ws.CreateSpace(t.Context(), "Geteilt", map[access.PersonID]access.Level{c.person(): access.Write, a.person(): access.Read})
		must(t, err)
		own, err := b.ws.CreateSpace(t.Context(), "Privat", nil)
		must(t, err)
		b.say(ChannelRef{shared.ID, chat.Main}, "Übergabe")
		b.say(ChannelRef{own.ID, chat.Main}, "Tagebuch")
		o.until("a knows of both", func() bool {
			return len(a.ws.snapshot().Spaces) == 2 && len(a.reads(ChannelRef{shared.ID, chat.Main})) == 1
		})
		l, err := a.ws.Leaving(b.person(), log.DeviceID{})
		must(t, err)
		if !l.Whole || len(l.Devices) != 2 || len(l.Handover) != 1 || l.Handover[0].Name != "Geteilt" || len(l.Handover[0].Choices) != 2 || len(l.Orphaned) != 1 || l.Managers != 1 {
			t.Fatalf("leaving: %+v", l)
		}
		must(t, a.ws.Remove(t.Context(), b.person(), log.DeviceID{}, map[log.SpaceID]access.PersonID{shared.ID: c.person()}))
		o.until("c manages", func() bool {
			return c.ws.snapshot().Level(shared.ID, c.id()) == access.Manage && c.knowsGone(b) && c.knowsGone(second)
		})
		if _, err := c.ws.ChangeSpace(t.Context(), shared.ID, "Übernommen", nil, nil); err != nil {
			t.Error(err)
		}
		if got := c.reads(ChannelRef{shared.ID, chat.Main}); !slices.Equal(got, []string{"Übergabe"}) {
			t.Errorf("after the removal c reads %q", got)
		}
	})
}

// TestRotationIsPrompt: what is written after a removal is not readable with any
// key the removed device ever had, whoever writes it.
func TestRotationIsPrompt(t *testing.T) {
	sim.Run(t, 40, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 4)
		defer o.close()
		a, b, c := o.devices[0], o.devices[1], o.devices[2]
		o.agree(time.Minute)
		sp, err := b.ws.CreateSpace(t.Context(), "Ohne a", map[access.PersonID]access.Level{c.person(): access.Write})
		must(t, err)
		ch := ChannelRef{sp.ID, chat.Main}
		o.until("c is in", func() bool { return c.ws.snapshot().Level(sp.ID, c.id()) == access.Write && c.reads(ch) != nil })
		had := c.ws.keyring()
		must(t, a.ws.Remove(t.Context(), c.person(), log.DeviceID{}, nil))
		o.until("b hears", func() bool { return b.knowsGone(c) })
		b.say(ch, "neu")
		b.post("für alle")
		for _, space := range []log.SpaceID{sp.ID, b.ws.everyone()} {
			for id, h := range b.ws.store.Heights(space) {
				raw, err := b.ws.store.Entries(t.Context(), id, h.Seq, h.Seq, 1<<20)
				must(t, err)
				e, err := log.Decode(raw[0])
				must(t, err)
				if card, _ := b.ws.store.Card(id); card.Device != b.id() {
					continue
				}
				if _, ok := had[*e.Key]; ok {
					t.Errorf("space %v is written with a key the removed device has", space)
				}
			}
		}
	})
}
