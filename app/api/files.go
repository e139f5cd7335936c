package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"inselnetz/app"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

func (s *Server) folders(_ context.Context, lang language, _ Empty) (Folders, error) {
	list, err := s.ws.Folders()
	if err != nil {
		return Folders{}, err
	}
	out := Folders{Folders: []Folder{}, Place: s.ws.FilesPlace()}
	for _, f := range list {
		out.Folders = append(out.Folders, s.showFolder(lang, f))
	}
	return out, nil
}

// folder is one folder after a call changed it.
func (s *Server) folder(lang language, space log.SpaceID) (Folder, error) {
	f, err := s.ws.Folder(space)
	if err != nil {
		return Folder{}, err
	}
	return s.showFolder(lang, f), nil
}

func spaceOf(text string) (log.SpaceID, error) {
	id, err := log.ParseSpaceID(text)
	if err != nil {
		return id, &app.Problem{Code: "bad-request", Args: []any{err.Error()}, Err: err}
	}
	return id, nil
}

// versionOf reads the id of a version; empty is nil.
func versionOf(text string) (*tree.VersionID, error) {
	if text == "" {
		return nil, nil
	}
	id, err := tree.ParseVersionID(text)
	if err != nil {
		return nil, &app.Problem{Code: "bad-request", Args: []any{err.Error()}, Err: err}
	}
	return &id, nil
}

func (s *Server) folderSet(_ context.Context, lang language, req FolderSet) (Folder, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return Folder{}, err
	}
	if err := s.ws.SetFolder(space, req.Kept, req.Dir); err != nil {
		return Folder{}, err
	}
	return s.folder(lang, space)
}

func (s *Server) skipSet(_ context.Context, lang language, req SkipSet) (Folder, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return Folder{}, err
	}
	if err := s.ws.SkipPath(space, req.Path, req.Kept); err != nil {
		return Folder{}, err
	}
	return s.folder(lang, space)
}

func (s *Server) fileList(_ context.Context, lang language, req FilesAsk) (FileList, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return FileList{}, err
	}
	rows, err := s.ws.FileList(space, req.Path)
	if err != nil {
		return FileList{}, err
	}
	f, err := s.folder(lang, space)
	return FileList{Folder: f, Path: req.Path, Files: lang.showFiles(rows)}, err
}

func (s *Server) fileInfo(_ context.Context, lang language, req FilesAsk) (FileInfo, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return FileInfo{}, err
	}
	d, err := s.ws.FileDetail(space, req.Path)
	if err != nil {
		return FileInfo{}, err
	}
	return lang.showDetail(d), nil
}

func (s *Server) fileTrash(_ context.Context, lang language, req FilesAsk) (FilePaths, error) {
	return s.filePaths(lang, req, s.ws.FileTrash)
}

func (s *Server) fileConflicts(_ context.Context, lang language, req FilesAsk) (FilePaths, error) {
	return s.filePaths(lang, req, func(space log.SpaceID, _ string) ([]app.FileRow, error) { return s.ws.FileConflicts(space) })
}

func (s *Server) filePaths(lang language, req FilesAsk, ask func(log.SpaceID, string) ([]app.FileRow, error)) (FilePaths, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return FilePaths{}, err
	}
	rows, err := ask(space, req.Path)
	return FilePaths{Files: lang.showFiles(rows)}, err
}

func (s *Server) fileMoments(_ context.Context, _ language, req FilesAsk) (FileMoments, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return FileMoments{}, err
	}
	list, err := s.ws.FileMoments(space, req.Path)
	out := FileMoments{Moments: []FileMoment{}}
	for _, m := range list {
		out.Moments = append(out.Moments, FileMoment{At: m.At, Person: showBy(m.By), Files: m.Files, Gone: m.Gone})
	}
	return out, err
}

// row answers with a path after a call changed it.
func (lang language) row(r app.FileRow, err error) (File, error) {
	if err != nil {
		return File{}, err
	}
	return lang.showFile(r), nil
}

func (s *Server) fileMkdir(ctx context.Context, lang language, req FilesAsk) (File, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return File{}, err
	}
	return lang.row(s.ws.MakeDir(ctx, space, req.Path))
}

