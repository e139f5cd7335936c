package app

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
	"inselnetz/mesh"
	"inselnetz/mesh/sim"
)

// openDisk gives a folder's directory a disk in memory, which outlives the
// program.
func (d *device) openDisk(dir string) (disk.FS, error) {
	switch {
	case d.disks == nil:
		return disk.Open(dir)
	case d.unplugged:
		return nil, fs.ErrNotExist
	}
	if d.disks[dir] == nil {
		d.disks[dir] = disktest.New(1, disktest.Options{})
	}
	return d.disks[dir], nil
}

// shelf is what a person finds in the folder of a space: paths and contents.
func (d *device) shelf(space log.SpaceID) map[string]string {
	d.o.t.Helper()
	out := map[string]string{}
	fsys := d.userDisk(space)
	if fsys == nil {
		return nil
	}
	var walk func(dir string)
	walk = func(dir string) {
		list, err := fsys.List(dir)
		must(d.o.t, err)
		for _, in := range list {
			p := path.Join(dir, in.Name)
			switch {
			case p == ".inselnetz":
			case in.Kind == disk.Dir:
				walk(p)
			default:
				b, _, err := fsys.Read(p, nil)
				if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, disk.ErrBusy) {
					must(d.o.t, err)
				}
				out[p] = string(b)
			}
		}
	}
	walk("")
	return out
}

// userDisk is the disk of a space's folder as other programs see it.
func (d *device) userDisk(space log.SpaceID) *disktest.FS {
	s := d.ws.folderOf(space)
	if s == nil || !s.settings().Kept {
		return nil
	}
	return d.disks[s.settings().Dir].User()
}

// save writes a file as a program does: beside its place, then over it.
func (d *device) save(space log.SpaceID, p, text string) {
	d.o.t.Helper()
	fsys := d.userDisk(space)
	if fsys == nil {
		return
	}
	tmp := p + ".tmp"
	if err := fsys.Mkdir(parentOf(p)); err != nil { // a file may lie there
		return
	}
	h, err := fsys.Create(tmp, 0)
	must(d.o.t, err)
	_, err = h.WriteAt([]byte(text), 0)
	must(d.o.t, err)
	must(d.o.t, h.Close())
	if err := fsys.Rename(tmp, p); err != nil { // a directory may have come there
		must(d.o.t, fsys.Remove(tmp))
	}
}

