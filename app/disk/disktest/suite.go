package disktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"inselnetz/app/disk"
)

// Suite is what every FS must do. open returns an empty one.
func Suite(t *testing.T, open func(t *testing.T) disk.FS) {
	for name, f := range map[string]func(*testing.T, disk.FS){
		"files": suiteFiles, "directories": suiteDirs, "renames": suiteRenames,
		"links": suiteLinks, "marks": suiteMarks, "clones": suiteClones, "nameless": suiteNameless, "names": suiteNames, "syncs": suiteSyncs,
	} {
		t.Run(name, func(t *testing.T) {
			fsys := open(t)
			defer fsys.Close()
			f(t, fsys)
		})
	}
}

// Write makes or replaces a file, with its directory.
func Write(t testing.TB, f disk.FS, path, content string) {
	t.Helper()
	dir, _ := disk.Split(path)
	must(t, f.Mkdir(dir))
	if err := f.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	h, err := f.Create(path, int64(len(content)))
	must(t, err)
	_, err = h.WriteAt([]byte(content), 0)
	must(t, err)
	must(t, h.Close())
}

// Content reads a file.
func Content(t testing.TB, f disk.FS, path string) string {
	t.Helper()
	b, _, err := f.Read(path, nil)
	must(t, err)
	return string(b)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, err error, kinds ...error) {
	t.Helper()
	for _, k := range kinds {
		if errors.Is(err, k) {
			return
		}
	}
	t.Errorf("error is %v, want one of %v", err, kinds)
}

