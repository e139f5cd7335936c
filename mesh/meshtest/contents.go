package meshtest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

// Contents is mesh.Contents in memory.
type Contents struct {
	// Spoil changes what is read for others; nil leaves it as it is.
	Spoil func(piece []byte) []byte
	// Before is called before each Read; nil is not.
	Before func(index uint32)

	mu     sync.Mutex
	has    map[mesh.Name]map[uint32][]byte
	reads  int
	served map[log.DeviceID]int
}

// NewContents returns contents with nothing in them.
func NewContents() *Contents {
	return &Contents{has: map[mesh.Name]map[uint32][]byte{}, served: map[log.DeviceID]int{}}
}

// Made returns a content of n pieces of a size, the same for the same name.
func Made(name string, n, size int) (pieces []mesh.Piece, data [][]byte) {
	id := mesh.Name(sha256.Sum256([]byte(name)))
	for i := range n {
		b := filled(size, uint64(id[0])<<40|uint64(id[1])<<32|uint64(i))
		pieces = append(pieces, mesh.Piece{Content: id, Index: uint32(i), Size: size, Hash: sha256.Sum256(b)})
		data = append(data, b)
	}
	return pieces, data
}

// Put keeps a piece.
func (c *Contents) Put(p mesh.Piece, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.has[p.Content] == nil {
		c.has[p.Content] = map[uint32][]byte{}
	}
	c.has[p.Content][p.Index] = data
}

// Reads returns how many pieces were read, and how many of them for a device.
func (c *Contents) Reads(by log.DeviceID) (all, its int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads, c.served[by]
}

// Read is part of mesh.Contents.
func (c *Contents) Read(to log.DeviceID, _ log.SpaceID, content mesh.Name, index uint32, buf []byte) ([]byte, error) {
	if c.Before != nil {
		c.Before(index)
	}
	c.mu.Lock()
	b, ok := c.has[content][index]
	if ok {
		c.reads++
		c.served[to]++
	}
	c.mu.Unlock()
	if !ok {
		return buf, mesh.ErrNone
	}
	if c.Spoil != nil {
		b = c.Spoil(slices.Clone(b))
	}
	return append(buf, b...), nil
}

// Ask is part of mesh.Contents.
func (c *Contents) Ask(_ log.DeviceID, _ log.SpaceID, content mesh.Name, _ uint32) (mesh.Name, bool) {
	return content, true
}

// Take is part of mesh.Contents.
func (c *Contents) Take(_ log.DeviceID, _ log.SpaceID, _ mesh.Piece, data []byte) ([]byte, error) {
	return data, nil
}

// Fetched is what a Fetch brought.
type Fetched struct {
	Got     map[int]int // calls for each piece
	Missing map[int]int
	Wrong   int // pieces with other bytes than made
}

// Fetch fetches pieces and compares them with the data made. What is right is put
// into into, if that is not nil.
func Fetch(ctx context.Context, m *mesh.Mesh, space log.SpaceID, pieces []mesh.Piece, data [][]byte, prefer []log.DeviceID, into *Contents) (Fetched, error) {
	f := Fetched{Got: map[int]int{}, Missing: map[int]int{}}
	var mu sync.Mutex
	err := m.Fetch(ctx, space, pieces, prefer, func(i int, b []byte) error {
		mu.Lock()
		defer mu.Unlock()
		f.Got[i]++
		if !slices.Equal(b, data[i]) {
			f.Wrong++
		} else if into != nil {
			into.Put(pieces[i], data[i])
		}
		return nil
	}, func(i int) {
		mu.Lock()
		defer mu.Unlock()
		f.Missing[i]++
	})
	return f, err
}

// Check returns what is wrong with a Fetch of n pieces of which some are to be
// missing.
func (f Fetched) Check(n, missing int) error {
	for i := range n {
		if f.Got[i]+f.Missing[i] != 1 {
			return fmt.Errorf("piece %d: %d times got, %d times missing", i, f.Got[i], f.Missing[i])
		}
	}
	if f.Wrong > 0 || len(f.Missing) != missing || len(f.Got) != n-missing {
		return fmt.Errorf("%d got, %d wrong, %d missing; want %d missing", len(f.Got), f.Wrong, len(f.Missing), missing)
	}
	return nil
}
