package folder

import (
	"encoding/json"
	"fmt"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// The state of a Brake as it lies on the disk. Times are milliseconds since 1970.
type (
	brakeState struct {
		Version int
		Devices map[string]deviceState
	}
	deviceState struct {
		Marks   []markState         `json:",omitempty"`
		Logs    map[string]logState `json:",omitempty"`
		Holding *holdingState       `json:",omitempty"`
	}
	logState struct {
		Next step
		Held *step  `json:",omitempty"`
		Upto uint64 `json:",omitempty"`
	}
	markState struct {
		At    int64
		Path  string
		ID    string
		Look  bool `json:",omitempty"`
		Named bool `json:",omitempty"`
	}
	holdingState struct {
		Why        string
		At, Window int64
		Counted    []string
	}
)

const brakeVersion = 1

// Save returns everything the brake knows, as JSON.
func (b *Brake) Save() ([]byte, error) {
	s := brakeState{Version: brakeVersion, Devices: map[string]deviceState{}}
	for id, d := range b.devices {
		ds := deviceState{Logs: map[string]logState{}}
		for _, m := range d.marks {
			ds.Marks = append(ds.Marks, markState{At: m.at.UnixMilli(), Path: m.path, ID: m.id.String(), Look: m.look, Named: m.named})
		}
		for id, l := range d.logs {
			ds.Logs[id.String()] = logState{Next: l.next, Held: l.held, Upto: l.upto}
		}
		if h := d.holding; h != nil {
			hs := &holdingState{Why: h.Why, At: h.At.UnixMilli(), Window: h.Window.UnixMilli()}
			for _, id := range h.Counted {
				hs.Counted = append(hs.Counted, id.String())
			}
			ds.Holding = hs
		}
		s.Devices[id.String()] = ds
	}
	return json.Marshal(s)
}

// LoadBrake returns the brake that Save wrote.
func LoadBrake(data []byte) (*Brake, error) {
	var s brakeState
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("state of the brake: %w", err)
	}
	if s.Version != brakeVersion {
		return nil, fmt.Errorf("state of the brake of version %d", s.Version)
	}
	b := NewBrake()
	for name, ds := range s.Devices {
		id, err := log.ParseDeviceID(name)
		if err != nil {
			return nil, fmt.Errorf("state of the brake: %w", err)
		}
		if b.devices[id], err = ds.load(id); err != nil {
			return nil, fmt.Errorf("state of the brake: %w", err)
		}
	}
	return b, nil
}

func (s *deviceState) load(dev log.DeviceID) (*braked, error) {
	d := &braked{logs: map[log.LogID]*judged{}}
	for _, m := range s.Marks {
		id, err := tree.ParseVersionID(m.ID)
		if err != nil {
			return nil, err
		}
		d.add(brakeMark{at: time.UnixMilli(m.At), path: m.Path, id: id, look: m.Look, named: m.Named})
	}
	for name, l := range s.Logs {
		id, err := log.ParseLogID(name)
		if err != nil {
			return nil, err
		}
		d.logs[id] = &judged{next: l.Next, held: l.Held, upto: l.Upto}
	}
	if s.Holding == nil {
		return d, nil
	}
	h := &Holding{Device: dev, Why: s.Holding.Why, At: time.UnixMilli(s.Holding.At), Window: time.UnixMilli(s.Holding.Window)}
	for _, name := range s.Holding.Counted {
		id, err := tree.ParseVersionID(name)
		if err != nil {
			return nil, err
		}
		h.Counted = append(h.Counted, id)
	}
	d.holding = h
	return d, nil
}
