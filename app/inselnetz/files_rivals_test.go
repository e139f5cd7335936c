//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"inselnetz/app/api"
)

// A copied is one copy of a tree: how long until all of it could be read there, until
// it was on disk, until the sender was told so, and the processor time of both ends.
type copied struct{ visible, durable, told, cpu time.Duration }

// A way brings a tree that lies at src to a fresh place. It may take src away.
type way struct {
	name string
	run  func(b *testing.B, src, name string, t tree) copied
}

// A tree is files of one size, a hundred in each directory.
type tree struct{ files, size int }

const perDir = 100

func (t tree) dirs() int { return (t.files + perDir - 1) / perDir }

// bytesOf is not repeated, so that nobody can know a file's content from before.
var bytesOf = rand.NewChaCha8([32]byte{byte(time.Now().UnixNano()), byte(time.Now().UnixNano() >> 8), byte(time.Now().UnixNano() >> 16)})

// make writes a tree with new content and waits until the disk has it.
func (t tree) make(b *testing.B, dir string) {
	b.Helper()
	buf := make([]byte, min(t.size, 1<<20))
	for i := range t.files {
		sub := filepath.Join(dir, fmt.Sprintf("d%04d", i/perDir))
		if i%perDir == 0 {
			ok(b, os.MkdirAll(sub, 0o755))
		}
		f, err := os.Create(filepath.Join(sub, fmt.Sprintf("f%02d.bin", i%perDir)))
		ok(b, err)
		for left := t.size; left > 0; left -= len(buf) {
			_, _ = bytesOf.Read(buf)
			_, err := f.Write(buf[:min(left, len(buf))])
			ok(b, err)
		}
		ok(b, f.Close())
	}
	sync2(b, dir)
}

