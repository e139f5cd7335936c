package access

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
)

// samples are one operation of each type.
func samples() []any {
	p, q := newPC("p"), newPC("q")
	space, key := log.SpaceID{1}, log.KeyID{2}
	cuts := []Cut{{Space: space}, {Space: space, Log: log.LogID{3}, Seq: 4, Hash: log.Hash{5}}}
	copies := []deviceWrap{{Device: p.card.Sign, Sealed: [80]byte{6}}}
	kit := Kit{Secret: [22]byte{7}}
	deputies := []Deputy{deputyOf(p), kit.Deputy()}
	if bytes.Compare(p.person.ID[:], q.person.ID[:]) > 0 {
		p, q = q, p
	}
	two := []member{{Person: p.person.ID, Level: Write}, {Person: q.person.ID, Level: Write}}
	return []any{
		genesis{Type: opGenesis, Office: "Büro", Salt: [16]byte{1}, Person: p.person, Device: p.card, Wraps: []Wrap{{Epoch: 1}}},
		admit{Type: opAdmit, Device: p.card, Person: p.person, Role: Carrier, Wraps: []Wrap{{Space: space, Epoch: 300, Key: key}}},
		lower{Type: opLower, Device: p.card.Sign, Role: Guest, Cuts: cuts},
		revoke{Type: opRevoke, Device: p.card.Sign, Cuts: cuts},
		cut{Type: opCut, Device: p.card.Sign, Cuts: cuts},
		propose{Type: opPropose, Step: Step{Generation: 1, Previous: StepID{1}, Policy: &Policy{Need: 2, Deputies: deputies}, Remove: []StepRemoval{{Device: p.card.Sign, Cuts: cuts}}, Owners: []StepOwner{{Card: q.card, Person: q.person}}, Access: []StepAccess{{Space: space, Person: q.person.ID}}}},
		propose{Type: opPropose, Step: Step{Generation: 70_000, Remove: []StepRemoval{}, Owners: []StepOwner{}, Access: []StepAccess{{Space: space}}}},
		approve{Type: opApprove, Step: StepID{1}, Key: p.card.Sign, Sig: [64]byte{2}},
		beginSpace{Type: opSpace, Salt: [16]byte{1}, Kind: Named, Name: make([]byte, nameOverhead+namePad), Members: two, Key: firstKey{ID: key, Wraps: copies}},
		beginSpace{Type: opSpace, Kind: Direct, Name: []byte{}, Members: two, Key: firstKey{ID: key, Wraps: copies}},
		members{Type: opMembers, Space: space, Name: []byte{}, Set: two, Remove: []leaver{{Person: p.person.ID, Cuts: cuts}}},
		newKey{Type: opKey, Space: space, Epoch: 1 << 40, ID: key, Prevs: []oldKey{{ID: log.KeyID{1}}, {ID: key}}, Wraps: copies},
		moreWraps{Type: opWraps, Space: Network, Epoch: 1, ID: key, Wraps: copies},
		ask{Type: opAsk, Keys: []log.KeyID{key, {}}},
		erase{Type: opErase, Space: space, Refs: []erasedRef{{Device: p.card.Sign, Incarnation: log.Incarnation{1}, Seq: 1 << 33, Hash: log.Hash{2}}}},
		until{Type: opUntil, Device: p.card.Sign, Time: 1 << 41},
		facts{Type: opFacts, Disk: 5},
		policy{Type: opPolicy, Need: 2, Deputies: deputies},
	}
}

func TestOperationsComeBackAsTheyWere(t *testing.T) {
	for _, want := range samples() {
		raw := encodePayload(want)
		ops, err := decodePayload(raw)
		if err != nil || len(ops) != 1 || !reflect.DeepEqual(reflect.ValueOf(ops[0]).Elem().Interface(), want) {
			t.Errorf("%T: %v\n%+v\n%+v", want, err, ops, want)
		}
		// All that is torn, or one byte more, is void.
		for n := range raw {
			if _, err := decodePayload(raw[:n]); !errors.Is(err, errVoid) {
				t.Errorf("%T: torn after %d bytes: %v", want, n, err)
			}
		}
		if _, err := decodePayload(append(bytes.Clone(raw), 0)); !errors.Is(err, errVoid) {
			t.Errorf("%T with a byte more: %v", want, err)
		}
	}
}

