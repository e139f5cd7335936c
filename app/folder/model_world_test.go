package folder_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/disk/disktest"
	"inselnetz/app/folder"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// A world is an office in which everything goes wrong: devices with disks that
// fail and lose power, users who edit at any moment, a network that splits.
// All of it is drawn from one seed.
type world struct {
	r     *rand.Rand
	now   time.Time
	peers []*peer
	group []int // partition of each peer
	wrong mistake
	opts  disktest.Options

	wrote   map[[32]byte]bool  // every content that was on some user's disk, or put
	sums    map[tree.Sum]int64 // the same by name, with sizes
	owed    map[tree.Sum]string
	entries map[log.DeviceID][]entry
	stamp   int // numbers contents
	names   []string

	healed bool
	story  []string
	broken string // the first promise that was not kept
}

// An entry is what a device announces at once.
type entry struct {
	vs       []tree.Known
	verdicts []folder.Verdict
}

// A peer is one device: what survives its crashes, and its folder while it runs.
type peer struct {
	w    *world
	n    int
	dev  log.DeviceID
	log  log.LogID
	fs   *disktest.FS   // of the process that runs, or ran last
	user *disktest.FS   // the same disk
	f    *folder.Folder // nil: off
	has  map[log.DeviceID]int
	mine map[string]bytesOf // what the user last saw of his own at a path
	open map[uint64]bool    // inodes that the user wrote and nobody flushed

	kept  bool
	skip  []string
	write bool          // it has the right to
	skew  time.Duration // of its clock
	folds bool

	calls   int // until the machine ends; 0: it does not
	power   bool
	edits   int // a user edits in one of so many calls; 0: in none
	denied  int // one of so many calls is denied; 0: none
	nested  bool
	visible bool // the last call may have changed what the user sees
}

type bytesOf struct {
	sum     tree.Sum
	durable bool
}

func newWorld(seed int64, wrong mistake) *world {
	w := &world{
		r: rand.New(rand.NewSource(seed)), now: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), wrong: wrong,
		wrote: map[[32]byte]bool{}, sums: map[tree.Sum]int64{}, owed: map[tree.Sum]string{}, entries: map[log.DeviceID][]entry{}, names: names,
	}
	w.opts = disktest.Options{NoExchange: w.one(4), Clones: w.one(3), Now: func() time.Time { return w.now }}
	if w.one(4) {
		w.opts.Coarse = []int64{1e6, 1e9, 2e9}[w.r.Intn(3)]
	}
	twins := w.one(6)
	if twins {
		w.names = append(slices.Clone(names), "A", "B.txt", "D/a", "d/E/c")
	} else if w.one(5) {
		w.names = append(slices.Clone(names), manyNames...)
	}
	for i := range 2 + w.r.Intn(3) {
		p := &peer{w: w, n: i, has: map[log.DeviceID]int{}, mine: map[string]bytesOf{}, open: map[uint64]bool{}, kept: true, write: true}
		if w.one(4) {
			p.skew = time.Duration(w.r.Intn(100)-50) * time.Hour
		}
		p.dev, p.log = log.DeviceID{byte(i + 1)}, log.LogID{byte(i + 1)}
		opts := w.opts
		if p.folds = i == 0 && twins; p.folds {
			opts.Folds = true
		}
		p.fs = disktest.New(w.r.Uint64(), opts)
		p.user = p.fs.User()
		w.peers = append(w.peers, p)
		w.group = append(w.group, 0)
	}
	return w
}

func (w *world) one(of int) bool { return w.r.Intn(of) == 0 }

func (w *world) tell(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

// breaks notes that a promise was not kept.
func (w *world) breaks(format string, args ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf(format, args...)
		w.tell("BROKEN: %s", w.broken)
	}
}

// pass lets time go by.
func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

// write notes a content that somebody wrote.
func (w *world) write(b []byte) tree.Sum {
	w.wrote[sha256.Sum256(b)] = true
	s := sumOf(b)
	w.sums[s] = int64(len(b))
	return s
}

func sumOf(b []byte) tree.Sum {
	var blocks []tree.Sum
	for part := range slices.Chunk(b, tree.BlockSize(int64(len(b)))) {
		blocks = append(blocks, sha256.Sum256(part))
	}
	return tree.SumOf(blocks)
}

// start opens the peer's folder as at the start of the program.
func (p *peer) start() {
	p.fs = p.user.Kill() // whoever had it is gone
	p.user = p.fs.User()
	p.hook()
	var disk disk.FS = p.fs
	if p.w.wrong != nil {
		disk = p.w.wrong(p)
	}
	f, err := folder.Open(context.Background(), folder.Options{
		FS: disk, Host: p, Device: p.dev, Space: log.SpaceID{1}, Create: true, Kept: p.kept, Skip: p.skip, Workers: 1, Budget: 1 << 40,
		MayWrite: func() bool { return p.write },
	})
	p.w.tell("%d starts: %v", p.n, err)
	if err != nil {
		p.stopped(err)
		return
	}
	p.f = f
	all := p.all()
	f.Add(all.vs, all.verdicts...)
	p.checkAlive()
}

