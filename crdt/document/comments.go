package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"inselnetz/crdt/automerge"
)

// Limits of comments. What exceeds them is refused when it is written, and passed
// over when it is read.
const (
	MaxRemark   = 8 << 10 // bytes of a remark
	MaxMentions = 50      // people in a remark
	maxMention  = 128     // bytes of a person's id
	mostThreads = 5000    // of a document that are read
	mostRemarks = 1000    // of a thread that are read
	maxQuote    = 200     // characters
)

// Comments lie in the map "comments" of the root:
//
//	comments   thread → map
//	thread     remark → map, and "resolved" → bool
//	remark     "text" string, "mentions" the ids of people by line, "gone" bool
//
// Threads and remarks have names of 26 small letters and digits. Who wrote a remark
// is who made its map, and whoever else writes to it is not heard: the operations
// tell the actor, and the log of an actor is signed. Nobody can take away what
// another wrote, either: all that was ever put there is read, also where something
// else was put over it or it was deleted. Only resolving is everybody's.

const (
	commentsKey = "comments"
	resolvedKey = "resolved"
	textKey     = "text"
	mentionsKey = "mentions"
	goneKey     = "gone"
)

// A Thread is a comment with its answers.
type Thread struct {
	ID       string
	Resolved bool
	By       automerge.ActorID // who resolved it
	At       int64             // ms since 1970, when; 0 if not said
	Quote    string            // the text it is about, at most 200 characters
	Anchor   int               // where that text begins, -1 if it is gone
	Remarks  []Remark          // oldest first, at least one
}

// A Remark is a comment or an answer.
type Remark struct {
	ID       string
	By       automerge.ActorID
	At       int64 // ms since 1970; 0 if not said
	Text     string
	Mentions []string // ids of people
	Edited   bool

	obj automerge.ObjID
}

// Threads are the comments: those whose text is there in its order, then the others
// by age. same reports whether two actors are one person.
func Threads(r automerge.Reader, same func(a, b automerge.ActorID) bool) []Thread {
	c := commentReader{r: r, same: same}
	marked := marked(r)
	var out []Thread
	for id, objs := range c.below(c.below([]automerge.ObjID{automerge.Root})[commentsKey]) {
		if !isName(id) {
			continue
		}
		if t, ok := c.thread(id, objs); ok {
			t.Anchor = -1
			if m, ok := marked[id]; ok {
				t.Anchor, t.Quote = m.at, m.quote.String()
			}
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Thread) int {
		if a.Anchor != b.Anchor && (a.Anchor < 0 || b.Anchor < 0) {
			return cmp.Compare(b.Anchor, a.Anchor)
		}
		return cmp.Or(cmp.Compare(a.Anchor, b.Anchor), older(a.Remarks[0].obj, b.Remarks[0].obj), strings.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), mostThreads)]
}

// older orders operations by age: none is older than what its actor could see then.
func older(a, b automerge.ObjID) int {
	return cmp.Or(cmp.Compare(a.Ctr, b.Ctr), cmp.Compare(a.Actor, b.Actor))
}

type commentReader struct {
	r    automerge.Reader
	same func(a, b automerge.ActorID) bool
}

// below are all maps that were ever put into some maps, by key.
func (c *commentReader) below(objs []automerge.ObjID) map[string][]automerge.ObjID {
	out := map[string][]automerge.ObjID{}
	for _, obj := range objs {
		writes, _ := c.r.Writes(obj) // an error: not known here
		for _, w := range writes {
			if w.Value.Kind() == automerge.KindMap {
				out[w.Key] = append(out[w.Key], w.Value.Obj())
			}
		}
	}
	return out
}

// resolved reads whether a thread is done, and who said so last.
func (c *commentReader) resolved(objs []automerge.ObjID) (done bool, last automerge.OpID) {
	for _, obj := range objs {
		writes, _ := c.r.Writes(obj)
		for _, w := range writes {
			if w.Key == resolvedKey && w.Value.Kind() == automerge.KindBool && older(last, w.ID) < 0 {
				last = w.ID
				done = w.Value.Bool()
			}
		}
	}
	return done, last
}

