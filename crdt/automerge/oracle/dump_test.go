package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	am "inselnetz/crdt/automerge"
)

// dump writes all that can be read, line for line what dump.mjs writes.
func dump(r am.Reader) (string, error) {
	d := dumper{r: r}
	d.object(am.Root, am.KindMap, 0)
	return strings.Join(d.out, "\n"), d.err
}

type dumper struct {
	r   am.Reader
	out []string
	err error // the first
}

func (d *dumper) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *dumper) line(depth int, format string, args ...any) {
	d.out = append(d.out, strings.Repeat(" ", depth)+fmt.Sprintf(format, args...))
}

func (d *dumper) object(obj am.ObjID, k am.Kind, depth int) {
	switch k {
	case am.KindTable: // which the JavaScript release cannot look into
	case am.KindText:
		d.text(obj, depth)
	case am.KindList:
		n, err := d.r.Len(obj)
		if err != nil {
			d.fail(err)
		}
		for i := range n {
			d.entry(obj, am.Index(i), strconv.Itoa(i), depth)
		}
	default:
		keys, err := d.r.Keys(obj)
		if err != nil {
			d.fail(err)
		}
		if !slices.IsSorted(keys) {
			d.fail(fmt.Errorf("keys of %s are not in order: %q", obj, keys))
		}
		for _, k := range keys {
			d.entry(obj, am.Key(k), quote(k), depth)
		}
	}
}

func (d *dumper) entry(obj am.ObjID, p am.Prop, label string, depth int) {
	all, err := d.r.All(obj, p)
	if err != nil {
		d.fail(err)
	}
	slices.SortFunc(all, func(a, b am.Conflict) int {
		return cmp.Or(cmp.Compare(a.ID.Ctr, b.ID.Ctr), strings.Compare(string(a.ID.Actor), string(b.ID.Actor)))
	})
	for i, c := range all {
		if i == len(all)-1 {
			if win, ok, err := d.r.Get(obj, p); err != nil || !ok || !same(win, c.Value) {
				d.line(depth, "WINNER %v %v %v", win, ok, err)
			}
		}
		if c.Value.Kind().IsObject() {
			d.line(depth, "%s %s %s", label, c.Value.Kind(), c.ID)
			d.object(c.Value.Obj(), c.Value.Kind(), depth+1)
		} else {
			d.line(depth, "%s %s %s", label, scalar(c.Value), c.ID)
		}
	}
}

func (d *dumper) text(obj am.ObjID, depth int) {
	n, err := d.r.Len(obj)
	if err != nil {
		d.fail(err)
	}
	s, err := d.r.Text(obj)
	if err != nil {
		d.fail(err)
	}
	d.line(depth, "len %d %s", n, quote(s))
	d.rich(obj, depth)
	before, stride := "", 1
	if n > 300 { // of a long text, some
		stride = 37
	}
	for i := 0; i < n; i += stride {
		all, err := d.r.All(obj, am.Index(i))
		if err != nil {
			d.fail(err)
		}
		ids := make([]string, len(all))
		for i, c := range all {
			ids[i] = c.ID.String()
		}
		slices.Sort(ids)
		if key := strings.Join(ids, ","); key != before {
			before = key
			d.entry(obj, am.Index(i), strconv.Itoa(i), depth)
		}
	}
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// same reports whether two values are the same; a NaN is itself.
func same(a, b am.Value) bool { return a == b }

// scalar is the text of a value with its type.
func scalar(v am.Value) string {
	switch v.Kind() {
	case am.KindNull:
		return "null"
	case am.KindFloat:
		return fmt.Sprintf("f64 %016x", math.Float64bits(v.Float()))
	case am.KindStr:
		return "str " + quote(v.Str())
	case am.KindBytes:
		return fmt.Sprintf("bytes %x", v.Bytes())
	case am.KindUnknown:
		return fmt.Sprintf("unknown %x", v.Bytes())
	default:
		return v.Kind().String() + " " + v.String()
	}
}

// loose is the text of a value of which JavaScript does not tell every type.
func loose(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case am.Value:
		return looseScalar(v)
	case string:
		return quote(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = loose(e)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		parts := []string{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, quote(k)+":"+loose(v[k]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return looseNumber(float64(v), strconv.FormatInt(v, 10))
	case uint64:
		return looseNumber(float64(v), strconv.FormatUint(v, 10))
	case float64:
		return looseNumber(v, "")
	case []byte:
		return fmt.Sprintf("bytes %x", v)
	case time.Time:
		return fmt.Sprintf("time %d", v.UnixMilli())
	}
	return fmt.Sprintf("%T %v", v, v)
}

func looseScalar(v am.Value) string {
	switch v.Kind() {
	case am.KindNull:
		return "null"
	case am.KindBool:
		return strconv.FormatBool(v.Bool())
	case am.KindStr:
		return quote(v.Str())
	case am.KindFloat:
		return looseNumber(v.Float(), "")
	case am.KindBytes:
		return fmt.Sprintf("bytes %x", v.Bytes())
	case am.KindTimestamp:
		return fmt.Sprintf("time %d", v.Int())
	}
	return v.String()
}

// looseNumber is the integer as written, or that of a float that is one; the bits
// of any other.
func looseNumber(f float64, digits string) string {
	if digits != "" {
		return digits
	}
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53-1 && (f != 0 || !math.Signbit(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return fmt.Sprintf("%016x", math.Float64bits(f))
}
