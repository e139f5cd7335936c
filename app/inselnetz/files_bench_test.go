//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/app/api"
)

// benchDir is where trees are made: a directory that make bench gives and removes
// at the very end. Nothing is deleted in between: a file system without a journal
// creates files very slowly after a large deletion.
func benchDir(b *testing.B) string {
	b.Helper()
	dir := os.Getenv("INSELNETZ_BENCH")
	if dir == "" {
		b.Skip("make bench runs this")
	}
	dir, err := os.MkdirTemp(dir, strings.ReplaceAll(b.Name(), "/", "-"))
	ok(b, err)
	return dir
}

// nodes starts full programs that belong to one office and see each other; under
// is a program to run them, if any.
func nodes(b *testing.B, dir string, n int, under ...string) []*process {
	b.Helper()
	var all []*process
	for i := range n {
		p := &process{b: b, data: filepath.Join(dir, fmt.Sprintf("node%d", i), "data"), under: under}
		p.begin()
		if i == 0 {
			do[api.Status](p, "found", api.Found{Office: "Kanzlei", Person: "Anke"})
		} else {
			letIn(b, all[0], p)
		}
		all = append(all, p)
	}
	for _, p := range all {
		wait(b, 30*time.Second, "all to be there", func() bool { return do[api.Status](p, "status", api.Empty{}).DevicesHere == n })
		wait(b, 30*time.Second, "a folder", func() bool {
			f := do[api.Folders](p, "files/folders", api.Empty{}).Folders
			return len(f) > 0 && f[0].Dir != ""
		})
	}
	time.Sleep(time.Second)
	return all
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return d[len(d)/2].Seconds()
}

// race runs ways in turn, each round with a tree of its own, and reports medians.
func race(b *testing.B, dir string, t tree, ways ...way) {
	b.Helper()
	runs := map[string][]copied{}
	round := 0
	for b.Loop() {
		src := filepath.Join(dir, fmt.Sprintf("src%d", round))
		t.make(b, src)
		for _, w := range ways {
			from := src
			if w.name == "ours" || w.name == "syncthing" {
				from = src + w.name
				t.make(b, from)
			}
			r := w.run(b, from, fmt.Sprintf("run%d", round), t)
			b.Logf("%s: visible %v, durable %v, processor %v", w.name, r.visible, r.durable, r.cpu)
			runs[w.name] = append(runs[w.name], r)
		}
		round++
	}
	for _, w := range ways {
		var v, d, c []time.Duration
		for _, r := range runs[w.name] {
			v, d, c = append(v, r.visible), append(d, r.durable), append(c, r.cpu)
		}
		b.ReportMetric(median(v), w.name+"-visible-s")
		b.ReportMetric(median(d), w.name+"-durable-s")
		b.ReportMetric(median(c), w.name+"-cpu-s")
		if runs[w.name][0].told > 0 {
			var told []time.Duration
			for _, r := range runs[w.name] {
				told = append(told, r.told)
			}
			b.ReportMetric(median(told), w.name+"-told-s")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// equal fails unless two trees are equal.
func equal(b *testing.B, x, y string) {
	b.Helper()
	run1(b, "diff", "-rq", x, y)
}

// BenchmarkFilesSmall copies many small files.
func BenchmarkFilesSmall(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := benchDir(b)
			all := nodes(b, dir, 2)
			ways := []way{oursWay(all...), rsyncdWay(b, dir), rsyncSSHWay(b, dir), cpWay(dir)}
			if n == 10_000 {
				ways = append(ways, stockWay(stocks(b, dir)))
			}
			race(b, dir, tree{n, 4096}, ways...)
			equal(b, filepath.Join(filesDir(all[0]), "run0"), filepath.Join(filesDir(all[1]), "run0"))
		})
	}
}

// BenchmarkFilesLarge copies one large file.
func BenchmarkFilesLarge(b *testing.B) {
	dir := benchDir(b)
	all := nodes(b, dir, 2)
	race(b, dir, tree{1, 1 << 30}, oursWay(all...), rsyncSSHWay(b, dir), rsyncdWay(b, dir), cpWay(dir), stockWay(stocks(b, dir)))
	equal(b, filepath.Join(filesDir(all[0]), "run0"), filepath.Join(filesDir(all[1]), "run0"))
}

