package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"inselnetz/app"
	"inselnetz/app/api"
)

// docFlags are what the words after "doc" take.
type docFlags struct {
	space, title, folder, as, template string
	at                                 int
}

// docCommand is "doc WORD …": look at and change documents.
func docCommand(e *env) func(context.Context) error {
	var f docFlags
	e.flags.StringVar(&f.space, "space", "", "`name` of the space (default: for list all, for new the one of all)")
	e.flags.StringVar(&f.title, "title", "", "`name` of a new document (default: its first heading)")
	e.flags.StringVar(&f.folder, "folder", "", "`name` of the folder it is listed in; with set, - for none")
	e.flags.StringVar(&f.as, "as", "md", "`format` of an export: md, txt, html, docx, odt, automerge")
	e.flags.StringVar(&f.template, "template", "", "`word` of what a new document begins with: blank, minutes, checklist, letter, emergency")
	e.flags.IntVar(&f.at, "at", 0, "`number` of a state, as history prints it (default: the present)")
	return with(e, func(ctx context.Context, c *client) error {
		if len(e.rest) == 0 {
			return errUsage
		}
		do, ok := docWords[e.rest[0]]
		if !ok {
			return errUsage
		}
		return do(&docCall{e: e, c: c, flags: f, args: e.rest[1:]}, ctx)
	})
}

// A docCall is one use of "doc".
type docCall struct {
	e     *env
	c     *client
	flags docFlags
	args  []string
}

var docWords = map[string]func(*docCall, context.Context) error{
	"list": (*docCall).list, "new": (*docCall).create, "cat": (*docCall).cat, "edit": (*docCall).edit, "set": (*docCall).set,
	"archive": (*docCall).archive, "history": (*docCall).history, "restore": (*docCall).restore, "export": (*docCall).export,
	"search": (*docCall).search, "copy": (*docCall).copy,
}

// all are the documents of the space that --space names, or of all.
func (d *docCall) all(ctx context.Context) (api.Documents, error) {
	space, err := d.space(ctx)
	if err != nil {
		return api.Documents{}, err
	}
	return ask[api.Documents](ctx, d.c, "documents", api.DocumentsAsk{Space: space})
}

func (d *docCall) space(ctx context.Context) (string, error) {
	if d.flags.space == "" {
		return "", nil
	}
	res, err := ask[api.Spaces](ctx, d.c, "spaces", api.Empty{})
	if err != nil {
		return "", err
	}
	for _, s := range res.Spaces {
		if s.Name == d.flags.space || s.ID == d.flags.space {
			return s.ID, nil
		}
	}
	return "", &app.Problem{Code: "no-document"}
}

// find is the document that the first argument names: by its id, or by its title
// if only one has it.
func (d *docCall) find(ctx context.Context) (api.Document, error) {
	if len(d.args) == 0 {
		return api.Document{}, errUsage
	}
	list, err := d.all(ctx)
	if err != nil {
		return api.Document{}, err
	}
	var found []api.Document
	for _, x := range list.Documents {
		if x.ID == d.args[0] {
			return x, nil
		}
		if x.Title == d.args[0] {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		return api.Document{}, &app.Problem{Code: "no-document"}
	}
	return found[0], nil
}

func (d *docCall) list(ctx context.Context) error {
	res, err := d.all(ctx)
	if err != nil || d.e.json {
		return orPrint(d.e, res, err)
	}
	for _, x := range res.Documents {
		name := x.Title
		if x.Folder != "" {
			name = x.Folder + "/" + name
		}
		if x.Archived {
			name += d.e.pick("  (archiviert)", "  (archived)")
		}
		if _, err := fmt.Fprintf(d.e.out, "%s  %7d  %-12s  %s\n", clock(x.Changed), x.Size, x.By.Name, name); err != nil {
			return err
		}
	}
	return nil
}

func orPrint(e *env, v any, err error) error {
	if err != nil {
		return err
	}
	return e.print(v)
}

// input is the file that an argument names, "-" or nothing for standard input.
func (d *docCall) input(n int) (string, error) {
	name := "-"
	if n < len(d.args) {
		name = d.args[n]
	}
	from := d.e.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		from = f
	}
	const most = app.MaxImport
	b, err := io.ReadAll(io.LimitReader(from, most+1))
	if err == nil && len(b) > most {
		return "", &app.Problem{Code: "document-large"}
	}
	return string(b), err
}

