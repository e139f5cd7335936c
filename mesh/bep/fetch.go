package bep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
	"golang.org/x/sync/semaphore"
)

const (
	window      = 64 << 20 // bytes asked for and not used yet, per connection
	patience    = 2 * time.Minute
	maxMisses   = 16 // blocks in a row that are not where they were before we stop looking
	blocksAhead = 64 // blocks of a file asked for at once
)

// A source is the content of a want: blocks that are here already, the others
// from the device, each checked, in order. It is an io.Reader; Close ends what it
// began.
type source struct {
	c      asker
	share  string
	path   string
	w      *want
	folder Folder
	like   File // of ours, probably alike; Kind Gone: none

	cancel context.CancelFunc
	blocks chan chan block // in order
	now    block
	at     int // read of now
	got    int // blocks taken from the channel
	misses int // of the blocks looked for in like, in a row; of the feeder
	err    error
	done   chan struct{}
	sum    *summer
}

// An asker is the connection to a device.
type asker interface {
	Request(ctx context.Context, req *protocol.Request) ([]byte, error)
}

type block struct {
	data []byte
	err  error
	free func()
}

// open begins to fetch a want. budget bounds what waits to be read, over all
// sources of a connection.
func open(ctx context.Context, c asker, budget *semaphore.Weighted, share string, folder Folder, t task, like File) *source {
	ctx, cancel := context.WithCancel(ctx)
	s := &source{
		c: c, share: share, path: t.path, w: t.want, folder: folder, like: like, cancel: cancel,
		blocks: make(chan chan block, blocksAhead), done: make(chan struct{}),
	}
	if t.want.sum == [32]byte{} && t.want.size > 0 {
		s.sum = newSummer(protocol.BlockSize(t.want.size))
	}
	go s.feed(ctx, budget)
	return s
}

// feed asks for the blocks in order, each when there is room for it.
func (s *source) feed(ctx context.Context, budget *semaphore.Weighted) {
	defer close(s.done)
	defer close(s.blocks)
	var waiting []chan struct{}
	defer func() {
		for _, w := range waiting {
			<-w
		}
	}()
	for i := range s.w.blocks() {
		size := min(int64(s.w.blockSize), s.w.size-int64(i)*int64(s.w.blockSize))
		if budget.Acquire(ctx, size) != nil {
			return
		}
		free := func() { budget.Release(size) }
		result, over := make(chan block, 1), make(chan struct{})
		if data, ok := s.here(ctx, i, int(size)); ok {
			result <- block{data, nil, free}
			close(over)
		} else {
			go func() {
				defer close(over)
				data, err := s.ask(ctx, i, int(size))
				result <- block{data, err, free}
			}()
		}
		waiting = append(waiting, over)
		if len(waiting) > 2*blocksAhead {
			<-waiting[0]
			waiting = waiting[1:]
		}
		select {
		case s.blocks <- result:
		case <-ctx.Done():
			<-over
			(<-result).free()
			return
		}
	}
}

// here returns a block that a file of ours has at the same place.
func (s *source) here(ctx context.Context, i, size int) ([]byte, bool) {
	info := protocol.BlockInfo{Hash: s.w.hash(i), Size: size}
	if info.IsEmpty() {
		return make([]byte, size), true
	}
	off := int64(i) * int64(s.w.blockSize)
	if s.like.Kind != Plain || off+int64(size) > s.like.Size || s.misses >= maxMisses {
		return nil, false
	}
	data := make([]byte, size)
	if s.folder.Read(ctx, s.like, off, data) == nil && hashed(data, s.w.hash(i)) {
		s.misses = 0
		return data, true
	}
	s.misses++
	return nil, false
}

func hashed(data, hash []byte) bool {
	h := sha256.Sum256(data)
	return bytes.Equal(h[:], hash)
}

var errBytes = errors.New("the device sent other bytes than it announced")

func (s *source) ask(ctx context.Context, i, size int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	data, err := s.c.Request(ctx, &protocol.Request{
		Folder: s.share, Name: s.path, Offset: int64(i) * int64(s.w.blockSize), Size: size, Hash: s.w.hash(i), BlockNo: i,
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("block %d of %s: %w", i, s.path, err)
	case len(data) != size || !hashed(data, s.w.hash(i)):
		return nil, fmt.Errorf("block %d of %s: %w", i, s.path, errBytes)
	}
	return data, nil
}

// Peek returns the first bytes of the content, at most n, without using them up.
func (s *source) Peek(n int) ([]byte, error) {
	if s.at == len(s.now.data) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	return s.now.data[s.at:min(len(s.now.data), s.at+n)], nil
}

func (s *source) next() error {
	if s.err != nil {
		return s.err
	}
	if s.now.free != nil {
		s.now.free()
		s.now = block{}
	}
	s.at = 0
	result, ok := <-s.blocks
	if !ok {
		s.err = io.EOF
		if s.got < s.w.blocks() {
			s.err = context.Canceled // never take a part for the whole
		}
		return s.err
	}
	s.got++
	s.now = <-result
	if s.now.err != nil {
		s.err = s.now.err
	} else if s.sum != nil {
		s.sum.Write(s.now.data)
	}
	return s.err
}

func (s *source) Read(p []byte) (int, error) {
	for s.at == len(s.now.data) {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.now.data[s.at:])
	s.at += n
	return n, nil
}

// Close ends fetching and gives back what was not read.
func (s *source) Close() {
	s.cancel()
	for result := range s.blocks {
		if b := <-result; b.free != nil {
			b.free()
		}
	}
	<-s.done
	if s.now.free != nil {
		s.now.free()
	}
	s.now = block{}
}

// Sum names the content; all of it must have been read.
func (s *source) Sum() [32]byte {
	if s.sum == nil {
		return s.w.sum
	}
	return s.sum.Sum()
}

// A summer names what is written to it, block by block.
type summer struct {
	size   int
	part   []byte
	hashes []byte
}

func newSummer(size int) *summer { return &summer{size: size} }

func (s *summer) Write(p []byte) {
	for len(p) > 0 {
		n := min(len(p), s.size-len(s.part))
		s.part = append(s.part, p[:n]...)
		p = p[n:]
		if len(s.part) == s.size {
			s.cut()
		}
	}
}

func (s *summer) cut() {
	h := sha256.Sum256(s.part)
	s.hashes = append(s.hashes, h[:]...)
	s.part = s.part[:0]
}

func (s *summer) Sum() [32]byte {
	if len(s.part) > 0 {
		s.cut()
	}
	return sumOf(s.hashes)
}
