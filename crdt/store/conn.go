package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// Result codes of SQLite, as in sqlite.org/rescode.html.
const (
	codeError    = 1 // in statements that are known to be right: the schema is not
	codeReadOnly = 8
	codeIOErr    = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeNotADB   = 26
	codeShmSize  = codeIOErr | 19<<8 // the memory shared by connections does not fit on the disk
)

// A conn is one connection to the database with its prepared statements. One
// goroutine at a time uses it. It goes to the driver directly: database/sql
// costs as much again for statements as small as ours.
type conn struct {
	c     driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue
}

// dial opens a connection to the file with these statements run first.
func dial(file string, setup ...string) (*conn, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	path := filepath.ToSlash(abs)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	dc, err := new(sqlite.Driver).Open((&url.URL{Scheme: "file", Path: path}).String())
	if err != nil {
		return nil, translate(err)
	}
	c := &conn{c: dc, stmts: map[string]driver.Stmt{}}
	for _, q := range setup {
		if err := c.script(q); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *conn) close() error {
	c.forget()
	return c.c.Close()
}

// forget closes the prepared statements, which would hold up changes of the
// schema.
func (c *conn) forget() {
	for q, st := range c.stmts {
		st.Close()
		delete(c.stmts, q)
	}
}

// script runs statements once, without keeping them prepared.
func (c *conn) script(q string) error {
	_, err := c.c.(driver.ExecerContext).ExecContext(context.Background(), q, nil)
	return translate(err)
}

// vacuum writes the database anew. It fails for reasons that are no damage.
func (c *conn) vacuum() error {
	c.forget() // prepared statements would hold it up
	_, err := c.c.(driver.ExecerContext).ExecContext(context.Background(), "VACUUM", nil)
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == codeError {
		return fmt.Errorf("write the database anew: %w", err)
	}
	return translate(err)
}

func (c *conn) prepare(q string) (driver.Stmt, error) {
	if st := c.stmts[q]; st != nil {
		return st, nil
	}
	st, err := c.c.Prepare(q)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", q, translate(err))
	}
	c.stmts[q] = st
	return st, nil
}

// bind turns arguments into what the driver takes. The result is valid until
// the next call.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		var v driver.Value
		switch a := a.(type) {
		case int:
			v = int64(a)
		case uint32:
			v = int64(a)
		case uint64:
			v = int64(a) // stamps and clocks keep their bits
		default:
			v = a
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return c.args
}

// exec runs a prepared statement.
func (c *conn) exec(q string, args ...any) error {
	st, err := c.prepare(q)
	if err != nil {
		return err
	}
	_, err = st.(driver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	return translate(err)
}

// errStop ends a query early without an error.
var errStop = errors.New("enough")

// query calls row with each row of the result, whose values are its own only
// until it returns, except for byte slices and strings.
func (c *conn) query(ctx context.Context, q string, args []any, row func(row) error) (err error) {
	st, err := c.prepare(q)
	if err != nil {
		return err
	}
	rows, err := st.(driver.StmtQueryContext).QueryContext(ctx, c.bind(args))
	if err != nil {
		return translate(err)
	}
	defer func() {
		if e := rows.Close(); e != nil && err == nil {
			err = translate(e)
		}
	}()
	vals := make([]driver.Value, len(rows.Columns()))
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch err := rows.Next(vals); {
		case err == io.EOF:
			return nil
		case err != nil:
			return translate(err)
		}
		if err := row(vals); err == errStop {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// get returns the first row of a result, or ErrNotFound.
func (c *conn) get(ctx context.Context, q string, args ...any) (out row, err error) {
	err = c.query(ctx, q, args, func(r row) error {
		out = append(row(nil), r...)
		return errStop
	})
	if err == nil && out == nil {
		err = ErrNotFound
	}
	return out, err
}

// A row holds the values of one line of a result. A value of another type than
// asked for reads as zero: checks of what was stored catch that.
type row []driver.Value

func (r row) int(i int) int64   { v, _ := r[i].(int64); return v }
func (r row) uint(i int) uint64 { return uint64(r.int(i)) }
func (r row) bytes(i int) []byte {
	v, _ := r[i].([]byte)
	return v
}

func (r row) str(i int) string {
	v, _ := r[i].(string)
	return v
}

func (r row) id(i int) (id [16]byte) {
	copy(id[:], r.bytes(i))
	return id
}

// translate gives SQLite's errors our names.
func translate(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Code() == codeShmSize, e.Code()&0xff == codeFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case e.Code()&0xff == codeCorrupt, e.Code()&0xff == codeNotADB, e.Code()&0xff == codeError:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case e.Code()&0xff == codeReadOnly:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}
