package api

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// caller asks a server as a page does and decodes what it answers.
type caller struct {
	t          *testing.T
	url, token string
}

func (c caller) ask(call string, req any, to any) (e Error) {
	c.t.Helper()
	body, err := json.Marshal(req)
	if err != nil {
		c.t.Fatal(err)
	}
	res := request(c.t, "POST", c.url+"/api/"+call, string(body), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+c.token) })
	if res.StatusCode == http.StatusOK {
		if err := json.NewDecoder(res.Body).Decode(to); err != nil {
			c.t.Fatal(err)
		}
		return Error{}
	}
	if err := json.NewDecoder(res.Body).Decode(&e); err != nil || e.Sentence == "" {
		c.t.Errorf("%s: %s without a sentence (%v)", call, res.Status, err)
	}
	return e
}

// Whatever a page sends, the document is what it was and the next call works.
func TestEditsThatMakeNoSense(t *testing.T) {
	_, url, token := newServer(t)
	c := caller{t, url, token}
	var st Status
	c.ask("found", Found{Office: "Kanzlei", Person: "Anke", Device: "PC"}, &st)
	var doc Document
	if e := c.ask("document/create", DocumentCreate{Title: "Protokoll", Markdown: "Montag\n\n- Dienstag"}, &doc); e.Code != "" {
		t.Fatal(e)
	}
	var ed DocumentEditor
	if e := c.ask("document/open", DocumentOpen{ID: doc.ID}, &ed); e.Code != "" || ed.Length != len("¶Montag¶Dienstag")-2 {
		t.Fatal(e, ed.Length)
	}
	deep := any("x")
	for range 20 {
		deep = map[string]any{"a": deep}
	}
	edit := func(e DocEdit) DocumentSync { return DocumentSync{Editor: ed.Editor, Batch: 1, Edits: []DocEdit{e}} }
	for name, tt := range map[string]struct {
		req  any
		want string
	}{
		"behind the end":         {edit(DocEdit{Kind: "splice", At: 99, Text: "x"}), "bad-request"},
		"before the beginning":   {edit(DocEdit{Kind: "splice", At: -1, Text: "x"}), "bad-request"},
		"deletes too much":       {edit(DocEdit{Kind: "splice", At: 1, Del: 1 << 40}), "bad-request"},
		"unknown kind":           {edit(DocEdit{Kind: "explode", At: 1}), "bad-request"},
		"no block there":         {edit(DocEdit{Kind: "update", At: 2, Block: map[string]any{"t": "heading"}}), "bad-request"},
		"mark without a name":    {edit(DocEdit{Kind: "mark", At: 1, End: 3, Value: true}), "bad-request"},
		"mark with a map":        {edit(DocEdit{Kind: "mark", At: 1, End: 3, Name: "strong", Value: map[string]any{}}), "bad-request"},
		"deep attributes":        {edit(DocEdit{Kind: "split", At: 1, Block: map[string]any{"x": deep}}), "bad-request"},
		"long attribute":         {edit(DocEdit{Kind: "split", At: 1, Block: map[string]any{"x": strings.Repeat("a", 1<<20)}}), "bad-request"},
		"10 MB":                  {edit(DocEdit{Kind: "splice", At: 1, Text: strings.Repeat("a", 10<<20)}), "request-too-long"},
		"the first half is fine": {DocumentSync{Editor: ed.Editor, Batch: 1, Edits: []DocEdit{{Kind: "splice", At: 1, Text: "halb"}, {Kind: "splice", At: 999}}}, "bad-request"},
		"no editor":              {DocumentSync{Editor: "0123456789abcdef", Batch: 1}, "no-editor"},
		"a batch too far":        {DocumentSync{Editor: ed.Editor, Batch: 7}, "bad-request"},
	} {
		t.Run(name, func(t *testing.T) {
			var news DocumentNews
			if e := c.ask("document/sync", tt.req, &news); e.Code != tt.want {
				t.Errorf("%+v, want %s", e, tt.want)
			}
		})
	}
	var news DocumentNews
	if e := c.ask("document/sync", edit(DocEdit{Kind: "splice", At: 1, Text: "Am "}), &news); e.Code != "" {
		t.Fatal(e)
	}
	var text DocumentText
	if e := c.ask("document", DocumentAsk{ID: doc.ID}, &text); e.Code != "" || text.Markdown != "Am Montag\n\n- Dienstag\n" {
		t.Errorf("%+v %q", e, text.Markdown)
	}
}

func TestFilesThatAreNoDocuments(t *testing.T) {
	_, url, token := newServer(t)
	c := caller{t, url, token}
	var st Status
	c.ask("found", Found{Office: "Kanzlei", Person: "Anke", Device: "PC"}, &st)
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	for name, content := range map[string]string{
		"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
		"_rels/.rels":         `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`,
		"word/document.xml":   `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>` + strings.Repeat("<w:p/>", 40<<20/6) + `</w:body></w:document>`,
	} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(content))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		file    string
		content []byte
		want    string
	}{
		"a program":           {"x.exe", []byte("MZ"), "import-kind"},
		"no name":             {"", nil, "import-kind"},
		"no Word file":        {"x.docx", []byte("hello"), "import-bad"},
		"no OpenDocument":     {"x.odt", []byte("PK\x03\x04"), "import-bad"},
		"binary as Markdown":  {"x.md", []byte("a\x00b"), "import-bad"},
		"no Automerge":        {"x.automerge", []byte("hello"), "import-bad"},
		"40 MB in a few KB":   {"x.docx", bomb.Bytes(), "import-large"},
		"too much Markdown":   {"x.md", bytes.Repeat([]byte("wort "), 1<<20), "import-large"},
		"a name from outside": {"../../etc/passwd", []byte("root"), "import-kind"},
	} {
		t.Run(name, func(t *testing.T) {
			var doc Document
			e := c.ask("document/import", DocumentImport{Name: tt.file, Content: base64.StdEncoding.EncodeToString(tt.content)}, &doc)
			if e.Code != tt.want {
				t.Errorf("%+v, want %s", e, tt.want)
			}
		})
	}
	var all Documents
	if e := c.ask("documents", DocumentsAsk{}, &all); e.Code != "" || len(all.Documents) != 0 {
		t.Errorf("%+v %d", e, len(all.Documents))
	}
}
