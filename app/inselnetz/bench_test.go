package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"inselnetz/app"
	"inselnetz/app/api"
	"inselnetz/mesh"
	"inselnetz/mesh/lan"
)

// A process is the program running with a data directory on loopback.
type process struct {
	b     *testing.B
	data  string
	cmd   *exec.Cmd
	under []string // a program that runs it, and its arguments
	log   bytes.Buffer
	*client
}

func newProcess(b *testing.B, data string) *process {
	b.Helper()
	p := &process{b: b, data: data}
	p.begin()
	return p
}

// begin starts the program and returns when its API answers.
func (p *process) begin() {
	p.b.Helper()
	args := append(slices.Clone(p.under), inselnetz(p.b), "serve", "--secrets", "file", "--data", p.data, "--loopback", "--page", "127.0.0.1:0", "--lang", "en")
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), "INSELNETZ_STATE="+filepath.Join(filepath.Dir(p.data), "state"))
	p.cmd.Stderr = &p.log
	_ = os.Remove(filepath.Join(p.data, contactFile))
	ok(p.b, p.cmd.Start())
	p.b.Cleanup(p.end)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		c, err := (&env{data: p.data, lang: "en"}).client()
		if err == nil {
			if _, err = ask[api.Status](p.b.Context(), c, "status", api.Empty{}); err == nil {
				p.client = c
				return
			}
		}
		time.Sleep(2 * time.Millisecond) // a start cannot be awaited from outside
	}
	p.b.Fatalf("the program does not start:\n%s", p.log.String())
}

func (p *process) end() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "inselnetz-bench")
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "inselnetz")
	cmd := exec.Command("go", "build", "-trimpath", "-o", out, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	msg, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, msg)
	}
	return out, nil
})

func inselnetz(b *testing.B) string {
	b.Helper()
	path, err := program()
	ok(b, err)
	return path
}

