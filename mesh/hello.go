package mesh

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"inselnetz/crdt/log"
)

const (
	helloVersion = 1
	helloKeys    = 8 // network keys a proof is readable with
	maxVersion   = 64
	wrapLen      = 32 + chacha20poly1305.Overhead
)

// Roles in a hello, so that a proof cannot be sent back to its maker.
const (
	roleDialer   = "dialer"
	roleAccepter = "accepter"
)

var (
	errHello = errors.New("hello failed") // what is wrong is nobody's business
	errProof = fmt.Errorf("%w: proof does not hold", errHello)
)

type (
	// openFrame goes both ways at once, in the clear.
	openFrame struct {
		_        struct{} `cbor:",toarray"`
		Version  uint64
		Nonce    [32]byte
		Instance [16]byte
	}
	// proofFrame holds a content key wrapped for each network key, filled up
	// with random bytes, and the sealed content.
	proofFrame struct {
		_      struct{} `cbor:",toarray"`
		Wraps  [helloKeys * wrapLen]byte
		Sealed []byte
	}
	proofContent struct {
		_       struct{} `cbor:",toarray"`
		Device  log.DeviceID
		Sig     [ed25519.SignatureSize]byte
		Clock   int64 // milliseconds since 1970
		Version string
	}
)

// A greeting is what an answered hello tells.
type greeting struct {
	device   log.DeviceID
	instance [16]byte
	clock    time.Duration
	version  string
	newest   bool // it proved the newest network key known here
}

// transcript binds a proof to both ends of one Conn.
type transcript [32]byte

func newTranscript(dialer, accepter PeerID, byDialer, byAccepter []byte) transcript {
	h := sha256.New()
	h.Write([]byte("inselnetz/hello/1"))
	for _, part := range [][]byte{[]byte(dialer), []byte(accepter), byDialer, byAccepter} {
		h.Write([]byte{byte(len(part) >> 8), byte(len(part))})
		h.Write(part)
	}
	return transcript(h.Sum(nil))
}

func (t transcript) wrapKey(key log.Key, role string) []byte {
	k, err := hkdf.Key(sha256.New, key[:], t[:], "inselnetz/hello/1/key/"+role, chacha20poly1305.KeySize)
	if err != nil {
		panic(err) // only for lengths that are wrong
	}
	return k
}

func (t transcript) signed(role string) []byte {
	return append([]byte("inselnetz/hello/1/device/"+role+"/"), t[:]...)
}

// seal encrypts with a key that is used once, so the nonce is zero.
func seal(key, plain, aad []byte) []byte {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err)
	}
	return aead.Seal(nil, make([]byte, chacha20poly1305.NonceSize), plain, aad)
}

func open(key, sealed, aad []byte) ([]byte, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, make([]byte, chacha20poly1305.NonceSize), sealed, aad)
}

// proof makes this device's second frame.
func (t transcript) proof(random io.Reader, id Identity, keys []log.Key, role string, now time.Time, version string) ([]byte, error) {
	c := proofContent{Device: id.Device, Clock: now.UnixMilli(), Version: version}
	copy(c.Sig[:], ed25519.Sign(id.Key, t.signed(role)))
	var f proofFrame
	var contentKey [32]byte
	if _, err := io.ReadFull(random, contentKey[:]); err != nil {
		return nil, fmt.Errorf("random key: %w", err)
	}
	if _, err := io.ReadFull(random, f.Wraps[:]); err != nil {
		return nil, fmt.Errorf("random padding: %w", err)
	}
	for i, k := range keys[:min(len(keys), helloKeys)] {
		copy(f.Wraps[i*wrapLen:], seal(t.wrapKey(k, role), contentKey[:], nil))
	}
	f.Sealed = seal(contentKey[:], encode(c), f.Wraps[:])
	return encode(f), nil
}

