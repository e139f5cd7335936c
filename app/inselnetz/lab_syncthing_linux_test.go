package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// A phone is a host of the lab on which a stock Syncthing runs.
type phone struct {
	t    *testing.T
	host *meshtest.LabHost
	home string
	dir  string // of the folder
	id   string
	cmd  *exec.Cmd
	http *http.Client
}

var phoneConfig = template.Must(template.New("").Parse(`<configuration version="35">
<folder id="{{.Folder}}" label="Kanzlei" path="{{.Dir}}" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="false">
<filesystemType>basic</filesystemType><device id="{{.Own}}"></device><device id="{{.Other}}"></device><minDiskFree unit="%">0</minDiskFree>
</folder>
<device id="{{.Own}}" name="phone"><address>dynamic</address></device>
<device id="{{.Other}}" name="office"><address>tcp://{{.Addr}}</address></device>
<gui enabled="true" tls="false"><address>127.0.0.1:8384</address><apikey>test</apikey></gui>
<options><listenAddress>tcp://0.0.0.0:22000</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled>
<localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled>
<reconnectionIntervalS>1</reconnectionIntervalS><startBrowser>false</startBrowser><urAccepted>-1</urAccepted>
<autoUpgradeIntervalH>0</autoUpgradeIntervalH><crashReportingEnabled>false</crashReportingEnabled>
<stunKeepaliveStartS>0</stunKeepaliveStartS><setLowPriority>false</setLowPriority>
</options></configuration>`))

// newPhone makes a Syncthing with an empty folder, not running yet.
func newPhone(t *testing.T, lab *meshtest.Lab, bridge, addr string) *phone {
	t.Helper()
	p := &phone{t: t, host: lab.Host(false), home: t.TempDir(), dir: t.TempDir()}
	p.host.Plug("eth0", bridge, addr)
	p.http = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return p.host.Dial(ctx, network, addr)
		},
	}}
	if out, err := exec.Command("syncthing", "generate", "--home="+p.home, "--no-default-folder", "--skip-port-probing").CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(p.home, "cert.pem"), filepath.Join(p.home, "key.pem")); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("syncthing", "--home="+p.home, "--device-id").Output()
	if err != nil {
		t.Fatal(err)
	}
	p.id = strings.TrimSpace(string(out))
	return p
}

// start lets it share a folder with another device.
func (p *phone) start(folder, other, addr string) {
	p.t.Helper()
	var conf bytes.Buffer
	if err := phoneConfig.Execute(&conf, map[string]string{"Folder": folder, "Dir": p.dir, "Own": p.id, "Other": other, "Addr": addr}); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.home, "config.xml"), conf.Bytes(), 0o600); err != nil {
		p.t.Fatal(err)
	}
	var said bytes.Buffer
	p.cmd = p.host.Command(context.Background(), "syncthing", "serve", "--home="+p.home, "--no-browser")
	p.cmd.Env = append(os.Environ(), "STNOUPGRADE=1", "STNORESTART=1", "HOME="+p.home)
	p.cmd.Stdout, p.cmd.Stderr = &said, &said
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		p.cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(20*time.Second, func() { p.cmd.Process.Kill() })
		p.cmd.Wait()
		kill.Stop()
		p.http.CloseIdleConnections()
		if p.t.Failed() {
			p.t.Logf("Syncthing said:\n%s", tailOf(said.Bytes(), 3000))
		}
	})
}

