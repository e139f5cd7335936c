package lan

import (
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sys/windows"
)

// watchers are those who want to know. Windows calls one function for all: it can
// make few callbacks and never frees one.
var watchers struct {
	once     sync.Once
	callback uintptr

	mu  sync.Mutex // guards the rest
	all map[*func()]bool
}

// watch is as on Linux (NotifyUnicastIpAddressChange): a cable plugged in shows as
// its addresses do.
func watch(ctx context.Context, changed func()) {
	w := &watchers
	w.once.Do(func() {
		w.callback = windows.NewCallback(func(_, _, _ uintptr) uintptr {
			w.mu.Lock()
			all := slices.Collect(maps.Keys(w.all))
			w.mu.Unlock()
			for _, f := range all {
				(*f)()
			}
			return 0
		})
	})
	w.mu.Lock()
	if w.all == nil {
		w.all = map[*func()]bool{}
	}
	w.all[&changed] = true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, &changed)
	}()
	var handle windows.Handle
	if windows.NotifyUnicastIpAddressChange(windows.AF_UNSPEC, w.callback, nil, false, &handle) != nil {
		return
	}
	<-ctx.Done()
	_ = windows.CancelMibChangeNotify2(handle)
}