// await returns when all of a tree can be read at dir.
func (t tree) await(b *testing.B, dir string, limit time.Duration) {
	b.Helper()
	deadline := time.Now().Add(limit)
	for d := range t.dirs() {
		sub := filepath.Join(dir, fmt.Sprintf("d%04d", d))
		want := min(perDir, t.files-d*perDir)
		for !t.full(sub, want) {
			if time.Now().After(deadline) {
				b.Fatalf("%s does not fill within %v", sub, limit)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func (t tree) full(sub string, want int) bool {
	list, err := os.ReadDir(sub)
	if err != nil || len(list) < want {
		return false
	}
	n := 0
	for _, e := range list {
		if strings.HasPrefix(e.Name(), "f") {
			n++
		}
	}
	if t.size > 16<<20 { // large ones are few; an empty name would not be enough
		for _, e := range list {
			if i, err := e.Info(); err != nil || i.Size() != int64(t.size) {
				return false
			}
		}
	}
	return n == want
}

// sync2 flushes the file system a path is on.
func sync2(b *testing.B, path string) {
	b.Helper()
	run1(b, "sync", "-f", path)
}

func run1(b *testing.B, name string, args ...string) *os.ProcessState {
	b.Helper()
	cmd := exec.Command(name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return cmd.ProcessState
}

// cpuOf is the processor time of processes and of their children that ended.
func cpuOf(b *testing.B, pids ...int) (sum time.Duration) {
	b.Helper()
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		ok(b, err)
		_, rest, _ := strings.Cut(string(stat), ") ")
		for _, v := range strings.Fields(rest)[11:15] { // user and system time, own and children's
			n, err := strconv.ParseInt(v, 10, 64)
			ok(b, err)
			sum += time.Duration(n) * time.Second / 100 // USER_HZ
		}
	}
	return sum
}

// byCommand is a way that one program does, until it ends; servers are the pids of
// those it talks to.
func byCommand(dst string, servers []int, args func(src, name string) []string) func(*testing.B, string, string, tree) copied {
	return func(b *testing.B, src, name string, t tree) copied {
		b.Helper()
		before := cpuOf(b, servers...)
		a := args(src, name)
		start := time.Now()
		st := run1(b, a[0], a[1:]...)
		visible := time.Since(start)
		sync2(b, dst)
		r := copied{visible: visible, durable: time.Since(start), cpu: st.UserTime() + st.SystemTime()}
		time.Sleep(50 * time.Millisecond) // the server's children end and are counted
		r.cpu += cpuOf(b, servers...) - before
		if t.full(filepath.Join(dst, name, "d0000"), min(perDir, t.files)) {
			return r
		}
		b.Fatalf("%v did not copy", a)
		return r
	}
}

// server starts a program that stays until the benchmark ends.
func server(b *testing.B, env []string, name string, args ...string) int {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	ok(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if b.Failed() {
			b.Logf("%s said:\n%s", name, out.String()[max(0, out.Len()-4000):])
		}
	})
	return cmd.Process.Pid
}

func freeAddr(b *testing.B) (addr, port string) {
	b.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	ok(b, err)
	defer l.Close()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return l.Addr().String(), port
}

func answers(b *testing.B, addr string) {
	b.Helper()
	wait(b, 20*time.Second, addr, func() bool {
		c, err := net.Dial("tcp4", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func cpWay(dir string) way {
	dst := filepath.Join(dir, "cp")
	_ = os.MkdirAll(dst, 0o755)
	return way{"cp", byCommand(dst, nil, func(src, name string) []string { return []string{"cp", "-a", src, filepath.Join(dst, name)} })}
}

// rsyncd starts a daemon that writes below dst, as the module m.
func rsyncd(b *testing.B, dir string) (addr, dst string, pid int) {
	b.Helper()
	dst = filepath.Join(dir, "rsyncd")
	ok(b, os.MkdirAll(dst, 0o755))
	addr, port := freeAddr(b)
	conf := filepath.Join(dir, "rsyncd.conf")
	ok(b, os.WriteFile(conf, fmt.Appendf(nil, "uid = %d\ngid = %d\nuse chroot = no\n[m]\npath = %s\nread only = no\n", os.Getuid(), os.Getgid(), dst), 0o600))
	pid = server(b, nil, "rsync", "--daemon", "--no-detach", "--address=127.0.0.1", "--port="+port, "--config="+conf)
	answers(b, addr)
	return addr, dst, pid
}

// rsyncdWay is rsync to a daemon.
func rsyncdWay(b *testing.B, dir string) way {
	b.Helper()
	addr, dst, pid := rsyncd(b, dir)
	return way{"rsyncd", byCommand(dst, []int{pid}, func(src, name string) []string {
		return []string{"rsync", "-a", src + "/", "rsync://" + addr + "/m/" + name + "/"}
	})}
}

// rsyncSSHWay is rsync over an SSH server of its own, with keys made for it.
func rsyncSSHWay(b *testing.B, dir string) way {
	b.Helper()
	dst := filepath.Join(dir, "ssh")
	ok(b, os.MkdirAll(dst, 0o755))
	keys := filepath.Join(dir, "keys")
	ok(b, os.MkdirAll(keys, 0o700))
	host, user := filepath.Join(keys, "host"), filepath.Join(keys, "user")
	for _, k := range []string{host, user} {
		run1(b, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", k)
	}
	if os.Getuid() == 0 {
		ok(b, os.MkdirAll("/run/sshd", 0o755)) // sshd insists on it
	}
	addr, port := freeAddr(b)
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		sshd = "/usr/sbin/sshd"
	}
	pid := server(b, nil, sshd, "-D", "-e", "-f", "/dev/null", "-p", port, "-h", host, "-o", "ListenAddress=127.0.0.1",
		"-o", "AuthorizedKeysFile="+user+".pub", "-o", "StrictModes=no", "-o", "PidFile=none", "-o", "UsePAM=no", "-o", "PermitRootLogin=yes")
	answers(b, addr)
	shell := "ssh -q -p " + port + " -i " + user + " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -F /dev/null"
	return way{"ssh", byCommand(dst, []int{pid}, func(src, name string) []string {
		return []string{"rsync", "-a", "-e", shell, src + "/", "127.0.0.1:" + filepath.Join(dst, name) + "/"}
	})}
}

// A stock is a Syncthing as Debian has it, with one folder.
type stock struct {
	dir, gui string
	pid      int
}

const stockConfig = `<configuration version="35">
<folder id="bench" path="%s" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="10">
<filesystemType>basic</filesystemType><device id="%[2]s"></device><device id="%[3]s"></device><minDiskFree unit="%%">0</minDiskFree></folder>
<device id="%[2]s" name="own"><address>dynamic</address></device>
<device id="%[3]s" name="other"><address>tcp://%[4]s</address></device>
<gui enabled="true" tls="false"><address>%[5]s</address><apikey>bench</apikey></gui>
<options><listenAddress>tcp://%[6]s</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled>
<localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled>
<reconnectionIntervalS>1</reconnectionIntervalS><startBrowser>false</startBrowser><urAccepted>-1</urAccepted>
<autoUpgradeIntervalH>0</autoUpgradeIntervalH><crashReportingEnabled>false</crashReportingEnabled><setLowPriority>false</setLowPriority>
</options></configuration>`

// stocks starts two that share a folder.
func stocks(b *testing.B, dir string) (both [2]*stock) {
	b.Helper()
	var home, id, listen [2]string
	for i := range both {
		home[i] = filepath.Join(dir, fmt.Sprintf("syncthing%d", i))
		s := &stock{dir: filepath.Join(home[i], "files")}
		ok(b, os.MkdirAll(filepath.Join(s.dir, ".stfolder"), 0o755))
		run1(b, "syncthing", "generate", "--home="+home[i], "--no-default-folder", "--skip-port-probing")
		out, err := exec.Command("syncthing", "--home="+home[i], "--device-id").Output()
		ok(b, err)
		id[i] = strings.TrimSpace(string(out))
		s.gui, _ = freeAddr(b)
		listen[i], _ = freeAddr(b)
		both[i] = s
	}
	for i, s := range both {
		conf := fmt.Sprintf(stockConfig, s.dir, id[i], id[1-i], listen[1-i], s.gui, listen[i])
		ok(b, os.WriteFile(filepath.Join(home[i], "config.xml"), []byte(conf), 0o600))
		s.pid = server(b, []string{"STNOUPGRADE=1", "STNORESTART=1", "STMONITORED=yes", "HOME=" + home[i]}, "syncthing", "serve", "--home="+home[i], "--no-browser")
	}
	for _, s := range both {
		wait(b, time.Minute, "Syncthings that are connected", func() bool {
			return strings.Contains(s.ask("GET", "system/connections"), `"connected": true`)
		})
	}
	time.Sleep(3 * time.Second) // first scans and indexes
	return both
}

// ask calls its API; "" if it does not answer.
func (s *stock) ask(method, path string) string {
	req, err := http.NewRequest(method, "http://"+s.gui+"/rest/"+path, nil)
	if err != nil {
		return ""
	}
	req.Header.Set("X-API-Key", "bench")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return string(body)
}

// stockWay moves a tree into one Syncthing's folder. It is told to scan at once,
// which by itself it would do after ten seconds.
func stockWay(both [2]*stock) way {
	return way{"syncthing", func(b *testing.B, src, name string, t tree) copied {
		pids := []int{both[0].pid, both[1].pid}
		before := cpuOf(b, pids...)
		start := time.Now()
		ok(b, os.Rename(src, filepath.Join(both[0].dir, name)))
		scanned := make(chan string, 1)
		go func() { scanned <- both[0].ask("POST", "db/scan?folder=bench") }()
		t.await(b, filepath.Join(both[1].dir, name), 10*time.Minute)
		r := copied{visible: time.Since(start)}
		sync2(b, both[1].dir)
		r.durable = time.Since(start)
		<-scanned
		wait(b, time.Minute, "rest", func() bool {
			var st struct{ State string }
			return json.Unmarshal([]byte(both[1].ask("GET", "db/status?folder=bench")), &st) == nil && st.State == "idle"
		})
		r.cpu = cpuOf(b, pids...) - before
		return r
	}}
}

// oursWay moves a tree into a node's folder; others are all nodes that are to have
// it.
func oursWay(nodes ...*process) way {
	return way{"ours", func(b *testing.B, src, name string, t tree) copied {
		var pids []int
		for _, p := range nodes {
			pids = append(pids, p.cmd.Process.Pid)
		}
		from := do[api.Folders](nodes[0], "files/folders", api.Empty{}).Folders[0]
		var to []string
		for _, p := range nodes[1:] {
			to = append(to, filepath.Join(filesDir(p), name))
		}
		before := cpuOf(b, pids...)
		start := time.Now()
		ok(b, os.Rename(src, filepath.Join(from.Dir, name)))
		for _, dir := range to {
			t.await(b, dir, 5*time.Minute)
		}
		r := copied{visible: time.Since(start)}
		sync2(b, to[0])
		r.durable = time.Since(start)
		for _, i := range []int{0, t.files - 1, t.files / 2} {
			path := fmt.Sprintf("%s/d%04d/f%02d.bin", name, i/perDir, i%perDir)
			wait(b, time.Minute, path+" to be safe", func() bool {
				info, err := ask[api.FileInfo](b.Context(), nodes[0].client, "files/info", api.FilesAsk{Space: from.Space, Path: path})
				return err == nil && len(info.Devices) == len(nodes)
			})
		}
		r.told = time.Since(start)
		time.Sleep(200 * time.Millisecond)
		r.cpu = cpuOf(b, pids...) - before
		if t.size > 64<<20 {
			calm(b, pids)
		}
		return r
	}}
}

// calm waits until programs that took in a large file have made their guard copy
// of it, which would take from the next one's time.
func calm(b *testing.B, pids []int) {
	b.Helper()
	time.Sleep(17 * time.Second)
	wait(b, 2*time.Minute, "calm", func() bool {
		before := cpuOf(b, pids...)
		time.Sleep(time.Second)
		return cpuOf(b, pids...)-before < 100*time.Millisecond
	})
}

// filesDir is where a node keeps the files of all.
func filesDir(p *process) string {
	p.b.Helper()
	return do[api.Folders](p, "files/folders", api.Empty{}).Folders[0].Dir
}