// TestLimitsOfOperations spoils one field of an operation at a time.
func TestLimitsOfOperations(t *testing.T) {
	p := newPC("p")
	someCuts := func(n int) []Cut {
		out := []Cut{}
		for i := range n {
			out = append(out, Cut{Log: log.LogID{1, byte(i >> 8), byte(i)}, Seq: 1, Hash: log.Hash{1}})
		}
		return out
	}
	person := func(n int) []member {
		out := []member{}
		for i := range n {
			out = append(out, member{Person: PersonID{1, byte(i >> 8), byte(i)}, Level: Read})
		}
		return out
	}
	name := make([]byte, nameOverhead)
	for what, op := range map[string]any{
		"lower to owner":          lower{Type: opLower, Role: Owner, Cuts: []Cut{}},
		"513 cuts":                revoke{Type: opRevoke, Cuts: someCuts(513)},
		"cuts twice":              revoke{Type: opRevoke, Cuts: []Cut{someCuts(1)[0], someCuts(1)[0]}},
		"cuts descending":         revoke{Type: opRevoke, Cuts: []Cut{someCuts(2)[1], someCuts(2)[0]}},
		"cut with hash at 0":      revoke{Type: opRevoke, Cuts: []Cut{{Log: log.LogID{1}, Hash: log.Hash{1}}}},
		"cut without hash":        revoke{Type: opRevoke, Cuts: []Cut{{Log: log.LogID{1}, Seq: 1}}},
		"cut of no log":           revoke{Type: opRevoke, Cuts: []Cut{{Seq: 1, Hash: log.Hash{1}}}},
		"cut beyond the last seq": revoke{Type: opRevoke, Cuts: []Cut{{Log: log.LogID{1}, Seq: log.MaxSeq + 1, Hash: log.Hash{1}}}},
		"null cuts":               revoke{Type: opRevoke},
		"cut of nothing":          cut{Type: opCut, Cuts: []Cut{}},
		"step of nothing":         propose{Type: opPropose, Step: Step{Generation: 1, Remove: []StepRemoval{}, Owners: []StepOwner{}, Access: []StepAccess{}}},
		"step of no generation":   propose{Type: opPropose, Step: Step{Remove: []StepRemoval{}, Owners: []StepOwner{}, Access: []StepAccess{{}}}},
		"step with weak card":     propose{Type: opPropose, Step: Step{Generation: 1, Remove: []StepRemoval{}, Owners: []StepOwner{{Person: p.person}}, Access: []StepAccess{}}},
		"65 removed by a step":    propose{Type: opPropose, Step: Step{Generation: 1, Remove: make([]StepRemoval, 65), Owners: []StepOwner{}, Access: []StepAccess{}}},
		"space of no kind":        beginSpace{Type: opSpace, Name: name, Members: []member{}, Key: firstKey{Wraps: []deviceWrap{}}},
		"space without name":      beginSpace{Type: opSpace, Kind: Named, Name: []byte{}, Members: []member{}, Key: firstKey{Wraps: []deviceWrap{}}},
		"long name":               beginSpace{Type: opSpace, Kind: Named, Name: make([]byte, 513), Members: []member{}, Key: firstKey{Wraps: []deviceWrap{}}},
		"direct of one":           beginSpace{Type: opSpace, Kind: Direct, Name: []byte{}, Members: person(1), Key: firstKey{Wraps: []deviceWrap{}}},
		"direct with name":        beginSpace{Type: opSpace, Kind: Direct, Name: name, Members: person(2), Key: firstKey{Wraps: []deviceWrap{}}},
		"direct, one reads":       beginSpace{Type: opSpace, Kind: Direct, Name: []byte{}, Members: person(2), Key: firstKey{Wraps: []deviceWrap{}}},
		"513 members":             members{Type: opMembers, Space: log.SpaceID{1}, Name: []byte{}, Set: person(513), Remove: []leaver{}},
		"member twice":            members{Type: opMembers, Space: log.SpaceID{1}, Name: []byte{}, Set: append(person(1), person(1)...), Remove: []leaver{}},
		"unknown level":           members{Type: opMembers, Space: log.SpaceID{1}, Name: []byte{}, Set: []member{{Person: PersonID{1}, Level: 4}}, Remove: []leaver{}},
		"level none":              members{Type: opMembers, Space: log.SpaceID{1}, Name: []byte{}, Set: []member{{Person: PersonID{1}}}, Remove: []leaver{}},
		"member without id":       members{Type: opMembers, Space: log.SpaceID{1}, Name: []byte{}, Set: []member{{Level: Read}}, Remove: []leaver{}},
		"leaver twice":            members{Type: opMembers, Space: log.SpaceID{1}, Name: []byte{}, Set: []member{}, Remove: []leaver{{Cuts: []Cut{}}, {Cuts: []Cut{}}}},
		"members of all":          members{Type: opMembers, Name: []byte{}, Set: person(1), Remove: []leaver{}},
		"members of nothing":      members{Type: opMembers, Space: log.SpaceID{1}, Name: []byte{}, Set: []member{}, Remove: []leaver{}},
		"members of the network":  members{Type: opMembers, Space: Network, Name: []byte{}, Set: person(1), Remove: []leaver{}},
		"first key again":         newKey{Type: opKey, Epoch: 1, Prevs: []oldKey{{}}, Wraps: []deviceWrap{}},
		"key after nothing":       newKey{Type: opKey, Epoch: 2, Prevs: []oldKey{}, Wraps: []deviceWrap{}},
		"key of the network":      newKey{Type: opKey, Space: Network, Epoch: 2, Prevs: []oldKey{{}}, Wraps: []deviceWrap{}},
		"65 keys before":          newKey{Type: opKey, Epoch: 2, Prevs: make([]oldKey, 65), Wraps: []deviceWrap{}},
		"401 copies":              moreWraps{Type: opWraps, Epoch: 1, Wraps: make([]deviceWrap, 401)},
		"copies of epoch 0":       moreWraps{Type: opWraps, Wraps: []deviceWrap{}},
		"epoch beyond the last":   moreWraps{Type: opWraps, Epoch: maxEpoch + 1, Wraps: []deviceWrap{}},
		"257 keys asked for":      ask{Type: opAsk, Keys: make([]log.KeyID, 257)},
		"513 erased":              erase{Type: opErase, Refs: make([]erasedRef, 513)},
		"erased before the first": erase{Type: opErase, Refs: []erasedRef{{}}},
		"until beyond time":       until{Type: opUntil, Time: 1 << 60},
		"seventh state of a disk": facts{Type: opFacts, Disk: 6},
		"policy of nobody":        policy{Type: opPolicy, Deputies: []Deputy{}},
	} {
		if ops, err := decodePayload(encodePayload(op)); !errors.Is(err, errVoid) || ops != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	a := approve{Type: opApprove}
	if _, err := decodePayload(encodePayload(a, a)); err != nil {
		t.Error(err)
	}
	if _, err := decodePayload(encodePayload(a, a, a)); !errors.Is(err, errVoid) {
		t.Errorf("three approvals: %v", err)
	}
}

func anys(ops []operation) []any {
	var out []any
	for _, op := range ops {
		out = append(out, op)
	}
	return out
}

// FuzzPayload also holds the reader against the library.
func FuzzPayload(f *testing.F) {
	for _, op := range samples() {
		f.Add(encodePayload(op))
	}
	f.Add(encodePayload(samples()...))
	f.Add(encode([]any{1, []any{[]any{63, "x", map[uint64]any{1: -1, 2: 1.5}}}}))
	f.Add([]byte{0x82, 1, 0x81, 0x82, 0x18, 63, 0xf8, 0}) // a simple value in two bytes that needs one
	f.Add(encode([]any{2, "x"}))
	lib := must(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 256}.DecMode())
	f.Fuzz(func(t *testing.T, b []byte) {
		ops, err := decodePayload(b)
		if err == nil && !bytes.Equal(encodePayload(anys(ops)...), b) {
			t.Fatalf("decoded and encoded again: %x", encodePayload(anys(ops)...))
		}
		if !errors.Is(err, errVoid) && lib.Wellformed(b) != nil {
			t.Fatalf("reads what is no CBOR: %v", lib.Wellformed(b))
		}
		if errors.Is(err, errVoid) && ops != nil {
			t.Fatal("operations of a void entry")
		}
	})
}
