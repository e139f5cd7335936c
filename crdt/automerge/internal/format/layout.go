package format

// A spec names a column: id<<4 | deflated<<3 | type of its encoding.
type spec uint32

const deflated spec = 1 << 3

// Columns of operations.
const (
	specObjActor  spec = 0<<4 | 1
	specObjCtr    spec = 0<<4 | 2
	specObjDelta  spec = 0<<4 | 3 // in bundles, in place of specObjCtr
	specKeyActor  spec = 1<<4 | 1
	specKeyCtr    spec = 1<<4 | 3
	specKeyText   spec = 1<<4 | 5
	specIDActor   spec = 2<<4 | 1
	specIDCtr     spec = 2<<4 | 3
	specInsert    spec = 3<<4 | 4
	specAction    spec = 4<<4 | 2
	specValueMeta spec = 5<<4 | 6
	specValue     spec = 5<<4 | 7
	specPredNum   spec = 7<<4 | 0
	specPredActor spec = 7<<4 | 1
	specPredCtr   spec = 7<<4 | 3
	specSuccNum   spec = 8<<4 | 0
	specSuccActor spec = 8<<4 | 1
	specSuccCtr   spec = 8<<4 | 3
	specExpand    spec = 9<<4 | 4
	specMark      spec = 10<<4 | 5
	specPlace     spec = 11<<4 | 3 // in bundles: row of each operation in the order of ids
)

// Columns of changes in documents.
const (
	specActor     spec = 0<<4 | 1
	specSeq       spec = 0<<4 | 3
	specMaxOp     spec = 1<<4 | 3
	specTime      spec = 2<<4 | 3
	specMessage   spec = 3<<4 | 5
	specDepNum    spec = 4<<4 | 0
	specDep       spec = 4<<4 | 3
	specExtraMeta spec = 5<<4 | 6
	specExtra     spec = 5<<4 | 7
)

// Columns of changes in bundles; actor and seq are as in documents.
const (
	specBundleStart    spec = 1<<4 | 3
	specBundleMax      spec = 2<<4 | 3
	specBundleTime     spec = 3<<4 | 3
	specBundleMessage  spec = 4<<4 | 5
	specBundleDepNum   spec = 5<<4 | 0
	specBundleDep      spec = 5<<4 | 3
	specBundleExtraLen spec = 6<<4 | 0
	specBundleExtra    spec = 6<<4 | 7
)

// A column is one entry of a table of columns.
type column struct {
	spec spec // as listed, deflated or not
	size uint64
	data []byte // inflated
}

// columns is a table of columns, ascending by spec.
type columns []column

// get is the data of a column; nil if it is not listed.
func (cs columns) get(s spec) []byte {
	for i := range cs {
		if cs[i].spec&^deflated == s {
			return cs[i].data
		}
	}
	return nil
}

// columnMeta reads a table of columns: their number, then spec and length of
// each. Their data follow where readData is called.
func (r *reader) columnMeta() columns {
	n := r.count(2, 256, "columns")
	if n == 0 {
		return nil
	}
	cs := make(columns, 0, n)
	before := -1
	for range n {
		s, size := r.uint("spec of a column"), r.uint("length of a column")
		if s > 1<<31-1 || int(s&^uint64(deflated)) <= before {
			r.fail("column %d does not follow column %d", s, before)
			return nil
		}
		before = int(s &^ uint64(deflated))
		cs = append(cs, column{spec: spec(s), size: size})
	}
	return cs
}

// columnData reads the data of the columns, inflating those that are deflated
// to at most budget bytes. Those that want says no to are passed over.
func (r *reader) columnData(cs columns, want func(spec) bool, in *inflater, budget *int) {
	for i := range cs {
		data := r.take(cs[i].size, "column")
		if !want(cs[i].spec &^ deflated) {
			continue
		}
		if cs[i].spec&deflated != 0 && r.err == nil {
			var err error
			if data, err = in.inflate(data, budget); err != nil {
				r.err = err
			}
		}
		if r.err != nil {
			return
		}
		cs[i].data = data
	}
}

// A table gathers columns to be written, ascending by spec. Its zero value is
// ready.
type table struct {
	n          int
	meta, data []byte
	deflater   *deflater // nil: columns are not to be deflated
}

func (t *table) reset() { t.n, t.meta, t.data = 0, t.meta[:0], t.data[:0] }

// deflateFrom is the size from which the reference deflates columns of
// documents and bundles, even if they grow by it.
const deflateFrom = 256

// add adds a column unless it is empty.
func (t *table) add(s spec, data []byte) {
	if len(data) == 0 {
		return
	}
	if t.deflater != nil && len(data) >= deflateFrom {
		s |= deflated
		data = t.deflater.deflate(data)
	}
	t.n++
	t.meta = appendU(t.meta, uint64(s))
	t.meta = appendU(t.meta, uint64(len(data)))
	t.data = append(t.data, data...)
}

// appendMeta appends the number, specs and lengths of the columns.
func (t *table) appendMeta(dst []byte) []byte {
	return append(appendU(dst, uint64(t.n)), t.meta...)
}
