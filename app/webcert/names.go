package webcert

import (
	"strings"
)

// Slug makes of a person's words one label of a host name: letters, digits and
// hyphens, at most 40 (RFC 1123, 2.1). Without any letter or digit it is other.
func Slug(words, other string) string {
	words = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "&", " ").Replace(strings.ToLower(words))
	var out strings.Builder
	for _, r := range words {
		if out.Len() >= 40 {
			break
		}
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			out.WriteRune(r)
		case r == '\'' || r == '’':
		case out.Len() > 0 && !strings.HasSuffix(out.String(), "-"):
			out.WriteByte('-')
		}
	}
	if s := strings.Trim(out.String(), "-"); s != "" {
		return s
	}
	return other
}

// Names are the host names of a device's page: its computer's name alone and
// with .local (RFC 6762), and one below the office's in .internal, which no
// public name server ever answers for (ICANN resolution 2024.07.29.06). A
// certificate is shown to everybody, so the office goes by a tag, not its name.
func Names(computer, office string) []string {
	host, _, _ := strings.Cut(computer, ".")
	var out []string
	if host = Slug(host, ""); host != "" {
		out = append(out, host+".local", host)
	} else {
		host = "device"
	}
	return append(out, host+"."+Slug(office, "office")+".inselnetz.internal")
}

// Limits are the names an authority is limited to, given its device's names:
// all devices of the office's own domain may share it, other names are exact.
func Limits(names []string) []string {
	var out []string
	for _, n := range names {
		if strings.HasSuffix(n, ".inselnetz.internal") {
			_, n, _ = strings.Cut(n, ".")
		}
		out = append(out, n)
	}
	return out
}
