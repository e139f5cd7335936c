package office

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
)

// deflated is a piece of text many times over, deflated, as a stranger could write
// it in no time.
func deflated(begin, piece string, times int) (b []byte, size uint64) {
	part := func(s string) []byte {
		var out bytes.Buffer
		w, err := flate.NewWriter(&out, flate.BestCompression)
		if err != nil {
			panic(err)
		}
		if _, err := io.WriteString(w, s); err != nil {
			panic(err)
		}
		if err := w.Flush(); err != nil {
			panic(err)
		}
		return out.Bytes()
	}
	return append(part(begin), bytes.Repeat(part(piece), times)...), uint64(len(begin) + len(piece)*times)
}

// bombFile is a DOCX or ODT file with such a part in the place of another one.
func bombFile(t *testing.T, kind, name string, body []byte, size uint64) []byte {
	t.Helper()
	good := must(formats[kind].write("T", sample, sampleFiles))
	z, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		if f.Name == name {
			h := &zip.FileHeader{Name: name, Method: zip.Deflate, CompressedSize64: uint64(len(body)), UncompressedSize64: size}
			p, err := w.CreateRaw(h)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Write(body); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := w.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A file that is 1 GB when inflated, whatever it says of that, is refused in short
// time and little memory.
func TestBombs(t *testing.T) {
	const giga = 1 << 30
	word := `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	odt := `<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:text>`
	for name, tt := range map[string]struct{ kind, part, begin, piece string }{
		"spaces":             {"docx", "word/document.xml", word, " "},
		"one text":           {"docx", "word/document.xml", word + "<w:p><w:r><w:t>", "x"},
		"one name":           {"docx", "word/document.xml", word + "<w:", "x"},
		"one attribute":      {"docx", "word/document.xml", word + `<w:p a="`, "x"},
		"attributes":         {"docx", "word/document.xml", word + `<w:p `, `a="" `},
		"one comment":        {"docx", "word/document.xml", word + "<!-- ", "x"},
		"paragraphs":         {"docx", "word/document.xml", word, "<w:p/>"},
		"runs":               {"docx", "word/document.xml", word + "<w:p>", "<w:r><w:rPr><w:b/></w:rPr><w:t>xx</w:t></w:r><w:r><w:t>x</w:t></w:r>"},
		"breaks":             {"docx", "word/document.xml", word + "<w:p><w:r>", "<w:br/>"},
		"depth":              {"docx", "word/document.xml", word, "<w:sdt><w:sdtContent>"},
		"cells":              {"docx", "word/document.xml", word + `<w:tbl><w:tr>`, `<w:tc><w:tcPr><w:gridSpan w:val="64"/></w:tcPr></w:tc>`},
		"rows":               {"docx", "word/document.xml", word + `<w:tbl><w:tr>` + strings.Repeat("<w:tc/>", 200) + `</w:tr>`, `<w:tr><w:tc/></w:tr>`},
		"notes":              {"docx", "word/document.xml", word + "<w:p><w:r>", `<w:footnoteReference w:id="1"/>`},
		"styles":             {"docx", "word/styles.xml", strings.Replace(word, "document", "styles", 1), `<w:style w:styleId="x"/>`},
		"odt spaces":         {"odt", "content.xml", odt, " "},
		"odt text":           {"odt", "content.xml", odt + "<text:p>", "x<text:s/>"},
		"odt counted spaces": {"odt", "content.xml", odt + "<text:p>", `<text:s text:c="1000000000"/>`},
		"odt depth":          {"odt", "content.xml", odt, "<text:list><text:list-item>"},
		"odt cells":          {"odt", "content.xml", odt + "<table:table>", `<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="100000"/></table:table-row>`},
		"odt notes":          {"odt", "content.xml", odt + "<text:p>", `<text:note><text:note-body><text:p>x</text:p></text:note-body></text:note>`},
		"odt styles":         {"odt", "styles.xml", `<office:document-styles xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"><office:styles>`, `<style:style style:family="text"/>`},
		"odt mimetype":       {"odt", "mimetype", "", "x"},
	} {
		piece := strings.Repeat(tt.piece, (1<<20)/len(tt.piece))
		body, size := deflated(tt.begin, piece, giga/len(piece))
		for _, claim := range []uint64{size, maxPart} {
			b := bombFile(t, tt.kind, tt.part, body, claim)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := formats[tt.kind].read(b)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			grew := int64(after.Sys-before.Sys) >> 20
			if !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrMalformed) || took > 20*time.Second || grew > 300 {
				t.Errorf("%s, says %d: %v in %v, %d MB of memory", name, claim, err, took, grew)
			}
			if testing.Verbose() {
				t.Logf("%s, says %d: %v, %d MB more, %d MB in all: %v", name, claim, took.Round(time.Millisecond), grew, (after.TotalAlloc-before.TotalAlloc)>>20, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	docx, odt := must(DOCX("T", sample, sampleFiles)), must(ODT("T", sample, sampleFiles))
	archived := func(kv ...string) []byte {
		var entries []entry
		for i := 0; i < len(kv); i += 2 {
			entries = append(entries, entry{name: kv[i], bytes: []byte(kv[i+1])})
		}
		return must(pack(entries))
	}
	many := make([]entry, maxEntries+1)
	for i := range many {
		many[i].name = fmt.Sprint(i)
	}
	encrypted := bytes.Clone(docx)
	for i := range len(encrypted) - 8 {
		if bytes.Equal(encrypted[i:i+4], zipEntry) {
			encrypted[i+8] |= 1
		}
	}
	sheet := wordFile(`<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>`, nil)
	main := `<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">`
	for name, tt := range map[string]struct {
		b         []byte
		docx, odt error
	}{
		"nothing":           {nil, ErrNotOffice, ErrNotOffice},
		"text":              {[]byte("hello"), ErrNotOffice, ErrNotOffice},
		"the other kind":    {odt, ErrNotOffice, nil},
		"this kind":         {docx, nil, ErrNotOffice},
		"an old .doc":       {append(bytes.Clone(oleStart), make([]byte, 1000)...), ErrNotOffice, ErrNotOffice},
		"encrypted by Word": {append(append(bytes.Clone(oleStart), make([]byte, 1000)...), oleSecret...), ErrEncrypted, ErrEncrypted},
		"encrypted entries": {encrypted, ErrEncrypted, ErrEncrypted},
		"encrypted ODT": {archived("mimetype", odtMime, "content.xml", "x", "META-INF/manifest.xml",
			`<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>`), ErrNotOffice, ErrEncrypted},
		"too long":          {make([]byte, MaxFile+1), ErrTooLarge, ErrTooLarge},
		"an empty archive":  {[]byte("PK\x05\x06" + strings.Repeat("\x00", 18)), ErrNotOffice, ErrNotOffice},
		"any archive":       {archived("a.txt", "x"), ErrNotOffice, ErrNotOffice},
		"many entries":      {must(pack(many)), ErrTooLarge, ErrTooLarge},
		"half":              {docx[:len(docx)/2], ErrMalformed, ErrMalformed},
		"a spreadsheet":     {sheet, ErrNotOffice, ErrNotOffice},
		"an ODF table":      {archived("mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", main), ErrNotOffice, ErrNotOffice},
		"a hidden table":    {archived("mimetype", odtMime, "content.xml", main+`<office:body><office:spreadsheet/></office:body></office:document-content>`), ErrNotOffice, ErrNotOffice},
		"no text":           {archived("[Content_Types].xml", "<x/>"), ErrMalformed, ErrNotOffice},
		"entities":          {wordFile(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:body></w:document>`, nil), ErrMalformed, ErrNotOffice},
		"an entity":         {wordFile(p(r("&nbsp;")), nil), ErrMalformed, ErrNotOffice},
		"an outside entity": {archived("mimetype", odtMime, "content.xml", `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>`+main+`&a;</office:document-content>`), ErrNotOffice, ErrMalformed},
		"no XML":            {wordFile("<w:p><w:r></w:p>", nil), ErrMalformed, ErrNotOffice},
		"another encoding":  {wordFile(`<?xml version="1.0" encoding="UTF-16"?><w:document/>`, nil), ErrMalformed, ErrNotOffice},
	} {
		for kind, want := range map[string]error{"docx": tt.docx, "odt": tt.odt} {
			im, err := formats[kind].read(tt.b)
			if want == nil && err != nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s as %s: %v, want %v", name, kind, err, want)
			}
			if err != nil && (im.Title != "" || im.Blocks != nil) {
				t.Errorf("%s as %s: an error and %+v", name, kind, im)
			}
			if err != nil && len(err.Error()) > 400 {
				t.Errorf("%s as %s: an error of %d bytes", name, kind, len(err.Error()))
			}
		}
	}
}

// Whatever single byte is wrong, nothing panics and the errors are those promised.
func TestDamaged(t *testing.T) {
	for kind, f := range formats {
		good := must(f.write("T", sample[:6], nil))
		rnd := rand.New(rand.NewPCG(1, 1))
		for range 300 {
			b := bytes.Clone(good)
			b[rnd.IntN(len(b))] ^= byte(1 << rnd.IntN(8))
			if _, err := f.read(b); err != nil && !promised(err) {
				t.Fatalf("%s: %v", kind, err)
			}
		}
	}
}

func promised(err error) bool {
	for _, e := range []error{ErrNotOffice, ErrTooLarge, ErrEncrypted, ErrMalformed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// usable checks that what was read can be written into a document and into files.
func usable(t *testing.T, im Imported) {
	t.Helper()
	for i := range im.Images {
		p := &im.Images[i]
		if e := im.Blocks[p.Block].Spans[p.Span].Embed; e["t"] != "image" || strings.ContainsAny(p.Name, "/\x00") {
			t.Fatalf("image %d: %v, %q", i, e, p.Name)
		}
	}
	d := automerge.New(automerge.Options{Actor: automerge.ActorID("\x01"), Unit: automerge.UTF16})
	if err := document.Create(d, document.Meta{Title: im.Title}, im.Blocks, func() error { d.Commit(automerge.CommitOptions{}); return nil }); err != nil {
		t.Fatalf("%v: %+v", err, im)
	}
	for kind, f := range formats {
		b, err := f.write(im.Title, im.Blocks, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.read(b); err != nil && !errors.Is(err, ErrTooLarge) {
			t.Fatalf("%s: what was written cannot be read: %v", kind, err)
		}
	}
}

// fuzzed adds what tests know, and the parts that a stranger writes by hand.
func fuzzed(f *testing.F, part string, files ...string) {
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			f.Fatal(err)
		}
		r, err := z.Open(part)
		if err != nil {
			f.Fatal(err)
		}
		x, err := io.ReadAll(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, x)
	}
}

// FuzzDOCX reads any bytes as a file, and any bytes as the text within one.
func FuzzDOCX(f *testing.F) {
	fuzzed(f, "word/document.xml", "fodt.docx", "html.docx")
	f.Add([]byte(nil), []byte(p(`<w:ins>`+r("a")+`</w:ins><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>TOC</w:instrText><w:footnoteReference w:id="2"/></w:r>`)))
	f.Fuzz(func(t *testing.T, file, part []byte) {
		if len(file)+len(part) > 64<<10 {
			return
		}
		for _, b := range [][]byte{file, wordFile(string(part), wordStyles), wordFile("<?xml version='1.0'?>"+string(part), wordStyles)} {
			im, err := ReadDOCX(b)
			if err != nil && !promised(err) {
				t.Fatal(err)
			}
			if err == nil {
				usable(t, im)
			}
		}
	})
}

// FuzzODT reads any bytes as a file, and any bytes as the text within one.
func FuzzODT(f *testing.F) {
	fuzzed(f, "content.xml", "fodt.odt", "html.odt")
	f.Add([]byte(nil), []byte(`<text:list text:style-name="Numbers"><text:list-item text:start-value="4"><text:p>a<text:s text:c="3"/><text:note><text:note-body><text:p>n</text:p></text:note-body></text:note></text:p></text:list-item></text:list>`))
	f.Fuzz(func(t *testing.T, file, part []byte) {
		if len(file)+len(part) > 64<<10 {
			return
		}
		within := odtHead + `<office:document-content ` + odtSpaces + `><office:automatic-styles>` + odtLists + `</office:automatic-styles><office:body><office:text>` + string(part) + `</office:text></office:body></office:document-content>`
		for _, text := range []string{"", string(part), within} {
			b := file
			if text != "" {
				b = must(pack([]entry{{"mimetype", []byte(odtMime), true}, {name: "content.xml", bytes: []byte(text)}}))
			}
			im, err := ReadODT(b)
			if err != nil && !promised(err) {
				t.Fatal(err)
			}
			if err == nil {
				usable(t, im)
			}
		}
	})
}
