package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/pairing"
)

// States of the recovery kit, as far as this device knows.
const (
	KitNone    = "none"
	KitWaiting = "waiting" // made here, and not confirmed as printed
	KitPrinted = "printed"
)

// A KitSheet is what is printed.
type KitSheet struct {
	Words  []string // 24
	QR     []string
	Ask    []int // which words to type to confirm, from 1
	Office string
	Made   time.Time
}

// kitNote is what is kept of a kit that waits to be printed, sealed in kitFile.
type kitNote struct {
	Secret []byte    `json:"secret"`
	Made   time.Time `json:"made"`
}

const (
	kitFile     = "kit.sealed"
	metaPrinted = "kit-printed" // time of the confirmation, as JSON
)

// newKit makes a kit and has it safely on disk, sealed, until it is printed: an
// office must not name a kit that a power cut took.
func (w *Workspace) newKit() (access.Kit, error) {
	kit, err := access.NewKit(rand.Reader)
	if err != nil {
		return kit, err
	}
	return kit, w.keepKit(kit)
}

// waitingKit returns the kit that waits to be printed.
func (w *Workspace) waitingKit() (kit access.Kit, made time.Time, ok bool, err error) {
	var n kitNote
	raw, err := w.id.openFile(kitFile)
	if err == nil {
		err = json.Unmarshal(raw, &n)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kit, made, false, nil
	case err != nil:
		return kit, made, false, err
	case len(n.Secret) != len(kit.Secret):
		return kit, made, false, problem("internal", "recovery sheet")
	}
	copy(kit.Secret[:], n.Secret)
	return kit, n.Made, true, nil
}

func (w *Workspace) keepKit(kit access.Kit) error {
	raw, err := json.Marshal(kitNote{Secret: kit.Secret[:], Made: w.opts.Now()})
	if err != nil {
		return err
	}
	return storeProblem(w.id.sealFile(kitFile, raw), w.dir)
}

// Kit returns the recovery sheet until it is confirmed.
func (w *Workspace) Kit() (KitSheet, error) {
	st := w.snapshot()
	if st == nil {
		return KitSheet{}, problem("not-member")
	}
	kit, made, ok, err := w.waitingKit()
	if err != nil {
		return KitSheet{}, err
	}
	if policy, _ := st.Policy(); !ok || !inForce(policy, kit) {
		return KitSheet{}, problem("kit-gone")
	}
	qr, err := QR(pairing.KitText(kit))
	if err != nil {
		return KitSheet{}, err
	}
	return KitSheet{Words: pairing.KitWords(kit), QR: qr, Ask: asked(kit), Office: access.ShowName(st.Office), Made: made}, nil
}

// asked are the words of a kit that confirm its printing: two that differ.
func asked(kit access.Kit) []int {
	sum := kit.Checksum()
	a := int(sum[0]) % 12
	b := 12 + int(sum[1])%12
	return []int{a + 1, b + 1}
}

// ConfirmKit takes the words asked for. From then on the sheet is on paper only.
func (w *Workspace) ConfirmKit(words []string) error {
	st := w.snapshot()
	if st == nil {
		return problem("not-member")
	}
	kit, _, ok, err := w.waitingKit()
	if err != nil {
		return err
	}
	if policy, _ := st.Policy(); !ok || !inForce(policy, kit) {
		return problem("kit-gone")
	}
	all := pairing.KitWords(kit)
	ask := asked(kit)
	for i, n := range ask {
		if i >= len(words) || !strings.EqualFold(strings.TrimSpace(words[i]), all[n-1]) {
			return &Problem{Code: "kit-words", Args: []any{n}, Field: "words"}
		}
	}
	if err := w.putJSON(metaPrinted, w.opts.Now().UnixMilli()); err != nil {
		return storeProblem(err, w.dir)
	}
	if err := w.id.dropFile(kitFile); err != nil {
		return storeProblem(err, w.dir)
	}
	w.changed("status", "")
	w.changed("recovery", "")
	return nil
}

// kitState says how the office's sheet stands, and when it was printed here.
func (w *Workspace) kitState(st *access.State) (state string, printed int64) {
	policy, _ := st.Policy()
	if !slices.ContainsFunc(policy.Deputies, access.Deputy.Kit) {
		return KitNone, 0
	}
	if kit, _, ok, err := w.waitingKit(); err == nil && ok && inForce(policy, kit) {
		return KitWaiting, 0
	}
	_ = w.getJSON(metaPrinted, &printed) // a damaged note is no note
	return KitPrinted, printed
}

func inForce(p access.Policy, kit access.Kit) bool {
	key := kit.Deputy().Keys[0]
	return slices.ContainsFunc(p.Deputies, func(d access.Deputy) bool { return d.Kit() && slices.Contains(d.Keys, key) })
}

// Recovery is who can help when a device with power over the office is lost.
type Recovery struct {
	Kit      string
	Printed  int64 // ms since 1970; 0 if not known here
	Need     int
	Deputies []Deputy
	Steps    []Step // open ones first, then the latest
	Propose  bool
	Change   bool // this person is owner
}

