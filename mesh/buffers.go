package mesh

import (
	"math/bits"
	"sync"
)

const leastBuffer = 12 // 4 KiB, as a power of two

// buffers holds buffers that are used again, by size: 2^n bytes and what sealing
// and a frame's heads may add.
var buffers [14]sync.Pool

const bufferMore = sealing + 64

func bufferClass(n int) int {
	return max(bits.Len(uint(max(n-bufferMore, 1)-1)), leastBuffer) - leastBuffer
}

// getBuffer returns an empty buffer with room for n bytes.
func getBuffer(n int) []byte {
	class := bufferClass(n)
	if class < len(buffers) {
		if b, ok := buffers[class].Get().(*[]byte); ok {
			return (*b)[:0]
		}
		return make([]byte, 0, 1<<(class+leastBuffer)+bufferMore)
	}
	return make([]byte, 0, n)
}

// putBuffer takes a buffer back that nobody uses any more. One that was grown by
// others is left to the garbage collector.
func putBuffer(b []byte) {
	class := bufferClass(cap(b))
	if class < len(buffers) && cap(b) == 1<<(class+leastBuffer)+bufferMore {
		b = b[:0]
		buffers[class].Put(&b)
	}
}
