package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"inselnetz/app"
	"inselnetz/app/api"
)

// filesFlags are what the words after "files" take.
type filesFlags struct {
	space   string
	version string
	at      string
	both    bool
	dry     bool
}

// filesCommand is "files WORD …": look at and change the shared files.
func filesCommand(e *env) func(context.Context) error {
	var f filesFlags
	e.flags.StringVar(&f.space, "space", "", "`name` of the space whose folder it is (default: the one of all)")
	e.flags.StringVar(&f.version, "version", "", "`id` of a version, as versions prints it")
	e.flags.StringVar(&f.at, "at", "", "`time` to go back to: 15:04, or 2006-01-02 15:04")
	e.flags.BoolVar(&f.both, "both", false, "keep the other versions beside it")
	e.flags.BoolVar(&f.dry, "dry", false, "only say what would happen")
	return with(e, func(ctx context.Context, c *client) error {
		if len(e.rest) == 0 {
			return errUsage
		}
		word, args := e.rest[0], e.rest[1:]
		for name, do := range filesWords {
			if name == word {
				folder, err := c.folder(ctx, f.space)
				if err != nil {
					return err
				}
				return do(&filesCall{e: e, c: c, flags: f, folder: folder, args: args}, ctx)
			}
		}
		return errUsage
	})
}

// A filesCall is one use of "files".
type filesCall struct {
	e      *env
	c      *client
	flags  filesFlags
	folder api.Folder
	args   []string
}

var filesWords = map[string]func(*filesCall, context.Context) error{
	"ls": (*filesCall).list, "get": (*filesCall).get, "put": (*filesCall).put, "versions": (*filesCall).versions,
	"restore": (*filesCall).restore, "conflicts": (*filesCall).conflicts, "resolve": (*filesCall).resolve,
	"trash": (*filesCall).trash, "rm": (*filesCall).remove, "mv": (*filesCall).rename, "mkdir": (*filesCall).mkdir,
	"state": (*filesCall).state, "accept": (*filesCall).accept, "discard": (*filesCall).discard, "keep": (*filesCall).keep, "drop": (*filesCall).drop,
	"fetch": (*filesCall).fetch,
}

// folder finds the folder of a space by the space's name or id; empty is the
// space of all, or the only one.
func (c *client) folder(ctx context.Context, name string) (api.Folder, error) {
	res, err := ask[api.Folders](ctx, c, "files/folders", api.Empty{})
	if err != nil {
		return api.Folder{}, err
	}
	for _, f := range res.Folders {
		if f.Name == name || f.Space == name {
			return f, nil
		}
	}
	if name == "" && len(res.Folders) == 1 {
		return res.Folders[0], nil
	}
	return api.Folder{}, &app.Problem{Code: "no-folder"}
}

// arg is the n-th argument, which must be there.
func (f *filesCall) arg(n int) string {
	if n < len(f.args) {
		return f.args[n]
	}
	return ""
}

func (f *filesCall) ask(p string) api.FilesAsk {
	return api.FilesAsk{Space: f.folder.Space, Path: strings.Trim(p, "/")}
}

func (f *filesCall) list(ctx context.Context) error {
	res, err := ask[api.FileList](ctx, f.c, "files/list", f.ask(f.arg(0)))
	if err != nil {
		return err
	}
	return f.rows(res, res.Files)
}

// rows prints files, or what they came in as JSON.
func (f *filesCall) rows(res any, files []api.File) error {
	if f.e.json {
		return f.e.print(res)
	}
	for _, r := range files {
		name := r.Path
		if r.Kind == "dir" {
			name += "/"
		}
		mark := r.Where
		if r.Conflict {
			mark += f.e.pick(", zwei Fassungen", ", two versions")
		}
		if _, err := fmt.Fprintf(f.e.out, "%s  %10s  %-12s  %s  (%s)\n", clock(r.Changed), size(r.Size), r.Person.Name, name, mark); err != nil {
			return err
		}
	}
	return nil
}

func clock(ms int64) string { return time.UnixMilli(ms).Format("2006-01-02 15:04") }

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 10_000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 10_000_000:
		return strconv.FormatInt(n/1000, 10) + " KB"
	}
	return strconv.FormatInt(n/1_000_000, 10) + " MB"
}