// A Deputy is a person, or the sheet, that may approve.
type Deputy struct {
	Kit     bool
	Person  access.PersonID
	Missing bool // has devices the deputies do not know, or none left
}

// A Step is something deputies decide together.
type Step struct {
	ID       access.StepID
	At       time.Time
	By       access.PersonID
	State    string // "open", "done"
	Step     access.Step
	Approved []access.PersonID // zero: the sheet
	Need     int
	Owner    bool // an owner approved, which counts for a change of deputies
	Mine     bool
	CanMine  bool
	CanKit   bool
}

// Recovery returns how recovery is arranged and what is being decided.
func (w *Workspace) Recovery() (Recovery, error) {
	st := w.snapshot()
	if st == nil {
		return Recovery{}, problem("not-member")
	}
	policy, _ := st.Policy()
	out := Recovery{Need: int(policy.Need), Propose: policy.Need > 0 && !st.Stopped}
	out.Kit, out.Printed = w.kitState(st)
	if role, ok := st.Role(w.self); ok {
		out.Change = role == access.Owner && out.Propose
	}
	for _, d := range policy.Deputies {
		out.Deputies = append(out.Deputies, Deputy{Kit: d.Kit(), Person: d.Person, Missing: !d.Kit() && !sameDevices(d.Keys, devicesOf(st, d.Person))})
	}
	for _, s := range st.Steps() {
		out.Steps = append(out.Steps, w.step(st, policy, s))
	}
	slices.SortStableFunc(out.Steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), b.At.Compare(a.At), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out, nil
}

func rank(state string) int {
	if state == "open" {
		return 0
	}
	return 1
}

func sameDevices(keys, devices []log.DeviceID) bool {
	if len(keys) != len(devices) {
		return false
	}
	return !slices.ContainsFunc(devices, func(d log.DeviceID) bool { return !slices.Contains(keys, d) })
}

func (w *Workspace) step(st *access.State, policy access.Policy, s access.StepState) Step {
	out := Step{ID: s.ID, At: time.UnixMilli(s.Clock.Millis()), State: "open", Step: s.Step, Approved: s.By, Need: int(s.Need), Owner: s.Owner}
	if d, ok := st.Known(s.Proposer); ok {
		out.By = d.Person
	}
	me := access.PersonID(w.me())
	out.Mine = slices.Contains(s.By, me)
	if s.Accepted {
		out.State = "done"
		return out
	}
	for _, d := range policy.Deputies {
		switch {
		case d.Kit():
			out.CanKit = !slices.Contains(s.By, access.PersonID{})
		case d.Person == me:
			out.CanMine = !out.Mine && slices.Contains(d.Keys, w.self)
		}
	}
	role, _ := st.Role(w.self)
	if role == access.Owner && onlyPolicy(s.Step) && !s.Owner {
		out.CanMine = true
	}
	return out
}

func onlyPolicy(s access.Step) bool {
	return s.Policy != nil && len(s.Remove)+len(s.Owners)+len(s.Access) == 0
}

// wanted is how many open steps wait for this person.
func (w *Workspace) wanted() int {
	r, err := w.Recovery()
	if err != nil {
		return 0
	}
	n := 0
	for _, s := range r.Steps {
		if s.State == "open" && s.CanMine {
			n++
		}
	}
	return n
}

// A Proposal is what to put to the deputies.
type Proposal struct {
	Lost     []log.DeviceID
	Owner    access.PersonID // becomes owner; zero: nobody
	Access   map[log.SpaceID]access.PersonID
	Deputies []access.PersonID // with Need > 0: the deputies from now on
	KeepKit  bool
	NewKit   bool
	Need     int
	Words    string // of the sheet; empty: without it
}

// Propose puts something to the deputies; this person approves it, and the
// sheet if its words are given.
func (w *Workspace) Propose(ctx context.Context, p Proposal) error {
	st := w.snapshot()
	if st == nil {
		return problem("not-member")
	}
	kit, withKit, err := w.kitFor(st, p)
	if err != nil {
		return err
	}
	in := access.StepInput{Access: p.Access}
	for _, dev := range p.Lost {
		if in.Remove == nil {
			in.Remove = map[log.DeviceID][]access.Cut{}
		}
		in.Remove[dev] = w.cutsOf(st, dev)
	}
	if p.Owner != (access.PersonID{}) {
		for _, dev := range devicesOf(st, p.Owner) {
			if !slices.Contains(p.Lost, dev) {
				in.Owners = append(in.Owners, access.StepOwner{Card: st.Devices[dev].Card, Person: st.People[p.Owner]})
			}
		}
		if len(in.Owners) == 0 {
			return problem("no-such-person")
		}
	}
	if p.Need > 0 {
		if in.Policy, err = w.newPolicy(st, p); err != nil {
			return err
		}
	}
	payload, id, err := st.Propose(in)
	if err != nil {
		return accessProblem(err)
	}
	if err := w.control(ctx, payload); err != nil {
		return err
	}
	if err := w.approveMine(ctx, id); err != nil {
		return err
	}
	if withKit {
		return w.approveKit(ctx, kit, id)
	}
	w.changed("recovery", "")
	return nil
}

