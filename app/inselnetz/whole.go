package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// writeWhole puts a file in its place only when all of it is on the disk.
func writeWhole(path string, from io.Reader) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	_, err = io.Copy(tmp, from)
	if err == nil && runtime.GOOS != "windows" { // there the directory's rights are inherited
		err = tmp.Chmod(0o644)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	if d, err := os.Open(dir); err == nil { // its entry, where a directory can be synced
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}
