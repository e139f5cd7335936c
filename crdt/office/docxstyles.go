package office

import (
	"errors"
	"path"
	"strconv"
	"strings"

	"inselnetz/crdt/document"
)

// A wordStyle is a style of styles.xml.
type wordStyle struct {
	name    string // in lower case: Word's own names are English in all languages
	based   string
	outline int // level of a heading from 0, -1 for none
	num     string
	numSet  bool
	ilvl    int
	marks   map[string]any // false: not so, whatever it is based on
}

// A wordLevel is one level of a list's definition.
type wordLevel struct {
	format string
	start  int64
	style  string // paragraphs of this style are at this level
}

type wordNum struct {
	abstract string
	levels   map[int]*wordLevel // that are not as in the abstract list
	start    map[int]int64      // overridden, by level
	used     map[int]bool
}

// wordLooks is what styles.xml and numbering.xml say.
type wordLooks struct {
	styles  map[string]*wordStyle
	nums    map[string]*wordNum
	levels  map[string]map[int]*wordLevel // of abstract lists
	numbers map[string]map[int]int64      // of the last items, by abstract list
}

const maxBased = 20 // styles that one may be based on

// chain calls f for a style and those that it is based on, until f says that it is
// enough.
func (l *wordLooks) chain(id string, f func(*wordStyle) bool) {
	for range maxBased {
		s := l.styles[id]
		if s == nil || f(s) {
			return
		}
		id = s.based
	}
}

func (a *archive) wordStyles(part string, l *wordLooks) error {
	x, _, err := a.xml(part)
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	return x.children(func(e element) error {
		if e.name != "w:style" {
			return nil
		}
		s := &wordStyle{outline: -1, ilvl: -1, marks: map[string]any{}}
		l.styles[cut(e.attr("w:styleId"), 200)] = s
		return x.children(func(e element) error {
			switch e.name {
			case "w:name":
				s.name = strings.ToLower(cut(e.attr("w:val"), 200))
			case "w:basedOn":
				s.based = cut(e.attr("w:val"), 200)
			case "w:rPr":
				_, err := x.runLooks(s.marks)
				return err
			case "w:pPr":
				return x.children(func(e element) error {
					switch e.name {
					case "w:outlineLvl":
						s.outline = e.number("w:val", -1)
					case "w:numPr":
						s.numSet = true
						return x.numbering(&s.num, &s.ilvl)
					}
					return nil
				})
			}
			return nil
		})
	})
}

// numbering reads which list a paragraph is in and how deep.
func (x *reader) numbering(num *string, level *int) error {
	return x.children(func(e element) error {
		switch e.name {
		case "w:numId":
			*num = cut(e.attr("w:val"), 200)
		case "w:ilvl":
			*level = e.number("w:val", 0)
		}
		return nil
	})
}

// runLooks reads the properties of a run into marks, and the style it names. What it
// says not to be so is false.
func (x *reader) runLooks(marks map[string]any) (style string, err error) {
	err = x.children(func(e element) error {
		switch e.name {
		case "w:rStyle":
			style = e.attr("w:val")
		case "w:b":
			marks["strong"] = e.on()
		case "w:i":
			marks["em"] = e.on()
		case "w:strike", "w:dstrike":
			marks["strike"] = e.on()
		case "w:u":
			marks["underline"] = e.on()
		case "w:highlight":
			marks["marker"] = e.on()
		case "w:shd":
			if fill := strings.ToLower(e.attr("w:fill")); fill != "" && marks["marker"] == nil {
				marks["marker"] = fill != "auto" && fill != "ffffff"
			}
		case "w:vanish":
			marks[hidden] = e.on()
		case "w:color":
			marks["color"] = false
			if c := hexColour(e.attr("w:val")); c != "" {
				marks["color"] = c
			}
		}
		return nil
	})
	return style, err
}

// hidden is the mark of text that nobody sees; it is not taken over.
const hidden = "hidden"

// hexColour is a colour of six digits as CSS has it; "" for black, which text is
// anyway, and for what is none.
func hexColour(s string) string {
	if len(s) != 6 || s == "000000" {
		return ""
	}
	if _, err := strconv.ParseUint(s, 16, 32); err != nil {
		return ""
	}
	return "#" + strings.ToLower(s)
}

func (a *archive) wordNumbering(part string, l *wordLooks) error {
	x, _, err := a.xml(part)
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	return x.children(func(e element) error {
		switch e.name {
		case "w:abstractNum":
			levels := map[int]*wordLevel{}
			l.levels[cut(e.attr("w:abstractNumId"), 200)] = levels
			return x.children(func(e element) error {
				if e.name != "w:lvl" {
					return nil
				}
				return x.level(e, levels)
			})
		case "w:num":
			n := &wordNum{levels: map[int]*wordLevel{}, start: map[int]int64{}, used: map[int]bool{}}
			l.nums[cut(e.attr("w:numId"), 200)] = n
			return x.children(func(e element) error {
				switch e.name {
				case "w:abstractNumId":
					n.abstract = cut(e.attr("w:val"), 200)
				case "w:lvlOverride":
					level := e.number("w:ilvl", 0)
					return x.children(func(e element) error {
						switch e.name {
						case "w:startOverride":
							n.start[level] = int64(e.number("w:val", 1))
						case "w:lvl":
							return x.level(e, n.levels)
						}
						return nil
					})
				}
				return nil
			})
		}
		return nil
	})
}

