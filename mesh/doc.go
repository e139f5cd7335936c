// Package mesh finds a workspace's devices, keeps sessions with them and
// brings every log to the same height everywhere, over a Transport.
//
// A Mesh dials whom it hears of or knows an address of, and accepts whoever
// comes. A connection becomes a session when both ends proved that they hold a
// network key and their device key (hello.go); whoever cannot hears a nonce and
// nothing more.
//
// A session compares heights: a digest of each space, then the heights themselves
// where digests differ. What the other has beyond ours is asked for in batches,
// each when there is room for it, so a receiver is never flooded and history
// never delays what is live. A new entry is pushed to everyone for whom it is the
// next one. A push may get lost; what is on disk is told to all within 50 ms, and
// whoever lacks it asks for it. That is how an entry passes through devices whose
// neighbours do not see each other, and how its author learns who holds it:
// nothing is forwarded unasked.
//
// The control space goes first: it decides who may say anything else. An entry
// that names control entries not held here stays where it is until they are.
//
// Contents of files travel on links, Conns of their own (links.go, errand.go,
// link.go, server.go), asked for piece by piece from whoever has them. They have
// a lock instead of the loop: what a piece costs there counts by the ten thousand.
// Whispers tell what holds at the moment and is kept nowhere (whisper.go).
//
// Who cannot be dialed is asked for through a member that has a session with it, and
// this device carries for others likewise (relay.go, detour.go). Two that routers
// keep apart then look for a direct way, both at once (punch.go).
//
// One goroutine, the loop, owns what is known of peers (loop.go, events.go,
// exchange.go, roster.go). It decides by plain functions (dial.go, view.go) and
// waits for nobody; the goroutines of a session read, write and import. Methods
// of Holdings that only look something up are called by the loop and must answer
// from memory. FORMAT.md describes the frames.
package mesh
