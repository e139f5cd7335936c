// Package bep shares folders with stock Syncthing devices (a phone, an existing
// NAS) by their protocol, BEP, over TLS.
//
// Syncthing's lib/protocol speaks BEP; what a device sends passes a gate before
// (gate.go), since the library believes lengths, starts a goroutine per request
// and panics on short device ids and packed messages, where nobody can recover.
//
// # Versions
//
// Syncthing orders the states of a path by version vectors, a Folder by versions
// that name those they replace. Per path the gateway keeps the vector of what the
// folder shows (entry). What the folder shows anew raises our counter in it. What
// a device announces (want) is compared with it (decide in plan.go):
//
//   - theirs is below or equal: nothing. Theirs is above: it is put into the
//     folder, replacing the File.Base that our vector stood for, and its vector is
//     ours.
//   - neither is above, the content is the same: both vectors are merged.
//   - neither is above, one side deleted: the living one wins.
//   - neither is above, contents differ: theirs is put with what both last had in
//     common as base, so that the folder shows a conflict and keeps both. Whatever
//     it shows then is announced above both. Only the side that wins by
//     Syncthing's rule (newer time, then vector) raises its counter, so two
//     gateways do not answer each other for ever.
//
// A path on which a device has something that is not settled is not announced to
// it, and a device is let speak first: else it would settle the conflict in its
// own way, with a copy named sync-conflict.
//
// A path that vanished without a version that deleted it is no deletion: the
// folder lost its memory. It is forgotten, and the devices are asked for it again.
//
// Each connection begins with all we have and all they have; there are no delta
// indexes. A transfer takes blocks from the file that is there, and from files
// with the same content, checks each block and streams them into Folder.Put.
//
// # Brake
//
// A device is held (brake.go) when it changes or deletes more than 50 files, or a
// fifth of the folder and at least 10, within 5 minutes; more than 300, or a half
// and at least 60, within a day; or when 5 changes look encrypted, or 10 files are
// replaced by ones with an unknown ending more. When it did something is what its
// vectors say, but not before it was last in sync, nor in the future. New files
// and moves do not count. Held means that nothing of it is taken until Accept or
// Discard. Discard raises our versions above the held ones and puts back what the
// device changed since the window began; new files are let in, they replace
// nothing. While a device is held what we change still goes to it.
//
// # State
//
// What State keeps of a share is CBOR: an array [1, entries, devices]. An entry is
// [path, kind, kind before it went, ns of time, mark, vector, permissions, shared,
// base, common]: mark is the first half of a SHA-256 over what was shown (mark16),
// vector is 16 bytes per counter (device, value; big endian), shared says that a
// device has exactly this, common is empty or the base and vector that last were
// shared. A device is [id, in sync, held since, window since, looks encrypted,
// events], times in ms since 1970, 0 for never; an event is [ms, path, marks,
// version before, version after]. State of another version, or damaged, is as
// none.
//
// State is saved some seconds after a change. What a crash loses of it costs a
// comparison: counters follow the clock, so versions announced later are still
// above those that were forgotten, and equal contents merge silently.
//
// # What a device may cost
//
// Messages of at most 16 MiB unpacked and 400,000 parts, 256 requests and 64 MiB
// of answers at a time, 64 MiB of blocks on the way, 256 MiB for what it has that
// we may need. Beyond that the connection ends. 32 connections at a time may be
// unknown; a stranger hears no hello.
package bep
