package disk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"inselnetz/app/disk"
)

// benchTree makes n files of 4 KiB, 250 to a directory.
func benchTree(b *testing.B, n int) (string, []string) {
	root := b.TempDir()
	data := make([]byte, 4096)
	var paths []string
	for i := range n {
		dir := fmt.Sprintf("some-directory-%04d", i/250)
		if i%250 == 0 {
			must(b, os.Mkdir(filepath.Join(root, dir), 0o755))
		}
		p := fmt.Sprintf("%s/document-%06d.txt", dir, i)
		must(b, os.WriteFile(filepath.Join(root, p), data, 0o644))
		paths = append(paths, p)
	}
	return root, paths
}

// perFile reports the time and the processor time of one file.
func perFile(b *testing.B, n int) func() {
	cpu := func() int64 {
		var r unix.Rusage
		unix.Getrusage(unix.RUSAGE_SELF, &r)
		return r.Utime.Nano() + r.Stime.Nano()
	}
	begin := cpu()
	return func() {
		all := float64(b.N) * float64(n)
		b.ReportMetric(float64(cpu()-begin)/all, "cpu-ns/file")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/all, "ns/file")
		b.ReportMetric(0, "ns/op")
	}
}

func BenchmarkWalk(b *testing.B) {
	const n = 20000
	root, _ := benchTree(b, n)
	f, err := disk.Open(root)
	must(b, err)
	defer f.Close()
	b.ReportAllocs()
	defer perFile(b, n)()
	for b.Loop() {
		seen := 0
		dirs, err := f.List("")
		must(b, err)
		for _, d := range dirs {
			l, err := f.List(d.Name)
			must(b, err)
			seen += len(l)
		}
		if seen != n {
			b.Fatal(seen)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	const n = 10000
	root, paths := benchTree(b, n)
	f, err := disk.Open(root)
	must(b, err)
	defer f.Close()
	buf := make([]byte, 0, 8192)
	b.Run("raw", func(b *testing.B) {
		defer perFile(b, n)()
		for b.Loop() {
			for _, p := range paths {
				fd, err := unix.Open(root+"/"+p, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOATIME, 0)
				must(b, err)
				unix.Read(fd, buf[:8192])
				unix.Close(fd)
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		defer perFile(b, n)()
		b.ReportAllocs()
		for b.Loop() {
			for _, p := range paths {
				if _, _, err := f.Read(p, buf); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("os", func(b *testing.B) {
		defer perFile(b, n)()
		for b.Loop() {
			for _, p := range paths {
				if _, err := os.ReadFile(root + "/" + p); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("stat", func(b *testing.B) {
		defer perFile(b, n)()
		for b.Loop() {
			for _, p := range paths {
				if _, err := f.Stat(p); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkCommit is what a file that comes costs: written under a temporary
// name, put in its place.
func BenchmarkCommit(b *testing.B) {
	const n = 5000
	root := b.TempDir()
	f, err := disk.Open(root)
	must(b, err)
	defer f.Close()
	must(b, f.Mkdir("tmp"))
	data := make([]byte, 4096)
	round := 0
	steps := map[string]func(i int) error{
		"1 create+write+mark+close": func(i int) error {
			h, err := f.Create(fmt.Sprint("tmp/", i), 4096)
			if err != nil {
				return err
			}
			h.WriteAt(data, 0)
			h.Mark(1e18, false)
			return h.Close()
		},
		"2 syncall": func(i int) error {
			if i > 0 {
				return nil
			}
			return f.SyncAll()
		},
		"3 renamenew": func(i int) error {
			return f.RenameNew(fmt.Sprint("tmp/", i), fmt.Sprintf("d%d-%d/%d", round, i/250, i))
		},
		"4 exchange": func(i int) error {
			return f.Exchange(fmt.Sprintf("d%d-%d/%d", round, i/250, i), fmt.Sprintf("d%d-%d/%d", round, (n-1-i)/250, n-1-i))
		},
		"0 raw create+write+close": func(i int) error {
			fd, err := unix.Open(fmt.Sprintf("%s/tmp/raw-%d-%d", root, round, i), unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o644)
			if err != nil {
				return err
			}
			unix.Pwrite(fd, data, 0)
			return unix.Close(fd)
		},
	}
	for _, name := range []string{"0 raw create+write+close", "1 create+write+mark+close", "2 syncall", "3 renamenew", "4 exchange"} {
		if name[0] == '3' {
			for i := 0; i < n; i += 250 {
				must(b, f.Mkdir(fmt.Sprintf("d%d-%d", round, i/250)))
			}
		}
		b.Run(name, func(b *testing.B) {
			if b.N > 1 {
				b.Skip()
			}
			defer perFile(b, n)()
			for i := range n {
				must(b, steps[name](i))
			}
		})
	}
}
