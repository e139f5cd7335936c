package office

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"net/url"
	"strings"

	"inselnetz/crdt/document"
)

// Files gives the bytes of an image by the path its embed names, nil for none.
type Files = document.Files

// A page is A4 with margins of 2.5 cm; images are at most this large.
const (
	textWidth  = 16.0 // cm
	textHeight = 24.0
	pixel      = 2.54 / 96 // cm of a CSS pixel
)

// A picture is an image that goes into a file.
type picture struct {
	part   string // its name within the folder of images
	kind   string // png, jpeg or gif
	bytes  []byte
	px, py int
}

// pictures are those of a file, each once.
type pictures struct {
	files Files
	known map[string]*picture // by path; nil for what is none
	all   []*picture
	size  int // bytes
}

// find is the image of an embed, nil if there is none that word processors show.
func (p *pictures) find(embed map[string]any) *picture {
	src := document.Source(embed)
	if p.files == nil || src == "" || embed["t"] == "file" {
		return nil
	}
	if pic, ok := p.known[src]; ok {
		return pic
	}
	if p.known == nil {
		p.known = map[string]*picture{}
	}
	p.known[src] = nil
	b := p.files(src)
	c, kind, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || c.Width <= 0 || c.Height <= 0 {
		return nil
	}
	if p.size += len(b); p.size > MaxFile {
		return nil
	}
	pic := &picture{part: "image" + itoa(len(p.all)+1) + "." + kind, kind: kind, bytes: b, px: c.Width, py: c.Height}
	p.known[src] = pic
	p.all = append(p.all, pic)
	return pic
}

// size is how large an image is shown, in cm: as large as it is, if its width is
// "full" or not said.
func (p *picture) size(embed map[string]any) (width, height float64) {
	width = float64(p.px) * pixel
	switch w := embed["width"].(type) {
	case string:
		switch w {
		case "small":
			width = textWidth / 3
		case "medium":
			width = textWidth * 2 / 3
		}
	case int64:
		if w > 0 {
			width = float64(w) * pixel
		}
	}
	width = min(width, textWidth)
	height = width * float64(p.py) / float64(p.px)
	if height > textHeight {
		width, height = width*textHeight/height, textHeight
	}
	return max(width, 0.01), max(height, 0.01)
}

// address is the address of a link as files hold it, "" for none: Word calls a file
// damaged for one that breaks the rules.
func address(marks map[string]any) (href, title string) {
	href, title = document.LinkOf(marks["link"])
	if linkMark(href, title) == "" {
		return "", ""
	}
	var b strings.Builder
	for i := range len(href) {
		if c := href[i]; c <= ' ' || c == 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	u, err := url.Parse(b.String())
	if err != nil || u.Opaque == "" && u.Host == "" {
		return "", ""
	}
	return b.String(), title
}

// embedText is what stands for an embed that is not shown.
func embedText(embed map[string]any) string {
	if embed["t"] == "image" {
		return pictureText(embed)
	}
	return document.Label(embed)
}

// truthy reports whether a mark is set.
func truthy(v any) bool { return v != nil && v != false && v != "" }

// names are the colours that CSS names and people use; others are left out.
var names = map[string]string{
	"red": "ff0000", "green": "008000", "blue": "0000ff", "yellow": "ffff00", "orange": "ffa500", "purple": "800080", "brown": "a52a2a",
	"gray": "808080", "grey": "808080", "navy": "000080", "teal": "008080", "maroon": "800000", "olive": "808000", "lime": "00ff00",
	"aqua": "00ffff", "cyan": "00ffff", "fuchsia": "ff00ff", "magenta": "ff00ff", "silver": "c0c0c0", "pink": "ffc0cb", "white": "ffffff",
}

// sixDigits is a colour of CSS as six hexadecimal digits in lower case, "" for one
// that is unknown.
func sixDigits(v any) string {
	s, _ := v.(string)
	s = strings.ToLower(s)
	if n, ok := names[s]; ok {
		return n
	}
	hex, ok := strings.CutPrefix(s, "#")
	if !ok || strings.Trim(hex, "0123456789abcdef") != "" {
		return ""
	}
	switch len(hex) {
	case 3, 4:
		return string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	case 6, 8:
		return hex[:6]
	}
	return ""
}

// A file of an archive.
type entry struct {
	name   string
	bytes  []byte
	stored bool // not deflated
}

// pack makes an archive; the same entries make the same bytes.
func pack(entries []entry) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.stored {
			h.Method = zip.Store
		}
		// 1 January 1980, the first day that the format knows. Setting it as a time
		// would add a field that some readers do not like before "mimetype".
		h.ModifiedDate, h.ModifiedTime = 1<<5|1, 0 //nolint:staticcheck
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(e.bytes); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
