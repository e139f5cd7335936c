package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// stampAll works out every entry's stamp from the whole set at once: the rule
// that the store follows while entries come in any order.
func stampAll(authors []*author, r rules) map[log.LogID][]uint64 {
	out := map[log.LogID][]uint64{}
	byID := map[log.LogID]*author{}
	for _, a := range authors {
		byID[a.card.ID()] = a
	}
	for changed := true; changed; {
		changed = false
		for id, a := range byID {
		next:
			for len(out[id]) < len(a.all) {
				e := a.all[len(out[id])]
				past := []uint64{0}
				if n := len(out[id]); n > 0 {
					past[0] = out[id][n-1]
				}
				for _, d := range e.Deps {
					if on := byID[d.Log]; on != nil && len(on.all) > 0 && on.card.Space == a.card.Space && r.beyond(d.Log, d.Seq) {
						continue
					}
					if uint64(len(out[d.Log])) < d.Seq || byID[d.Log].card.Space != a.card.Space {
						break next
					}
					past = append(past, out[d.Log][d.Seq-1])
				}
				out[id] = append(out[id], log.Stamp(e.HLC, past...))
				changed = true
			}
		}
	}
	return out
}

// oracle folds all authors' entries of a space at once.
func oracle(t interface{ Fatal(...any) }, authors []*author, sp log.SpaceID) chat.State {
	return oracleOf(t, authors, sp, rules{})
}

// oracleOf folds those that count under these rules.
func oracleOf(t interface{ Fatal(...any) }, authors []*author, sp log.SpaceID, r rules) chat.State {
	stamps := stampAll(authors, r)
	var items []chat.Item
	for _, a := range authors {
		if a.card.Space != sp {
			continue
		}
		for i, st := range stamps[a.card.ID()] {
			e := a.all[i]
			if !r.counts(a, e) {
				continue
			}
			ops, err := chat.Decode(e.Payload)
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, chat.Item{Ops: ops, Meta: chat.Meta{Place: chat.Place{Stamp: st, MsgID: chat.MsgID{Log: e.Log, Seq: e.Seq}},
				Author: a.person(), Device: a.card.Device, Clock: e.HLC}})
		}
	}
	return chat.Fold(items)
}

// show writes out all that people see of a space, from the oracle and from the
// store in the same words.
func showState(s chat.State) []string {
	var out []string
	chans := map[chat.ChannelID]bool{chat.Main: true}
	for _, m := range s.Messages {
		chans[m.Channel] = true
	}
	for c := range s.Names {
		chans[c] = true
	}
	for c := range chans {
		unread := map[chat.PersonID]int{}
		list := s.Channel(c)
		for i, m := range list {
			replies := 0
			for _, o := range list {
				if o.Reply != nil && *o.Reply == m.MsgID {
					replies++
				}
			}
			var edited int64
			if m.Edit != (chat.Place{}) {
				edited = m.Edited.Millis()
			}
			var votes []string
			for b, v := range m.Votes {
				if v.On {
					votes = append(votes, b.Word+"/"+b.Person.String())
				}
			}
			slices.Sort(votes)
			quote := ""
			if m.Reply != nil {
				quote = m.Reply.String()
				if q := s.Messages[*m.Reply]; q != nil {
					quote += " " + q.Text
				}
			}
			var marks []string
			for p, at := range s.Marks[c] {
				if at == m.Place {
					marks = append(marks, p.String())
				}
				if m.Place.Compare(at) > 0 && m.Author != p && !m.Retracted {
					unread[p]++
				}
			}
			slices.Sort(marks)
			out = append(out, line1(c, i, m.MsgID, m.Author, m.Text, m.Clock.Millis(), edited, m.Retracted, m.Mentions, quote, replies, votes, marks))
		}
		for p := range s.Marks[c] {
			out = append(out, fmt.Sprintf("%s %s %d unread", c, p, unread[p]))
		}
		if name, ok := s.Names[c]; ok || c == chat.Main {
			out = append(out, fmt.Sprintf("%s %q %d", c, name, len(list)))
		}
	}
	slices.Sort(out)
	return out
}

