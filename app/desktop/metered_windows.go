package desktop

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The Network List Manager, which knows what a connection costs.
var (
	networkListManager = windows.GUID{Data1: 0xdcb00c01, Data2: 0x570f, Data3: 0x4a9b, Data4: [8]byte{0x8d, 0x69, 0x19, 0x9f, 0xdb, 0xa5, 0x72, 0x3b}}
	networkCostManager = windows.GUID{Data1: 0xdcb00008, Data2: 0x570f, Data3: 0x4a9b, Data4: [8]byte{0x8d, 0x69, 0x19, 0x9f, 0xdb, 0xa5, 0x72, 0x3b}}

	ole32            = windows.NewLazySystemDLL("ole32.dll")
	coCreateInstance = ole32.NewProc("CoCreateInstance")
)

// costManager is INetworkCostManager: the first four of its functions.
type costManager struct {
	functions *struct{ queryInterface, addRef, release, getCost uintptr }
}

// Costs of a connection (NLM_CONNECTION_COST).
const (
	costUnrestricted = 0x1
	costPaid         = 0x2 | 0x4 | 0x10000 | 0x40000 // fixed plan, by volume, over its limit, roaming
)

// Metered says whether the connection of this computer is paid by volume, as Windows
// has it: "yes", "no" or "unknown".
func Metered() string {
	runtime.LockOSThread() // COM belongs to a thread
	defer runtime.UnlockOSThread()
	if err := windows.CoInitializeEx(0, windows.COINIT_MULTITHREADED); err == nil || err == syscall.Errno(1) { // 1: it was already
		defer windows.CoUninitialize()
	}
	const inAnyProcess = 0x17
	var m *costManager
	failed, _, _ := coCreateInstance.Call(uintptr(unsafe.Pointer(&networkListManager)), 0, inAnyProcess,
		uintptr(unsafe.Pointer(&networkCostManager)), uintptr(unsafe.Pointer(&m)))
	if failed != 0 || m == nil {
		return "unknown"
	}
	defer syscall.SyscallN(m.functions.release, uintptr(unsafe.Pointer(m)))
	var cost uint32
	failed, _, _ = syscall.SyscallN(m.functions.getCost, uintptr(unsafe.Pointer(m)), uintptr(unsafe.Pointer(&cost)), 0)
	switch {
	case failed != 0:
		return "unknown"
	case cost&costPaid != 0:
		return "yes"
	case cost&costUnrestricted != 0:
		return "no"
	}
	return "unknown"
}