// content is the address of a file's content.
func (f *filesCall) content(p string, more url.Values) string {
	more.Set("space", f.folder.Space)
	more.Set("path", strings.Trim(p, "/"))
	return "/api/files/content?" + more.Encode()
}

// get writes a file's content to a file, or to standard output for "-".
func (f *filesCall) get(ctx context.Context) (err error) {
	if f.arg(0) == "" {
		return errUsage
	}
	to := f.arg(1)
	if to == "" {
		to = path.Base(f.arg(0))
	}
	res, err := f.c.request(ctx, http.MethodGet, f.content(f.arg(0), url.Values{"version": {f.flags.version}}), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return answerProblem(res)
	}
	if to == "-" {
		_, err = io.Copy(f.e.out, res.Body)
		return err
	}
	// Beside its place first: what breaks off must not look like the file.
	tmp, err := os.CreateTemp(filepath.Dir(to), ".inselnetz-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err = io.Copy(tmp, res.Body); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), to); err != nil {
		return err
	}
	return f.e.say(api.Empty{}, f.e.pick("Gespeichert: %s", "Stored: %s"), to)
}

// answerProblem is the problem that an answer tells of.
func answerProblem(res *http.Response) error {
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	p := &api.Error{}
	if err != nil || json.Unmarshal(raw, p) != nil || p.Sentence == "" {
		return fmt.Errorf("the node answered %s", res.Status)
	}
	return p
}

// put shares a file, or what comes from standard input for "-".
func (f *filesCall) put(ctx context.Context) error {
	from, to := f.arg(0), f.arg(1)
	if from == "" || from == "-" && to == "" {
		return errUsage
	}
	if to == "" || strings.HasSuffix(to, "/") {
		to += filepath.Base(from)
	}
	body, at := f.e.in, time.Now()
	if from != "-" {
		file, err := os.Open(from)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.IsDir() {
			return f.putDir(ctx, from, to)
		}
		body, at = file, info.ModTime()
	}
	res, err := f.send(ctx, to, at, body)
	if err != nil {
		return err
	}
	return f.e.say(res, f.e.pick("Abgelegt: %s", "Put: %s"), res.File.Path)
}

func (f *filesCall) send(ctx context.Context, to string, at time.Time, body io.Reader) (api.Upload, error) {
	var out api.Upload
	res, err := f.c.request(ctx, http.MethodPut, f.content(filepath.ToSlash(to), url.Values{"time": {strconv.FormatInt(at.UnixMilli(), 10)}, "base": {f.flags.version}}), body)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return out, answerProblem(res)
	}
	return out, json.NewDecoder(res.Body).Decode(&out)
}

// putDir shares a directory with all in it.
func (f *filesCall) putDir(ctx context.Context, from, to string) error {
	n := 0
	err := filepath.WalkDir(from, func(p string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		file, err := os.Open(p)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		n++
		_, err = f.send(ctx, path.Join(filepath.ToSlash(to), filepath.ToSlash(rel)), info.ModTime(), file)
		return err
	})
	if err != nil {
		return err
	}
	return f.e.say(api.Empty{}, f.e.pick("%d Dateien abgelegt in %s", "%d files put into %s"), n, to)
}

func (f *filesCall) versions(ctx context.Context) error {
	if f.arg(0) == "" {
		return errUsage
	}
	res, err := ask[api.FileInfo](ctx, f.c, "files/info", f.ask(f.arg(0)))
	if err != nil {
		return err
	}
	if f.e.json {
		return f.e.print(res)
	}
	for _, v := range res.Versions {
		if _, err := fmt.Fprintf(f.e.out, "%s  %10s  %-12s  %-9s  %s  %s\n", clock(v.At), size(v.Size), v.Person.Name, v.State, v.ID, v.Path); err != nil {
			return err
		}
	}
	return nil
}

