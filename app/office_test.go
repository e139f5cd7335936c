package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/crdt/pairing"
	"inselnetz/crdt/store"
	"inselnetz/mesh"
	"inselnetz/mesh/sim"
)

// An office is some devices with real stores on a simulated network.
type office struct {
	t       *testing.T
	net     *sim.World
	devices []*device
}

type device struct {
	o          *office
	name       string
	dir, state string
	ws         *Workspace // nil while it does not run
	self       log.DeviceID
	stop       context.CancelFunc
	ended      chan error
	disks      map[string]*disktest.FS // of folders, by directory; nil: folders are not kept
	unplugged  bool                    // they are not there
	metered    func() string           // what its system says of the connection; nil: nothing
}

// newOffice founds a workspace on the first device and admits all others.
func newOffice(w *sim.World, devices int) *office {
	o := &office{t: w.T, net: w}
	for i := range devices {
		d := o.device(fmt.Sprintf("pc%d", i))
		d.start()
		if i == 0 {
			must(o.t, d.ws.Found(o.t.Context(), "Kanzlei", "Person 0", d.name))
			continue
		}
		o.devices[0].admit(d)
	}
	return o
}

func (o *office) device(name string) *device {
	d := &device{o: o, name: name, dir: filepath.Join(o.t.TempDir(), name), state: o.t.TempDir()}
	o.devices = append(o.devices, d)
	return d
}

func (d *device) start() {
	d.o.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	files := ""
	if d.disks != nil {
		files = d.dir + "-files"
	}
	ws, err := Open(ctx, d.dir, Options{
		State: d.state, Unsafe: true, Now: d.o.net.Clock(d.name), Files: files, OpenDisk: d.openDisk, Metered: d.metered,
		Net: func(context.Context, ed25519.PrivateKey) (mesh.Transport, error) { return d.o.net.Node(d.name), nil },
	})
	must(d.o.t, err)
	d.ws, d.self, d.stop, d.ended = ws, ws.self, stop, make(chan error, 1)
	go func() { d.ended <- ws.Run(ctx) }()
}

// halt stops the device in good order.
func (d *device) halt() {
	d.o.t.Helper()
	must(d.o.t, d.end())
}

// end stops the device and returns what its Run returned.
func (d *device) end() error {
	ws := d.ws
	d.ws = nil
	d.stop()
	err := <-d.ended
	must(d.o.t, ws.Close())
	return err
}

// kill stops the device as kill -9 does: what is on disk at this moment is all
// that is left, and nobody hears a goodbye.
func (d *device) kill() {
	d.o.t.Helper()
	files := d.files()
	for dir, fs := range d.disks {
		d.disks[dir] = fs.Kill()
	}
	d.o.net.Crash(d.name)
	_ = d.end() // may say that its network is gone
	d.put(files)
}

// files are the contents of the data directory.
func (d *device) files() map[string][]byte {
	d.o.t.Helper()
	out := map[string][]byte{}
	must(d.o.t, filepath.WalkDir(d.dir, func(p string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the program, which may still run, took it away
		}
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(d.dir, p)
		must(d.o.t, err)
		b, err := os.ReadFile(p)
		if err == nil {
			out[name] = b
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	}))
	return out
}