func (x *reader) level(e element, levels map[int]*wordLevel) error {
	lv := &wordLevel{start: 1}
	levels[e.number("w:ilvl", 0)] = lv
	return x.children(func(e element) error {
		switch e.name {
		case "w:numFmt":
			lv.format = e.attr("w:val")
		case "w:start":
			lv.start = int64(e.number("w:val", 1))
		case "w:pStyle":
			lv.style = cut(e.attr("w:val"), 200)
		}
		return nil
	})
}

// kinds are the names of styles that make a paragraph what it is.
var kinds = map[string]string{
	"quote": document.Quote, "intense quote": document.Quote, "quotations": document.Quote, "block text": document.Quote,
	"code": document.Code, "source code": document.Code, "html preformatted": document.Code, "preformatted text": document.Code,
}

// codeStyles are the names of styles of text that make it code.
var codeStyles = map[string]bool{
	"code": true, "source text": true, "html code": true, "verbatim char": true, "html keyboard": true, "html typewriter": true,
	"user entry": true, "teletype": true, "inline code": true,
}

// kind is what a paragraph of a style is; lines: each line of a code is a paragraph.
func (l *wordLooks) kind(p *para, style string, outline int) {
	l.chain(style, func(s *wordStyle) bool {
		if n, ok := strings.CutPrefix(s.name, "heading "); ok {
			if level, err := strconv.Atoi(n); err == nil && level > 0 && level < 10 {
				outline = level - 1
				return true
			}
		}
		if s.name == "title" {
			p.title = true
			return true
		}
		p.head = p.head || s.name == "table heading"
		p.gap = p.gap || s.name == "gap"
		if kind := kinds[s.name]; kind != "" {
			p.kind, p.lines = kind, kind == document.Code && s.name != "code"
			return true
		}
		if outline < 0 {
			outline = s.outline
		}
		return false
	})
	if outline >= 0 && outline < 9 && p.kind == document.Paragraph && !p.title {
		p.kind, p.level = document.Heading, min(outline+1, 6)
	}
}

// item makes a paragraph an item, if a list is there.
func (l *wordLooks) item(p *para, style, num string, level int) {
	if num == "" {
		l.chain(style, func(s *wordStyle) bool {
			if num == "" && s.numSet {
				num = s.num
			}
			if level < 0 {
				level = s.ilvl
			}
			return num != ""
		})
		if n := l.nums[num]; n != nil {
			for i, lv := range l.levels[n.abstract] {
				if lv.style != "" && lv.style == style {
					level = i
				}
			}
		}
	}
	n := l.nums[num]
	if n == nil {
		return
	}
	level = min(max(level, 0), 8)
	lv := n.levels[level]
	if lv == nil {
		lv = l.levels[n.abstract][level]
	}
	if lv == nil || p.kind != document.Paragraph || p.title {
		return
	}
	switch p.level = level; lv.format {
	case "bullet":
		p.kind = document.Bullet
	case "none", "":
		p.kind = document.Task // if a box follows
		p.number = -1
	default:
		p.kind = document.Ordered
		p.number = l.number(n, lv, level)
	}
}

// number is that of an item. Lists with the same definition count together unless
// one says where it begins.
func (l *wordLooks) number(n *wordNum, lv *wordLevel, level int) int64 {
	numbers := l.numbers[n.abstract]
	if numbers == nil {
		numbers = map[int]int64{}
		l.numbers[n.abstract] = numbers
	}
	start, override := n.start[level]
	last, going := numbers[level]
	switch {
	case override && !n.used[level]:
		last = start - 1
	case !going && override:
		last = start - 1
	case !going:
		last = lv.start - 1
	}
	n.used[level] = true
	numbers[level] = last + 1
	for i := range numbers {
		if i > level {
			delete(numbers, i)
		}
	}
	return last + 1
}

// A wordLink is a relation of a part to another one or to an address.
type wordLink struct {
	target   string
	kind     string // the last word of its type
	external bool
}

// links are the relations of a part.
func (a *archive) links(part string) (map[string]wordLink, error) {
	dir, name := path.Split(part)
	x, _, err := a.xml(dir + "_rels/" + name + ".rels")
	if errors.Is(err, errNoPart) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := map[string]wordLink{}
	err = x.children(func(e element) error {
		l := wordLink{target: e.attr("Target"), kind: path.Base(e.attr("Type")), external: e.attr("TargetMode") == "External"}
		if !l.external {
			if strings.HasPrefix(l.target, "/") {
				l.target = l.target[1:]
			} else {
				l.target = path.Join(dir, l.target)
			}
		}
		out[e.attr("Id")] = l
		return nil
	})
	return out, err
}
