package keep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"inselnetz/app/disk"
)

// TestTogether lets several read, put, drop and compact at once.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	f, err := disk.Open(dir)
	must(t, err)
	s, err := Open(f, "keep", testOptions)
	must(t, err)
	var readers, writers sync.WaitGroup
	stop := make(chan bool)
	for w := range 3 {
		writers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 3))
			for i := range 400 {
				n := rng.IntN(len(contents))
				b, sum := content(n)
				var err error
				switch rng.IntN(6) {
				case 0:
					err = s.Drop(sum)
				case 1:
					path := fmt.Sprintf("file-%d-%d", w, i)
					if err = os.WriteFile(dir+"/"+path, b, 0o600); err == nil {
						err = s.Adopt(sum, int64(len(b)), path)
					}
				case 2:
					if i%20 == 0 {
						err = s.Compact(context.Background())
					} else {
						err = s.Sync()
					}
				default:
					err = s.Put(sum, b)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for r := range 2 {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(r), 4))
			for {
				select {
				case <-stop:
					return
				default:
				}
				n := rng.IntN(len(contents))
				b, sum := content(n)
				got, err := get(s, sum)
				if err == nil && !bytes.Equal(got, b) {
					t.Error("wrong bytes")
				}
				if err != nil && !errors.Is(err, ErrNone) {
					t.Error(n, err)
				}
				for i := range s.Each {
					if i.Size <= 0 {
						t.Error(i)
					}
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	must(t, s.Close())
}
