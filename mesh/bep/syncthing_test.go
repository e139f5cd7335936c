package bep

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"
)

// A stock is a real Syncthing with a folder.
type stock struct {
	t      *testing.T
	home   string
	dir    string
	id     DeviceID
	gui    string // its API
	listen string
	cmd    *exec.Cmd
	out    bytes.Buffer
}

var stockConfig = template.Must(template.New("").Parse(`<configuration version="35">
<folder id="office" label="Office" path="{{.Dir}}" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="1" autoNormalize="true">
<filesystemType>basic</filesystemType><device id="{{.Own}}"></device><device id="{{.Other}}"></device><minDiskFree unit="%">0</minDiskFree><maxConflicts>10</maxConflicts>
</folder>
<device id="{{.Own}}" name="stock" compression="metadata"><address>dynamic</address></device>
<device id="{{.Other}}" name="gateway" compression="{{.Compression}}"><address>tcp://{{.Addr}}</address></device>
<gui enabled="true" tls="false"><address>{{.GUI}}</address><apikey>test</apikey></gui>
<options><listenAddress>tcp://{{.Listen}}</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled>
<localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled>
<reconnectionIntervalS>1</reconnectionIntervalS><startBrowser>false</startBrowser><urAccepted>-1</urAccepted>
<autoUpgradeIntervalH>0</autoUpgradeIntervalH><crashReportingEnabled>false</crashReportingEnabled>
<stunKeepaliveStartS>0</stunKeepaliveStartS><setLowPriority>false</setLowPriority><announceLANAddresses>false</announceLANAddresses>
</options></configuration>`))

// freePort returns a loopback address where nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// newStock sets a Syncthing up that shares its folder with a node.
func newStock(t *testing.T, n *node, compression string) *stock {
	t.Helper()
	if _, err := exec.LookPath("syncthing"); err != nil {
		t.Skip("needs the program syncthing (apt-get install syncthing)")
	}
	if testing.Short() {
		t.Skip("starts Syncthing: not with -short")
	}
	s := &stock{t: t, home: t.TempDir(), dir: t.TempDir(), gui: freePort(t), listen: freePort(t)}
	n.listen = freePort(t)
	if out, err := exec.Command("syncthing", "generate", "--home="+s.home, "--no-default-folder", "--skip-port-probing").CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(s.home, "cert.pem"), filepath.Join(s.home, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	s.id = IDOf(cert)
	var conf bytes.Buffer
	if err := stockConfig.Execute(&conf, map[string]any{
		"Dir": s.dir, "Own": s.id, "Other": n.id(), "Addr": n.listen, "GUI": s.gui, "Listen": s.listen, "Compression": compression,
	}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.home, "config.xml"), conf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

func (s *stock) start() {
	s.t.Helper()
	s.cmd = exec.Command("syncthing", "serve", "--home="+s.home, "--no-browser")
	s.cmd.Env = append(os.Environ(), "STNOUPGRADE=1", "STNORESTART=1", "STNODEFAULTFOLDER=1", "HOME="+s.home)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stock) stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(os.Interrupt)
	kill := time.AfterFunc(20*time.Second, func() { s.cmd.Process.Kill() })
	s.cmd.Wait()
	kill.Stop()
	s.cmd = nil
	if s.t.Failed() {
		out := s.out.String()
		s.t.Logf("syncthing says:\n%s", out[max(0, len(out)-4000):])
	}
}

// scan has Syncthing look at its folder.
func (s *stock) scan() {
	s.t.Helper()
	var err error
	for range 100 {
		var req *http.Request
		req, err = http.NewRequest("POST", "http://"+s.gui+"/rest/db/scan?folder=office", nil)
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("X-API-Key", "test")
		var res *http.Response
		if res, err = http.DefaultClient.Do(req); err == nil {
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode == 200 {
				return
			}
			err = fmt.Errorf("%s: %s", res.Status, body)
		}
		time.Sleep(100 * time.Millisecond) // it has no way to tell that its API is up
	}
	s.t.Fatalf("scan: %v", err)
}

func (s *stock) write(p, content string) {
	s.t.Helper()
	full := filepath.Join(s.dir, filepath.FromSlash(p))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// shows returns what is in its directory, as memFolder.shows.
func (s *stock) shows() map[string]string {
	out := map[string]string{}
	filepath.WalkDir(s.dir, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it is being changed
		}
		p, _ := filepath.Rel(s.dir, full)
		p = filepath.ToSlash(p)
		switch {
		case p == ".":
		case p == ".stfolder":
			return fs.SkipDir
		case strings.HasPrefix(d.Name(), ".syncthing."):
		case d.IsDir():
			out[p] = "/"
		case d.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(full)
			out[p] = "-> " + target
		default:
			data, _ := os.ReadFile(full)
			out[p] = string(data)
		}
		return nil
	})
	return out
}

// settleStock waits until node and Syncthing show the same and the node knows it.
func settleStock(n *node, s *stock) {
	s.t.Helper()
	n.wait("in sync with Syncthing", func() bool {
		if n.inSync(s.id) && maps.Equal(n.folder.shows(), s.shows()) {
			return true
		}
		time.Sleep(50 * time.Millisecond) // walking its directory all the time would slow it down
		return false
	})
}