// restore brings back a version of a file, or a whole directory to a time.
func (f *filesCall) restore(ctx context.Context) error {
	if f.flags.at == "" {
		if f.arg(0) == "" {
			return errUsage
		}
		res, err := ask[api.File](ctx, f.c, "files/restore", api.FileRestore{Space: f.folder.Space, Path: strings.Trim(f.arg(0), "/"), Version: f.flags.version})
		if err != nil {
			return err
		}
		return f.e.say(res, f.e.pick("Zurückgeholt: %s", "Restored: %s"), res.Path)
	}
	at, err := pointInTime(f.flags.at, time.Now())
	if err != nil {
		return errUsage
	}
	res, err := ask[api.Rewound](ctx, f.c, "files/rewind", api.FileRewind{Space: f.folder.Space, Path: strings.Trim(f.arg(0), "/"), At: at.UnixMilli(), Dry: f.flags.dry})
	if err != nil {
		return err
	}
	return f.e.say(res, f.e.pick("%d geändert, %d zurückgeholt, %d in den Papierkorb, %d nicht zu haben. Rückgängig: --at @%d",
		"%d changed, %d restored, %d to the trash, %d not to be had. Undo: --at @%d"), res.Changed, res.Restored, res.Removed, res.Lost, res.Undo)
}

// pointInTime reads a time as people write it; @ is milliseconds since 1970.
func pointInTime(s string, now time.Time) (time.Time, error) {
	if ms, ok := strings.CutPrefix(s, "@"); ok {
		n, err := strconv.ParseInt(ms, 10, 64)
		return time.UnixMilli(n), err
	}
	for _, form := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(form, s, time.Local); err == nil {
			return t, nil
		}
	}
	t, err := time.ParseInLocation("15:04", s, time.Local)
	return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, time.Local), err
}