func (s *Server) fileRename(ctx context.Context, lang language, req FileRename) (File, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return File{}, err
	}
	return lang.row(s.ws.RenameFile(ctx, space, req.Path, req.To))
}

func (s *Server) fileRemove(ctx context.Context, _ language, req FileRemove) (FilePaths, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return FilePaths{}, err
	}
	return FilePaths{Files: []File{}}, s.ws.RemoveFiles(ctx, space, req.Paths)
}

func (s *Server) fileRestore(ctx context.Context, lang language, req FileRestore) (File, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return File{}, err
	}
	v, err := versionOf(req.Version)
	if err != nil {
		return File{}, err
	}
	return lang.row(s.ws.RestoreFile(ctx, space, req.Path, v))
}

func (s *Server) fileRewind(ctx context.Context, _ language, req FileRewind) (Rewound, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return Rewound{}, err
	}
	c, undo, err := s.ws.Rewind(ctx, space, req.Path, req.At, req.Dry)
	return Rewound{Changed: c.Changed, Restored: c.Restored, Removed: c.Removed, Lost: c.Lost, Sample: orEmpty(c.Sample), Undo: undo}, err
}

func (s *Server) fileResolve(ctx context.Context, lang language, req FileResolve) (File, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return File{}, err
	}
	v, err := versionOf(req.Version)
	if err != nil {
		return File{}, err
	}
	if v == nil {
		return File{}, &app.Problem{Code: "bad-request", Args: []any{"version"}}
	}
	return lang.row(s.ws.ResolveFile(ctx, space, req.Path, *v, req.Both))
}

func (s *Server) fileHold(ctx context.Context, lang language, req HoldDecide) (Folder, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return Folder{}, err
	}
	if dev, err := log.ParseDeviceID(req.Device); err == nil {
		err = s.ws.DecideHold(ctx, space, dev, req.Accept)
		if err != nil {
			return Folder{}, err
		}
	} else if err := s.ws.DecidePhone(ctx, space, req.Device, req.Accept); err != nil {
		return Folder{}, err
	}
	return s.folder(lang, space)
}

func (s *Server) fileOpen(_ context.Context, _ language, req FilesAsk) (Empty, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return Empty{}, err
	}
	place, err := s.ws.FilePlace(space, req.Path)
	if err != nil {
		return Empty{}, err
	}
	if s.open == nil || fileType(req.Path) == "other" && path.Ext(req.Path) != "" || s.open(place) != nil {
		return Empty{}, &app.Problem{Code: "file-cannot-open", Args: []any{path.Base(req.Path)}}
	}
	return Empty{}, nil
}

// upload answers PUT /api/files/content.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	row, err := s.put(r)
	if err != nil {
		if r.Context().Err() == nil {
			s.fail(w, lang, http.StatusBadRequest, err)
		}
		return
	}
	writeJSON(w, http.StatusOK, Upload{File: lang.showFile(row)})
}

func (s *Server) put(r *http.Request) (app.FileRow, error) {
	q := r.URL.Query()
	space, err := spaceOf(q.Get("space"))
	if err != nil {
		return app.FileRow{}, err
	}
	at, _ := strconv.ParseInt(q.Get("time"), 10, 64) // without one it is now
	base, free := q.Get("base"), false
	if free = base == "none"; free {
		base = ""
	}
	v, err := versionOf(base)
	if err != nil {
		return app.FileRow{}, err
	}
	left := r.ContentLength
	if said := q.Get("size"); said != "" {
		size, err := strconv.ParseInt(said, 10, 64)
		if err != nil || size < 0 {
			return app.FileRow{}, &app.Problem{Code: "bad-request", Args: []any{"size"}}
		}
		if left >= 0 && left != size { // some webviews send files as nothing
			return app.FileRow{}, &app.Problem{Code: "upload-broken", Err: io.ErrUnexpectedEOF}
		}
		left = size
	}
	body := &whole{r: r.Body, left: left}
	return s.ws.PutFile(r.Context(), space, q.Get("path"), v, free, max(at, 0), body)
}

