package app

import (
	"crypto/sha256"
	"encoding/hex"
)

// Secrets of what serves this device's page: small files of the data directory,
// sealed by the vault.

// Secret reads what KeepSecret wrote; without it the error is fs.ErrNotExist.
func (w *Workspace) Secret(name string) ([]byte, error) { return w.id.openFile(name) }

// KeepSecret replaces a small secret on the disk; it is there when this returns.
func (w *Workspace) KeepSecret(name string, plain []byte) error {
	return storeProblem(w.id.sealFile(name, plain), w.dir)
}

// DropSecret overwrites and removes a secret; none is no error.
func (w *Workspace) DropSecret(name string) error { return storeProblem(w.id.dropFile(name), w.dir) }

// Tag names the office to its own devices in eight digits that tell nobody else
// its name.
func (w *Workspace) Tag() string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	sum := sha256.Sum256(append([]byte("inselnetz tag of an office\x00"), w.ws[:]...))
	return hex.EncodeToString(sum[:4])
}

// CleanName returns a name as people may give one: trimmed, at most 60
// characters, nothing invisible. The error is a *Problem about the field.
func CleanName(field, name string) (string, error) { return cleanName(field, name) }