// scan has it look at its folder.
func (p *phone) scan() {
	p.t.Helper()
	var last error
	within(p.t, 60*time.Second, "a scan by Syncthing", func() bool {
		req, err := http.NewRequest("POST", "http://127.0.0.1:8384/rest/db/scan", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header.Set("X-API-Key", "test")
		res, err := p.http.Do(req)
		if last = err; err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == 200
	})
	_ = last
}

// files is what lies in its folder, without what is Syncthing's own.
func (p *phone) files() map[string]string {
	out := onDisk(p.t, p.dir)
	for name := range out {
		if strings.HasPrefix(name, ".stfolder/") || strings.Contains(name, ".syncthing.") {
			delete(out, name)
		}
	}
	return out
}

// TestLabSyncthing shares an office's folder with a phone that runs the real
// Syncthing: what it does comes to all, what all do comes to it, and what it does
// too much of waits for a person.
func TestLabSyncthing(t *testing.T) {
	if _, err := exec.LookPath("syncthing"); err != nil {
		t.Skip("needs the program syncthing (apt-get install syncthing)")
	}
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	bin := build(t)
	var pcs [2]*pc
	for i, name := range []string{"nas", "pc"} {
		pcs[i] = newPC(t, bin, lab, "lan", name, fmt.Sprintf("10.76.0.%d/24", i+1))
		pcs[i].start()
	}
	nas, desk := pcs[0], pcs[1]
	cli[api.Status](nas, "found", "--office", "Kanzlei", "--person", "Anna", "--device", "nas")
	join(t, nas, desk, "Bernd")
	for _, p := range pcs {
		within(t, 20*time.Second, p.name+" has a folder", func() bool { return p.shared("") != nil })
	}
	ph := newPhone(t, lab, "lan", "10.76.0.9/24")
	letters(t, nas.folderDir(), 300)
	alike(t, 60*time.Second, onDisk(t, nas.folderDir()), desk)

	space := nas.shared("").Space
	if _, err := call[api.Phones](nas, "phone/set", api.PhoneSet{Space: space, ID: "not an id"}); err == nil {
		t.Error("a bad id is taken")
	}
	phones := must[api.Phones](nas, "phone/set", api.PhoneSet{Space: space, ID: ph.id, Name: "Annas Handy"})
	if len(phones.ID) != 63 || len(phones.Phones) != 1 || phones.Phones[0].Name != "Annas Handy" {
		t.Fatalf("phones %+v", phones)
	}
	within(t, 10*time.Second, "the gateway listens", func() bool {
		return must[api.Phones](nas, "phones", api.Empty{}).Addr == "10.76.0.1:22000"
	})
	os.WriteFile(filepath.Join(ph.dir, "IMG_1.jpg"), []byte("\xff\xd8\xff a photo"), 0o644)
	ph.start("inselnetz-"+strings.ToLower(space), phones.ID, "10.76.0.1:22000")

	together := func(what string) {
		t.Helper()
		took := within(t, 90*time.Second, what, func() bool {
			want := onDisk(t, desk.folderDir())
			return different(want, ph.files()) == 0 && different(want, onDisk(t, nas.folderDir())) == 0
		})
		t.Logf("%s: %v", what, took)
	}
	within(t, 60*time.Second, "the photo is there", func() bool { return onDisk(t, desk.folderDir())["IMG_1.jpg"] != "" })
	together("first exchange")
	within(t, 30*time.Second, "the phone is in sync", func() bool {
		f := nas.shared("").Phones
		return len(f) == 1 && f[0].Connected && f[0].Left == 0 && f[0].Problem == ""
	})

	t.Log("both ways")
	first := onDisk(t, desk.folderDir())
	letter := "Akte 03/Brief 0003.txt"
	os.WriteFile(filepath.Join(ph.dir, letter), []byte("changed on the phone"), 0o644)
	os.Remove(filepath.Join(ph.dir, "Akte 04/Brief 0004.txt"))
	os.WriteFile(filepath.Join(desk.folderDir(), "Akte 05/Brief 0005.txt"), []byte("changed on the PC"), 0o644)
	ph.scan()
	within(t, 60*time.Second, "the change is there", func() bool {
		b, _ := os.ReadFile(filepath.Join(desk.folderDir(), letter))
		_, err := os.Stat(filepath.Join(desk.folderDir(), "Akte 04/Brief 0004.txt"))
		return string(b) == "changed on the phone" && os.IsNotExist(err)
	})
	together("changes")

	t.Log("the brake")
	before := onDisk(t, desk.folderDir())
	for i := range 15 {
		if err := os.RemoveAll(filepath.Join(ph.dir, fmt.Sprintf("Akte %02d", i))); err != nil {
			t.Fatal(err)
		}
	}
	ph.scan()
	within(t, 60*time.Second, "the phone is held", func() bool { return len(nas.shared("").Holds) == 1 })
	h := nas.shared("").Holds[0]
	if h.Phone != ph.id || h.Name != "Annas Handy" || h.Files < 200 {
		t.Errorf("hold %+v", h)
	}
	if n := different(before, onDisk(t, desk.folderDir())); n > 0 {
		t.Errorf("%d files changed in spite of the brake", n)
	}
	must[api.Folder](nas, "files/hold", api.HoldDecide{Space: space, Device: h.Phone, Accept: false})
	together("put back on the phone")
	// What it did in the minutes before is put back too.
	first["Akte 05/Brief 0005.txt"] = before["Akte 05/Brief 0005.txt"]
	if n := different(first, ph.files()); n > 0 {
		t.Errorf("on the phone %s", differences(first, ph.files()))
	}

	must[api.Phones](nas, "phone/remove", api.PhoneSet{Space: space, ID: ph.id})
	within(t, 10*time.Second, "no phone any more", func() bool { return len(nas.shared("").Phones) == 0 })
}
