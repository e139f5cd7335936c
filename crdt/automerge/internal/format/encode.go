package format

import "bytes"

// runEncoder writes a run-length encoded column in its canonical form.
type runEncoder struct {
	out  []byte
	lits []byte // encoded values of the literal run so far, val not among them
	val  int64  // the value last put; a serial number if text
	str  []byte // the text last put
	n    int    // how often val was put in a row
	gap  int    // how many nulls were put in a row
	lit  int    // values in lits
	kind kind
	some bool // some value was put
}

func (e *runEncoder) reset() {
	e.out = e.out[:0]
	e.n, e.gap, e.lit, e.some = 0, 0, 0, false
}

// put adds a row.
func (e *runEncoder) put(v int64) {
	if e.n == 1 && e.val != v {
		// The commonest case in columns that do not repeat.
		e.keep()
		e.val = v
		return
	}
	e.putN(v, 1)
}

// putN adds n rows of the same value.
func (e *runEncoder) putN(v int64, n int) {
	if n <= 0 {
		return
	}
	if e.n == 0 || e.val != v {
		e.settle(false)
		e.val, e.n, e.some = v, n, true
	} else {
		e.n += n
	}
	if e.n > 1 && e.lit > 0 {
		e.literals()
	}
}

// null adds n rows without a value.
func (e *runEncoder) null(n int) {
	if n <= 0 {
		return
	}
	if e.gap == 0 {
		e.settle(true)
	}
	e.gap += n
}

// text adds a row to a column of texts.
func (e *runEncoder) text(s []byte) {
	if e.n == 0 || !bytes.Equal(s, e.str) {
		e.settle(false)
		e.val++
		e.str = append(e.str[:0], s...)
	}
	e.putN(e.val, 1)
}

// keep moves the lone value last put into the literal run.
func (e *runEncoder) keep() {
	if e.lit == 0 {
		e.lits = e.lits[:0]
	}
	e.lits = e.encode(e.lits)
	e.lit++
}

// settle writes what the next row cannot be joined with. The literal run stays
// open unless it is said to end.
func (e *runEncoder) settle(end bool) {
	switch {
	case e.n == 1:
		e.keep()
	case e.n > 1:
		e.out = appendS(e.out, int64(e.n))
		e.out = e.encode(e.out)
	case e.gap > 0:
		e.out = append(e.out, 0)
		e.out = appendU(e.out, uint64(e.gap))
	}
	e.n, e.gap = 0, 0
	if end && e.lit > 0 {
		e.literals()
	}
}

func (e *runEncoder) literals() {
	e.out = appendS(e.out, -int64(e.lit))
	e.out = append(e.out, e.lits...)
	e.lit = 0
}

func (e *runEncoder) encode(b []byte) []byte {
	switch e.kind {
	case unsigned:
		return appendU(b, uint64(e.val))
	case signed:
		return appendS(b, e.val)
	}
	b = appendU(b, uint64(len(e.str)))
	return append(b, e.str...)
}

// finish is the column: empty if no row has a value. It is valid until reset.
func (e *runEncoder) finish() []byte {
	if !e.some {
		return nil
	}
	if e.n == 1 && e.lit == 0 { // most columns of a change with one operation
		e.out = append(e.out, 0x7f)
		e.out = e.encode(e.out)
		e.n = 0
		return e.out
	}
	e.settle(true)
	return e.out
}

// deltaEncoder writes a column of differences.
type deltaEncoder struct {
	runEncoder // of kind signed
	last       int64
}

func (e *deltaEncoder) reset() {
	e.runEncoder.reset()
	e.last = 0
}

func (e *deltaEncoder) put(v int64) {
	e.runEncoder.put(v - e.last)
	e.last = v
}

// series adds v, v+step, v+2·step and so on, n rows.
func (e *deltaEncoder) series(v int64, n, step int) {
	if n <= 0 {
		return
	}
	e.put(v)
	e.putN(int64(step), n-1)
	e.last = v + int64(n-1)*int64(step)
}

// boolEncoder writes a column of booleans.
type boolEncoder struct {
	out  []byte
	n    int
	val  bool
	some bool // some row is true
}

func (e *boolEncoder) reset() {
	e.out, e.n, e.val, e.some = e.out[:0], 0, false, false
}

func (e *boolEncoder) put(v bool, n int) {
	if v != e.val {
		e.out = appendU(e.out, uint64(e.n))
		e.n, e.val, e.some = 0, v, true
	}
	e.n += n
}

func (e *boolEncoder) finish() []byte {
	if e.n > 0 {
		e.out = appendU(e.out, uint64(e.n))
		e.n = 0
	}
	return e.out
}

// actorEncoder holds a column of actors until it is known how they will be
// numbered.
type actorEncoder struct {
	runs []actorRun
	enc  runEncoder
}

type actorRun struct {
	actor int64 // -1 is null
	n     int
}

func (e *actorEncoder) reset() {
	e.runs = e.runs[:0]
	e.enc.reset()
}

// put adds n rows and reports whether the actor is another than in the row before.
func (e *actorEncoder) put(actor int64, n int) bool {
	if k := len(e.runs) - 1; k >= 0 && e.runs[k].actor == actor {
		e.runs[k].n += n
		return false
	}
	if n > 0 {
		e.runs = append(e.runs, actorRun{actor, n})
	}
	return n > 0
}

// finish is the column with every actor a written as local[a].
func (e *actorEncoder) finish(local []uint32) []byte {
	for _, r := range e.runs {
		if r.actor < 0 {
			e.enc.null(r.n)
		} else {
			e.enc.putN(int64(local[r.actor]), r.n)
		}
	}
	return e.enc.finish()
}
