//go:build linux

package disk_test

import (
	"testing"

	"inselnetz/app/disk"
	"inselnetz/app/disk/disktest"
)

func TestSuiteOldKernel(t *testing.T) {
	disktest.Suite(t, func(t *testing.T) disk.FS {
		f, err := disk.OpenOld(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
}

func TestSuitePortable(t *testing.T) {
	disktest.Suite(t, func(t *testing.T) disk.FS {
		f, err := disk.OpenPortable(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
}
