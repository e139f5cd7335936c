package document

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"strings"
	"time"

	"inselnetz/crdt/automerge"
)

// Kinds of blocks. Others are kept and shown as paragraphs.
const (
	Paragraph = "paragraph"
	Heading   = "heading" // Level 1 to 6
	Bullet    = "bullet"  // Level: how deep, from 0; so the next two
	Ordered   = "ordered"
	Task      = "task"
	Quote     = "quote"
	Code      = "code" // lines are parted by "\n" within the block; "lang" in Other
)

// A Block is one paragraph, heading, item of a list and so on.
type Block struct {
	Kind    string         `json:"kind"`
	Level   int            `json:"level,omitempty"`
	Checked bool           `json:"checked,omitempty"`
	Other   map[string]any `json:"other,omitempty"` // values as JSON has them, integers as int64
	Spans   []Span         `json:"spans,omitempty"`
}

// A Span is a stretch of text with the same marks, or an embed.
type Span struct {
	Text  string         `json:"text,omitempty"`
	Marks map[string]any `json:"marks,omitempty"` // values as JSON has them, integers as int64
	Embed map[string]any `json:"embed,omitempty"` // Text and Marks are empty then
}

// Blocks reads the text. Whatever is in it is shown somehow; the error is that the
// document has no text, or marks overlap millions of times.
func Blocks(r automerge.Reader) ([]Block, error) {
	body, err := Body(r)
	if err != nil {
		return nil, err
	}
	spans, err := r.Spans(body)
	if err != nil {
		return nil, err
	}
	out := []Block{}
	for _, s := range spans {
		var attrs map[string]any
		if s.Block != automerge.Root {
			if attrs = attrsOf(r, s.Block); !isEmbed(attrs) {
				out = append(out, blockOf(attrs))
				continue
			}
		}
		if len(out) == 0 {
			out = append(out, Block{Kind: Paragraph}) // the implicit one
		}
		b := &out[len(out)-1]
		b.Spans = append(b.Spans, Span{Text: s.Text, Marks: plainMarks(s.Marks), Embed: attrs})
	}
	if len(out) == 0 {
		out = append(out, Block{Kind: Paragraph})
	}
	return out, nil
}

// attrsOf is what the map of a block or embed holds, as JSON has it.
func attrsOf(r automerge.Reader, obj automerge.ObjID) map[string]any {
	out := map[string]any{}
	keys, err := r.Keys(obj)
	if err != nil {
		return out
	}
	for _, k := range keys {
		if v := attrOf(r, obj, k); v != nil {
			out[k] = v
		}
	}
	return out
}

// attrOf is one value of a block, nil for one that cannot be shown.
func attrOf(r automerge.Reader, obj automerge.ObjID, key string) any {
	v, _, err := r.Get(obj, automerge.Key(key))
	if err != nil {
		return nil
	}
	if !v.Kind().IsObject() {
		return plain(v)
	}
	native, err := r.Materialize(v.Obj())
	if err != nil {
		return nil
	}
	return plainNative(native, 0)
}

// plain is a scalar as JSON has it.
func plain(v automerge.Value) any {
	switch v.Kind() {
	case automerge.KindBool:
		return v.Bool()
	case automerge.KindInt, automerge.KindCounter, automerge.KindTimestamp:
		return v.Int()
	case automerge.KindUint:
		return plainNative(v.Uint(), 0)
	case automerge.KindFloat:
		return plainNative(v.Float(), 0)
	case automerge.KindStr:
		return v.Str()
	case automerge.KindBytes:
		return plainNative(v.Bytes(), 0)
	}
	return nil
}

// plainNative is a value of Materialize as JSON has it.
func plainNative(v any, depth int) any {
	if depth > maxDepth {
		return nil
	}
	switch v := v.(type) {
	case bool, string, int64:
		return v
	case uint64:
		if v > math.MaxInt64 {
			return float64(v)
		}
		return int64(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case time.Time:
		return v.UnixMilli()
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = plainNative(x, depth+1)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = plainNative(x, depth+1)
		}
		return out
	}
	return nil
}

func plainMarks(marks map[string]automerge.Value) map[string]any {
	if len(marks) == 0 {
		return nil
	}
	out := make(map[string]any, len(marks))
	for k, v := range marks {
		out[k] = plain(v)
	}
	return out
}

// isEmbed reports whether "embed" is true, or would be in JavaScript.
func isEmbed(attrs map[string]any) bool {
	switch v := attrs["embed"].(type) {
	case bool:
		return v
	case string:
		return v != ""
	case int64:
		return v != 0
	case float64:
		return v != 0
	case map[string]any, []any:
		return true
	}
	return false
}

const maxLevel = 32

// blockOf reads the attributes of a block. What has another type than it should
// have is kept in Other.
func blockOf(attrs map[string]any) Block {
	b := Block{Kind: Paragraph}
	for k, v := range attrs {
		switch x := v.(type) {
		case string:
			if k == "t" && x != "" {
				b.Kind = x
				continue
			}
		case int64:
			if k == "level" && x >= 0 && x <= maxLevel {
				b.Level = int(x)
				continue
			}
		case bool:
			if k == "checked" {
				b.Checked = x
				continue
			}
		}
		if b.Other == nil {
			b.Other = map[string]any{}
		}
		b.Other[k] = v
	}
	return b
}

// attrs is the reverse of blockOf.
func (b Block) attrs() map[string]any {
	out := maps.Clone(b.Other)
	if out == nil {
		out = map[string]any{}
	}
	delete(out, "embed")
	if _, ok := out["t"]; !ok || b.Kind != Paragraph {
		out["t"] = b.Kind
	}
	if b.Level != 0 {
		out["level"] = int64(b.Level)
	}
	if b.Checked {
		out["checked"] = true
	}
	return out
}

// Text is the text of a block without its embeds.
func (b Block) Text() string {
	var s strings.Builder
	for i := range b.Spans {
		s.WriteString(b.Spans[i].Text)
	}
	return s.String()
}

// Link is the value of a link's mark: {"href": …, "title": …} as JSON, which is
// what other programs with rich text in Automerge write.
func Link(href, title string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // as JSON.stringify: equal links have equal values
	if err := e.Encode(linkValue{href, title}); err != nil {
		panic(err) // two strings
	}
	return strings.TrimSuffix(b.String(), "\n")
}

type linkValue struct {
	Href  string `json:"href"`
	Title string `json:"title"`
}

// LinkOf reads the value of a link's mark, also one that is the address alone.
func LinkOf(value any) (href, title string) {
	s, _ := value.(string)
	var l linkValue
	if strings.HasPrefix(s, "{") && json.Unmarshal([]byte(s), &l) == nil {
		return l.Href, l.Title
	}
	return s, ""
}