// kitFor returns the sheet that approves a proposal at once, if any: the one
// whose words are given, or, when an owner names deputies, the one that waits
// here to be printed, which need not be typed.
func (w *Workspace) kitFor(st *access.State, p Proposal) (kit access.Kit, ok bool, err error) {
	if p.Words != "" {
		kit, err = w.parseKit(st, p.Words)
		return kit, err == nil, err
	}
	if role, _ := st.Role(w.self); p.Need == 0 || role != access.Owner {
		return kit, false, nil
	}
	policy, _ := st.Policy()
	kit, _, ok, err = w.waitingKit()
	return kit, err == nil && ok && inForce(policy, kit), nil
}

// newPolicy makes the policy of a proposal.
func (w *Workspace) newPolicy(st *access.State, p Proposal) (*access.Policy, error) {
	out := &access.Policy{Need: uint64(p.Need)}
	for _, person := range p.Deputies {
		keys := devicesOf(st, person)
		if len(keys) == 0 {
			return nil, problem("no-such-person")
		}
		out.Deputies = append(out.Deputies, access.Deputy{Person: person, Keys: keys[:min(len(keys), 8)]})
	}
	old, _ := st.Policy()
	switch i := slices.IndexFunc(old.Deputies, access.Deputy.Kit); {
	case p.NewKit:
		// One that waits to be printed, or was proposed before, is new enough: it must
		// not be overwritten, it may be in force.
		kit, _, waits, err := w.waitingKit()
		if err == nil && !waits {
			kit, err = w.newKit()
		}
		if err != nil {
			return nil, err
		}
		out.Deputies = append(out.Deputies, kit.Deputy())
	case p.KeepKit && i >= 0:
		out.Deputies = append(out.Deputies, old.Deputies[i])
	}
	return out, nil
}

// Approve approves a step: by the sheet if its words are given, else by this
// person.
func (w *Workspace) Approve(ctx context.Context, id access.StepID, words string) error {
	st := w.snapshot()
	if st == nil {
		return problem("not-member")
	}
	if words == "" {
		return w.approveMine(ctx, id)
	}
	kit, err := w.parseKit(st, words)
	if err != nil {
		return err
	}
	return w.approveKit(ctx, kit, id)
}

func (w *Workspace) approveMine(ctx context.Context, id access.StepID) error {
	payload, err := w.snapshot().Approve(w.id.key(), id)
	switch {
	case errors.Is(err, access.ErrNotAllowed):
		return nil // one who is neither deputy nor owner only proposes
	case err != nil:
		return accessProblem(err)
	}
	return w.control(ctx, payload)
}

// approveKit approves by the sheet. Spaces that a step opens, and that only the
// sheet can still open, are handed to their new members by this device.
func (w *Workspace) approveKit(ctx context.Context, kit access.Kit, id access.StepID) error {
	payload, err := w.snapshot().Approve(kit.Sign(), id)
	if err != nil {
		return accessProblem(err)
	}
	if err := w.control(ctx, payload); err != nil {
		return err
	}
	st := w.snapshot()
	payloads, err := st.Repair(w.self, st.KitKeys(kit))
	if err != nil {
		return accessProblem(err)
	}
	err = w.control(ctx, payloads...)
	w.changed("recovery", "")
	return err
}

// parseKit reads the words of the office's sheet.
func (w *Workspace) parseKit(st *access.State, words string) (access.Kit, error) {
	kit, err := pairing.ParseKit(words)
	var bad *pairing.KitError
	switch {
	case errors.As(err, &bad) && bad.Fault == pairing.KitWord:
		return kit, &Problem{Code: "kit-word", Args: []any{bad.Position, bad.Word}, Field: "words"}
	case errors.As(err, &bad) && bad.Fault == pairing.KitCount:
		return kit, &Problem{Code: "kit-count", Args: []any{bad.Count}, Field: "words"}
	case err != nil:
		return kit, &Problem{Code: "kit-sum", Field: "words", Err: err}
	}
	policy, _ := st.Policy()
	if !inForce(policy, kit) {
		return kit, &Problem{Code: "kit-other", Field: "words"}
	}
	return kit, nil
}

// A LostSpace is a space that nobody manages, or can read, any more.
type LostSpace struct {
	ID   log.SpaceID
	Name string // empty if not known here
	Was  access.PersonID
}

// LostSpaces returns the named spaces that no person of the workspace manages.
func (w *Workspace) LostSpaces() ([]LostSpace, error) {
	st := w.snapshot()
	if st == nil {
		return nil, problem("not-member")
	}
	var out []LostSpace
	for id, s := range st.Spaces {
		if s.Kind != access.Named {
			continue
		}
		led := false
		for p, l := range s.Members {
			led = led || l == access.Manage && st.PersonRole(p) != 0
		}
		if !led {
			out = append(out, LostSpace{id, w.spaceName(st, id), s.Creator})
		}
	}
	slices.SortFunc(out, func(a, b LostSpace) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out, nil
}