// put makes the data directory hold these contents, in the same files.
func (d *device) put(files map[string][]byte) {
	d.o.t.Helper()
	for name := range d.files() {
		if _, ok := files[name]; !ok {
			must(d.o.t, os.Remove(filepath.Join(d.dir, name)))
		}
	}
	for name, b := range files {
		must(d.o.t, os.MkdirAll(filepath.Dir(filepath.Join(d.dir, name)), 0o700))
		f, err := os.OpenFile(filepath.Join(d.dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		must(d.o.t, err)
		_, err = f.Write(b)
		must(d.o.t, err)
		must(d.o.t, f.Close())
	}
}

// admit lets another device in without the number path, which has tests of its
// own.
func (d *device) admit(other *device) {
	t := d.o.t
	t.Helper()
	offer, err := other.ws.offer("Person of "+other.name, other.name)
	must(t, err)
	payload, err := d.ws.snapshot().Admit(d.ws.self, d.ws.keyring(), access.AdmitInput{Device: offer.Device, Person: offer.Person, Role: access.Member})
	must(t, err)
	_, err = d.ws.append(t.Context(), log.Control, log.KindControl, payload, "")
	must(t, err)
	st := d.ws.snapshot()
	must(t, other.ws.takeOver(t.Context(), pairing.Result{
		Workspace: d.ws.ws, State: st, Entries: st.Closure(st.Devices[other.ws.self].Entry),
		Keys: st.Keys(access.BoxSecret(other.ws.id.Box)), Inviter: st.Devices[d.ws.self].Card,
	}))
}

func (d *device) post(text string) chat.MsgID {
	d.o.t.Helper()
	m, err := d.ws.Post(context.Background(), Draft{Text: text})
	must(d.o.t, err)
	return m.ID
}

// shown is everything a person sees in the channel of all, in order.
func (d *device) shown() []string {
	d.o.t.Helper()
	var out []string
	for after := int64(0); ; {
		p, err := d.ws.Messages(context.Background(), store.Query{After: max(after, 1), Limit: 200})
		must(d.o.t, err)
		for _, m := range p.Messages {
			line := fmt.Sprintf("%v %v %q edited %d retracted %v", m.ID, m.Author, m.Text, m.Edited, m.Retracted)
			if m.Reply != nil {
				line += " re " + m.Reply.ID.String()
			}
			for _, r := range m.Reactions {
				line += fmt.Sprint(" ", r.Word, r.By)
			}
			out = append(out, line)
			after = m.Pos
		}
		if !p.Later {
			return out
		}
	}
}

// agree waits until all running devices show the same, and returns it.
func (o *office) agree(limit time.Duration) []string {
	o.t.Helper()
	same := func() bool {
		first := o.devices[0].ws
		for _, d := range o.devices[1:] {
			for _, space := range []log.SpaceID{log.Control, first.everyone()} {
				if first.store.Heights(space).Digest() != d.ws.store.Heights(space).Digest() {
					return false
				}
			}
		}
		return true
	}
	if !o.net.Until(limit, same) {
		for _, d := range o.devices {
			o.t.Logf("%s: control %v all %v", d.name, d.ws.store.Heights(log.Control), d.ws.store.Heights(d.ws.everyone()))
		}
		o.t.Fatalf("devices do not hold the same after %v", limit)
	}
	want := o.devices[0].shown()
	for _, d := range o.devices[1:] {
		if got := d.shown(); !slices.Equal(got, want) {
			o.t.Fatalf("%s shows\n%s\nbut %s\n%s", d.name, strings.Join(got, "\n"), o.devices[0].name, strings.Join(want, "\n"))
		}
	}
	return want
}

func (o *office) close() {
	for _, d := range o.devices {
		if d.ws != nil {
			d.halt()
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTwoDevicesTalk(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		hello := o.devices[0].post("Hallo")
		if !w.Until(time.Minute, func() bool { return len(o.devices[1].shown()) == 1 }) {
			t.Fatal("the message does not arrive")
		}
		m, err := o.devices[1].ws.React(t.Context(), hello, "agree", true)
		must(t, err)
		if m.Own || len(m.Reactions) != 1 {
			t.Errorf("reaction: %+v", m)
		}
		if _, err := o.devices[1].ws.Edit(t.Context(), hello, "anderes"); !isProblem(err, "not-yours") {
			t.Errorf("another's message was edited: %v", err)
		}
		answer, err := o.devices[1].ws.Post(t.Context(), Draft{Text: "Auch hallo", Reply: &hello})
		must(t, err)
		o.devices[1].post("etwas anderes")
		o.agree(time.Minute)
		answers, err := o.devices[0].ws.Replies(t.Context(), hello, 10)
		must(t, err)
		if len(answers) != 1 || answers[0].ID != answer.ID || answers[0].Reply.ID != hello {
			t.Errorf("answers: %+v", answers)
		}
		must(t, o.devices[1].ws.MarkRead(t.Context(), ChannelRef{}, hello))
		read := func() bool {
			m, err := o.devices[0].ws.Message(t.Context(), hello)
			must(t, err)
			return m.Held == 2 && len(m.ReadBy) == 1
		}
		if !w.Until(time.Minute, read) {
			t.Error("the author does not learn that the message was read")
		}
		o.agree(time.Minute)
	})
}

// TestOldCopyRestored puts back an old copy of a data directory, as a restore
// from a backup does. The device must not write a second entry at a place it
// has written before.
func TestOldCopyRestored(t *testing.T) {
	sim.Run(t, 2, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		a.post("vor der Sicherung")
		o.agree(time.Minute)
		a.halt()
		backup := a.files()
		a.start()
		a.post("nach der Sicherung, bei B angekommen")
		o.agree(time.Minute)
		a.halt()
		a.put(backup)
		a.start()
		a.post("nach dem Zurückspielen, bevor B etwas sagt")
		lines := o.agree(time.Minute)
		if len(lines) != 3 {
			t.Errorf("messages were lost or doubled:\n%s", strings.Join(lines, "\n"))
		}
		o.noForks()
		if !hasNotice(a.ws, "copy") {
			t.Error("nobody is told that an old copy was restored")
		}
		if hasNotice(b.ws, "copy") || hasNotice(b.ws, "twice") {
			t.Error("the other device is blamed")
		}
	})
}

// TestSnapshotRestored restores everything, the count outside the directory as
// well, as reverting a virtual machine does. Only the other device knows better.
func TestSnapshotRestored(t *testing.T) {
	sim.Run(t, 3, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a := o.devices[0]
		a.post("vor der Sicherung")
		a.halt()
		backup, outside := a.files(), readAll(t, a.state)
		a.start()
		a.post("nach der Sicherung")
		o.agree(time.Minute)
		a.halt()
		a.put(backup)
		writeAll(t, a.state, outside)
		a.start()
		// the other device is heard before anything is written
		lines := o.agree(time.Minute)
		a.post("nach dem Zurücksetzen")
		lines = o.agree(time.Minute)
		if len(lines) != 3 {
			t.Errorf("messages were lost or doubled:\n%s", strings.Join(lines, "\n"))
		}
		o.noForks()
		if !hasNotice(a.ws, "copy") {
			t.Error("nobody is told")
		}
	})
}

// TestCopyBesideTheOriginal runs a copy of a data directory at the same time.
func TestCopyBesideTheOriginal(t *testing.T) {
	sim.Run(t, 4, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a := o.devices[0]
		a.post("vor der Kopie")
		o.agree(time.Minute)
		a.halt()
		twin := o.device("pc0-copy")
		must(t, os.MkdirAll(twin.dir, 0o700))
		twin.put(a.files())
		a.start()
		twin.start()
		for i := range 5 {
			a.post(fmt.Sprint("Original ", i))
			twin.post(fmt.Sprint("Kopie ", i))
		}
		o.devices[1].post("der andere")
		// The copy has the peer id of the original on its disk, but the simulated
		// network knows it under its own name, so the others do not admit it; what
		// it wrote arrives once it runs in the original's place.
		if !w.Until(time.Minute, func() bool { return len(o.devices[1].shown()) == 7 }) {
			t.Fatal("the original's messages do not arrive")
		}
		a.halt()
		twin.halt()
		a.put(twin.files())
		o.devices = o.devices[:2]
		a.start()
		lines := o.agree(2 * time.Minute)
		if len(lines) != 12 {
			t.Errorf("messages were lost or doubled:\n%s", strings.Join(lines, "\n"))
		}
		o.noForks()
		if !hasNotice(a.ws, "copy") {
			t.Error("nobody is told")
		}
	})
}

