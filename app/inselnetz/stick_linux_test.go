package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inselnetz/app/api"
)

// A lone node runs on loopback where no other hears it.
type lone struct {
	t      *testing.T
	bin    string
	dir    string
	beacon int
	port   int // 0: the usual one
	cmd    *exec.Cmd
}

func (n *lone) start() {
	n.t.Helper()
	n.cmd = exec.Command(n.bin, "serve", "--data", filepath.Join(n.dir, "data"), "--state", filepath.Join(n.dir, "state"),
		"--loopback", "--secrets", "file", "--beacon-port", fmt.Sprint(n.beacon), "--port", fmt.Sprint(n.port), "--page", "127.0.0.1:0")
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.until("it answers", func() bool {
		_, err := n.ask("status", api.Empty{}, nil)
		return err == nil
	})
}

// end stops it by a signal; os.Kill is what a power cut does to a program.
func (n *lone) end(how os.Signal) {
	if n.cmd != nil {
		_ = n.cmd.Process.Signal(how)
		_ = n.cmd.Wait()
		n.cmd = nil
	}
}

func (n *lone) client() (*client, error) {
	return (&env{data: filepath.Join(n.dir, "data"), lang: "en"}).client()
}

func (n *lone) ask(call string, req, res any) (any, error) {
	c, err := n.client()
	if err != nil {
		return nil, err
	}
	raw, err := ask[json.RawMessage](n.t.Context(), c, call, req)
	if err == nil && res != nil {
		err = json.Unmarshal(raw, res)
	}
	return res, err
}

func (n *lone) must(call string, req, res any) {
	n.t.Helper()
	if _, err := n.ask(call, req, res); err != nil {
		n.t.Fatal(call, err)
	}
}

func (n *lone) until(what string, holds func() bool) {
	n.t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatal("never: ", what)
		}
	}
}

func (n *lone) stick(method string, body io.Reader) ([]byte, error) {
	c, err := n.client()
	if err != nil {
		return nil, err
	}
	res, err := c.request(context.Background(), method, stickPath, body)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, raw)
	}
	return raw, err
}

func (n *lone) messages() int {
	n.t.Helper()
	var out api.Messages
	n.must("messages", api.MessagesAsk{Limit: 1}, &out)
	return out.Total
}

// TestStickKilled: a node is killed in the middle of an import. What it took is
// there, and the same file once more brings the rest and nothing twice.
func TestStickKilled(t *testing.T) {
	bin := build(t)
	a, b := &lone{t: t, bin: bin, dir: t.TempDir(), beacon: 24811}, &lone{t: t, bin: bin, dir: t.TempDir(), beacon: 24811}
	for _, n := range []*lone{a, b} {
		n.start()
		defer func() { n.end(os.Kill) }()
	}
	a.must("found", api.Found{Office: "Kanzlei", Person: "Anke", Device: "PC"}, nil)
	var invite api.InviteState
	a.must("invite/open", api.Invite{Role: "member", Link: true, Hours: 1}, &invite)
	b.must("join", api.Join{Link: invite.Link, Person: "Emre", Device: "Laptop"}, nil)
	member := func() bool {
		var j api.JoinState
		b.must("join/state", api.Empty{}, &j)
		if j.Step == "words" {
			b.must("join/confirm", api.JoinConfirm{Same: true}, nil)
		}
		var st api.Status
		b.must("status", api.Empty{}, &st)
		return st.Phase == api.PhaseMember
	}
	b.until("the other is in", member)
	a.end(os.Interrupt)
	b.end(os.Interrupt)
	b.beacon++ // from now on neither hears the other, nor knows where it is
	a.port, b.port = 24813, 24814
	a.start()
	b.start()

	const many = 400
	text := strings.Repeat("Fristen und Termine ", 600)
	for i := range many {
		a.must("post", api.Post{Text: fmt.Sprint(i, " ", text)}, nil)
	}
	file, err := a.stick(http.MethodGet, nil)
	if err != nil {
		t.Fatal(err)
	}
	hold, give := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := b.stick(http.MethodPut, hold)
		ended <- err
	}()
	if _, err := give.Write(file[:len(file)*2/3]); err != nil {
		t.Fatal(err)
	}
	b.until("some of it came", func() bool {
		var st api.Stick
		b.must("stick", api.StickAsk{}, &st)
		return st.Going == "import" && st.Done > many/3
	})
	b.end(os.Kill)
	_ = give.CloseWithError(io.ErrClosedPipe)
	if err := <-ended; err == nil {
		t.Error("an import of a node that was killed ends well")
	}
	b.start()
	before := b.messages()
	if before == 0 || before >= many {
		t.Errorf("%d of %d messages after the kill", before, many)
	}
	for _, fresh := range []int{many - before, 0} {
		raw, err := b.stick(http.MethodPut, bytes.NewReader(file))
		var got api.StickBrought
		if err == nil {
			err = json.Unmarshal(raw, &got)
		}
		if err != nil || got.New.Messages != fresh || len(got.Refused) > 0 || got.Error != nil || b.messages() != many {
			t.Errorf("then it brought %+v, %v; %d messages", got, err, b.messages())
		}
	}
}