// all returns everything that p knows.
func (p *peer) all() (all entry) {
	for _, q := range p.w.peers {
		for _, e := range p.w.entries[q.dev][:p.has[q.dev]] {
			all.add(e)
		}
	}
	return all
}

func (e *entry) add(o entry) {
	e.vs, e.verdicts = append(e.vs, o.vs...), append(e.verdicts, o.verdicts...)
}

// hook puts the faults of the world into the peer's disk.
func (p *peer) hook() {
	p.fs.At = func(op, path string) {
		if p.nested || p.w.healed {
			return
		}
		p.nested = true
		defer func() { p.nested = false }()
		p.see()
		p.visible = changing[op]
		if p.calls > 0 {
			if p.calls--; p.calls == 0 {
				p.end(p.power, fmt.Sprintf("in %s %q", op, path))
				return
			}
		}
		if p.edits > 0 && p.w.one(p.edits) {
			p.w.pass(time.Duration(p.w.r.Intn(5000)) * time.Microsecond)
			p.edit()
		}
	}
	p.fs.Fail = func(op, path string) error {
		if p.w.healed || p.nested || p.denied == 0 || !p.w.one(p.denied) {
			return nil
		}
		err := []error{disk.ErrDenied, disk.ErrFull, disk.ErrBusy}[p.w.r.Intn(3)]
		p.w.tell("%d: %s %q fails: %v", p.n, op, path, err)
		return err
	}
}

// changing are the calls after which the user may see something new.
var changing = map[string]bool{
	"Create": true, "Edit": true, "Mkdir": true, "Remove": true, "Symlink": true, "Rename": true, "RenameNew": true, "Exchange": true,
	"Clone": true, "WriteAt": true, "Truncate": true, "CopyFrom": true,
}

// end ends the process: the power is cut, or it is killed. What runs sees ErrDead
// from now on.
func (p *peer) end(power bool, when string) {
	p.calls = 0
	if !power {
		p.w.tell("%d is killed %s", p.n, when)
		p.user = p.fs.Kill()
		return
	}
	p.w.tell("%d loses power %s", p.n, when)
	numbers := map[uint64]bool{}
	p.inodes("", numbers)
	p.user = p.fs.Crash()
	for path, b := range p.mine {
		if !b.durable {
			delete(p.mine, path) // what was never flushed may go
		}
	}
	p.visit(func(path string, in disk.Info, data []byte) {
		if p.open[in.Inode] { // the user's own, torn
			p.w.write(data)
			// New bytes under the old time are beyond what anybody can see.
			p.user.Mark(path, p.w.now.UnixNano(), in.Exec)
			return
		}
		if p.w.wrote[sha256.Sum256(data)] || !numbers[in.Inode] { // removed by the user, back with another number
			p.w.write(data)
			return
		}
		p.w.breaks("after a power cut %d has what nobody wrote at %s: %s", p.n, path, short(data))
	})
	clear(p.open)
}

// inodes gathers the numbers of all that is on the disk, our own included.
func (p *peer) inodes(dir string, to map[uint64]bool) {
	list, _ := p.user.List(dir)
	for _, in := range list {
		to[in.Inode] = true
		if in.Kind == disk.Dir {
			p.inodes(strings.TrimPrefix(dir+"/"+in.Name, "/"), to)
		}
	}
}

// checkAlive switches the peer off if its process has ended.
func (p *peer) checkAlive() {
	if p.f != nil && p.fs.Dead() {
		p.f = nil
	}
	p.see()
}

// stopped takes in an error of the engine's. Whatever it is, it must not have
// done harm; only after healing there may be none.
func (p *peer) stopped(err error) {
	if p.w.healed && err != nil {
		p.w.breaks("%d: %v", p.n, err)
	}
	p.checkAlive()
}

// do runs one step of the engine.
func (p *peer) do(what string, step func(context.Context) error) {
	if p.f == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	at := len(p.w.story)
	p.w.tell("%d %s", p.n, what)
	err := step(ctx)
	if err != nil {
		p.w.story[at] += ": " + err.Error()
	}
	p.stopped(err)
}

// sync passes entries from q to p that p lacks; how many at most.
func (p *peer) sync(q *peer, most int) (n int) {
	if p == q || p.f == nil || q.f == nil || p.w.group[p.n] != p.w.group[q.n] {
		return 0
	}
	var news entry
	for _, of := range p.w.peers {
		for p.has[of.dev] < q.has[of.dev] && n < most {
			news.add(p.w.entries[of.dev][p.has[of.dev]])
			p.has[of.dev]++
			n++
		}
	}
	if n > 0 {
		p.w.tell("%d hears %d versions and %d verdicts of %d", p.n, len(news.vs), len(news.verdicts), q.n)
		p.f.Add(news.vs, news.verdicts...)
	}
	return n
}

// Now implements folder.Host.
func (p *peer) Now() time.Time { return p.w.now }

