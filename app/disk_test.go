package app

import "testing"

func TestBitLocker(t *testing.T) {
	for property, want := range map[string]string{
		"1": DiskYes, "3": DiskYes, "5": DiskYes, "2": DiskNo, "4": DiskUnknown, "6": DiskUnknown, "": DiskUnknown, "0": DiskUnknown, "on": DiskUnknown,
	} {
		if got := bitLocker(property); got != want {
			t.Errorf("bitLocker(%q) = %s, want %s", property, got, want)
		}
	}
}

func TestDiskHere(t *testing.T) {
	state, how := DiskEncrypted(t.TempDir())
	t.Log(state, how)
	if state != DiskYes && state != DiskNo && state != DiskUnknown || how == "" {
		t.Errorf("%q, %q", state, how)
	}
}
