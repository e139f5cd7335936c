// Stands in for netsh under wine, which has no firewall: it keeps what it is asked.
#include <windows.h>
#include <stdio.h>

int main(void) {
	FILE *f = fopen("C:\\netsh.log", "ab");
	if (!f) return 1;
	fprintf(f, "%s\n", GetCommandLineA());
	return fclose(f);
}
