package bep

import (
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
)

// BenchmarkMany is what 100,000 files cost that a device has too.
func BenchmarkMany(b *testing.B) {
	const many = 100_000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	dev := DeviceID{1}
	for b.Loop() {
		files := make([]File, many)
		infos := make([]protocol.FileInfo, many)
		for i := range files {
			files[i] = File{
				Path: fmt.Sprintf("some directory/%03d/a file %d.txt", i/1000, i), Kind: Plain, Size: 4096, Time: 1,
				Sum: [32]byte{1, byte(i), byte(i >> 8), byte(i >> 16)}, Base: fmt.Sprintf("%020d", i), Version: fmt.Sprintf("%020d", i),
			}
			infos[i] = info(files[i].Path, "x", uint64(i+1))
			infos[i].Size, infos[i].Blocks[0].Size = 4096, 4096
			infos[i].Blocks[0].Hash = files[i].Sum[:]
		}
		before := heap()
		s := newShare(Share{ID: "office"}, DeviceID{2}, []Device{{ID: dev, Folders: []string{"office"}}}, time.Now, slog.New(slog.DiscardHandler), func() {})
		began := time.Now()
		step := func(name string) {
			b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms-"+name)
			began = time.Now()
		}
		s.mu.Lock()
		for _, f := range files {
			s.show(f)
		}
		s.ready = true
		s.mu.Unlock()
		step("show")
		if err := s.indexed(dev, infos, true); err != nil {
			b.Fatal(err)
		}
		step("index")
		s.plan(s.remotes[dev])
		step("plan")
		s.status(dev)
		step("status")
		data, err := s.save()
		if err != nil {
			b.Fatal(err)
		}
		step("save")
		b.ReportMetric(float64(len(data))/many, "bytes-saved/file")
		data = nil
		b.ReportMetric(float64(heap()-before)/many, "bytes/file")
		runtime.KeepAlive(files)
		runtime.KeepAlive(infos)
		runtime.KeepAlive(s)
	}
}
