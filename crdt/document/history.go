package document

import (
	"time"

	"inselnetz/crdt/automerge"
)

// A Session is what one actor did without a longer pause.
type Session struct {
	Actor    automerge.ActorID
	From, To time.Time        // of its first and last change; zero: not said
	Heads    []automerge.Hash // of the document after it and all sessions before
	Changes  int
	Ops      int // characters inserted and deleted, marks, blocks and so on
}
