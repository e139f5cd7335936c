package office

import (
	"errors"
	"strconv"
	"strings"

	"inselnetz/crdt/document"
)

// An odtStyle is a style of a paragraph or of text.
type odtStyle struct {
	name    string // what people see, in lower case
	parent  string
	own     bool // made by the program for one place, not named by people
	list    string
	outline int // of a heading from 1
	marks   map[string]any
	margin  float64 // cm, 0 for none
}

// An odtLevel is one level of a list's style.
type odtLevel struct {
	kind  string
	start int64
}

// odtLooks are the styles of a file.
type odtLooks struct {
	styles     map[string]*odtStyle // by family, a space and name
	listStyles map[string]map[int]odtLevel
}

func (l *odtLooks) chain(family, name string, f func(*odtStyle) bool) {
	for range maxBased {
		s := l.styles[family+" "+name]
		if s == nil || f(s) {
			return
		}
		name = s.parent
	}
}

// odtStyles reads styles.xml, as far as it is there.
func (a *archive) odtStyles(l *odtLooks) error {
	x, _, err := a.xml("styles.xml")
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	return x.children(func(e element) error {
		if e.name == "office:styles" {
			return x.odtLooks(l, false)
		}
		return nil
	})
}

// odtLooks reads styles, up to the end of what holds them.
func (x *reader) odtLooks(l *odtLooks, own bool) error {
	return x.children(func(e element) error {
		switch e.name {
		case "style:style":
			family := e.attr("style:family")
			if family != "paragraph" && family != "text" {
				return nil
			}
			s := &odtStyle{own: own, parent: cut(e.attr("style:parent-style-name"), 200), list: cut(e.attr("style:list-style-name"), 200),
				outline: e.number("style:default-outline-level", 0), marks: map[string]any{}}
			name := cut(e.attr("style:name"), 200)
			if s.name = strings.ToLower(cut(e.attr("style:display-name"), 200)); s.name == "" {
				s.name = strings.ToLower(strings.ReplaceAll(name, "_20_", " "))
			}
			l.styles[family+" "+name] = s
			return x.children(func(e element) error {
				switch e.name {
				case "style:text-properties":
					odtMarks(e, s.marks)
				case "style:paragraph-properties":
					s.margin = centimetres(e.attr("fo:margin-left"))
				}
				return nil
			})
		case "text:list-style":
			levels := map[int]odtLevel{}
			l.listStyles[cut(e.attr("style:name"), 200)] = levels
			return x.children(func(e element) error {
				lv := odtLevel{kind: document.Bullet, start: int64(e.number("text:start-value", 1))}
				if e.name == "text:list-level-style-number" {
					if lv.kind = document.Ordered; e.attr("style:num-format") == "" {
						lv.kind = ""
					}
				}
				levels[e.number("text:level", 1)-1] = lv
				return nil
			})
		}
		return nil
	})
}

// odtMarks reads what the properties of text say of marks; false where they say no.
func odtMarks(e element, marks map[string]any) {
	for _, a := range e.attrs {
		switch v := a.Value; short(a.Name) {
		case "fo:font-weight":
			n, _ := strconv.Atoi(v)
			marks["strong"] = v == "bold" || n >= 600
		case "fo:font-style":
			marks["em"] = v == "italic" || v == "oblique"
		case "style:text-underline-style":
			marks["underline"] = v != "none"
		case "style:text-line-through-style", "style:text-line-through-type":
			marks["strike"] = v != "none"
		case "fo:background-color":
			marks["marker"] = v != "transparent" && v != "#ffffff"
		case "fo:color":
			marks["color"] = false
			if c := hexColour(strings.TrimPrefix(v, "#")); c != "" {
				marks["color"] = c
			}
		case "text:display":
			marks[hidden] = v == "none"
		}
	}
}

// centimetres is a length, 0 for one that makes no sense.
func centimetres(s string) float64 {
	for unit, cm := range map[string]float64{"cm": 1, "mm": 0.1, "in": 2.54, "pt": 2.54 / 72} {
		if n, ok := strings.CutSuffix(s, unit); ok {
			if f, err := strconv.ParseFloat(n, 64); err == nil && f > 0 && f < 1000 {
				return f * cm
			}
		}
	}
	return 0
}

// kind is what a paragraph of a style is.
func (l *odtLooks) kind(p *para, style string, heading bool, outline int) (list string) {
	margin := 0.0
	l.chain("paragraph", style, func(s *odtStyle) bool {
		if s.own {
			margin = s.margin
		}
		if list == "" {
			list = s.list
		}
		if kind := kinds[s.name]; kind != "" && p.kind == document.Paragraph {
			p.kind, p.lines = kind, kind == document.Code && s.name != "code"
		}
		p.title = p.title || s.name == "title"
		p.head = p.head || s.name == "table heading"
		p.gap = p.gap || s.name == "gap"
		if n, ok := strings.CutPrefix(s.name, "heading "); ok && outline == 0 {
			outline, _ = strconv.Atoi(n)
		}
		if outline == 0 {
			outline = s.outline
		}
		return false
	})
	switch {
	case p.title:
	case heading || outline > 0 && p.kind == document.Paragraph:
		p.kind, p.level = document.Heading, min(max(outline, 1), 6)
	case p.kind == document.Quote:
		p.level = min(max(0, int(margin+0.5)-1), 32)
	}
	return list
}

// marks are those of a text's style. Of a paragraph's, only those count that a
// program gave to this one place: how a quote looks is not said of each.
func (l *odtLooks) marks(family, style string, from map[string]any) map[string]any {
	all := map[string]any{}
	l.chain(family, style, func(s *odtStyle) bool {
		switch {
		case family == "paragraph" && !s.own, s.name == "internet link", strings.Contains(s.name, "footnote"), strings.Contains(s.name, "endnote"):
			return true
		case family == "text" && codeStyles[s.name]:
			all["code"] = true
			return true
		}
		for k, v := range s.marks {
			if _, ok := all[k]; !ok {
				all[k] = v
			}
		}
		return false
	})
	for k, v := range from {
		if _, ok := all[k]; !ok {
			all[k] = v
		}
	}
	return all
}
