package access_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// Operations as the format page gives them, written down a second time: the
// oracle and the adversaries do not share the package's own types.

type (
	oWrap struct {
		_      struct{} `cbor:",toarray"`
		Space  log.SpaceID
		Epoch  uint64
		Key    log.KeyID
		Sealed [80]byte
	}
	oGenesis struct {
		_      struct{} `cbor:",toarray"`
		Type   uint64
		Office string
		Salt   [16]byte
		Person access.Person
		Device access.DeviceCard
		Wraps  []oWrap
	}
	oAdmit struct {
		_      struct{} `cbor:",toarray"`
		Type   uint64
		Device access.DeviceCard
		Person access.Person
		Role   access.Role
		Wraps  []oWrap
	}
	oCut struct {
		_     struct{} `cbor:",toarray"`
		Space log.SpaceID
		Log   log.LogID
		Seq   uint64
		Hash  log.Hash
	}
	oLower struct {
		_      struct{} `cbor:",toarray"`
		Type   uint64
		Device log.DeviceID
		Role   access.Role
		Cuts   []oCut
	}
	oRevoke struct {
		_      struct{} `cbor:",toarray"`
		Type   uint64
		Device log.DeviceID
		Cuts   []oCut
	}
	oCutOp  oRevoke
	oDeputy struct {
		_      struct{} `cbor:",toarray"`
		Person access.PersonID
		Keys   []log.DeviceID
		Box    access.BoxKey
	}
	oPolicy struct {
		_        struct{} `cbor:",toarray"`
		Need     uint64
		Deputies []oDeputy
	}
	oStepRemoval struct {
		_      struct{} `cbor:",toarray"`
		Device log.DeviceID
		Cuts   []oCut
	}
	oStepOwner struct {
		_      struct{} `cbor:",toarray"`
		Card   access.DeviceCard
		Person access.Person
	}
	oStepAccess struct {
		_      struct{} `cbor:",toarray"`
		Space  log.SpaceID
		Person access.PersonID
	}
	oStep struct {
		_          struct{} `cbor:",toarray"`
		Generation uint64
		Previous   access.StepID
		Policy     *oPolicy
		Remove     []oStepRemoval
		Owners     []oStepOwner
		Access     []oStepAccess
	}
	oPropose struct {
		_    struct{} `cbor:",toarray"`
		Type uint64
		Step oStep
	}
	oApprove struct {
		_    struct{} `cbor:",toarray"`
		Type uint64
		Step access.StepID
		Key  log.DeviceID
		Sig  [64]byte
	}
	oMember struct {
		_      struct{} `cbor:",toarray"`
		Person access.PersonID
		Level  access.Level
	}
	oDeviceWrap struct {
		_      struct{} `cbor:",toarray"`
		Device log.DeviceID
		Sealed [80]byte
	}
	oFirstKey struct {
		_     struct{} `cbor:",toarray"`
		ID    log.KeyID
		Wraps []oDeviceWrap
	}
	oSpace struct {
		_       struct{} `cbor:",toarray"`
		Type    uint64
		Salt    [16]byte
		Kind    access.SpaceKind
		Name    []byte
		Members []oMember
		Key     oFirstKey
	}
	oLeaver struct {
		_      struct{} `cbor:",toarray"`
		Person access.PersonID
		Cuts   []oCut
	}
	oMembers struct {
		_      struct{} `cbor:",toarray"`
		Type   uint64
		Space  log.SpaceID
		Name   []byte
		Set    []oMember
		Remove []oLeaver
	}
	oOldKey struct {
		_      struct{} `cbor:",toarray"`
		ID     log.KeyID
		Sealed [72]byte
	}
	oKey struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Space log.SpaceID
		Epoch uint64
		ID    log.KeyID
		Prevs []oOldKey
		Wraps []oDeviceWrap
	}
	oWraps struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Space log.SpaceID
		Epoch uint64
		ID    log.KeyID
		Wraps []oDeviceWrap
	}
	oAsk struct {
		_    struct{} `cbor:",toarray"`
		Type uint64
		Keys []log.KeyID
	}
	oRef struct {
		_           struct{} `cbor:",toarray"`
		Device      log.DeviceID
		Incarnation log.Incarnation
		Seq         uint64
		Hash        log.Hash
	}
	oErase struct {
		_     struct{} `cbor:",toarray"`
		Type  uint64
		Space log.SpaceID
		Refs  []oRef
	}
	oUntil struct {
		_      struct{} `cbor:",toarray"`
		Type   uint64
		Device log.DeviceID
		Time   uint64
	}
	oFacts struct {
		_    struct{} `cbor:",toarray"`
		Type uint64
		Disk uint64
	}
	oFirstPolicy struct {
		_        struct{} `cbor:",toarray"`
		Type     uint64
		Need     uint64
		Deputies []oDeputy
	}
	oPayload struct {
		_       struct{} `cbor:",toarray"`
		Version uint64
		Ops     []cbor.RawMessage
	}
)

