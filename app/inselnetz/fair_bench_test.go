//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"inselnetz/app/api"
)

// sized returns the size that an environment variable names.
func sized(b *testing.B, name string, usual int) int {
	b.Helper()
	s := os.Getenv(name)
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	ok(b, err)
	return n
}

// BenchmarkFair measures chat between two devices, both ways, from the API call on
// the one to the event on the other: first while nothing else goes on, then while
// a third that has just joined pulls all messages and a large file from both. All
// three share the processor and the disk of one machine, which three PCs do not:
// FAIR_APART=DIR has the third keep its data there, on another disk or in memory,
// and take only the processor time that the others leave. FAIR_ENTRIES and FAIR_MIB
// make it smaller. FAIR_KEEP=DIR keeps the office of the two for the next run: a
// million messages take minutes to write.
func BenchmarkFair(b *testing.B) {
	dir := benchDir(b)
	n, t := sized(b, "FAIR_ENTRIES", 1_000_000), tree{1, sized(b, "FAIR_MIB", 1024) << 20}
	office := fairOffice(b, dir, n, t)
	calm(b, []int{office[0].cmd.Process.Pid, office[1].cmd.Process.Pid})
	c := newChatter(b, office)
	for b.Loop() {
	}
	c.talk(10*time.Second, "quiet")

	third := &process{b: b, data: filepath.Join(dir, "third", "data")}
	if apart := os.Getenv("FAIR_APART"); apart != "" {
		own, err := os.MkdirTemp(apart, "third")
		ok(b, err)
		b.Cleanup(func() { _ = os.RemoveAll(own) })
		third.data, third.under = filepath.Join(own, "data"), []string{"nice", "-n", "19"}
	}
	third.begin()
	letIn(b, office[0], third)
	start := time.Now()
	pulled := make(chan time.Duration, 1)
	ctx, stop := context.WithTimeout(b.Context(), 10*time.Minute)
	defer stop()
	go func() {
		for ctx.Err() == nil && (!hasAll(third, n) || !hasFolder(third) || !t.full(filepath.Join(filesDir(third), "large", "d0000"), 1)) {
			time.Sleep(200 * time.Millisecond) // asked seldom, so that asking costs nothing
		}
		pulled <- time.Since(start)
	}()
	took := c.until(pulled, "pulled")
	if ctx.Err() != nil {
		b.Fatalf("the third device has not all after %v", took)
	}
	b.ReportMetric(took.Seconds(), "pull-s")
	b.ReportMetric(cpuOf(b, third.cmd.Process.Pid).Seconds()/took.Seconds()*100, "third-percent")
	for name, p := range map[string]*process{"first": office[0], "second": office[1], "third": third} {
		b.ReportMetric(peak(b, p), name+"-peak-MiB")
	}
	b.ReportMetric(0, "ns/op")
	if hits := do[api.Hits](third, "search", api.Search{Text: fmt.Sprintf("nachricht %d", n-1)}).Hits; len(hits) != 1 {
		b.Fatalf("the third device finds %d last messages", len(hits))
	}
	equal(b, filepath.Join(filesDir(office[0]), "large"), filepath.Join(filesDir(third), "large"))
}

// fairOffice starts two devices that have n messages and a tree of files.
func fairOffice(b *testing.B, dir string, n int, t tree) []*process {
	b.Helper()
	kept := ""
	if keep := os.Getenv("FAIR_KEEP"); keep != "" {
		dir = filepath.Join(keep, fmt.Sprintf("%d-%d", n, t.size))
		kept = filepath.Join(dir, "whole")
	}
	data := []string{filepath.Join(dir, "first", "data"), filepath.Join(dir, "second", "data")}
	if _, err := os.Stat(kept); kept != "" && err == nil {
		office := []*process{newProcess(b, data[0]), newProcess(b, data[1])}
		for _, p := range office {
			wait(b, time.Minute, "both to be there", func() bool { return do[api.Status](p, "status", api.Empty{}).DevicesHere == 2 })
		}
		return office
	}
	start := time.Now()
	filledIn(b, filepath.Dir(data[0]), n)
	b.Logf("%d messages written in %.1f s", n, time.Since(start).Seconds())
	office := []*process{newProcess(b, data[0]), newProcess(b, data[1])}
	letIn(b, office[0], office[1])
	wait(b, 5*time.Minute, "the second device to have all messages", func() bool { return hasAll(office[1], n) })
	for _, p := range office {
		wait(b, 30*time.Second, "a folder", func() bool { return hasFolder(p) })
	}
	src := filepath.Join(dir, "src")
	t.make(b, src)
	ok(b, os.Rename(src, filepath.Join(filesDir(office[1]), "large")))
	t.await(b, filepath.Join(filesDir(office[0]), "large"), 5*time.Minute)
	if kept != "" {
		ok(b, os.WriteFile(kept, nil, 0o600))
	}
	return office
}

