package folder

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inselnetz/app/disk"
)

// fill makes n files of 4 KiB, 250 to a directory.
func fill(t testing.TB, dir string, n int) {
	buf := make([]byte, 4096)
	for i := range n {
		d := filepath.Join(dir, fmt.Sprintf("dir %04d", i/250))
		if i%250 == 0 {
			if err := os.MkdirAll(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		copy(buf, fmt.Sprintf("%020d", i*7919))
		for k := 20; k < len(buf); k += 8 {
			buf[k] = byte(i * k)
		}
		if err := os.WriteFile(filepath.Join(d, fmt.Sprintf("document %06d.txt", i)), buf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFolder takes 10,000 files of 4 KiB (FILES=n others) from one disk to
// another in one process, without a network. Each run gets fresh directories;
// BENCHDIR says where (nothing there is deleted).
func BenchmarkFolder(b *testing.B) {
	files := 10000
	if s := os.Getenv("FILES"); s != "" {
		files, _ = strconv.Atoi(s)
	}
	base := os.Getenv("BENCHDIR")
	if base == "" {
		base = b.TempDir()
	}
	for b.Loop() {
		o := &office{}
		var dirs [2]string
		for i := range dirs {
			dirs[i], _ = os.MkdirTemp(base, "node")
		}
		fill(b, dirs[0], files)
		for _, dir := range dirs {
			fsys, err := disk.Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			o.join(fsys, fsys, func(o *Options) { o.Workers = 0 })
		}
		src, dst := o.nodes[0], o.nodes[1]
		report := func(name string, f func()) {
			start, before := time.Now(), cpu()
			f()
			b.ReportMetric(float64(time.Since(start).Microseconds())/1000, name+"-ms")
			b.ReportMetric(float64((cpu()-before).Microseconds())/1000, name+"-cpu-ms")
		}
		report("scan", func() { must(src.Scan(ctx)) })
		report("add", func() { o.pass() })
		report("apply", func() { must(dst.Apply(ctx)) })
		report("rescan", func() { must(dst.Scan(ctx)) })
		paths := make([]string, 0, files)
		for _, k := range o.all {
			paths = append(paths, k.Path)
		}
		report("events", func() { must(dst.Scan(ctx, paths...)) })
		report("reapply", func() { must(src.Apply(ctx)) })
		o.all, o.fetched, paths = nil, nil, nil
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/float64(2*files), "B/file")
		for _, n := range o.nodes {
			must(n.Folder.Close())
			n.fs.Close()
		}
		runtime.KeepAlive(o)
	}
}