var oEnc, _ = cbor.EncOptions{Sort: cbor.SortCoreDeterministic, IndefLength: cbor.IndefLengthForbidden}.EncMode()

func oEncode(v any) []byte {
	b, err := oEnc.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// oPack returns the payload of an entry with these operations.
func oPack(ops ...any) []byte {
	p := oPayload{Version: 1, Ops: []cbor.RawMessage{}}
	for _, op := range ops {
		p.Ops = append(p.Ops, oEncode(op))
	}
	return oEncode(p)
}

// What became of reading a payload.
const (
	oFine    = 0
	oVoid    = 1 // malformed
	oUnknown = 2 // of a newer program: ops are those before
)

// oUnpack reads a payload. Lists are not checked: histories hold malformed
// payloads only as bytes that are no payload at all.
func oUnpack(b []byte) ([]any, int) {
	var p oPayload
	if cbor.Unmarshal(b, &p) != nil || p.Version != 1 || len(p.Ops) == 0 || len(p.Ops) > 64 || !bytes.Equal(oEncode(p), b) {
		return nil, oVoid
	}
	var ops []any
	for _, raw := range p.Ops {
		var fields []cbor.RawMessage
		var kind uint64
		if cbor.Unmarshal(raw, &fields) != nil || len(fields) == 0 || cbor.Unmarshal(fields[0], &kind) != nil {
			return nil, oVoid
		}
		all := []any{
			1: new(oGenesis), 2: new(oAdmit), 3: new(oLower), 4: new(oRevoke), 5: new(oCutOp), 6: new(oPropose), 7: new(oApprove), 8: new(oSpace),
			9: new(oMembers), 10: new(oKey), 11: new(oWraps), 12: new(oAsk), 13: new(oErase), 14: new(oUntil), 15: new(oFacts), 16: new(oFirstPolicy),
		}
		if kind >= uint64(len(all)) || kind == 0 {
			return ops, oUnknown
		}
		if cbor.Unmarshal(raw, all[kind]) != nil || !bytes.Equal(oEncode(all[kind]), raw) {
			return nil, oVoid
		}
		ops = append(ops, all[kind])
	}
	return ops, oFine
}

func (s oStep) id(w log.WorkspaceID) access.StepID {
	b := append([]byte("inselnetz/step/1"), w[:]...)
	return sha256.Sum256(append(b, oEncode(s)...))
}

func oApprovalText(id access.StepID) []byte {
	return append([]byte("inselnetz/approve/1"), id[:]...)
}

func (a *oApprove) valid() bool {
	return a.Key.Check() == nil && ed25519.Verify(a.Key[:], oApprovalText(a.Step), a.Sig[:])
}

func (s *oSpace) id(w log.WorkspaceID, author log.DeviceID) log.SpaceID {
	if s.Kind == access.Direct {
		return oDirectID(w, s.Members[0].Person, s.Members[1].Person)
	}
	b := append([]byte("inselnetz/space/1"), w[:]...)
	b = append(b, author[:]...)
	h := sha256.Sum256(append(b, s.Salt[:]...))
	return log.SpaceID(h[:16])
}

func oDirectID(w log.WorkspaceID, a, b access.PersonID) log.SpaceID {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	buf := append([]byte("inselnetz/direct/1"), w[:]...)
	buf = append(buf, a[:]...)
	h := sha256.Sum256(append(buf, b[:]...))
	return log.SpaceID(h[:16])
}

// The format wants lists in order; these bring them there.

func oSortCuts(cuts []oCut) []oCut {
	slices.SortFunc(cuts, func(a, b oCut) int {
		if c := bytes.Compare(a.Space[:], b.Space[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.Log[:], b.Log[:])
	})
	return slices.CompactFunc(cuts, func(a, b oCut) bool { return a.Space == b.Space && a.Log == b.Log })
}

func oSortMembers(all []oMember) []oMember {
	slices.SortFunc(all, func(a, b oMember) int { return bytes.Compare(a.Person[:], b.Person[:]) })
	return slices.CompactFunc(all, func(a, b oMember) bool { return a.Person == b.Person })
}
