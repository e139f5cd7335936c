package store

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// Salvage does not ask SQLite, which gives up at the first page that is wrong.
// It looks at every page of the database file and of the write-ahead log by
// itself, takes whatever looks like a row, and leaves it to hashes, chains and
// signatures to say what is true.

const (
	walHeader   = 32 // bytes before the first frame
	frameHeader = 24 // bytes before the page in a frame
	leafTable   = 0x0d
	maxRecord   = 128 << 10 // bytes of a row worth looking at
)

// pages are the pages of a damaged database.
type pages struct {
	db, wal *os.File // wal may be nil
	count   int64    // pages in db
	frames  int64
	newest  map[uint32]int64 // page number → last frame with it
}

func openPages(path string) (*pages, error) {
	p := &pages{newest: map[uint32]int64{}}
	var err error
	if p.db, err = os.Open(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if p.db != nil {
		fi, err := p.db.Stat()
		if err != nil {
			return nil, err
		}
		p.count = (fi.Size() + pageSize - 1) / pageSize
	}
	if p.wal, err = os.Open(path + "-wal"); err != nil {
		p.wal = nil
		return p, nil
	}
	fi, err := p.wal.Stat()
	if err != nil {
		return nil, err
	}
	p.frames = max(0, (fi.Size()-walHeader)/(frameHeader+pageSize))
	var h [4]byte
	for f := range p.frames {
		if _, err := p.wal.ReadAt(h[:], walHeader+f*(frameHeader+pageSize)); err != nil {
			break
		}
		p.newest[binary.BigEndian.Uint32(h[:])] = f
	}
	return p, nil
}

func (p *pages) close() {
	if p.db != nil {
		p.db.Close()
	}
	if p.wal != nil {
		p.wal.Close()
	}
}

// fromDB and fromWAL read a page into b; what a short file lacks is zero.
func (p *pages) fromDB(n int64, b []byte) bool {
	if p.db == nil || n < 0 || n >= p.count {
		return false
	}
	got, err := p.db.ReadAt(b, n*pageSize)
	clear(b[got:])
	return err == nil || err == io.EOF && got > 0
}

func (p *pages) fromWAL(f int64, b []byte) bool {
	if f < 0 || f >= p.frames {
		return false
	}
	_, err := p.wal.ReadAt(b, walHeader+f*(frameHeader+pageSize)+frameHeader)
	return err == nil
}

// each calls row with every row of every page, oldest pages first.
func (p *pages) each(row func([]value)) {
	b := make([]byte, pageSize)
	for n := range p.count {
		if p.fromDB(n, b) {
			start := 0
			if n == 0 {
				start = 100 // the file's header
			}
			p.rows(b, start, row)
		}
	}
	for f := range p.frames {
		if p.fromWAL(f, b) {
			p.rows(b, 0, row)
		}
	}
}

// rows reads a leaf page of a table.
func (p *pages) rows(b []byte, start int, row func([]value)) {
	if b[start] != leafTable {
		return
	}
	cells := int(binary.BigEndian.Uint16(b[start+3:]))
	for i := range cells {
		at := start + 8 + 2*i
		if at+2 > len(b) {
			return
		}
		cell := int(binary.BigEndian.Uint16(b[at:]))
		if cell < start+8 || cell >= len(b) {
			continue
		}
		if rec := p.record(b[cell:]); rec != nil {
			if vals := parseRecord(rec); vals != nil {
				row(vals)
			}
		}
	}
}

// record returns the bytes of a cell's row, with those on overflow pages.
func (p *pages) record(b []byte) []byte {
	size, n := varint(b)
	if n == 0 || size == 0 || size > maxRecord {
		return nil
	}
	b = b[n:]
	if _, n = varint(b); n == 0 { // the rowid
		return nil
	}
	b = b[n:]
	local := localBytes(int(size))
	if local > len(b) {
		return nil
	}
	out := append(make([]byte, 0, size), b[:local]...)
	if local == int(size) {
		return out
	}
	if len(b) < local+4 {
		return nil
	}
	next := binary.BigEndian.Uint32(b[local:])
	page := make([]byte, pageSize)
	for len(out) < int(size) {
		f, newer := p.newest[next]
		if !(newer && p.fromWAL(f, page)) && !p.fromDB(int64(next)-1, page) {
			return nil
		}
		out = append(out, page[4:4+min(pageSize-4, int(size)-len(out))]...)
		next = binary.BigEndian.Uint32(page)
	}
	return out
}

// localBytes returns how much of a row lies on the leaf page itself.
func localBytes(size int) int {
	const most = pageSize - 35
	const least = (pageSize-12)*32/255 - 23
	if size <= most {
		return size
	}
	if k := least + (size-least)%(pageSize-4); k <= most {
		return k
	}
	return least
}

// A value is a column of a row: nothing, a number, text or bytes.
type value struct {
	kind byte // 0 null, 1 number, 2 text, 3 bytes
	num  int64
	data []byte
}

// parseRecord reads a row in SQLite's record format, or returns nil.
func parseRecord(b []byte) []value {
	head, n := varint(b)
	if n == 0 || head > uint64(len(b)) || head < uint64(n) || head > 64 {
		return nil
	}
	types, body := b[n:head], b[head:]
	var out []value
	for len(types) > 0 {
		t, n := varint(types)
		if n == 0 {
			return nil
		}
		types = types[n:]
		v, size := value{}, 0
		switch {
		case t >= 13 && t%2 == 1:
			v.kind, size = 2, int(min(t-13, maxRecord*4)/2)
		case t >= 12:
			v.kind, size = 3, int(min(t-12, maxRecord*4)/2)
		case t == 8, t == 9:
			v.kind, v.num = 1, int64(t-8)
		case t >= 1 && t <= 6:
			v.kind, size = 1, []int{0, 1, 2, 3, 4, 6, 8}[t]
		case t != 0:
			return nil // no table of ours holds fractions
		}
		if size > len(body) {
			return nil
		}
		v.data, body = body[:size], body[size:]
		if v.kind == 1 && size > 0 {
			v.num = int64(int8(v.data[0]))
			for _, x := range v.data[1:] {
				v.num = v.num<<8 | int64(x)
			}
		}
		out = append(out, v)
	}
	return out
}

// varint reads SQLite's variable-length number; n is 0 if b is too short.
func varint(b []byte) (v uint64, n int) {
	for i := 0; i < 8 && i < len(b); i++ {
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	if len(b) < 9 {
		return 0, 0
	}
	return v<<8 | uint64(b[8]), 9
}
