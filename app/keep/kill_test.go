package keep

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// TestMain is also the process that TestKill kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("KEEP_TEST_DIR"); dir != "" {
		err := keepOn(dir, os.Getenv("KEEP_TEST_FROM"))
		fmt.Println("error", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// numbered is a content that is known by its number.
func numbered(n int) ([]byte, tree.Sum) {
	size := 100 + n%900
	if n%7 == 0 {
		size = 3000
	}
	b := make([]byte, size)
	for i := 0; i+8 <= len(b); i += 8 {
		binary.BigEndian.PutUint64(b[i:], uint64(n)<<20|uint64(i))
	}
	return b, nameOf(b, false)
}

// keepOn keeps contents without end and says on its output which are durable.
func keepOn(dir, first string) error {
	from, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	f, err := disk.Open(dir)
	if err != nil {
		return err
	}
	s, err := Open(f, "keep", testOptions)
	if err != nil {
		return err
	}
	for n := from; ; n++ {
		b, sum := numbered(n)
		if n%5 == 0 {
			path := fmt.Sprint("file", n)
			if err := os.WriteFile(dir+"/"+path, b, 0o600); err != nil {
				return err
			}
			err = s.Adopt(sum, int64(len(b)), path)
		} else {
			err = s.Put(sum, b)
		}
		if err != nil {
			return err
		}
		if n%11 == 0 && n > from+40 {
			_, old := numbered(n - 40)
			fmt.Println("drop", n-40)
			if err := s.Drop(old); err != nil {
				return err
			}
		}
		if n%10 == 9 {
			if err := s.Sync(); err != nil {
				return err
			}
			fmt.Println("durable", n)
		}
		if n%100 == 99 {
			if err := s.Compact(context.Background()); err != nil {
				return err
			}
		}
	}
}

// TestKill kills a process in the middle of its work, again and again.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	have, next := map[int]bool{}, 0
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "KEEP_TEST_DIR="+dir, "KEEP_TEST_FROM="+strconv.Itoa(next))
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		from, upto := next, next-1
		lines := bufio.NewScanner(out)
		stop := 1 + rand.IntN(60)
		gone := map[int]bool{}
		for i := 0; lines.Scan(); i++ {
			what, arg, _ := strings.Cut(lines.Text(), " ")
			n, _ := strconv.Atoi(arg)
			switch what {
			case "durable":
				upto = n
			case "drop":
				gone[n] = true
			default:
				t.Fatal(lines.Text())
			}
			if i == stop {
				go func() { // somewhere in what comes next
					time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
					cmd.Process.Kill()
				}()
			}
		}
		cmd.Wait()
		for n := from; n <= upto; n++ {
			have[n] = true
		}
		for n := range gone {
			delete(have, n)
		}
		f, err := disk.Open(dir)
		must(t, err)
		s, err := Open(f, "keep", testOptions)
		must(t, err)
		for n := range have {
			b, sum := numbered(n)
			if got, err := get(s, sum); err != nil || !bytes.Equal(got, b) {
				t.Fatalf("round %d: content %d was durable and is not there: %v", round, n, err)
			}
		}
		for i := range s.Each {
			if got, err := get(s, i.Sum); err != nil || !holds(i.Sum, got) {
				t.Fatalf("round %d: a content is damaged: %v", round, err)
			}
		}
		if l, _ := f.List("keep"); len(l) > 3 {
			t.Error("left over:", l)
		}
		if round%2 == 0 {
			must(t, s.Close())
		}
		next = upto + 1000
	}
	t.Log(len(have), "contents survived")
}
