// What Debian's wine 8 lacks and every Windows from 10 on has, for a Go program:
// ProcessPrng, and SIO_UDP_NETRESET, which Go sets on every UDP socket. This
// library is loaded at the start of a Go program; it puts a WSAIoctl before wine's
// own into the table by which programs find it.
#include <winsock2.h>
#include <windows.h>
#include <string.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE p, SIZE_T n) { return SystemFunction036(p, (ULONG)n); }

#define NETRESET _WSAIOW(IOC_VENDOR, 15)
typedef int (WSAAPI *ioctl_fn)(SOCKET, DWORD, LPVOID, DWORD, LPVOID, DWORD, LPDWORD, LPWSAOVERLAPPED, LPWSAOVERLAPPED_COMPLETION_ROUTINE);
static ioctl_fn own;

static int WSAAPI with_netreset(SOCKET s, DWORD code, LPVOID in, DWORD inlen, LPVOID out, DWORD outlen, LPDWORD got, LPWSAOVERLAPPED o, LPWSAOVERLAPPED_COMPLETION_ROUTINE done) {
	if (code != NETRESET) return own(s, code, in, inlen, out, outlen, got, o, done);
	if (got) *got = 0;
	return 0;
}

// near_after finds a page within the 4 GiB behind base that the table can name.
static BYTE *near_after(BYTE *base) {
	for (ULONGLONG off = 0x1000000; off < 0x7f000000; off += 0x10000) {
		BYTE *p = VirtualAlloc((BYTE *)(((ULONGLONG)base + off) & ~0xffffULL), 4096, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
		if (p) return p;
	}
	return NULL;
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD why, LPVOID reserved) {
	(void)self; (void)reserved;
	if (why != DLL_PROCESS_ATTACH) return TRUE;
	BYTE *base = (BYTE *)LoadLibraryA("ws2_32.dll");
	if (!base) return TRUE;
	own = (ioctl_fn)GetProcAddress((HMODULE)base, "WSAIoctl");
	IMAGE_NT_HEADERS *nt = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
	IMAGE_EXPORT_DIRECTORY *e = (IMAGE_EXPORT_DIRECTORY *)(base + nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT].VirtualAddress);
	DWORD *names = (DWORD *)(base + e->AddressOfNames), *functions = (DWORD *)(base + e->AddressOfFunctions);
	WORD *ordinals = (WORD *)(base + e->AddressOfNameOrdinals);
	for (DWORD i = 0; i < e->NumberOfNames; i++) {
		if (strcmp((char *)base + names[i], "WSAIoctl")) continue;
		BYTE *page = near_after(base);
		if (!page) return TRUE;
		memcpy(page, "\x48\xb8", 2); // mov rax, imm64
		*(ioctl_fn *)(page + 2) = with_netreset;
		memcpy(page + 10, "\xff\xe0", 2); // jmp rax
		DWORD old, *slot = &functions[ordinals[i]];
		VirtualProtect(slot, sizeof *slot, PAGE_READWRITE, &old);
		*slot = (DWORD)(page - base);
		VirtualProtect(slot, sizeof *slot, old, &old);
	}
	return TRUE;
}
