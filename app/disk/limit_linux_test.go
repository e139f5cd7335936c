package disk_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"inselnetz/app/disk"
)

// TestMain is also the process of TestWatchLimit.
func TestMain(m *testing.M) {
	if root := os.Getenv("DISK_TEST_ROOT"); root != "" {
		if err := limited(root); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// limited watches more directories than it may, in a user namespace of its own.
func limited(root string) error {
	if err := os.WriteFile("/proc/sys/user/max_inotify_watches", []byte("10"), 0); err != nil {
		fmt.Println("skip: the limit cannot be set:", err)
		return nil
	}
	for i := range 30 {
		if err := os.MkdirAll(fmt.Sprintf("%s/d%02d/sub", root, i), 0o755); err != nil {
			return err
		}
	}
	f, err := disk.Open(root)
	if err != nil {
		return err
	}
	w, err := disk.Watch(context.Background(), f)
	if err != nil {
		return err
	}
	if w.Err() == nil || !strings.Contains(w.Err().Error(), "max_user_watches") {
		return fmt.Errorf("the limit is not told: %v", w.Err())
	}
	if err := os.WriteFile(root+"/file", nil, 0o644); err != nil {
		return err
	}
	lost := false
	for late := time.After(10 * time.Second); ; {
		select {
		case events := <-w.C:
			for _, e := range events {
				lost = lost || e.What == disk.Lost
				if e.Path == "file" && e.What == disk.Closed {
					if !lost {
						return fmt.Errorf("nothing was said to be lost")
					}
					return nil
				}
			}
		case <-late:
			return fmt.Errorf("what is watched is not told")
		}
	}
}

func TestWatchLimit(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DISK_TEST_ROOT="+t.TempDir())
	id := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	gid := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: id, GidMappings: gid}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Start()
	if err != nil {
		t.Skip("no user namespaces: ", err)
	}
	if err = cmd.Wait(); err != nil {
		t.Fatal(err, out.String())
	}
	if strings.Contains(out.String(), "skip") {
		t.Skip(out.String())
	}
}