func (f *filesCall) conflicts(ctx context.Context) error {
	res, err := ask[api.FilePaths](ctx, f.c, "files/conflicts", f.ask(""))
	if err != nil {
		return err
	}
	if f.e.json {
		return f.e.print(res)
	}
	for _, r := range res.Files {
		info, err := ask[api.FileInfo](ctx, f.c, "files/info", f.ask(r.Path))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(f.e.out, r.Path); err != nil {
			return err
		}
		for _, v := range append([]api.FileVersion{{ID: r.Version, At: r.Changed, Person: r.Person, Size: r.Size}}, info.Others...) {
			if _, err := fmt.Fprintf(f.e.out, "    %s  %10s  %-12s  %s\n", clock(v.At), size(v.Size), v.Person.Name, v.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *filesCall) resolve(ctx context.Context) error {
	if f.arg(0) == "" || f.flags.version == "" {
		return errUsage
	}
	res, err := ask[api.File](ctx, f.c, "files/resolve", api.FileResolve{Space: f.folder.Space, Path: strings.Trim(f.arg(0), "/"), Version: f.flags.version, Both: f.flags.both})
	if err != nil {
		return err
	}
	return f.e.say(res, f.e.pick("Gelöst: %s", "Resolved: %s"), res.Path)
}

func (f *filesCall) trash(ctx context.Context) error {
	res, err := ask[api.FilePaths](ctx, f.c, "files/trash", f.ask(f.arg(0)))
	if err != nil {
		return err
	}
	return f.rows(res, res.Files)
}

func (f *filesCall) remove(ctx context.Context) error {
	if len(f.args) == 0 {
		return errUsage
	}
	paths := make([]string, len(f.args))
	for i, p := range f.args {
		paths[i] = strings.Trim(p, "/")
	}
	res, err := ask[api.FilePaths](ctx, f.c, "files/remove", api.FileRemove{Space: f.folder.Space, Paths: paths})
	if err != nil {
		return err
	}
	return f.e.say(res, f.e.pick("Im Papierkorb: %s", "In the trash: %s"), strings.Join(paths, ", "))
}

func (f *filesCall) rename(ctx context.Context) error {
	if f.arg(1) == "" {
		return errUsage
	}
	res, err := ask[api.File](ctx, f.c, "files/rename", api.FileRename{Space: f.folder.Space, Path: strings.Trim(f.arg(0), "/"), To: strings.Trim(f.arg(1), "/")})
	if err != nil {
		return err
	}
	return f.e.say(res, f.e.pick("Umbenannt: %s", "Renamed: %s"), res.Path)
}

func (f *filesCall) mkdir(ctx context.Context) error {
	if f.arg(0) == "" {
		return errUsage
	}
	res, err := ask[api.File](ctx, f.c, "files/mkdir", f.ask(f.arg(0)))
	if err != nil {
		return err
	}
	return f.e.say(res, f.e.pick("Angelegt: %s", "Made: %s"), res.Path)
}

// fetch fetches the large files that wait because the connection is paid by volume.
func (f *filesCall) fetch(ctx context.Context) error {
	res, err := ask[api.Folder](ctx, f.c, "files/fetch", f.ask(""))
	if err != nil {
		return err
	}
	return f.e.say(res, "%s", f.e.pick("Was wartet, wird geladen.", "What waits is being loaded."))
}

// state says how the folder is, and why it is not in sync.
func (f *filesCall) state(context.Context) error {
	r := f.folder
	if f.e.json {
		return f.e.print(r)
	}
	if _, err := fmt.Fprintf(f.e.out, f.e.pick("%s\n%d Dateien, %s\n", "%s\n%d files, %s\n"), r.Dir, r.Files, size(r.Bytes)); err != nil {
		return err
	}
	if p := r.Progress; p != nil {
		if _, err := fmt.Fprintf(f.e.out, f.e.pick("noch %d Dateien, %s\n", "%d files to come, %s\n"), p.Files, size(p.Bytes)); err != nil {
			return err
		}
	}
	if r.Spared > 0 {
		if _, err := fmt.Fprintf(f.e.out, f.e.pick("%d große Dateien warten, weil die Verbindung nach Menge bezahlt wird: %s; laden mit: files fetch\n",
			"%d large files wait because the connection is paid by volume: %s; to load them: files fetch\n"), r.Spared, size(r.SparedBytes)); err != nil {
			return err
		}
	}
	for _, h := range r.Holds {
		if _, err := fmt.Fprintf(f.e.out, f.e.pick("angehalten: %s, %d Dateien (%s)\n", "held: %s, %d files (%s)\n"), h.Name, h.Files, h.Device); err != nil {
			return err
		}
	}
	for _, p := range r.Problems {
		if _, err := fmt.Fprintln(f.e.out, strings.TrimSpace(p.Path+" "+p.Text+" "+p.Hint)); err != nil {
			return err
		}
	}
	return nil
}

func (f *filesCall) accept(ctx context.Context) error  { return f.decide(ctx, true) }
func (f *filesCall) discard(ctx context.Context) error { return f.decide(ctx, false) }

// decide ends a hold; the device need not be named if there is only one.
func (f *filesCall) decide(ctx context.Context, accept bool) error {
	name := f.arg(0)
	for _, h := range f.folder.Holds {
		if name == "" && len(f.folder.Holds) == 1 || h.Device == name || h.Name == name {
			res, err := ask[api.Folder](ctx, f.c, "files/hold", api.HoldDecide{Space: f.folder.Space, Device: h.Device, Accept: accept})
			if err != nil {
				return err
			}
			if accept {
				return f.e.say(res, f.e.pick("Angenommen: %s", "Accepted: %s"), h.Name)
			}
			return f.e.say(res, f.e.pick("Verworfen: %s", "Discarded: %s"), h.Name)
		}
	}
	return &app.Problem{Code: "not-held"}
}

func (f *filesCall) keep(ctx context.Context) error { return f.kept(ctx, true) }
func (f *filesCall) drop(ctx context.Context) error { return f.kept(ctx, false) }

// kept says whether a path, or the whole folder, is kept on this device.
func (f *filesCall) kept(ctx context.Context, kept bool) error {
	var res api.Folder
	var err error
	if p := strings.Trim(f.arg(0), "/"); p != "" {
		res, err = ask[api.Folder](ctx, f.c, "files/skip", api.SkipSet{Space: f.folder.Space, Path: p, Kept: kept})
	} else {
		res, err = ask[api.Folder](ctx, f.c, "files/folder", api.FolderSet{Space: f.folder.Space, Kept: kept, Dir: f.arg(1)})
	}
	if err != nil {
		return err
	}
	if kept {
		return f.e.say(res, f.e.pick("Wird hier behalten.", "Is kept here."))
	}
	return f.e.say(res, f.e.pick("Wird hier nicht behalten.", "Is not kept here."))
}