// check reads the other end's second frame.
// newest says whether it proves the first of keys.
func (t transcript) check(frame []byte, keys []log.Key, role string) (c proofContent, newest bool, err error) {
	var f proofFrame
	if err := exactly(frame, &f, 1024); err != nil {
		return c, false, err
	}
	contentKey, newest := t.unwrap(f, keys, role)
	if contentKey == nil {
		return c, false, errProof
	}
	plain, err := open(contentKey, f.Sealed, f.Wraps[:])
	if err != nil {
		return c, false, errProof
	}
	if err := exactly(plain, &c, 512); err != nil {
		return c, false, err
	}
	if len(c.Version) > maxVersion || c.Device.Check() != nil || !ed25519.Verify(c.Device[:], t.signed(role), c.Sig[:]) {
		return c, false, errProof
	}
	return c, newest, nil
}

func (t transcript) unwrap(f proofFrame, keys []log.Key, role string) (key []byte, newest bool) {
	for n, k := range keys[:min(len(keys), helloKeys)] {
		wrap := t.wrapKey(k, role)
		for i := range helloKeys {
			if key, err := open(wrap, f.Wraps[i*wrapLen:(i+1)*wrapLen], nil); err == nil {
				return key, n == 0
			}
		}
	}
	return nil, false
}

// exactly decodes a frame of the hello in its one encoding.
func exactly[F any](b []byte, f *F, most int) error {
	if len(b) > most {
		return fmt.Errorf("%w: %d bytes", errProof, len(b))
	}
	if err := frameDec.Unmarshal(b, f); err != nil {
		return fmt.Errorf("%w: %w", errProof, err)
	}
	if !bytes.Equal(encode(f), b) {
		return fmt.Errorf("%w: not in canonical form", errProof)
	}
	return nil
}

// hello proves both ends to each other over a new Conn. The caller closes the
// Conn when it takes too long.
func hello(c Conn, self PeerID, id Identity, dialed bool, opts Options) (greeting, error) {
	var g greeting
	keys := id.Keys()
	mine := openFrame{Version: helloVersion, Instance: id.Instance}
	if _, err := io.ReadFull(opts.Rand, mine.Nonce[:]); err != nil {
		return g, fmt.Errorf("random nonce: %w", err)
	}
	sent := encode(mine)
	if err := c.Send(sent); err != nil {
		return g, fmt.Errorf("%w: %w", errHello, err)
	}
	got, err := c.Recv()
	if err != nil {
		return g, fmt.Errorf("%w: %w", errHello, err)
	}
	var theirs openFrame
	if err := exactly(got, &theirs, 128); err != nil {
		return g, err
	}
	if theirs.Version != helloVersion {
		return g, fmt.Errorf("%w: version %d", errHello, theirs.Version)
	}
	ours, others := roleDialer, roleAccepter
	t := newTranscript(self, c.Peer(), sent, got)
	if !dialed {
		ours, others = others, ours
		t = newTranscript(c.Peer(), self, got, sent)
	}
	// The accepter proves itself only to a dialer who has: a stranger learns a
	// nonce, and costs one check.
	if dialed {
		if err := t.prove(c, id, keys, ours, opts); err != nil {
			return g, err
		}
	}
	if got, err = c.Recv(); err != nil {
		return g, fmt.Errorf("%w: %w", errHello, err)
	}
	content, newest, err := t.check(got, keys, others)
	if err != nil {
		return g, err
	}
	// An old key may still be in use while a new one spreads: whoever was removed
	// gets no answer to its proof.
	if id.Removed != nil && id.Removed(content.Device) {
		return g, errProof
	}
	if !dialed {
		if err := t.prove(c, id, keys, ours, opts); err != nil {
			return g, err
		}
	}
	clock := time.UnixMilli(content.Clock).Sub(opts.Now())
	return greeting{content.Device, theirs.Instance, clock, content.Version, newest}, nil
}

func (t transcript) prove(c Conn, id Identity, keys []log.Key, role string, opts Options) error {
	proof, err := t.proof(opts.Rand, id, keys, role, opts.Now(), opts.Version)
	if err != nil {
		return err
	}
	if err := c.Send(proof); err != nil {
		return fmt.Errorf("%w: %w", errHello, err)
	}
	return nil
}