// TestOfficesWithFiles plays offices whose people work in shared folders, with
// real stores, crashes, restarts and partitions. After healing all disks hold
// the same, and only contents that somebody wrote.
func TestOfficesWithFiles(t *testing.T) {
	replayable(t, 100, 10, func(w *sim.World, seed uint64) {
		t, r := w.T, rand.New(rand.NewPCG(seed, 7))
		o := &office{t: w.T, net: w}
		defer o.close()
		for i := range 2 + r.IntN(3) {
			d := o.device(fmt.Sprintf("pc%d", i))
			d.disks = map[string]*disktest.FS{}
			d.start()
			if i == 0 {
				must(o.t, d.ws.Found(o.t.Context(), "Kanzlei", "Person 0", d.name))
			} else {
				o.devices[0].admit(d)
			}
		}
		space := o.devices[0].ws.everyone()
		o.until("everyone has a folder", func() bool { return o.all(func(d *device) bool { return d.ws.folderOf(space) != nil }) })
		written := map[string]bool{}
		for n := range 40 {
			d := o.devices[r.IntN(len(o.devices))]
			at := []string{"Brief.txt", "Akte/Klage.txt", "Akte/Anlage.txt", "Neu/Notiz.txt"}[r.IntN(4)]
			switch act := r.IntN(14); {
			case d.ws == nil:
				d.start()
				o.until("it has its folder again", func() bool { return d.ws.folderOf(space) != nil })
			case act < 6:
				text := fmt.Sprint(d.name, " wrote ", n, strings.Repeat(" und so weiter", r.IntN(50)))
				written[text] = true
				d.save(space, at, text)
			case act < 7:
				_ = d.userDisk(space).Remove(at)
			case act < 8:
				_ = d.userDisk(space).Rename(at, "Ablage-"+fmt.Sprint(n)+".txt")
			case act < 9:
				d.kill()
			case act < 10:
				d.halt()
			case act < 11:
				w.Partition([]string{d.name})
			case act < 12:
				w.HealAll()
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
		o.until("all disks hold the same", func() bool {
			first := fmt.Sprint(o.devices[0].shelf(space))
			return o.all(func(d *device) bool {
				s := d.ws.folderOf(space)
				return s != nil && fmt.Sprint(d.shelf(space)) == first && s.f.State().LackFiles == 0
			})
		})
		for p, text := range o.devices[0].shelf(space) {
			if !written[text] {
				t.Errorf("%s holds what nobody wrote: %q", p, text)
			}
		}
		o.noForks()
	})
}

// all reports whether something holds for each device.
func (o *office) all(is func(*device) bool) bool {
	return !slices.ContainsFunc(o.devices, func(d *device) bool { return !is(d) })
}

// TestRemovedWithFiles: what a removed device changes after its removal reaches
// nobody's disk, and what it had changed before stays.
func TestRemovedWithFiles(t *testing.T) {
	sim.Run(t, 51, func(w *sim.World) {
		t := w.T
		o := &office{t: w.T, net: w}
		defer o.close()
		for i := range 3 {
			d := o.device(fmt.Sprintf("pc%d", i))
			d.disks = map[string]*disktest.FS{}
			d.start()
			if i == 0 {
				must(o.t, d.ws.Found(o.t.Context(), "Kanzlei", "Person 0", d.name))
			} else {
				o.devices[0].admit(d)
			}
		}
		a, b, c := o.devices[0], o.devices[1], o.devices[2]
		space := a.ws.everyone()
		o.until("everyone has a folder", func() bool { return o.all(func(d *device) bool { return d.ws.folderOf(space) != nil }) })
		c.save(space, "von c.txt", "vorher")
		o.until("all have it", func() bool { return o.all(func(d *device) bool { return d.shelf(space)["von c.txt"] == "vorher" }) })
		w.Partition([]string{"pc2"})
		must(t, a.ws.Remove(t.Context(), access.PersonID{}, c.self, nil))
		c.save(space, "von c.txt", "danach")
		c.save(space, "neu von c.txt", "danach")
		time.Sleep(time.Minute)
		w.HealAll()
		a.save(space, "von a.txt", "danach")
		o.until("b has what a wrote", func() bool { return b.shelf(space)["von a.txt"] == "danach" })
		time.Sleep(2 * time.Minute)
		for _, d := range []*device{a, b} {
			if got := fmt.Sprint(d.shelf(space)); got != "map[von a.txt:danach von c.txt:vorher]" {
				t.Errorf("%s has %s", d.name, got)
			}
		}
		if got := c.shelf(space)["von c.txt"]; got != "danach" {
			t.Errorf("c lost what it wrote: %q", got)
		}
	})
}

// TestKeptByOthers: how many devices have a version is known everywhere, also
// after a restart.
func TestKeptByOthers(t *testing.T) {
	sim.Run(t, 52, func(w *sim.World) {
		t := w.T
		o := &office{t: w.T, net: w}
		defer o.close()
		for i := range 3 {
			d := o.device(fmt.Sprintf("pc%d", i))
			if i < 2 {
				d.disks = map[string]*disktest.FS{} // the third keeps no files
			}
			d.start()
			if i == 0 {
				must(o.t, d.ws.Found(o.t.Context(), "Kanzlei", "Person 0", d.name))
			} else {
				o.devices[0].admit(d)
			}
		}
		a := o.devices[0]
		space := a.ws.everyone()
		o.until("everyone has a folder", func() bool { return o.all(func(d *device) bool { return d.ws.folderOf(space) != nil }) })
		a.save(space, "Brief.txt", "an alle")
		copies := func(d *device) int {
			r, err := d.ws.FileRow(space, "Brief.txt")
			if err != nil {
				return -1
			}
			return r.Copies
		}
		o.until("all know of two copies", func() bool { return o.all(func(d *device) bool { return copies(d) == 2 }) })
		time.Sleep(10 * time.Second)
		a.halt()
		o.devices[1].halt()
		a.start()
		o.until("a knows of two copies though alone", func() bool { return copies(a) == 2 })
		o.devices[1].start()
		meets := func(d *device, other *device) bool {
			return slices.ContainsFunc(d.ws.mesh.Peers(), func(p mesh.Peer) bool { return p.Here && p.Device == other.self })
		}
		o.until("a and the third have met", func() bool { return meets(a, o.devices[2]) && meets(o.devices[2], a) })
		r, _, err := o.devices[2].ws.FileContent(t.Context(), space, "Brief.txt", nil)
		must(t, err)
		defer r.Close()
		var v tree.Known
		o.devices[2].ws.folderOf(space).f.View(func(t *tree.Tree) {
			n, _ := t.Node("Brief.txt")
			v = n.Shown
		})
		if v.Size != int64(len("an alle")) {
			t.Errorf("size %d", v.Size)
		}
	})
}

// TestFolderGone: the drive a folder lies on is not there at the start. That is
// said, nothing is deleted anywhere, and it goes on when the drive is back.
func TestFolderGone(t *testing.T) {
	sim.Run(t, 53, func(w *sim.World) {
		t := w.T
		o := &office{t: t, net: w}
		defer o.close()
		for i := range 2 {
			d := o.device(fmt.Sprintf("pc%d", i))
			d.disks = map[string]*disktest.FS{}
			d.start()
			if i == 0 {
				must(t, d.ws.Found(t.Context(), "Kanzlei", "Person 0", d.name))
			} else {
				o.devices[0].admit(d)
			}
		}
		a, b := o.devices[0], o.devices[1]
		space := a.ws.everyone()
		o.until("everyone has a folder", func() bool { return o.all(func(d *device) bool { return d.ws.folderOf(space) != nil }) })
		a.save(space, "Brief.txt", "an alle")
		o.until("b has it", func() bool { return b.shelf(space)["Brief.txt"] == "an alle" })
		b.halt()
		b.unplugged = true
		b.start()
		o.until("b says so", func() bool {
			f, err := b.ws.Folder(space)
			return err == nil && f.State.Missing && len(f.Problems) == 1 && f.Problems[0].Code == "files-missing"
		})
		time.Sleep(5 * time.Minute)
		if got := a.shelf(space)["Brief.txt"]; got != "an alle" {
			t.Errorf("a has %q", got)
		}
		a.save(space, "Brief.txt", "zweiter")
		b.unplugged = false
		o.until("it goes on", func() bool { return b.ws.folderOf(space) != nil && b.shelf(space)["Brief.txt"] == "zweiter" })
	})
}