func ok(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func do[Res any](p *process, name string, req any) Res {
	p.b.Helper()
	res, err := ask[Res](p.b.Context(), p.client, name, req)
	ok(p.b, err)
	return res
}

// wait asks until it is so.
func wait(b *testing.B, limit time.Duration, what string, is func() bool) {
	b.Helper()
	for deadline := time.Now().Add(limit); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// letIn joins guest to host by the number path.
func letIn(b *testing.B, host, guest *process) {
	b.Helper()
	do[api.InviteState](host, "invite/open", api.Invite{})
	wait(b, 20*time.Second, "a door", func() bool { return len(do[api.Doors](guest, "doors", api.Empty{}).Doors) > 0 })
	do[api.JoinState](guest, "join", api.Join{Person: "Emre", Device: "guest"})
	var st api.JoinState
	step := func(s string) func() bool {
		return func() bool { st = do[api.JoinState](guest, "join/state", api.Empty{}); return st.Step == s }
	}
	wait(b, 20*time.Second, "a number", step("number"))
	do[api.InviteState](host, "invite/type", api.InviteType{Number: st.Number})
	wait(b, 20*time.Second, "the words", step("words"))
	do[api.JoinState](guest, "join/confirm", api.JoinConfirm{Same: true})
}

// filled makes a data directory with an office and n messages.
func filled(b *testing.B, n int) string {
	b.Helper()
	return filledIn(b, b.TempDir(), n)
}

func filledIn(b *testing.B, dir string, n int) string {
	b.Helper()
	data := filepath.Join(dir, "data")
	ctx, stop := context.WithCancel(context.Background())
	ws, err := app.Open(ctx, data, app.Options{
		Unsafe: true, State: filepath.Join(dir, "state"),
		Net: func(ctx context.Context, key ed25519.PrivateKey) (mesh.Transport, error) {
			return lan.New(ctx, lan.Options{Key: key, Loopback: true, Log: slog.New(slog.DiscardHandler)})
		},
	})
	ok(b, err)
	ended := make(chan error, 1)
	go func() { ended <- ws.Run(ctx) }()
	ok(b, ws.Found(ctx, "Kanzlei", "Anke", "host"))
	for i := range n {
		_, err := ws.Post(ctx, app.Draft{Text: fmt.Sprintf("Nachricht %d: die Frist in der Sache %d gegen %d endet heute um 24 Uhr", i, i%977, i%31)})
		ok(b, err)
	}
	stop()
	ok(b, <-ended)
	ok(b, ws.Close())
	return data
}

func percentile(d []time.Duration, p float64) float64 {
	slices.Sort(d)
	return d[min(int(float64(len(d))*p), len(d)-1)].Seconds() * 1000
}

// BenchmarkMessage measures from the API call on one node to the event on the
// other, both full programs on one disk, and beside it a raw TCP echo of the
// same bytes. Posts are 100 ms apart, more than any office writes.
func BenchmarkMessage(b *testing.B) {
	a := newProcess(b, filepath.Join(b.TempDir(), "a"))
	do[api.Status](a, "found", api.Found{Office: "Kanzlei", Person: "Anke"})
	guest := newProcess(b, filepath.Join(b.TempDir(), "b"))
	letIn(b, a, guest)
	wait(b, 20*time.Second, "both to be there", func() bool { return do[api.Status](guest, "status", api.Empty{}).DevicesHere == 2 })
	arrived := make(chan time.Time, 1000)
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- guest.events(ctx, func(e api.Event) error {
			if e.What == "channel" {
				arrived <- time.Now()
			}
			return nil
		})
	}()
	echo := tcpEcho(b)
	var event, post, raw []time.Duration
	text := fmt.Sprintf("%0120d", 7)
	for b.Loop() {
		for len(arrived) > 0 {
			<-arrived
		}
		start := time.Now()
		do[api.Message](a, "post", api.Post{Text: text})
		post = append(post, time.Since(start))
		select {
		case at := <-arrived:
			event = append(event, at.Sub(start))
		case <-time.After(10 * time.Second):
			b.Fatal("no event within 10 s")
		}
		raw = append(raw, echo(text))
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	<-ended
	b.ReportMetric(percentile(event, .5), "event-p50-ms")
	b.ReportMetric(percentile(event, .99), "event-p99-ms")
	b.ReportMetric(percentile(post, .5), "saved-p50-ms")
	b.ReportMetric(percentile(raw, .5), "tcp-echo-p50-ms")
	b.ReportMetric(percentile(raw, .99), "tcp-echo-p99-ms")
	b.ReportMetric(0, "ns/op")
}

// tcpEcho returns a function that sends a text over loopback TCP and waits for
// it to come back.
func tcpEcho(b *testing.B) func(string) time.Duration {
	b.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	ok(b, err)
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, _ = io.Copy(c, c)
		}
	}()
	c, err := net.Dial("tcp4", l.Addr().String())
	ok(b, err)
	b.Cleanup(func() { _ = c.Close() })
	return func(s string) time.Duration {
		buf := make([]byte, len(s))
		start := time.Now()
		_, err := io.WriteString(c, s)
		ok(b, err)
		_, err = io.ReadFull(c, buf)
		ok(b, err)
		return time.Since(start)
	}
}

const backlog = 100_000

// BenchmarkBacklog measures how long a device that just joined takes to have
// 100,000 messages, searchable. BenchmarkStart measures from starting the
// program with them to the first page.
func BenchmarkBacklog(b *testing.B) {
	data := filled(b, backlog)
	host := newProcess(b, data)
	var took []time.Duration
	for b.Loop() {
		guest := newProcess(b, filepath.Join(b.TempDir(), "guest"))
		letIn(b, host, guest)
		start := time.Now()
		wait(b, 2*time.Minute, "all messages", func() bool {
			p, err := ask[api.Messages](b.Context(), guest.client, "messages", api.MessagesAsk{Limit: 1})
			return err == nil && p.Total == backlog
		})
		took = append(took, time.Since(start))
		if n := len(do[api.Hits](guest, "search", api.Search{Text: "nachricht 99999"}).Hits); n != 1 {
			b.Fatalf("%d hits", n)
		}
		guest.end()
	}
	b.ReportMetric(percentile(took, .5)/1000, "s/backlog")
	b.ReportMetric(backlog/(percentile(took, .5)/1000), "messages/s")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkStart(b *testing.B) {
	data := filled(b, backlog)
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		p := newProcess(b, data)
		page := do[api.Messages](p, "messages", api.MessagesAsk{})
		took = append(took, time.Since(start))
		if page.Total != backlog || len(page.Messages) != 50 {
			b.Fatalf("first page has %d of %d", len(page.Messages), page.Total)
		}
		p.end()
	}
	b.ReportMetric(percentile(took, .5)/1000, "s/start")
	b.ReportMetric(0, "ns/op")
}