// create makes a document of a template, of Markdown, or of a file of another kind
// that its name tells.
func (d *docCall) create(ctx context.Context) error {
	space, err := d.space(ctx)
	if err != nil {
		return err
	}
	var text string
	if d.flags.template == "" {
		if text, err = d.input(0); err != nil {
			return err
		}
	}
	var doc api.Document
	if len(d.args) > 0 && slices.Contains([]string{".docx", ".odt", ".txt", ".automerge"}, strings.ToLower(filepath.Ext(d.args[0]))) {
		doc, err = ask[api.Document](ctx, d.c, "document/import", api.DocumentImport{
			Space: space, Folder: d.flags.folder, Name: filepath.Base(d.args[0]), Content: base64.StdEncoding.EncodeToString([]byte(text)),
		})
		if err == nil && d.flags.title != "" {
			doc, err = ask[api.Document](ctx, d.c, "document/set", api.DocumentSet{ID: doc.ID, Title: &d.flags.title})
		}
	} else {
		doc, err = ask[api.Document](ctx, d.c, "document/create", api.DocumentCreate{
			Space: space, Title: d.flags.title, Folder: d.flags.folder, Markdown: text, Template: d.flags.template,
		})
	}
	if err != nil {
		return err
	}
	return d.e.say(doc, d.e.pick("Angelegt: %s", "Made: %s"), doc.Title)
}

// search prints the documents that have all words.
func (d *docCall) search(ctx context.Context) error {
	if len(d.args) == 0 {
		return errUsage
	}
	res, err := ask[api.DocumentHits](ctx, d.c, "document/search", api.DocumentSearch{Query: strings.Join(d.args, " ")})
	if err != nil || d.e.json {
		return orPrint(d.e, res, err)
	}
	for _, h := range res.Hits {
		if _, err := fmt.Fprintf(d.e.out, "%s: %s%s%s\n", h.Document.Title, h.Before, h.Match, h.After); err != nil {
			return err
		}
	}
	return nil
}

// copy makes another document with the present text.
func (d *docCall) copy(ctx context.Context) error {
	doc, err := d.find(ctx)
	if err != nil {
		return err
	}
	title := d.flags.title
	if title == "" {
		title = fmt.Sprintf(d.e.pick("%s (Kopie)", "%s (copy)"), doc.Title)
	}
	doc, err = ask[api.Document](ctx, d.c, "document/copy", api.DocumentCopy{ID: doc.ID, Title: title})
	if err != nil {
		return err
	}
	return d.e.say(doc, d.e.pick("Angelegt: %s", "Made: %s"), doc.Title)
}

// state names the document, in the state that --at names.
func (d *docCall) state(ctx context.Context) (api.DocumentAsk, error) {
	doc, err := d.find(ctx)
	out := api.DocumentAsk{ID: doc.ID, Heads: []string{}}
	if err != nil || d.flags.at == 0 {
		return out, err
	}
	res, err := ask[api.DocumentHistory](ctx, d.c, "document/history", out)
	if err != nil {
		return out, err
	}
	if d.flags.at < 1 || d.flags.at > len(res.Sessions) {
		return out, &app.Problem{Code: "no-version"}
	}
	out.Heads = res.Sessions[d.flags.at-1].Heads
	return out, nil
}

