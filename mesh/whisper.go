package mesh

import "inselnetz/crdt/log"

// MaxWhisper is the longest whisper, in bytes.
const MaxWhisper = 8 << 10

// Whisper tells something of the moment to all members here that share a space.
// It is not kept anywhere, and is dropped where a peer is slow; what arrives is
// in order. It never blocks.
func (m *Mesh) Whisper(space log.SpaceID, kind uint8, data []byte) {}

// WhisperTo tells it to one device.
func (m *Mesh) WhisperTo(to log.DeviceID, space log.SpaceID, kind uint8, data []byte) {}
