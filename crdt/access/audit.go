package access

import "inselnetz/crdt/log"

// A Record is one operation of the control space as an audit shows it. Fields
// that its kind of operation does not have are zero.
type Record struct {
	Entry   log.Hash
	Log     log.LogID
	Seq     uint64
	N       int // place of the operation in the entry
	Author  log.DeviceID
	Clock   log.HLC // the author's, which proves nothing
	Act     string  // a fixed word, see Acts
	Device  log.DeviceID
	Name    string // of the person or device, as it was written
	Person  PersonID
	Role    Role
	Space   log.SpaceID
	Set     []SpaceMember // of a space
	Left    []PersonID    // of a space
	Epoch   uint64
	Step    StepID
	Until   int64 // milliseconds since 1970
	Disk    uint64
	Erased  int // entries
	Counts  bool
	Why     Why // it does not count
	Renamed bool
}

// A SpaceMember is a person with what it may do in a space.
type SpaceMember struct {
	Person PersonID
	Level  Level
}

// Acts are the words that Record.Act uses.
var Acts = []string{
	"genesis", "admit", "raise", "lower", "revoke", "cut", "propose", "approve", "space", "direct", "members",
	"key", "wraps", "ask", "erase", "until", "facts", "policy", "unknown", "malformed",
}

// Why says in one fixed word why an operation does not count.
type Why string

// Reasons.
const (
	Counts       Why = ""
	WhyMalformed Why = "malformed"   // not in the form of the format
	WhyUnknown   Why = "unknown"     // of a newer program
	WhyOutsider  Why = "outsider"    // its author was not in, or did not know that it was
	WhyNotAllow  Why = "not-allowed" // its author may not do that
	WhySenior    Why = "senior"      // against one whose word counted before
	WhyDead      Why = "dead"        // about a device that was removed for ever
	WhyKnown     Why = "known"       // keys of another device
	WhyNoChange  Why = "no-change"   // says what is so already
	WhyNobody    Why = "nobody"      // about what does not exist
	WhyCut       Why = "cut"         // behind the end of its log
	WhyOnce      Why = "once"        // a workspace is founded once
	WhyOpen      Why = "open"        // not enough approvals
	WhyKeys      Why = "keys"        // keys that do not follow from those before
)
