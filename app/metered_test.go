package app

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"inselnetz/app/disk/disktest"
	"inselnetz/app/folder"
	"inselnetz/crdt/log"
	"inselnetz/mesh/sim"
)

// TestMetered: on a connection that is paid by volume messages and small files come,
// and large ones when somebody opens them or asks for all.
func TestMetered(t *testing.T) {
	sim.Run(t, 54, func(w *sim.World) {
		t := w.T
		o := &office{t: t, net: w}
		defer o.close()
		var says atomic.Value
		says.Store(MeteredYes)
		for i := range 2 {
			d := o.device(fmt.Sprintf("pc%d", i))
			d.disks = map[string]*disktest.FS{}
			if i == 1 {
				d.metered = func() string { return says.Load().(string) }
			}
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
		film := strings.Repeat("Kammerton. ", MeteredOver/8)
		a.save(space, "Film.mp4", film)
		a.save(space, "Ton.mp3", film+"laut")
		a.save(space, "Brief.txt", "an alle")
		a.post("der Film liegt im Ordner")
		waits := func() int { return b.ws.folderOf(space).f.State().Spared }
		o.until("what is small is here and what is large waits", func() bool {
			return waits() == 2 && b.shelf(space)["Brief.txt"] != "" && strings.Contains(fmt.Sprint(b.shown()), "der Film liegt im Ordner")
		})
		info, err := b.ws.Folder(space)
		must(t, err)
		row, err := b.ws.FileRow(space, "Film.mp4")
		must(t, err)
		if m := b.ws.Metered(); !m.Now || m.Mode != MeteredAuto || m.System != MeteredYes || info.State.SparedBytes != int64(2*len(film)+4) || row.Where != folder.Spared {
			t.Errorf("metered %+v, folder %+v, the film is %v", m, info.State, row.Where)
		}
		time.Sleep(10 * time.Minute) // patience brings nothing
		if waits() != 2 {
			t.Errorf("%d wait", waits())
		}
		b.kill()
		b.start()
		o.until("they wait after a restart", func() bool { return b.ws.folderOf(space) != nil && waits() == 2 })

		r, _, err := b.ws.FileContent(t.Context(), space, "Ton.mp3", nil)
		must(t, err)
		must(t, r.Close())
		o.until("what was opened is here", func() bool { return len(b.shelf(space)["Ton.mp3"]) == len(film)+4 && waits() == 1 })

		must(t, b.ws.FetchFiles(space))
		o.until("what was asked for is here", func() bool { return b.shelf(space)["Film.mp4"] == film && waits() == 0 })

		a.save(space, "Film.mp4", film+"zwei")
		o.until("the next one waits again", func() bool { return waits() == 1 })
		says.Store(MeteredNo) // back in the office
		o.until("it comes by itself", func() bool { return b.shelf(space)["Film.mp4"] == film+"zwei" })
		says.Store(MeteredUnknown)
		metersByHand(t, a, b, space, film)
	})
}

// metersByHand: what a person says counts more than what the system says, and is
// kept.
func metersByHand(t *testing.T, a, b *device, space log.SpaceID, film string) {
	o := b.o
	waits := func() int { return b.ws.folderOf(space).f.State().Spared }
	must(t, b.ws.SetMetered(MeteredYes))
	b.halt()
	b.start()
	o.until("it has its folder again", func() bool { return b.ws.folderOf(space) != nil })
	a.save(space, "Film.mp4", film+"drei")
	o.until("a person said that it is paid", func() bool { return waits() == 1 })
	b.save(space, "Notiz.txt", "vom Laptop")
	o.until("what is here goes to the others all the same", func() bool { return a.shelf(space)["Notiz.txt"] == "vom Laptop" })
	if waits() != 1 {
		t.Errorf("%d wait", waits())
	}
	must(t, b.ws.SetMetered(MeteredNo))
	o.until("a person said that it is not", func() bool { return b.shelf(space)["Film.mp4"] == film+"drei" })
	if err := b.ws.SetMetered("vielleicht"); !isProblem(err, "bad-request") {
		t.Errorf("another word: %v", err)
	}
	if m := b.ws.Metered(); m.Now || m.Mode != MeteredNo {
		t.Errorf("metered %+v", m)
	}
}
