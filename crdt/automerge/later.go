package automerge

import "errors"

func changesOfBundle(body []byte, limits *Limits) ([]*Change, error) {
	return nil, errors.ErrUnsupported
}

func (d *Doc) insertionPlace(obj uint32, after uint32) uint32 { return after }
