package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"inselnetz/app/api"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"inselnetz": main})
}

// TestScripts runs the program as a person does; each file in testdata is one
// story.
func TestScripts(t *testing.T) {
	var beacons atomic.Int64 // stories run side by side and must not hear each other
	beacons.Store(24100)
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: os.Getenv("UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("INSELNETZ_STATE", filepath.Join(e.WorkDir, "state"))
			e.Setenv("LANG", "en_GB.UTF-8")
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("BEACON", fmt.Sprint(beacons.Add(1)))
			return nil
		},
		Condition: func(cond string) (bool, error) { return cond == "root" && os.Geteuid() == 0, nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// up DIR waits until the node with this data directory answers.
			"up": func(ts *testscript.TestScript, _ bool, args []string) {
				until(ts, "device", "status", "--data", args[0])
			},
			// until TEXT COMMAND... runs a command of the program until its output
			// holds TEXT.
			"until": func(ts *testscript.TestScript, _ bool, args []string) { until(ts, args[0], args[1:]...) },
			// number FILE DIR [WRONG] types the number that a join printed to a file,
			// or another one.
			"number": func(ts *testscript.TestScript, neg bool, args []string) {
				n := printed(ts, args[0])
				if len(args) > 2 {
					n = (n + 1) % 1_000_000
				}
				err := ts.Exec("inselnetz", "invite", "--data", args[1], "--number", fmt.Sprintf("%06d", n))
				if (err != nil) != neg {
					ts.Fatalf("typing %06d: %v", n, err)
				}
			},
			// confirm FILE DIR OUT types the words that the sheet in FILE asks for, and
			// writes all of them to OUT.
			"confirm": func(ts *testscript.TestScript, _ bool, args []string) {
				var kit api.Kit
				ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &kit))
				if len(kit.Words) != 24 || len(kit.Ask) != 2 || len(kit.QR) < 21 {
					ts.Fatalf("sheet %+v", kit)
				}
				ts.Check(ts.Exec("inselnetz", "kit", "--data", args[1], "--confirm", kit.Words[kit.Ask[0]-1]+" "+kit.Words[kit.Ask[1]-1]))
				ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Join(kit.Words, "\n")), 0o600))
			},
			// link DIR FILE PERSON joins by the link in FILE.
			"link": func(ts *testscript.TestScript, neg bool, args []string) {
				err := ts.Exec("inselnetz", "join", "--data", args[0], "--link", strings.TrimSpace(ts.ReadFile(args[1])), "--person", args[2], "--yes")
				if (err != nil) != neg {
					ts.Fatalf("joining by link: %v", err)
				}
			},
			// version FILE N NAME sets NAME to the id of the N-th version, the newest
			// being 0, that "files versions" printed to FILE.
			"version": func(ts *testscript.TestScript, _ bool, args []string) {
				var info api.FileInfo
				ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &info))
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				ts.Setenv(args[2], info.Versions[n].ID)
			},
			// erase DIR FILE erases the message whose id is in FILE.
			"erase": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(ts.Exec("inselnetz", "erase", "--data", args[0], strings.TrimSpace(ts.ReadFile(args[1]))))
			},
			// absent DIR TEXT waits until no file of DIR holds the text.
			"absent": func(ts *testscript.TestScript, _ bool, args []string) {
				where := ""
				for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
					if where = fileWith(ts.MkAbs(args[0]), args[1]); where == "" {
						return
					}
				}
				ts.Fatalf("%s still holds %q", where, args[1])
			},
			// disk DIR SIZE mounts a small disk until the story ends.
			"disk": func(ts *testscript.TestScript, _ bool, args []string) {
				dir := ts.MkAbs(args[0])
				ts.Check(ts.Exec("mount", "-t", "tmpfs", "-o", "size="+args[1], "inselnetz-test", dir))
				ts.Defer(func() { _ = exec.Command("umount", "-l", dir).Run() }) // may be gone already
			},
			// fill DIR sends messages until one is refused.
			"fill": func(ts *testscript.TestScript, _ bool, args []string) {
				for i := range 2000 {
					if ts.Exec("inselnetz", "send", "--data", args[0], fmt.Sprint("voll ", i, strings.Repeat(" Wort", 500))) != nil {
						return
					}
				}
				ts.Fatalf("the disk does not get full")
			},
			// big FILE writes a text of a million letters.
			"big": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat([]byte("a"), 1_000_000), 0o600))
			},
			// binary FILE writes bytes that are no text.
			"binary": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("PK\x03\x04\x00\x01\x02"), 0o600))
			},
		},
	})
}

// fileWith returns a file of the directory that holds the text.
func fileWith(dir, text string) (found string) {
	_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(text)) {
				found = path
			}
		}
		return nil // files come and go
	})
	return found
}

// until runs the program until its output holds a text.
func until(ts *testscript.TestScript, want string, args ...string) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if ts.Exec("inselnetz", args...) == nil && strings.Contains(ts.ReadFile("stdout"), want) {
			return
		}
	}
	ts.Fatalf("inselnetz %v: never %q", args, want)
}

// printed waits for the number in the output of a join.
func printed(ts *testscript.TestScript, file string) int {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		b, _ := os.ReadFile(ts.MkAbs(file)) // not there yet
		if i := bytes.Index(b, []byte("Number: ")); i >= 0 && len(b) >= i+14 {
			n, err := strconv.Atoi(string(b[i+8 : i+14]))
			ts.Check(err)
			return n
		}
	}
	ts.Fatalf("no number in %s", file)
	return 0
}
