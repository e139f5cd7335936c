package mesh

import (
	"slices"

	"inselnetz/crdt/log"
)

// MaxWhisper is the longest whisper, in bytes.
const MaxWhisper = 8 << 10

// Whisper tells something of the moment to all members here that share a space.
// It is not kept anywhere, and is dropped where a peer is slow; what arrives is
// in order. It never blocks.
func (m *Mesh) Whisper(space log.SpaceID, kind uint8, data []byte) {
	m.whisper(nil, space, kind, data)
}

// WhisperTo tells it to one device, if it shares the space.
func (m *Mesh) WhisperTo(to log.DeviceID, space log.SpaceID, kind uint8, data []byte) {
	m.whisper(&to, space, kind, data)
}

func (m *Mesh) whisper(to *log.DeviceID, space log.SpaceID, kind uint8, data []byte) {
	if len(data) > MaxWhisper || space == log.Control {
		m.log.Error("not to be whispered", "space", space, "bytes", len(data))
		return
	}
	frame := encode(whisperFrame{Type: typeWhisper, Space: space, Kind: kind, Data: append([]byte{}, data...)})
	m.tell(func(l *loop) {
		for _, s := range slices.Clone(l.order) {
			if s.member && s.heard && s.views[space] != nil && (to == nil || s.device == *to) {
				s.out.push(frame)
			}
		}
	})
}