// TestClockIn1970 runs a device whose battery is flat: it says so, and what it
// writes is in the order it was said.
func TestClockIn1970(t *testing.T) {
	sim.Run(t, 6, func(w *sim.World) {
		const year = 365 * 24 * time.Hour // the simulation begins in 2000
		w.SetClock("pc0", 27*year)
		w.SetClock("pc1", -31*year)
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		for i := range 3 {
			a.post(fmt.Sprint("Frage ", i))
			o.agree(time.Minute)
			b.post(fmt.Sprint("Antwort ", i))
			o.agree(time.Minute)
		}
		lines := o.agree(time.Minute)
		for i, line := range lines {
			if want := fmt.Sprint([]string{"Frage ", "Antwort "}[i%2], i/2); !strings.Contains(line, want) {
				w.T.Errorf("line %d is %q, want %q", i, line, want)
			}
		}
		if len(lines) != 6 || !hasNotice(b.ws, "clock") || hasNotice(a.ws, "clock") {
			w.T.Errorf("%d lines, notices %v and %v", len(lines), a.ws.Info().Notices, b.ws.Info().Notices)
		}
	})
}

// TestDatabaseLost destroys the database of one device: nothing in it can be
// read. The device must still be a member and get everything from the others.
func TestDatabaseLost(t *testing.T) {
	for name, damage := range map[string]func(files map[string][]byte){
		"overwritten": func(files map[string][]byte) {
			for name, b := range files {
				if strings.HasPrefix(name, "inselnetz.db") {
					for i := range b {
						b[i] = byte(i * 7)
					}
				}
			}
		},
		"removed": func(files map[string][]byte) {
			for name := range files {
				if strings.HasPrefix(name, "inselnetz.db") {
					delete(files, name)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, 5, func(w *sim.World) {
				o := newOffice(w, 3)
				defer o.close()
				for _, d := range o.devices {
					d.post("von " + d.name)
				}
				o.agree(time.Minute)
				for _, d := range o.devices[:2] { // the founder as well as a member
					d.halt()
					files := d.files()
					damage(files)
					d.put(files)
					d.start()
					d.post("nach dem Schaden von " + d.name)
				}
				if lines := o.agree(2 * time.Minute); len(lines) != 5 {
					o.t.Errorf("messages were lost or doubled:\n%s", strings.Join(lines, "\n"))
				}
				o.noForks()
			})
		})
	}
}

