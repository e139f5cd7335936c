package oracle

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// A node is a child process that answers requests, one line of JSON each. It is
// for one goroutine at a time.
type node struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// errPanic is the answer of a child that died of its request.
var errPanic = errors.New("the other program panicked")

// startNode starts the child, or skips the test where Node or its packages are
// not set up (build/setup.sh test).
func startNode(t testing.TB) *node {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no node")
	}
	if _, err := os.Stat("node_modules/@automerge/automerge"); err != nil {
		t.Skip("npm packages are not installed: build/setup.sh test")
	}
	n := &node{}
	n.start(t, "node", "child.mjs")
	return n
}

func (n *node) start(t testing.TB, name string, args ...string) {
	t.Helper()
	n.cmd = exec.Command(name, args...)
	n.cmd.Stderr = io.Discard
	in, err := n.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n.in, n.out = in, bufio.NewReaderSize(out, 1<<20)
	cmd := n.cmd
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
}

// ask sends a request and reads the answer into reply. A request after which the
// child is gone answers errPanic; the next one needs a new child.
func (n *node) ask(cmd string, request map[string]any, reply any) error {
	line := map[string]any{"cmd": cmd}
	for k, v := range request {
		line[k] = v
	}
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err := n.in.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("%w: %w", errPanic, err)
	}
	answer, err := n.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%w: %w", errPanic, err)
	}
	var got struct {
		OK    json.RawMessage
		Error string
		Panic bool
		Stack string
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return err
	}
	switch {
	case got.Panic:
		return fmt.Errorf("%w: %s", errPanic, got.Error)
	case got.Error != "":
		return fmt.Errorf("%s\n%s", got.Error, got.Stack)
	case reply == nil:
		return nil
	}
	return json.Unmarshal(got.OK, reply)
}

// must is ask for what cannot fail.
func (n *node) must(t testing.TB, cmd string, request map[string]any, reply any) {
	t.Helper()
	if err := n.ask(cmd, request, reply); err != nil {
		t.Fatal(err)
	}
}