func line1(c chat.ChannelID, i int, id chat.MsgID, by chat.PersonID, text string, at, edited int64, gone bool, mentions []chat.PersonID, quote string, replies int, votes, marks []string) string {
	return fmt.Sprintf("%s %04d %s by %s %q at %d edited %d gone %v mentions %v quote %q replies %d votes %v marks %v", c, i, id, by, text, at, edited, gone, len(mentions), quote, replies, votes, marks)
}

func showStore(t interface{ Fatal(...any) }, s *Store, sp log.SpaceID, page int) []string {
	var out []string
	var chans []chat.ChannelID
	for k := range s.chans {
		if k.space == sp {
			chans = append(chans, k.id)
		}
	}
	if !slices.Contains(chans, chat.Main) {
		chans = append(chans, chat.Main)
	}
	for _, c := range chans {
		marks, err := s.ReadMarks(bg, sp, c)
		if err != nil {
			t.Fatal(err)
		}
		for p := range marks {
			rows, err := s.Channels(bg, sp, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				if r.ID == c {
					out = append(out, fmt.Sprintf("%s %s %d unread", c, p, r.Unread))
				}
			}
			if !slices.ContainsFunc(rows, func(r ChannelRow) bool { return r.ID == c }) {
				ch := s.channel(sp, c)
				var n unreadCount
				if err := s.read(bg, func(conn *conn) (err error) { n, err = countUnread(bg, conn, ch, p); return err }); err != nil {
					t.Fatal(err)
				}
				out = append(out, fmt.Sprintf("%s %s %d unread", c, p, n.n))
			}
		}
		for i, r := range allRows(t, s, sp, c, page) {
			var votes, at []string
			for _, re := range r.Reactions {
				for _, p := range re.By {
					votes = append(votes, re.Word+"/"+p.String())
				}
			}
			slices.Sort(votes)
			for p, pos := range marks {
				if pos == r.Pos {
					at = append(at, p.String())
				}
			}
			slices.Sort(at)
			quote := ""
			if r.Reply != nil {
				quote = r.Reply.ID.String()
				if r.Reply.Pos > 0 {
					quote += " " + r.Reply.Text
				}
			}
			out = append(out, line1(c, i, r.ID, r.Author, r.Text, r.At, r.Edited, r.Retracted, r.Mentions, quote, r.Replies, votes, at))
		}
	}
	rows, err := s.Channels(bg, sp, chat.PersonID{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%s %q %d", r.ID, r.Name, r.Total))
	}
	slices.Sort(out)
	return out
}

// allRows pages through a channel from the newest message and then again from
// the oldest, which must give the same.
func allRows(t interface{ Fatal(...any) }, s *Store, sp log.SpaceID, c chat.ChannelID, page int) []Row {
	var back, forth []Row
	for before := int64(0); ; {
		p, err := s.Messages(bg, Query{Space: sp, Channel: c, Before: before, Limit: page})
		if err != nil {
			t.Fatal(err)
		}
		back = append(slices.Clone(p.Rows), back...)
		if !p.Earlier {
			break
		}
		before = p.Rows[0].Pos
	}
	for after := int64(1); ; {
		p, err := s.Messages(bg, Query{Space: sp, Channel: c, After: after, Limit: page})
		if err != nil {
			t.Fatal(err)
		}
		forth = append(forth, p.Rows...)
		if !p.Later {
			break
		}
		after = p.Rows[len(p.Rows)-1].Pos
	}
	if !slices.EqualFunc(back, forth, func(a, b Row) bool { return a.ID == b.ID && a.Pos == b.Pos }) {
		t.Fatal("paging back and forth differ")
	}
	for i := 1; i < len(back); i++ {
		if back[i-1].Pos >= back[i].Pos {
			t.Fatal("positions do not ascend")
		}
	}
	return back
}

// history draws authors who talk with each other, more or less up to date.
func history(t *rapid.T) []*author {
	var authors []*author
	for i := range rapid.IntRange(1, 5).Draw(t, "authors") {
		a := newAuthor(i)
		if rapid.IntRange(0, 9).Draw(t, "elsewhere") == 0 {
			a.in(log.SpaceID{5})
		}
		if i > 0 && rapid.IntRange(0, 3).Draw(t, "second device") == 0 {
			a.card.Incarnation = log.Incarnation{byte(i)} // the same person's other log
			a.key, a.card.Device = authors[0].key, authors[0].card.Device
		}
		authors = append(authors, a)
	}
	texts := rapid.SampledFrom([]string{"hallo", "Müller", "hallo zwei", "drei\nvier", "🏝️ netz", "\u202eoben"})
	chans := []chat.ChannelID{chat.Main, {9}}
	var msgs []chat.MsgID
	anyMsg := func() chat.MsgID {
		if len(msgs) == 0 || rapid.IntRange(0, 15).Draw(t, "lost") == 0 {
			return authors[0].id(uint64(rapid.IntRange(1, 30).Draw(t, "seq")), 0)
		}
		return msgs[rapid.IntRange(0, len(msgs)-1).Draw(t, "message")]
	}
	clock := rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 0, 0, 1, 1, 40, 3600_000, -3600_000, 1 << 50, -baseMs})
	now := baseMs
	for range rapid.IntRange(1, 60).Draw(t, "entries") {
		a := authors[rapid.IntRange(0, len(authors)-1).Draw(t, "author")]
		var deps []log.Dep
		for _, o := range authors {
			if o != a && o.card.ID() != a.card.ID() && o.last.Seq > 0 && rapid.IntRange(0, 2).Draw(t, "dep") == 0 {
				deps = append(deps, log.Dep{Log: o.card.ID(), Seq: uint64(rapid.IntRange(1, int(o.last.Seq)).Draw(t, "upto"))})
			}
		}
		slices.SortFunc(deps, func(x, y log.Dep) int { return slices.Compare(x.Log[:], y.Log[:]) })
		deps = slices.CompactFunc(deps, func(x, y log.Dep) bool { return x.Log == y.Log })
		var ops []chat.Op
		for n := range rapid.SampledFrom([]int{1, 1, 1, 1, 2, 5}).Draw(t, "ops") {
			id := a.id(a.last.Seq+1, uint32(n))
			ch := chans[rapid.IntRange(0, len(chans)-1).Draw(t, "channel")]
			switch rapid.IntRange(0, 11).Draw(t, "op") {
			case 0:
				ops = append(ops, chat.Edit{Message: anyMsg(), Text: texts.Draw(t, "text"), Mentions: []chat.PersonID{a.person()}})
			case 1:
				ops = append(ops, chat.Retract{Message: anyMsg()})
			case 2:
				ops = append(ops, chat.React{Message: anyMsg(), Word: rapid.SampledFrom([]string{"agree", "no"}).Draw(t, "word"), On: rapid.Bool().Draw(t, "on")})
			case 3:
				ops = append(ops, chat.Read{Channel: ch, Message: anyMsg()})
			case 4:
				ops = append(ops, chat.Create{Name: rapid.SampledFrom([]string{"Büro", "akten", "🏝️"}).Draw(t, "name")})
				chans = append(chans, chat.ChannelOf(id))
			case 5:
				reply := anyMsg()
				ops = append(ops, chat.Post{Channel: ch, Text: texts.Draw(t, "text"), Reply: &reply})
				msgs = append(msgs, id)
			default:
				ops = append(ops, chat.Post{Channel: ch, Text: texts.Draw(t, "text")})
				msgs = append(msgs, id)
			}
		}
		a.hlc = log.Tick(max(0, now+clock.Draw(t, "clock")), a.hlc, 0)
		payload, err := chat.Encode(ops)
		if err != nil {
			t.Fatal(err)
		}
		e, err := log.New(a.key, log.Header{Log: a.card.ID(), Seq: a.last.Seq + 1, Prev: a.last.Hash, HLC: a.hlc, Deps: deps, Kind: log.KindChat}, payload)
		if err != nil {
			t.Fatal(err)
		}
		a.last = log.Height{Seq: e.Seq, Hash: e.Hash()}
		a.all = append(a.all, e)
		now += int64(rapid.SampledFrom([]int{0, 0, 1, 500}).Draw(t, "pause"))
	}
	// Two authors with the same card would be one log written twice.
	return slices.CompactFunc(slices.SortedFunc(slices.Values(authors), func(x, y *author) int {
		return cmp.Compare(x.card.ID().String(), y.card.ID().String())
	}), func(x, y *author) bool { return x.card.ID() == y.card.ID() })
}