// BenchmarkFilesFour copies one large file to one node, then to four at once, and
// the same with rsync to a daemon. All share this machine's processors, so that the
// ratio says as much of them; the sender's own time says what it costs the sender.
func BenchmarkFilesFour(b *testing.B) {
	dir := benchDir(b)
	two, five := nodes(b, filepath.Join(dir, "two"), 2), nodes(b, filepath.Join(dir, "five"), 5)
	one, four := oursWay(two...), oursWay(five...)
	addr, dst, _ := rsyncd(b, dir)
	t := tree{1, 1 << 30}
	took := map[string][]time.Duration{}
	round := 0
	for b.Loop() {
		for name, of := range map[string][]*process{"one": two, "four": five} {
			src := filepath.Join(dir, fmt.Sprint(name, round))
			t.make(b, src)
			before := cpuOf(b, of[0].cmd.Process.Pid)
			w := one
			if name == "four" {
				w = four
			}
			r := w.run(b, src, fmt.Sprintf("run%d", round), t)
			sender := cpuOf(b, of[0].cmd.Process.Pid) - before
			b.Logf("%s: visible %v, durable %v, processor %v, of which the sender %v", name, r.visible, r.durable, r.cpu, sender)
			took[name], took[name+"-sender"] = append(took[name], r.durable), append(took[name+"-sender"], sender)
		}
		src := filepath.Join(dir, fmt.Sprint("rsync", round))
		t.make(b, src)
		for name, n := range map[string]int{"rsync-one": 1, "rsync-four": 4} {
			start := time.Now()
			var all []*exec.Cmd
			for i := range n {
				cmd := exec.Command("rsync", "-a", src+"/", fmt.Sprintf("rsync://%s/m/%s%d-%d/", addr, name, round, i))
				ok(b, cmd.Start())
				all = append(all, cmd)
			}
			for _, cmd := range all {
				ok(b, cmd.Wait())
			}
			sync2(b, dst)
			took[name] = append(took[name], time.Since(start))
		}
		round++
	}
	for _, name := range []string{"one", "four", "one-sender", "four-sender", "rsync-one", "rsync-four"} {
		b.ReportMetric(median(took[name]), name+"-s")
	}
	b.ReportMetric(median(took["four"])/median(took["one"]), "ratio")
	b.ReportMetric(median(took["rsync-four"])/median(took["rsync-one"]), "rsync-ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFilesSlowFlush copies many small files where each flush takes 8 ms
// longer, as on the disk of a small NAS, and where it does not.
func BenchmarkFilesSlowFlush(b *testing.B) {
	if _, err := exec.LookPath("strace"); err != nil {
		b.Skip("needs strace, which holds up the flushes")
	}
	const flushes = "fsync,fdatasync,syncfs"
	slow := []string{"strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=" + flushes, "-e", "inject=" + flushes + ":delay_exit=8000"}
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := benchDir(b)
			t := tree{n, 4096}
			took := map[string]float64{}
			for b.Loop() {
				for name, under := range map[string][]string{"plain": nil, "slow": slow} {
					all := nodes(b, filepath.Join(dir, name), 2, under...)
					src := filepath.Join(dir, name, "src")
					t.make(b, src)
					r := oursWay(all...).run(b, src, "run", t)
					b.Logf("%s: visible %v, durable %v, told %v", name, r.visible, r.durable, r.told)
					took[name] = r.durable.Seconds()
					for _, p := range all {
						p.end()
					}
				}
			}
			b.ReportMetric(took["plain"], "plain-durable-s")
			b.ReportMetric(took["slow"], "slow-durable-s")
			b.ReportMetric(took["slow"]/took["plain"], "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkFilesByte changes one byte in the middle of a large file: on an ext4
// of its own, where the receiver has a copy in its keep and where it does not yet,
// and on file systems that clone. Durable: visible, and then sync -f returned.
// Told: the sender knows of it, which by rule waits up to 0.3 s.
func BenchmarkFilesByte(b *testing.B) {
	b.Run("ext4", func(b *testing.B) { changeByte(b, mounted(b, "ext4"), true) })
	b.Run("ext4-at-once", func(b *testing.B) { changeByte(b, mounted(b, "ext4"), false) })
	b.Run("xfs", func(b *testing.B) { changeByte(b, mounted(b, "xfs"), false) })
	b.Run("btrfs", func(b *testing.B) { changeByte(b, mounted(b, "btrfs"), false) })
}

func changeByte(b *testing.B, dir string, rest bool) {
	all := nodes(b, dir, 2)
	t := tree{1, 1 << 30}
	src := filepath.Join(dir, "src")
	t.make(b, src)
	oursWay(all...).run(b, src, "run", t)
	sub := filepath.Join("run", "d0000", "f00.bin")
	from, to := filepath.Join(filesDir(all[0]), sub), filepath.Join(filesDir(all[1]), sub)
	space := do[api.Folders](all[0], "files/folders", api.Empty{}).Folders[0].Space
	round := 0
	change := func() (visible, durable, told time.Duration) {
		round++
		at := int64(512<<20 + round*7_000_001)
		time.Sleep(3 * time.Second) // saves that follow each other closely wait, by rule
		if rest {
			awaitGuard(b, filesDir(all[1]), t.size, round)
		}
		sync2(b, dir)
		mark := []byte{byteAt(b, from, at) + 1}
		start := time.Now()
		f, err := os.OpenFile(from, os.O_RDWR, 0)
		ok(b, err)
		_, err = f.WriteAt(mark, at)
		ok(b, err)
		ok(b, f.Close())
		for byteAt(b, to, at) != mark[0] {
			if time.Since(start) > time.Minute {
				b.Fatal("the byte does not come")
			}
			time.Sleep(time.Millisecond)
		}
		visible = time.Since(start)
		sync2(b, to)
		durable = time.Since(start)
		wait(b, time.Minute, "the byte to be safe", func() bool {
			info, err := ask[api.FileInfo](b.Context(), all[0].client, "files/info", api.FilesAsk{Space: space, Path: filepath.ToSlash(sub)})
			return err == nil && len(info.Devices) == 2
		})
		return visible, durable, time.Since(start)
	}
	if !rest {
		change() // takes the copy that is there
	}
	var visible, durable, told []time.Duration
	var wire []float64
	for b.Loop() {
		sent := loopback(b)
		v, d, s := change()
		b.Logf("visible %v, durable %v, told %v", v, d, s)
		visible, durable, told = append(visible, v), append(durable, d), append(told, s)
		wire = append(wire, float64(loopback(b)-sent)/(1<<20))
	}
	equal(b, from, to)
	b.ReportMetric(median(visible), "visible-s")
	b.ReportMetric(median(durable), "durable-s")
	b.ReportMetric(median(told), "told-s")
	slices.Sort(wire)
	b.ReportMetric(wire[0], "least-MiB-over-loopback")
	b.ReportMetric(0, "ns/op")
}

// byteAt reads one byte of a file through the file system's own cache.
func byteAt(b *testing.B, path string, at int64) byte {
	b.Helper()
	f, err := os.Open(path)
	ok(b, err)
	defer f.Close()
	var got [1]byte
	_, err = f.ReadAt(got[:], at)
	ok(b, err)
	return got[0]
}

// awaitGuard waits until a folder's keep has so many files of a size: the replaced
// versions and the guard copy of the current one.
func awaitGuard(b *testing.B, dir string, size, want int) {
	b.Helper()
	wait(b, 3*time.Minute, "a guard copy", func() bool {
		list, err := os.ReadDir(filepath.Join(dir, ".inselnetz", "keep", "loose"))
		ok(b, err)
		n := 0
		for _, e := range list {
			if i, err := e.Info(); err == nil && i.Size() == int64(size) {
				n++
			}
		}
		return n >= want
	})
	time.Sleep(2 * time.Second) // it is flushed
}

// mounted returns a directory on a file system of its own kind, in a file; it
// needs root, and the tools that make it.
func mounted(b *testing.B, kind string) string {
	b.Helper()
	dir := benchDir(b)
	if _, err := exec.LookPath("mkfs." + kind); err != nil || os.Getuid() != 0 {
		b.Skipf("needs root and mkfs.%s", kind)
	}
	img, at := filepath.Join(dir, "image"), filepath.Join(dir, "on")
	ok(b, os.WriteFile(img, nil, 0o600))
	ok(b, os.Truncate(img, 100<<30)) // sparse; large, as what is kept may take a tenth
	make := []string{"-q", img}
	if kind == "ext4" {
		make = append([]string{"-T", "largefile"}, make...) // few inodes, or it goes on making them
	}
	run1(b, "mkfs."+kind, make...)
	ok(b, os.Mkdir(at, 0o755))
	run1(b, "mount", "-o", "loop", img, at)
	b.Cleanup(func() { // after the programs ended
		run1(b, "umount", at)
		ok(b, os.Remove(img))
	})
	return at
}

// loopback is how many bytes went over the loopback interface, whoever's they are.
func loopback(b *testing.B) (n int64) {
	b.Helper()
	raw, err := os.ReadFile("/sys/class/net/lo/statistics/tx_bytes")
	ok(b, err)
	_, err = fmt.Sscan(string(raw), &n)
	ok(b, err)
	return n
}

// BenchmarkFilesSave measures from the end of a save of 10 KB on one PC until the
// other's disk has the new content, by both ways programs save.
func BenchmarkFilesSave(b *testing.B) {
	dir := benchDir(b)
	all := nodes(b, dir, 2)
	ours := saves(b, filesDir(all[0]), filesDir(all[1]), 40, 10*time.Second)
	st := stocks(b, dir)
	theirs := saves(b, st[0].dir, st[1].dir, 5, time.Minute)
	for b.Loop() {
	}
	b.ReportMetric(percentile(ours, .5), "ours-p50-ms")
	b.ReportMetric(percentile(ours, .95), "ours-p95-ms")
	b.ReportMetric(percentile(theirs, .5), "syncthing-p50-ms")
	b.ReportMetric(0, "ns/op")
}

func saves(b *testing.B, from, to string, n int, limit time.Duration) (took []time.Duration) {
	b.Helper()
	data := make([]byte, 10<<10)
	for i := range n {
		name := fmt.Sprintf("Brief %d.odt", i%8)
		_, _ = bytesOf.Read(data)
		want := sha256.Sum256(data)
		path := filepath.Join(from, name)
		if i%2 == 0 { // as editors do: a new file takes the place of the old one
			ok(b, os.WriteFile(filepath.Join(from, ".neu.tmp"), data, 0o644))
			ok(b, os.Rename(filepath.Join(from, ".neu.tmp"), path))
		} else {
			ok(b, os.WriteFile(path, data, 0o644))
		}
		start := time.Now()
		for {
			got, err := os.ReadFile(filepath.Join(to, name))
			if err == nil && sha256.Sum256(got) == want {
				break
			}
			if err == nil && len(got) != len(data) {
				b.Errorf("%d bytes of a file of %d were visible", len(got), len(data))
			}
			if time.Since(start) > limit {
				b.Fatalf("%s did not come within %v", name, limit)
			}
			time.Sleep(time.Millisecond)
		}
		took = append(took, time.Since(start))
		time.Sleep(400 * time.Millisecond)
	}
	return took
}

// BenchmarkFilesIdle keeps 100,000 files and does nothing, for a minute that holds
// the first housekeeping and for one after it. Housekeeping comes every ten minutes.
func BenchmarkFilesIdle(b *testing.B) {
	dir := benchDir(b)
	all := nodes(b, dir, 2)
	t := tree{100_000, 4096}
	src := filepath.Join(dir, "src")
	t.make(b, src)
	oursWay(all...).run(b, src, "run", t)
	time.Sleep(25 * time.Second) // memory is given back 20 s after work
	for b.Loop() {
	}
	for _, window := range []string{"house", "later"} {
		const idle = time.Minute
		before := []time.Duration{cpuOf(b, all[0].cmd.Process.Pid), cpuOf(b, all[1].cmd.Process.Pid)}
		time.Sleep(idle)
		for i, p := range all {
			spent := cpuOf(b, p.cmd.Process.Pid) - before[i]
			b.Logf("%s, node %d: processor %v, memory %d MiB", window, i, spent, rss(b, p)>>10)
			b.ReportMetric(100*float64(spent)/float64(idle), fmt.Sprintf("node%d-%s-percent", i, window))
			b.ReportMetric(float64(rss(b, p))/1024, fmt.Sprintf("node%d-%s-MiB", i, window))
		}
	}
	b.ReportMetric(0, "ns/op")
}

// rss is the memory of a program in KiB.
func rss(b *testing.B, p *process) (kb int) {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	ok(b, err)
	_, rest, _ := bytes.Cut(raw, []byte("VmRSS:"))
	_, err = fmt.Sscan(string(rest), &kb)
	ok(b, err)
	return kb
}