// thread reads what the maps of a thread hold; ok is false if that is nothing to show.
func (c *commentReader) thread(id string, objs []automerge.ObjID) (t Thread, ok bool) {
	done, last := c.resolved(objs)
	if t.ID, t.Resolved = id, done; done {
		t.By, t.At = last.Actor, c.time(last)
	}
	for name, all := range c.below(objs) {
		if !isName(name) {
			continue
		}
		slices.SortFunc(all, older)
		for i, obj := range all {
			if m, ok := c.remark(obj); ok {
				if m.ID = name; i > 0 {
					m.ID += "." + obj.String() // somebody took a name that was taken
				}
				t.Remarks = append(t.Remarks, m)
			}
		}
	}
	slices.SortFunc(t.Remarks, func(a, b Remark) int { return older(a.obj, b.obj) })
	t.Remarks = t.Remarks[:min(len(t.Remarks), mostRemarks)]
	return t, len(t.Remarks) > 0
}

// remark reads what its author says; ok is false if it is gone or was nothing.
func (c *commentReader) remark(obj automerge.ObjID) (m Remark, ok bool) {
	m = Remark{By: obj.Actor, At: c.time(obj), obj: obj}
	writes, _ := c.r.Writes(obj)
	last := map[string]automerge.OpID{}
	for _, w := range writes {
		if older(w.ID, last[w.Key]) < 0 || w.ID.Actor != m.By && !c.same(w.ID.Actor, m.By) {
			continue
		}
		switch s := w.Value.Str(); {
		case w.Key == goneKey && w.Value.Kind() == automerge.KindBool:
			if w.Value.Bool() {
				return m, false
			}
		case w.Key == textKey && len(s) <= MaxRemark && strings.TrimSpace(s) != "":
			m.Text, m.Edited = s, last[textKey] != automerge.Root
		case w.Key == mentionsKey && len(s) <= MaxMentions*(maxMention+1):
			m.Mentions = nil
			if people := strings.Split(s, "\n"); s != "" && checkMentions(people) == nil {
				m.Mentions = people
			}
		default:
			continue
		}
		last[w.Key] = w.ID
	}
	return m, m.Text != ""
}

func (c *commentReader) time(id automerge.OpID) int64 {
	at, _ := c.r.TimeOf(id)
	if at < 0 || at > 1<<40 {
		return 0
	}
	return at * 1000
}

// An anchor is where the text is that a thread is about.
type anchor struct {
	at, end int
	quote   strings.Builder
	size    int // characters of the quote
}

// marked are the places of threads: of a mark that is there more than once the first.
func marked(r automerge.Reader) map[string]*anchor {
	out := map[string]*anchor{}
	body, err := Body(r)
	if err != nil {
		return out
	}
	spans, err := r.Spans(body)
	if err != nil {
		return out
	}
	pos, line := 0, 0 // line: where the beginnings of blocks begin that lie before pos
	for i := range spans {
		s := &spans[i]
		if s.Block != automerge.Root {
			pos++
			continue
		}
		size := units(s.Text)
		for name := range s.Marks {
			id, ok := strings.CutPrefix(name, "comment:")
			if !ok || !isName(id) {
				continue
			}
			p := out[id]
			switch {
			case p == nil:
				p = &anchor{at: pos}
				out[id] = p
			case p.end == line && line < pos:
				p.add(" ")
			case p.end != pos:
				continue // again elsewhere: somebody has copied it
			}
			p.add(s.Text)
			p.end = pos + size
		}
		pos += size
		line = pos
	}
	return out
}

// add appends to the quote.
func (p *anchor) add(text string) {
	for _, c := range text {
		if p.size == maxQuote {
			return
		}
		if p.size++; p.size == maxQuote {
			c = '…'
		}
		p.quote.WriteRune(c)
	}
}

// AddRemark begins a thread, or answers in it. The caller commits, as with what
// follows here.
func AddRemark(d *automerge.Doc, thread, remark, text string, mentions []string) error {
	if !isName(thread) || !isName(remark) {
		return fmt.Errorf("%w: %q or %q names no comment", ErrEdit, thread, remark)
	}
	if err := checkRemark(text, mentions); err != nil {
		return err
	}
	in, err := threadMap(d, thread)
	if err != nil {
		return err
	}
	if _, taken, err := d.Get(in, automerge.Key(remark)); taken || err != nil {
		return fmt.Errorf("%w: remark %s is there already", ErrEdit, remark)
	}
	obj, err := d.PutObject(in, automerge.Key(remark), automerge.KindMap)
	if err != nil {
		return err
	}
	return setRemark(d, obj, text, mentions)
}