// Publish implements folder.Host: entries are durable when it returns.
func (p *peer) Publish(_ context.Context, vs []tree.Version) ([]tree.Known, error) {
	if p.fs.Dead() {
		return nil, disktest.ErrDead
	}
	faults := !p.w.healed && !p.nested
	if faults && p.w.one(30) {
		return nil, errors.New("the store is busy")
	}
	if faults && p.w.one(40) {
		p.end(p.w.one(2), "before an entry is written")
		return nil, disktest.ErrDead
	}
	ops := make([]tree.Op, len(vs))
	for i := range vs {
		ops[i] = vs[i]
	}
	packs, err := tree.Pack(ops, 4000)
	if err != nil {
		p.w.breaks("%d publishes what cannot be shared: %v", p.n, err)
		return nil, err
	}
	var out []tree.Known
	for _, pack := range packs {
		var e entry
		for i, op := range pack.Ops {
			k := tree.Known{Version: op.(tree.Version), ID: tree.VersionID{Log: p.log, Seq: uint64(len(p.w.entries[p.dev]) + 1), N: uint32(i)}}
			k.Author = p.author()
			p.checkVersion(&k)
			e.vs = append(e.vs, k)
			p.w.tell("    %d announces %v %s %s %v", p.n, k.ID.Seq, k.Path, brief(&k.Version), parents(&k.Version))
		}
		p.w.entries[p.dev] = append(p.w.entries[p.dev], e)
		p.has[p.dev]++
		out = append(out, e.vs...)
	}
	if faults && p.w.one(20) {
		p.end(p.w.one(2), "after an entry was written")
		return nil, disktest.ErrDead
	}
	return out, nil
}

func (p *peer) checkVersion(k *tree.Known) {
	if !p.write {
		p.w.breaks("%d announces %s without the right to", p.n, k.Path)
	}
	if size, ok := p.w.sums[k.Sum]; k.Kind == tree.File && (!ok || size != k.Size) {
		p.w.breaks("%d announces at %s a content of %d bytes that nobody wrote", p.n, k.Path, k.Size)
	}
	for _, id := range k.Parents {
		for _, q := range p.w.peers {
			if q.log == id.Log && int(id.Seq) > p.has[q.dev] {
				p.w.breaks("%d names a parent that it does not know: %v", p.n, id)
			}
		}
	}
}

// Verdict implements folder.Host.
func (p *peer) Verdict(_ context.Context, v tree.Verdict) (folder.Verdict, error) {
	if _, err := tree.Encode([]tree.Op{v}); err != nil {
		p.w.breaks("%d publishes a verdict that cannot be shared: %v", p.n, err)
	}
	out := folder.Verdict{Author: p.author(), Verdict: v}
	p.w.entries[p.dev] = append(p.w.entries[p.dev], entry{verdicts: []folder.Verdict{out}})
	p.has[p.dev]++
	p.w.tell("    %d decides on %d: %v", p.n, v.Device[0]-1, v.Accept)
	return out, nil
}

func (p *peer) author() tree.Author {
	return tree.Author{Device: p.dev, Clock: log.HLC(p.w.now.Add(p.skew).UnixMilli()) << 16}
}

// Fetch implements folder.Host: from whoever is in reach and has it.
func (p *peer) Fetch(ctx context.Context, pieces []folder.Piece, _ []log.DeviceID, got func(int, []byte) error, missing func(int)) error {
	for _, i := range p.w.r.Perm(len(pieces)) {
		if p.fs.Dead() {
			return disktest.ErrDead
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		b := p.ask(pieces[i])
		if b == nil {
			missing(i)
			continue
		}
		err := got(i, b)
		clear(b) // it was valid during the call
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) ask(piece folder.Piece) []byte {
	for _, n := range p.w.r.Perm(len(p.w.peers)) {
		q := p.w.peers[n]
		if q == p || q.f == nil || p.w.group[n] != p.w.group[p.n] || !p.w.healed && p.w.one(10) {
			continue
		}
		b, err := q.f.Read(piece.Content, piece.Index, nil)
		if q.fs.Dead() {
			q.checkAlive()
			continue
		}
		if err == nil && len(b) == piece.Size && tree.Sum(sha256.Sum256(b)) == piece.Hash {
			return b
		}
	}
	return nil
}

func brief(v *tree.Version) string {
	switch v.Kind {
	case tree.File:
		x := ""
		if v.Exec {
			x = " x"
		}
		return fmt.Sprintf("file %s (%d)%s", v.Sum.String()[:8], v.Size, x)
	case tree.Link:
		return "link to " + v.Target
	}
	return v.Kind.String()
}

func parents(v *tree.Version) string {
	var s []string
	for _, p := range v.Parents {
		s = append(s, fmt.Sprintf("%d:%d.%d", p.Log[0]-1, p.Seq, p.N))
	}
	return "after " + strings.Join(s, " ")
}

func short(b []byte) string {
	return fmt.Sprintf("%s (%d) %.40q", sumOf(b).String()[:8], len(b), b)
}