func (o *office) noForks() {
	o.t.Helper()
	for _, d := range o.devices {
		forks, err := d.ws.store.Forks(o.t.Context())
		must(o.t, err)
		if len(forks) != 0 {
			o.t.Errorf("%s sees a fork: %+v", d.name, forks)
		}
	}
}

func hasNotice(w *Workspace, code string) bool {
	return slices.ContainsFunc(w.Info().Notices, func(n Notice) bool { return n.Code == code })
}

func readAll(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	return (&device{o: &office{t: t}, dir: dir}).files()
}

func writeAll(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	(&device{o: &office{t: t}, dir: dir}).put(files)
}

// seeds is how many histories TestOffices plays. The network alone, with stores
// in memory, is played far more often in mesh/sim.
const seeds = 500

// TestOffices plays random histories of 2 to 5 devices with everything real but
// the network: posts, edits, reactions, partitions, crashes, restarts, restored
// backups and clocks ten years off. After healing all devices show the same and
// nothing that was acknowledged is missing.
func TestOffices(t *testing.T) {
	replayable(t, seeds, 20, func(w *sim.World, seed uint64) { play(w.T, w, rand.New(rand.NewPCG(seed, 1))) })
}

// replayable plays many seeds, few of them with -short, or the one that SEED
// names.
func replayable(t *testing.T, many, few int, play func(*sim.World, uint64)) {
	t.Helper()
	n, first := many, uint64(1)
	if testing.Short() {
		n = few
	}
	if s := os.Getenv("SEED"); s != "" {
		if _, err := fmt.Sscan(s, &first); err != nil {
			t.Fatal(err)
		}
		n = 1
	}
	name := t.Name()
	for i := range n {
		seed := first + uint64(i)
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, seed)
			sim.Run(t, seed, func(w *sim.World) { play(w, seed) })
			if t.Failed() {
				t.Logf("replay with SEED=%d go test -run %s ./app", seed, name)
			}
		})
	}
}

