package automerge

func (d *Doc) insertionPlace(obj uint32, after uint32) uint32 { return after }
