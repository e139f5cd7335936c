package webcert

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
)

// Profile is the authority's certificate as a configuration profile of Apple's
// systems (.mobileconfig), unsigned: iOS and iPadOS install a root from nothing
// else by tapping. name and about are what the person reads before installing.
// Source: Apple, "CertificateRoot" payload (com.apple.security.root).
func (a *Authority) Profile(name, about string) []byte {
	sum := sha256.Sum256(a.Cert.Raw)
	id := func(n byte) string { // stable, so that installing again replaces
		h := sha256.Sum256(append(sum[:], n))
		s := hex.EncodeToString(h[:16])
		return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
	}
	text := func(s string) string {
		var b bytes.Buffer
		_ = xml.EscapeText(&b, []byte(s)) // a buffer takes all
		return b.String()
	}
	ident := "internal.inselnetz." + hex.EncodeToString(sum[:6])
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>PayloadContent</key><array><dict>
<key>PayloadCertificateFileName</key><string>inselnetz.crt</string>
<key>PayloadContent</key><data>%s</data>
<key>PayloadDescription</key><string>%s</string>
<key>PayloadDisplayName</key><string>%s</string>
<key>PayloadIdentifier</key><string>%s.root</string>
<key>PayloadType</key><string>com.apple.security.root</string>
<key>PayloadUUID</key><string>%s</string>
<key>PayloadVersion</key><integer>1</integer>
</dict></array>
<key>PayloadDescription</key><string>%s</string>
<key>PayloadDisplayName</key><string>%s</string>
<key>PayloadIdentifier</key><string>%s</string>
<key>PayloadRemovalDisallowed</key><false/>
<key>PayloadType</key><string>Configuration</string>
<key>PayloadUUID</key><string>%s</string>
<key>PayloadVersion</key><integer>1</integer>
</dict></plist>
`, base64.StdEncoding.EncodeToString(a.Cert.Raw), text(about), text(name), ident, id(1), text(about), text(name), ident, id(2))
}
