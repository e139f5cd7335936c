package api

import (
	"io"
	"path"
	"time"

	"inselnetz/app"
	"inselnetz/app/folder"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/tree"
)

func (s *Server) showFolder(lang language, f app.FolderInfo) Folder {
	st := f.State
	out := Folder{
		Space: f.Space.String(), Name: f.Name, Kept: f.Kept, Dir: f.Dir, CanWrite: f.CanWrite,
		Files: st.Files, Bytes: st.Bytes, Skipped: orEmpty(f.Skipped), Problems: lang.fileProblems(f.Problems), Holds: []Hold{},
		Conflict: st.Conflicts, Trash: f.Trash, Phones: s.showPhones(lang, f.Space),
		Spared: st.Spared, SparedBytes: st.SparedBytes,
	}
	if st.LackFiles > 0 || st.Busy == "scan" && st.Files == 0 {
		p := &Progress{
			Files: st.LackFiles, Bytes: st.LackBytes, Done: st.DoneBytes, Rate: st.Rate, Reading: st.Busy == "scan",
			WaitsFor: st.Waiting, CanCancel: f.Kept,
		}
		if st.Rate > 0 {
			p.Left = int((st.LackBytes + st.Rate - 1) / st.Rate)
		}
		out.Progress = p
	}
	for _, h := range f.Holds {
		name := h.By.Device
		if h.Phone != "" {
			name = h.By.Name
		}
		out.Holds = append(out.Holds, Hold{
			Space: out.Space, Device: h.Device.String(), Name: name, Person: showBy(h.By), Why: h.Why, Since: h.Since.UnixMilli(),
			Minutes: int((h.Window + time.Minute - 1) / time.Minute), Files: h.Files + h.Applied, Applied: h.Applied, Sample: orEmpty(h.Sample), Phone: h.Phone,
		})
	}
	return out
}

func showBy(by app.FileBy) Person {
	p := namedPerson(chat.PersonID(by.Person), by.Name)
	p.Self = by.Self
	return p
}

func (l language) fileProblems(in []app.FileProblem) []Sentence {
	out := []Sentence{}
	for _, p := range in {
		out = append(out, l.sentence(p))
	}
	return out
}

func (l language) sentence(p app.FileProblem) Sentence {
	e := l.error(&app.Problem{Code: p.Code, Args: p.Args})
	return Sentence{Code: p.Code, Text: e.Sentence, Hint: e.Next, Path: p.Path}
}

func (l language) showFiles(rows []app.FileRow) []File {
	out := make([]File, len(rows))
	for i, r := range rows {
		out[i] = l.showFile(r)
	}
	return out
}

func (l language) showFile(r app.FileRow) File {
	n := r.Node
	name := path.Base(n.Path)
	out := File{
		Path: n.Path, Name: name, Kind: kindWord(n.Shown.Kind), Size: r.Size, Count: r.Count, Changed: r.Changed,
		Person: showBy(r.By), Device: r.By.Device, Where: whereWord(r), Suggest: r.Suggest, Conflict: len(n.Others) > 0,
		Open: r.OpenBy, Copies: r.Copies, Target: n.Shown.Target,
	}
	if !r.Dir {
		out.Version = n.Shown.ID.String()
	}
	if out.Kind == "file" {
		out.Type = fileType(name)
	}
	var hint app.FileProblem
	switch {
	case r.Alone:
		hint.Code = "files-alone"
	case out.Where == "waits":
		hint.Code = "file-waits"
	case out.Where == "spared":
		hint.Code = "file-spared"
	case out.Where == "unstorable":
		hint = app.FileProblem{Code: "file-name", Args: []any{name, r.Suggest}}
	case n.Problem&tree.Deceptive != 0:
		hint = app.FileProblem{Code: "file-deceptive", Args: []any{name}}
	case n.Problem != 0:
		hint = app.FileProblem{Code: "file-name-others", Args: []any{name}}
	}
	if hint.Code != "" {
		s := l.sentence(hint)
		out.Hint = s.Text + " " + s.Hint
	}
	return out
}

func kindWord(k tree.Kind) string {
	switch k {
	case tree.Dir:
		return "dir"
	case tree.Link:
		return "link"
	case tree.Gone:
		return "gone"
	}
	return "file"
}

func whereWord(r app.FileRow) string {
	if r.Alone {
		return "alone"
	}
	switch r.Where {
	case folder.NotKept:
		return "elsewhere"
	case folder.Fetching:
		return "coming"
	case folder.Waiting:
		return "waits"
	case folder.CannotKeep:
		return "unstorable"
	case folder.Held:
		return "held"
	case folder.Spared:
		return "spared"
	case folder.InUse, folder.Blocked:
		return "coming"
	}
	return "here"
}

func (l language) showDetail(d app.FileDetail) FileInfo {
	out := FileInfo{
		File: l.showFile(d.Row), Devices: orEmpty(d.Devices), Versions: []FileVersion{}, Others: []FileVersion{}, Days: d.Days, Gone: d.Gone,
		Problems: l.fileProblems(d.Problems),
	}
	for i, v := range d.Versions {
		shown := showVersion(v)
		shown.Renamed = i+1 < len(d.Versions) && v.Path != d.Versions[i+1].Path
		out.Versions = append(out.Versions, shown)
	}
	for _, v := range d.Others {
		out.Others = append(out.Others, showVersion(v))
	}
	switch t := out.File.Type; t {
	case "pdf", "text":
		out.Preview = t
	case "image":
		if _, ok := inlineType(out.File.Name); ok {
			out.Preview = t
		}
	}
	return out
}

func showVersion(v app.FileVersion) FileVersion {
	return FileVersion{
		ID: v.ID.String(), Path: v.Path, At: v.Clock.Millis(), Person: showBy(v.By), Device: v.By.Device, Size: v.Size,
		Kind: kindWord(v.Kind), State: v.State,
	}
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// whole is a request's body that must come in full: a transfer that breaks off
// must not become a shorter file.
type whole struct {
	r    io.Reader
	left int64 // bytes to come; negative: not known
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if w.left >= 0 {
		w.left -= int64(n)
	}
	if err == io.EOF && w.left > 0 {
		err = &app.Problem{Code: "upload-broken", Err: io.ErrUnexpectedEOF}
	}
	return n, err
}