// download answers GET /api/files/content.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	q := r.URL.Query()
	space, err := spaceOf(q.Get("space"))
	if err != nil {
		s.fail(w, lang, http.StatusBadRequest, err)
		return
	}
	v, err := versionOf(q.Get("version"))
	if err != nil {
		s.fail(w, lang, http.StatusBadRequest, err)
		return
	}
	content, k, err := s.ws.FileContent(r.Context(), space, q.Get("path"), v)
	if err != nil {
		if r.Context().Err() == nil {
			s.fail(w, lang, http.StatusBadRequest, err)
		}
		return
	}
	defer content.Close()
	name := path.Base(orElse(q.Get("path"), k.Path))
	head := w.Header()
	kind, inline := inlineType(name)
	if q.Get("inline") == "" || !inline {
		kind = "application/octet-stream"
		head.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name))
	} else {
		head.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": name}))
	}
	head.Set("Content-Type", kind)
	head.Set("Cache-Control", "no-store")
	// What others put into a file must not act as a page of ours.
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	http.ServeContent(w, r, "", time.Unix(0, k.Time), content)
}

// inlineType is the media type of what a browser may show.
func inlineType(name string) (string, bool) {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".png", ".gif", ".webp", ".bmp", ".avif":
		return "image/" + ext[1:], true
	case ".jpg", ".jpeg":
		return "image/jpeg", true
	case ".pdf":
		return "application/pdf", true
	}
	if fileType(name) == "text" {
		return "text/plain; charset=utf-8", true
	}
	return "", false
}

// fileTypes are the extensions of each type.
var fileTypes = map[string][]string{
	"doc":     {".doc", ".docx", ".odt", ".rtf", ".pages", ".dot", ".dotx", ".ott"},
	"sheet":   {".xls", ".xlsx", ".ods", ".csv", ".numbers"},
	"slides":  {".ppt", ".pptx", ".odp", ".key"},
	"pdf":     {".pdf"},
	"image":   {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif", ".heic", ".tif", ".tiff"},
	"text":    {".txt", ".md", ".log", ".json", ".xml", ".yaml", ".yml", ".ini", ".eml"},
	"audio":   {".mp3", ".wav", ".m4a", ".ogg", ".opus", ".flac"},
	"video":   {".mp4", ".mov", ".mkv", ".webm", ".avi"},
	"archive": {".zip", ".7z", ".tar", ".gz", ".rar"},
}

func fileType(name string) string {
	ext := strings.ToLower(path.Ext(name))
	for kind, list := range fileTypes {
		if slices.Contains(list, ext) {
			return kind
		}
	}
	return "other"
}

func (s *Server) showPhones(lang language, space log.SpaceID) []Phone {
	res, _ := s.ws.Phones(&space) // a folder is shown without them, too
	return lang.listPhones(res)
}

func (l language) listPhones(res app.Phones) []Phone {
	out := []Phone{}
	for _, p := range res.Phones {
		shown := Phone{ID: p.ID, Name: p.Name, Connected: p.Connected, Left: p.Left, Problem: p.Problem}
		if _, known := filePhrases["phone-"+p.Problem]; known {
			e := l.error(&app.Problem{Code: "phone-" + p.Problem})
			shown.Problem = e.Sentence + " " + e.Next
		}
		out = append(out, shown)
	}
	return out
}

func (s *Server) phones(_ context.Context, lang language, _ Empty) (Phones, error) {
	res, err := s.ws.Phones(nil)
	if err != nil {
		return Phones{}, err
	}
	out := Phones{ID: res.ID, QR: []string{}, Addr: res.Addr, Phones: lang.listPhones(res)}
	if qr, err := app.QR(res.ID); err == nil && res.ID != "" {
		out.QR = qr
	}
	return out, nil
}

func (s *Server) phoneSet(ctx context.Context, lang language, req PhoneSet) (Phones, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return Phones{}, err
	}
	if err := s.ws.SetPhone(ctx, space, req.ID, req.Name, req.Addr); err != nil {
		return Phones{}, err
	}
	return s.phones(ctx, lang, Empty{})
}

func (s *Server) phoneRemove(ctx context.Context, lang language, req PhoneSet) (Phones, error) {
	space, err := spaceOf(req.Space)
	if err != nil {
		return Phones{}, err
	}
	if err := s.ws.RemovePhone(ctx, space, req.ID); err != nil {
		return Phones{}, err
	}
	return s.phones(ctx, lang, Empty{})
}