// TestSyncthing shares a folder with the real program.
func TestSyncthing(t *testing.T) {
	n := newNode(t)
	s := newStock(t, n, "always")
	n.folder.write("ours.txt", "ours")
	n.folder.write("dir/in it/large", strings.Repeat("0123456789", 300_000))
	n.folder.write("empty", "")
	n.folder.write("Grüße/Käse.txt", "Umlaute")
	s.write("theirs.txt", "theirs")
	s.write("their dir/also large", strings.Repeat("abcdefg", 500_000))
	s.write("script.sh", "#!/bin/sh")
	os.Chmod(filepath.Join(s.dir, "script.sh"), 0o755)
	os.Symlink("theirs.txt", filepath.Join(s.dir, "link"))
	n.start(Device{ID: s.id, Name: "stock"})
	s.start()
	settleStock(n, s)
	if got := n.folder.shows(); got["theirs.txt"] != "theirs" || got["link"] != "-> theirs.txt" || len(got) != 12 {
		t.Fatalf("shows %d: %v", len(got), keys(got))
	}
	if f, _ := n.folder.Look(t.Context(), "script.sh"); !f.Exec {
		t.Error("a script is not executable any more")
	}

	t.Log("changes")
	n.folder.write("ours.txt", "ours, changed")
	s.write("theirs.txt", "theirs, changed")
	s.scan()
	settleStock(n, s)

	t.Log("rename and deletion over there")
	if err := os.Rename(filepath.Join(s.dir, "their dir"), filepath.Join(s.dir, "new dir")); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(s.dir, "ours.txt"))
	s.scan()
	settleStock(n, s)
	if got := n.folder.shows(); got["ours.txt"] != "" || got["new dir/also large"] == "" || got["their dir"] != "" {
		t.Fatalf("shows %v", keys(got))
	}

	t.Log("deletion of a directory here")
	n.folder.remove("new dir")
	settleStock(n, s)

	t.Log("an edit of a part of a large file")
	_, before := n.folder.took()
	text := []byte(strings.Repeat("0123456789", 300_000))
	text[2_000_000]++
	s.write("dir/in it/large", string(text))
	s.scan()
	settleStock(n, s)
	if _, reads := n.folder.took(); reads-before < 2_000_000 {
		t.Errorf("only %d bytes of 3,000,000 were taken from here", reads-before)
	}
	for p, text := range n.folder.shows() {
		if c := n.folder.conflicts(p); len(c) > 1 {
			t.Errorf("conflict at %s: %d bytes shown", p, len(text))
		}
	}
}

// Both changed a file while apart: nobody's bytes are gone.
func TestSyncthingConflict(t *testing.T) {
	n := newNode(t)
	s := newStock(t, n, "metadata")
	n.folder.write("f.txt", "common")
	n.folder.write("g.txt", "common")
	n.folder.write("h.txt", "common")
	n.start(Device{ID: s.id})
	s.start()
	settleStock(n, s)
	n.halt()
	n.folder.write("f.txt", "of the gateway")
	s.write("f.txt", "of the phone")
	n.folder.remove("g.txt")
	s.write("g.txt", "changed by the phone")
	n.folder.write("h.txt", "changed by the gateway")
	os.Remove(filepath.Join(s.dir, "h.txt"))
	s.scan()
	s.stop() // both begin anew
	s.start()
	n.start(Device{ID: s.id})
	settleStock(n, s)
	kept := kept(n)
	for _, w := range []string{"f.txtof the gateway", "f.txtof the phone"} {
		if !kept[w] {
			t.Errorf("%q is lost; shows %v", w, n.folder.shows())
		}
	}
	if c := n.folder.conflicts("f.txt"); len(c) != 2 {
		t.Errorf("no conflict to solve: %q", c)
	}
	if got := n.folder.shows(); got["g.txt"] != "changed by the phone" || got["h.txt"] != "changed by the gateway" {
		t.Errorf("shows %v", got)
	}
}

// 1,000 files each way, both restarted in the middle.
func TestSyncthingThousand(t *testing.T) {
	n := newNode(t)
	s := newStock(t, n, "metadata")
	for i := range 1000 {
		n.folder.write(fmt.Sprintf("ours/%d/%d.txt", i%10, i), fmt.Sprint("ours ", i))
		s.write(fmt.Sprintf("theirs/%d/%d.txt", i%10, i), fmt.Sprint("theirs ", i))
	}
	n.start(Device{ID: s.id, Addrs: []string{"tcp://" + s.listen}}) // both dial
	s.start()
	began := time.Now()
	n.wait("some files", func() bool { puts, _ := n.folder.took(); return puts >= 100 })
	n.halt()
	n.start(Device{ID: s.id, Addrs: []string{"tcp://" + s.listen}}) // both dial
	n.wait("more files", func() bool { puts, _ := n.folder.took(); return puts >= 300 })
	s.stop()
	s.start()
	settleStock(n, s)
	puts, _ := n.folder.took()
	t.Logf("2,000 files with restarts in %v, %d puts", time.Since(began), puts)
	if got := len(n.folder.shows()); got != 2022 {
		t.Errorf("%d paths", got)
	}
	if puts > 1100 {
		t.Errorf("%d puts for 1,000 files", puts)
	}
	n.halt()
	n.start(Device{ID: s.id, Addrs: []string{"tcp://" + s.listen}}) // both dial
	settleStock(n, s)
	if again, _ := n.folder.took(); again != puts {
		t.Errorf("%d puts after a restart", again-puts)
	}
}