func (d *docCall) cat(ctx context.Context) error {
	at, err := d.state(ctx)
	if err != nil {
		return err
	}
	res, err := ask[api.DocumentText](ctx, d.c, "document", at)
	if err != nil || d.e.json {
		return orPrint(d.e, res, err)
	}
	_, err = io.WriteString(d.e.out, res.Markdown)
	return err
}

// edit makes a document say what a file of Markdown does.
func (d *docCall) edit(ctx context.Context) error {
	doc, err := d.find(ctx)
	if err != nil {
		return err
	}
	text, err := d.input(1)
	if err != nil {
		return err
	}
	doc, err = ask[api.Document](ctx, d.c, "document/write", api.DocumentWrite{ID: doc.ID, Markdown: text})
	if err != nil {
		return err
	}
	return d.e.say(doc, d.e.pick("Gespeichert: %s", "Saved: %s"), doc.Title)
}

// set changes title and folder.
func (d *docCall) set(ctx context.Context) error {
	doc, err := d.find(ctx)
	if err != nil {
		return err
	}
	req := api.DocumentSet{ID: doc.ID}
	if d.flags.title != "" {
		req.Title = &d.flags.title
	}
	if d.flags.folder != "" {
		folder := strings.TrimPrefix(d.flags.folder, "-") // "-" is none
		req.Folder = &folder
	}
	return d.change(ctx, req)
}

func (d *docCall) archive(ctx context.Context) error {
	doc, err := d.find(ctx)
	if err != nil {
		return err
	}
	archived := !doc.Archived
	return d.change(ctx, api.DocumentSet{ID: doc.ID, Archived: &archived})
}

func (d *docCall) change(ctx context.Context, req api.DocumentSet) error {
	doc, err := ask[api.Document](ctx, d.c, "document/set", req)
	if err != nil {
		return err
	}
	return d.e.say(doc, d.e.pick("Gespeichert: %s", "Saved: %s"), doc.Title)
}

func (d *docCall) history(ctx context.Context) error {
	doc, err := d.find(ctx)
	if err != nil {
		return err
	}
	res, err := ask[api.DocumentHistory](ctx, d.c, "document/history", api.DocumentAsk{ID: doc.ID, Heads: []string{}})
	if err != nil || d.e.json {
		return orPrint(d.e, res, err)
	}
	for i, s := range res.Sessions {
		var who []string
		for _, p := range s.People {
			who = append(who, p.Name)
		}
		if _, err := fmt.Fprintf(d.e.out, "%4s  %s  %-20s  +%d -%d\n", strconv.Itoa(i+1), clock(s.To), strings.Join(who, ", "), s.Added, s.Removed); err != nil {
			return err
		}
	}
	return nil
}

func (d *docCall) restore(ctx context.Context) error {
	if d.flags.at == 0 {
		return errUsage
	}
	at, err := d.state(ctx)
	if err != nil {
		return err
	}
	doc, err := ask[api.Document](ctx, d.c, "document/restore", at)
	if err != nil {
		return err
	}
	return d.e.say(doc, d.e.pick("Wiederhergestellt: %s", "Restored: %s"), doc.Title)
}

// export writes a file of the document's name, or of the name given, or to
// standard output for "-".
func (d *docCall) export(ctx context.Context) error {
	at, err := d.state(ctx)
	if err != nil {
		return err
	}
	res, err := ask[api.DocumentFile](ctx, d.c, "document/export", api.DocumentExport{ID: at.ID, Heads: at.Heads, Format: strings.TrimPrefix(d.flags.as, ".")})
	if err != nil {
		return err
	}
	content, err := base64.StdEncoding.DecodeString(res.Content)
	if err != nil {
		return err
	}
	to := res.Name
	if len(d.args) > 1 {
		to = d.args[1]
	}
	if to == "-" {
		_, err = d.e.out.Write(content)
		return err
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		return err
	}
	return d.e.say(api.Empty{}, d.e.pick("Gespeichert: %s", "Stored: %s"), to)
}
