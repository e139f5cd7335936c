package folder_test

import "inselnetz/app/disk"

// A mistake makes a disk that does something wrong, as an engine with that
// mistake would.
type mistake func(p *peer) disk.FS