// TestViewsEqualFold imports drawn histories in drawn orders and pieces, with
// restarts, late keys and rebuilds in between, and compares all that people see
// with folding the whole set at once.
func TestViewsEqualFold(t *testing.T) {
	dirs := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		authors := history(t)
		n++
		dir := fmt.Sprintf("%s/%d", dirs, n)
		reader := plainReader{locked: map[log.LogID]bool{}, unknown: map[log.DeviceID]bool{}}
		open := func() *Store {
			s, rep, err := Open(dir, Options{Unsafe: true})
			if err != nil || rep.Damaged != "" {
				t.Fatal(rep, err)
			}
			if err := s.Use(bg, reader); err != nil {
				t.Fatal(err)
			}
			return s
		}
		for _, a := range authors {
			reader.locked[a.card.ID()] = rapid.IntRange(0, 4).Draw(t, "locked") == 0
			reader.unknown[a.card.Device] = rapid.IntRange(0, 4).Draw(t, "unknown") == 0
		}
		s := open()
		defer func() { s.Close() }()
		done := make([]int, len(authors))
		for left := true; left; {
			i := rapid.IntRange(0, len(authors)-1).Draw(t, "from")
			a := authors[i]
			from := max(0, done[i]-rapid.IntRange(0, 2).Draw(t, "again"))
			to := min(len(a.all), done[i]+rapid.IntRange(1, 30).Draw(t, "batch"))
			if from < to {
				if _, err := s.Import(bg, a.card, a.all[from:to], rapid.Bool().Draw(t, "live")); err != nil {
					t.Fatal(err)
				}
				done[i] = to
			}
			switch rapid.IntRange(0, 30).Draw(t, "event") {
			case 0:
				s.Close()
				s = open()
			case 1:
				if err := s.Rebuild(bg, nil); err != nil {
					t.Fatal(err)
				}
			case 2:
				clear(reader.locked)
				if err := s.Use(bg, reader); err != nil {
					t.Fatal(err)
				}
			}
			left = false
			for i, a := range authors {
				left = left || done[i] < len(a.all)
			}
		}
		clear(reader.locked)
		clear(reader.unknown)
		if err := s.Use(bg, reader); err != nil {
			t.Fatal(err)
		}
		for _, sp := range []log.SpaceID{space, {5}} {
			want, got := showState(oracle(t, authors, sp)), showStore(t, s, sp, rapid.IntRange(1, 9).Draw(t, "page"))
			if !slices.Equal(want, got) {
				t.Fatalf("differs:\n%s", diff(want, got))
			}
		}
		checkIndex(t, s)
	})
}

// checkIndex lets SQLite compare the search index with the messages.
func checkIndex(t interface{ Fatal(...any) }, s *Store) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.w.c.exec("INSERT INTO words(words, rank) VALUES('integrity-check', 1)"); err != nil {
		t.Fatal("search index differs from the messages: ", err)
	}
	if err := s.w.c.quickCheck(bg); err != nil {
		t.Fatal(err)
	}
}

func diff(want, got []string) string {
	w, g := map[string]bool{}, map[string]bool{}
	for _, l := range want {
		w[l] = true
	}
	out := ""
	for _, l := range got {
		g[l] = true
		if !w[l] {
			out += "+ " + l + "\n"
		}
	}
	for _, l := range slices.Sorted(maps.Keys(w)) {
		if !g[l] {
			out += "- " + l + "\n"
		}
	}
	return out
}