// names lists a directory as "name/ name ...", directories with a slash.
func names(t testing.TB, f disk.FS, dir string) string {
	t.Helper()
	l, err := f.List(dir)
	must(t, err)
	var out []string
	for _, i := range l {
		s := i.Name
		switch i.Kind {
		case disk.Dir:
			s += "/"
		case disk.Link:
			s += "@"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func suiteFiles(t *testing.T, f disk.FS) {
	must(t, f.Mkdir("a/b"))
	h, err := f.Create("a/b/c", 0)
	must(t, err)
	if _, err := f.Create("a/b/c", 0); !errors.Is(err, fs.ErrExist) {
		t.Error("created twice:", err)
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB
	for at := int64(0); at < int64(len(big)); at += 256 << 10 {
		n, err := h.WriteAt(big[at:at+256<<10], at)
		if n != 256<<10 || err != nil {
			t.Fatal(n, err)
		}
	}
	i, err := h.Stat()
	must(t, err)
	if i.Size != int64(len(big)) || i.Kind != disk.File || i.Exec || i.Time == 0 || i.Name != "c" {
		t.Errorf("stat of the open file: %+v", i)
	}
	part := make([]byte, 10)
	if n, err := h.ReadAt(part, 16<<10+3); n != 10 || err != nil || string(part) != "3456789abc" {
		t.Error(n, err, string(part))
	}
	if n, err := h.ReadAt(part, int64(len(big))-4); n != 4 || err != io.EOF {
		t.Error("at the end:", n, err)
	}
	must(t, h.Truncate(20))
	must(t, h.Flush())
	must(t, h.Sync())
	must(t, h.Close())
	if _, err := h.ReadAt(part, 0); !errors.Is(err, fs.ErrClosed) {
		t.Error("read after close:", err)
	}
	want(t, h.Close(), fs.ErrClosed)

	out, i, err := f.Read("a/b/c", []byte("x"))
	must(t, err)
	if string(out) != "x0123456789abcdef0123" || i.Size != 20 {
		t.Errorf("read %q %+v", out, i)
	}
	j, err := f.Stat("a/b/c")
	must(t, err)
	if i != j {
		t.Errorf("read says %+v, stat %+v", i, j)
	}
	h, err = f.Edit("a/b/c")
	must(t, err)
	_, err = h.WriteAt([]byte("XY"), 3)
	must(t, err)
	must(t, h.Close())
	h, err = f.Open("a/b/c")
	must(t, err)
	if _, err := h.WriteAt([]byte("Z"), 0); err == nil {
		t.Error("a file opened for reading was written")
	}
	must(t, h.Close())
	if s := Content(t, f, "a/b/c"); s != "012XY56789abcdef0123" {
		t.Error(s)
	}
	must(t, f.Remove("a/b/c"))
	for _, err := range []error{
		second(f.Stat("a/b/c")), second(f.Open("a/b/c")), second(f.Edit("a/b/c")), f.Remove("a/b/c"), f.Mark("a/b/c", 1, false),
		second(f.Create("x/y", 0)), second(f.List("x")), f.SyncDir("x"), f.Rename("x", "y"), second(f.Readlink("x")),
	} {
		want(t, err, fs.ErrNotExist)
	}
	Write(t, f, "empty", "")
	if s := Content(t, f, "empty"); s != "" {
		t.Error(s)
	}
	h, err = f.Create("large", 9<<20)
	must(t, err)
	if i, err := h.Stat(); err != nil || i.Size != 0 {
		t.Errorf("room was reserved and the file is %d bytes long: %v", i.Size, err)
	}
	must(t, h.Truncate(disk.ReadMax+1))
	must(t, h.Close())
	_, _, err = f.Read("large", nil)
	want(t, err, disk.ErrLarge)
	free, total, err := f.Space()
	if err != nil || free <= 0 || total < free {
		t.Error(free, total, err)
	}
}

func second[T any](_ T, err error) error { return err }

func suiteDirs(t *testing.T, f disk.FS) {
	must(t, f.Mkdir(""))
	must(t, f.Mkdir("d/e/f"))
	must(t, f.Mkdir("d/e/f"))
	Write(t, f, "d/file", "1")
	Write(t, f, "d/another", "2")
	if s := names(t, f, "d"); s != "another e/ file" {
		t.Error(s)
	}
	if s := names(t, f, ""); s != "d/" {
		t.Error(s)
	}
	if i, err := f.Stat(""); err != nil || i.Kind != disk.Dir || i.Name != "" {
		t.Error(i, err)
	}
	want(t, f.Remove("d/e"), disk.ErrNotEmpty)
	must(t, f.Remove("d/e/f"))
	must(t, f.Remove("d/e"))
	// A file is no directory.
	for _, err := range []error{
		f.Mkdir("d/file"), f.Mkdir("d/file/x"), second(f.List("d/file")), second(f.Stat("d/file/x")), second(f.Create("d/file/x", 0)),
		f.Remove("d/file/x"), f.Rename("d/another", "d/file/x"), f.Rename("d/file/x", "d/another"), f.Symlink("x", "d/file/x"),
	} {
		want(t, err, disk.ErrBlocked)
	}
	// A directory is no file.
	_, _, rerr := f.Read("d", nil)
	for _, err := range []error{second(f.Open("d")), second(f.Edit("d")), rerr} {
		want(t, err, disk.ErrNotFile)
	}
	var all []string
	for i := range 2000 { // more than one system call gives
		all = append(all, fmt.Sprintf("a-name-that-is-a-little-longer-%04d", i))
		Write(t, f, "many/"+all[i], "")
	}
	if s := names(t, f, "many"); s != strings.Join(all, " ") {
		t.Error("a large directory is not listed whole")
	}
	for _, bad := range []string{"/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "a\x00b"} {
		if err := f.Mkdir(bad); err == nil {
			t.Errorf("mkdir %q", bad)
		}
		if _, err := f.Create(bad, 0); err == nil {
			t.Errorf("create %q", bad)
		}
		if _, err := f.List(bad); err == nil {
			t.Errorf("list %q", bad)
		}
		if err := f.Rename("d", bad); err == nil {
			t.Errorf("rename to %q", bad)
		}
	}
}

func suiteRenames(t *testing.T, f disk.FS) {
	Write(t, f, "a", "a")
	Write(t, f, "d/b", "b")
	want(t, f.RenameNew("a", "d/b"), fs.ErrExist)
	must(t, f.RenameNew("a", "d/a"))
	must(t, f.Rename("d/a", "d/b"))
	if s := names(t, f, "d"); s != "b" || Content(t, f, "d/b") != "a" {
		t.Error(s)
	}
	must(t, f.Rename("d/b", "d/b"))
	Write(t, f, "x/y", "y")
	must(t, f.Rename("x", "d/x"))
	if Content(t, f, "d/x/y") != "y" || names(t, f, "") != "d/" {
		t.Error(names(t, f, ""))
	}
	if err := f.Rename("d", "d/x/z"); err == nil {
		t.Error("a directory went into itself")
	}
	want(t, f.Rename("d/b", "d/x"), disk.ErrNotFile)
	want(t, f.RenameNew("d/b", "d/x"), fs.ErrExist)
	want(t, f.Rename("d/b", "no/x"), fs.ErrNotExist)
	before, err := f.Stat("d/b")
	must(t, err)
	must(t, f.RenameNew("d/b", "d/B")) // the case alone, with folding too
	after, err := f.Stat("d/B")
	must(t, err)
	if before.Inode != after.Inode || before.Size != after.Size || before.Time != after.Time || names(t, f, "d") != "B x/" {
		t.Error(before, after, names(t, f, "d"))
	}
	Write(t, f, "one", "1")
	Write(t, f, "d/two", "2")
	if err := f.Exchange("one", "d/two"); errors.Is(err, errors.ErrUnsupported) {
		return
	} else if err != nil {
		t.Fatal(err)
	}
	if Content(t, f, "one") != "2" || Content(t, f, "d/two") != "1" {
		t.Error("not exchanged")
	}
	want(t, f.Exchange("one", "none"), fs.ErrNotExist)
	want(t, f.Exchange("none", "one"), fs.ErrNotExist)
}

func suiteLinks(t *testing.T, f disk.FS) {
	must(t, f.Mkdir("real"))
	Write(t, f, "real/file", "inside")
	if err := f.Symlink("real", "link"); err != nil {
		t.Skip("no links here:", err)
	}
	must(t, f.Symlink("real/file", "flink"))
	want(t, f.Symlink("x", "link"), fs.ErrExist)
	if s, err := f.Readlink("link"); s != "real" || err != nil {
		t.Error(s, err)
	}
	if i, err := f.Stat("link"); err != nil || i.Kind != disk.Link || i.Name != "link" {
		t.Error(i, err)
	}
	if s := names(t, f, ""); s != "flink@ link@ real/" {
		t.Error(s)
	}
	// No link is followed, not even one that stays inside.
	_, _, rerr := f.Read("link/file", nil)
	for i, err := range []error{
		rerr, second(f.Open("link/file")), second(f.Edit("link/file")), second(f.Stat("link/file")), second(f.List("link")),
		second(f.Create("link/new", 0)), f.Mkdir("link"), f.Mkdir("link/new"), f.Remove("link/file"), f.Symlink("x", "link/new"),
		f.Rename("real/file", "link/new"), f.Rename("link/file", "new"), f.Mark("link/file", 1, true), f.SyncDir("link"),
		f.RenameNew("link/file", "new"), second(f.Readlink("link/file")),
	} {
		if !errors.Is(err, disk.ErrBlocked) {
			t.Errorf("call %d below a link: %v", i, err)
		}
	}
	if err := f.Exchange("link/file", "real/file"); err == nil {
		t.Error("exchange below a link")
	}
	if err := f.Clone("link/file", "new"); err == nil {
		t.Error("clone below a link")
	}
	_, _, rerr = f.Read("flink", nil)
	for _, err := range []error{rerr, second(f.Open("flink")), second(f.Edit("flink"))} {
		want(t, err, disk.ErrNotFile)
	}
	want(t, second(f.Create("flink", 0)), fs.ErrExist)
	if s := names(t, f, "real"); s != "file" || Content(t, f, "real/file") != "inside" {
		t.Error(s)
	}
	must(t, f.Remove("link"))
	if s := Content(t, f, "real/file"); s != "inside" {
		t.Error("removing a link removed what it points to")
	}
	Write(t, f, "new", "new")
	must(t, f.Rename("new", "flink")) // replaces the link itself
	if Content(t, f, "flink") != "new" || Content(t, f, "real/file") != "inside" {
		t.Error("a rename went through a link")
	}
}

// suiteShares checks what is said of a file and a clone of it whose first byte
// was changed.
func suiteShares(t *testing.T, f disk.FS, a, b string) {
	one, two := Content(t, f, a), Content(t, f, b)
	x, err := f.Open(a)
	must(t, err)
	defer x.Close()
	y, err := f.Open(b)
	must(t, err)
	defer y.Close()
	ranges, err := y.Shares(x)
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	must(t, err)
	var sum int64
	for _, r := range ranges {
		end := min(r.Off+r.Len, int64(len(one)))
		if one[r.Off:end] != two[r.Off:end] {
			t.Errorf("%+v is said to be shared and differs", r)
		}
		sum += r.Len
	}
	if sum < int64(len(one))/2 {
		t.Errorf("%d bytes of %d are said to be shared after one changed", sum, len(one))
	}
}

func suiteMarks(t *testing.T, f disk.FS) {
	Write(t, f, "d/f", "content")
	const when = 1234567890_123456700 // 100 ns: what NTFS keeps
	must(t, f.Mark("d/f", when, true))
	i, err := f.Stat("d/f")
	must(t, err)
	if i.Time != when || i.Size != 7 {
		t.Errorf("%+v", i)
	}
	exec := i.Exec // false where there is no such thing
	l, err := f.List("d")
	must(t, err)
	if len(l) != 1 || l[0] != i {
		t.Errorf("list says %+v, stat %+v", l, i)
	}
	must(t, f.Mark("d/f", -when, false))
	if i, err = f.Stat("d/f"); err != nil || i.Exec || i.Time != -when {
		t.Errorf("%+v %v", i, err)
	}
	h, err := f.Edit("d/f")
	must(t, err)
	_, err = h.WriteAt([]byte("C"), 0)
	must(t, err)
	must(t, h.Mark(when, true))
	j, err := h.Stat()
	must(t, err)
	must(t, h.Close())
	if i, err = f.Stat("d/f"); err != nil || i.Exec != exec || i.Time != when || i != j {
		t.Errorf("%+v %+v %v", i, j, err)
	}
	must(t, f.Mark("d", when, false))
	if i, err = f.Stat("d"); err != nil || i.Time != when || i.Kind != disk.Dir || i.Exec {
		t.Errorf("%+v %v", i, err)
	}
}

func suiteClones(t *testing.T, f disk.FS) {
	big := strings.Repeat("0123456789abcdef", 64<<10)
	Write(t, f, "a", big)
	src, err := f.Open("a")
	must(t, err)
	h, err := f.Create("b", int64(len(big)))
	must(t, err)
	must(t, h.Truncate(int64(len(big))))
	must(t, h.CopyFrom(src, 0, 128<<10))
	must(t, h.CopyFrom(src, 512<<10, 5))
	must(t, src.Close())
	must(t, h.Close())
	if s := Content(t, f, "b"); len(s) != len(big) || s[:128<<10] != big[:128<<10] || s[512<<10:512<<10+6] != "01234\x00" || s[128<<10] != 0 {
		t.Error("not copied as asked")
	}
	src, err = f.Open("a")
	must(t, err)
	h, err = f.Edit("b")
	must(t, err)
	if err := h.CopyFrom(src, int64(len(big))-1, 2); err == nil {
		t.Error("copied beyond the end")
	}
	must(t, h.Close())
	must(t, src.Close())
	err = f.Clone("a", "c")
	if errors.Is(err, errors.ErrUnsupported) {
		if _, err := f.Stat("c"); err == nil {
			t.Error("a clone that failed left something")
		}
		return
	}
	must(t, err)
	want(t, f.Clone("a", "c"), fs.ErrExist)
	h, err = f.Edit("c")
	must(t, err)
	_, err = h.WriteAt([]byte("X"), 0)
	must(t, err)
	must(t, h.Close())
	suiteShares(t, f, "a", "c")
	if s := Content(t, f, "a"); s != big {
		t.Error("writing a clone changed the original")
	}
}

func suiteNames(t *testing.T, f disk.FS) {
	Write(t, f, "name", "1")
	_, err := f.Stat("NAME")
	if f.Folds() != (err == nil) {
		t.Errorf("folds says %v, stat in other letters: %v", f.Folds(), err)
	}
	if f.Folds() {
		_, err := f.Create("Name", 0)
		want(t, err, fs.ErrExist)
	} else {
		Write(t, f, "Name", "2")
	}
	if s := Content(t, f, "name"); s != "1" {
		t.Error(s)
	}
	long := strings.Repeat("x", 300)
	if _, err := f.Create(long, 0); err == nil {
		t.Error("takes a name of 300 bytes")
	}
}

func suiteSyncs(t *testing.T, f disk.FS) {
	Write(t, f, "a/b/c", "1")
	must(t, f.SyncDir(""))
	must(t, f.SyncDir("a/b"))
	must(t, f.SyncAll())
	Write(t, f, "tmp", "2")
	must(t, f.Rename("tmp", "a/b/c"))
	Write(t, f, "tmp", "3")
	must(t, f.Remove("tmp"))
	must(t, f.SyncAll())
	must(t, f.Hide("a"))
	if s := Content(t, f, "a/b/c"); s != "2" {
		t.Error(s)
	}
}