func play(t *testing.T, w *sim.World, r *rand.Rand) {
	o := newOffice(w, 2+r.IntN(4))
	defer o.close()
	said := map[chat.MsgID]string{} // acknowledged
	backups := map[*device]map[string][]byte{}
	for range 60 {
		d := o.devices[r.IntN(len(o.devices))]
		switch act := r.IntN(24); {
		case d.ws == nil:
			d.start()
		case act < 10:
			text := fmt.Sprint(d.name, " says ", r.Uint32())
			said[d.post(text)] = text
		case act < 12:
			edit(t, d, r, said)
		case act < 14:
			react(t, d, r)
		case act < 15:
			d.kill()
		case act < 16:
			d.halt()
		case act < 17:
			// a backup is made of a stopped device: its own later entries are then
			// known to it from others, or lost with the disk
			d.halt()
			backups[d] = d.files()
			d.start()
		case act < 18 && backups[d] != nil && o.quiet():
			d.halt()
			d.put(backups[d])
			d.start()
		case act < 20:
			var groups [2][]string
			for _, d := range o.devices {
				g := r.IntN(2)
				groups[g] = append(groups[g], d.name)
			}
			w.Partition(groups[:]...)
		case act < 21:
			w.HealAll()
		case act < 22:
			w.SetClock(d.name, time.Duration(r.IntN(20*365)-10*365)*24*time.Hour)
		default:
			time.Sleep(time.Duration(r.IntN(20_000)) * time.Millisecond)
		}
	}
	w.HealAll()
	for _, d := range o.devices {
		if d.ws == nil {
			d.start()
		}
	}
	lines := strings.Join(o.agree(5*time.Minute), "\n")
	o.noForks()
	for id := range said {
		if n := strings.Count(lines, id.String()+" "); n < 1 {
			t.Errorf("acknowledged message %v %q is missing", id, said[id])
		}
	}
	if len(said) == 0 {
		t.Error("nothing was said")
	}
}

// quiet reports whether all devices run and hold the same, so that no backup
// restored now loses what only it had.
func (o *office) quiet() bool {
	o.net.HealAll()
	for _, d := range o.devices {
		if d.ws == nil {
			d.start()
		}
	}
	o.agree(5 * time.Minute)
	return true
}

func edit(t *testing.T, d *device, r *rand.Rand, said map[chat.MsgID]string) {
	p, err := d.ws.Messages(t.Context(), store.Query{Limit: 50})
	must(t, err)
	for _, m := range p.Messages {
		if m.Own && !m.Retracted && r.IntN(3) == 0 {
			if r.IntN(4) == 0 {
				_, err = d.ws.Retract(t.Context(), m.ID)
			} else {
				_, err = d.ws.Edit(t.Context(), m.ID, fmt.Sprint("edited ", r.Uint32()))
			}
			must(t, err)
			return
		}
	}
}

func react(t *testing.T, d *device, r *rand.Rand) {
	p, err := d.ws.Messages(t.Context(), store.Query{Limit: 50})
	must(t, err)
	for _, m := range p.Messages {
		if !m.Retracted && r.IntN(3) == 0 {
			_, err := d.ws.React(t.Context(), m.ID, Words[r.IntN(len(Words))], r.IntN(3) > 0)
			must(t, err)
			return
		}
	}
}