// EditRemark says something else in place of a remark. Of another person's remark
// that is not heard.
func EditRemark(d *automerge.Doc, thread, remark, text string, mentions []string) error {
	if err := checkRemark(text, mentions); err != nil {
		return err
	}
	obj, err := findRemark(d, thread, remark)
	if err != nil {
		return err
	}
	return setRemark(d, obj, text, mentions)
}

// RemoveRemark takes a remark away. Of another person's remark that is not heard.
func RemoveRemark(d *automerge.Doc, thread, remark string) error {
	obj, err := findRemark(d, thread, remark)
	if err != nil {
		return err
	}
	return say(d, obj, goneKey, automerge.Bool(true))
}

// Resolve says that a thread is done, or is not.
func Resolve(d *automerge.Doc, thread string, done bool) error {
	c := commentReader{r: d.Reader}
	objs := c.below(c.below([]automerge.ObjID{automerge.Root})[commentsKey])[thread]
	if len(objs) == 0 {
		return fmt.Errorf("%w: no comment %q", ErrEdit, thread)
	}
	if was, _ := c.resolved(objs); was == done {
		return nil
	}
	in, err := threadMap(d, thread)
	if err != nil {
		return err
	}
	return say(d, in, resolvedKey, automerge.Bool(done))
}

func setRemark(d *automerge.Doc, obj automerge.ObjID, text string, mentions []string) error {
	if err := say(d, obj, textKey, automerge.Str(text)); err != nil {
		return err
	}
	return say(d, obj, mentionsKey, automerge.Str(strings.Join(mentions, "\n")))
}

// say puts a value also where it shows already, because another's word may not count.
func say(d *automerge.Doc, obj automerge.ObjID, key string, v automerge.Value) error {
	all, err := d.All(obj, automerge.Key(key))
	if n := len(all); err == nil && n > 0 && all[n-1].Value == v && all[n-1].ID.Actor != d.Actor() {
		err = d.Delete(obj, automerge.Key(key))
	}
	if err != nil {
		return err
	}
	return d.Put(obj, automerge.Key(key), v)
}

// threadMap is the map of a thread that shows; where there is none it is made.
func threadMap(d *automerge.Doc, thread string) (automerge.ObjID, error) {
	obj := automerge.Root
	for _, key := range []string{commentsKey, thread} {
		v, _, err := d.Get(obj, automerge.Key(key))
		if err == nil && v.Kind() == automerge.KindMap {
			obj = v.Obj()
			continue
		}
		if err == nil {
			obj, err = d.PutObject(obj, automerge.Key(key), automerge.KindMap)
		}
		if err != nil {
			return obj, err
		}
	}
	return obj, nil
}

// findRemark is the map of a remark, by the id that Threads gave it.
func findRemark(d *automerge.Doc, thread, remark string) (automerge.ObjID, error) {
	c := commentReader{r: d.Reader}
	name, made, _ := strings.Cut(remark, ".")
	all := c.below(c.below(c.below([]automerge.ObjID{automerge.Root})[commentsKey])[thread])[name]
	slices.SortFunc(all, older)
	for i, obj := range all {
		if i == 0 && made == "" || obj.String() == made {
			return obj, nil
		}
	}
	return automerge.Root, fmt.Errorf("%w: no remark %q in %q", ErrEdit, remark, thread)
}

func checkRemark(text string, mentions []string) error {
	if len(text) > MaxRemark || strings.TrimSpace(text) == "" || !utf8.ValidString(text) {
		return fmt.Errorf("%w: a remark of %d bytes", ErrEdit, len(text))
	}
	return checkMentions(mentions)
}

func checkMentions(people []string) error {
	if len(people) > MaxMentions {
		return fmt.Errorf("%w: %d people are mentioned", ErrEdit, len(people))
	}
	for _, p := range people {
		if p == "" || len(p) > maxMention || !utf8.ValidString(p) || strings.Contains(p, "\n") {
			return fmt.Errorf("%w: %q is no person", ErrEdit, p)
		}
	}
	return nil
}

// isName reports whether s may name a thread or remark.
func isName(s string) bool {
	_, err := ParseID(s)
	return err == nil
}