func hasAll(p *process, n int) bool {
	m, err := ask[api.Messages](p.b.Context(), p.client, "messages", api.MessagesAsk{Limit: 1})
	return err == nil && m.Total >= n
}

func hasFolder(p *process) bool {
	f := do[api.Folders](p, "files/folders", api.Empty{}).Folders
	return len(f) > 0 && f[0].Dir != ""
}

// peak is the most memory that a program had, in MiB.
func peak(b *testing.B, p *process) (mib float64) {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	ok(b, err)
	_, rest, _ := bytes.Cut(raw, []byte("VmHWM:"))
	_, err = fmt.Sscan(string(rest), &mib)
	ok(b, err)
	return mib / 1024
}

// A chatter posts on one of two devices in turn and notes how long a message takes
// to the other.
type chatter struct {
	b       *testing.B
	office  []*process
	arrived [2]chan time.Time
	total   int // messages in the channel
}

func newChatter(b *testing.B, office []*process) *chatter {
	c := &chatter{b: b, office: office, total: do[api.Messages](office[0], "messages", api.MessagesAsk{Limit: 1}).Total}
	ctx, stop := context.WithCancel(b.Context())
	var streams sync.WaitGroup
	for i, p := range office {
		c.arrived[i] = make(chan time.Time, 10_000)
		streams.Go(func() {
			_ = p.events(ctx, func(e api.Event) error { // it ends with ctx; a lost one shows as no event
				if e.What == "channel" {
					c.arrived[i] <- time.Now()
				}
				return nil
			})
		})
	}
	b.Cleanup(func() { stop(); streams.Wait() })
	return c
}

// one posts on the i-th device and returns how long it took until that was saved,
// and until the other one said so.
func (c *chatter) one(i int) (saved, told time.Duration) {
	to, arrived := c.office[1-i], c.arrived[1-i]
	for len(arrived) > 0 {
		<-arrived
	}
	start := time.Now()
	do[api.Message](c.office[i], "post", api.Post{Text: fmt.Sprintf("%0120d", c.total)})
	saved = time.Since(start)
	c.total++
	for {
		select {
		case at := <-arrived:
			told = at.Sub(start)
		case <-time.After(30 * time.Second):
			c.b.Fatal("no event within 30 s")
		}
		if do[api.Messages](to, "messages", api.MessagesAsk{Limit: 1}).Total >= c.total {
			return saved, told
		}
	}
}

// talk posts every 50 ms for some time, until posts until something happened.
func (c *chatter) talk(length time.Duration, name string) {
	over := make(chan time.Duration, 1)
	defer time.AfterFunc(length, func() { over <- length }).Stop()
	c.until(over, name)
}

func (c *chatter) until(over <-chan time.Duration, name string) time.Duration {
	c.b.Helper()
	var saved, told []time.Duration
	pids := []int{c.office[0].cmd.Process.Pid, c.office[1].cmd.Process.Pid}
	before, start := cpuOf(c.b, pids...), time.Now()
	for i := 0; ; i++ {
		s, t := c.one(i % 2)
		saved, told = append(saved, s), append(told, t)
		select {
		case took := <-over:
			c.b.ReportMetric(float64(len(told)), name+"-messages")
			c.b.ReportMetric(100*float64(cpuOf(c.b, pids...)-before)/float64(time.Since(start)), name+"-both-percent")
			c.b.ReportMetric(percentile(saved, .99), name+"-saved-p99-ms")
			for p, as := range map[float64]string{.5: "p50", .99: "p99", 1: "max"} {
				c.b.ReportMetric(percentile(told, p), name+"-"+as+"-ms")
			}
			return took
		case <-time.After(50 * time.Millisecond):
		}
	}
}
