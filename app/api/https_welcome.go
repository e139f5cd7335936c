package api

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"inselnetz/app/webcert"
)

//go:embed welcome.html
var welcomeText string

//go:embed welcome.css
var welcomeCSS []byte

var welcomePage = template.Must(template.New("welcome").Parse(welcomeText))

// welcomeWords fill the welcome page.
type welcomeWords struct {
	English     bool
	Plain       bool   // it is read without encryption
	Ready       bool   // there is an office, and a page to go to
	Page        string // "https://…/"
	Name        string // of the authority
	Fingerprint string
	Windows     string   // the SHA-1 that Windows shows
	Limits      []string // names the authority may speak for
	Handbook    string
	Steps       []WebSteps
}

// welcome answers with the page that says what this is. It holds nothing that a
// stranger on the network could not learn from the certificate.
func (w *web) welcome(rw http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	if q := r.URL.Query().Get("lang"); q == "de" || q == "en" {
		lang = language(q)
	}
	words := welcomeWords{English: lang == english, Plain: r.TLS == nil, Steps: lang.steps(), Handbook: lang.pick("/handbook/de.html", "/handbook/en.html")}
	w.mu.Lock()
	if w.authority != nil && w.https != "" {
		words.Ready, words.Page = true, address("https", strings.Trim(hostOf(r.Host), "[]"), w.https, "443")
		words.Name, words.Fingerprint = w.authority.Cert.Subject.CommonName, webcert.Fingerprint(w.authority.Cert)
		words.Windows = webcert.Fingerprint1(w.authority.Cert)
		words.Limits = w.authority.Cert.PermittedDNSDomains
	}
	w.mu.Unlock()
	var out bytes.Buffer
	if err := welcomePage.Execute(&out, words); err != nil {
		w.s.log.Warn("welcome page", "err", err)
		http.Error(rw, "internal error", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	_, _ = rw.Write(out.Bytes()) // the caller may have hung up
}

func welcomeStyle(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/css; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(welcomeCSS))
}

// crt answers with the authority's certificate.
func (w *web) crt(rw http.ResponseWriter, r *http.Request) {
	w.download(rw, r, "inselnetz.crt", "application/x-x509-ca-cert", func(a *webcert.Authority, _ language) []byte { return a.Cert.Raw })
}

// profile answers with the same as Apple's systems install it.
func (w *web) profile(rw http.ResponseWriter, r *http.Request) {
	w.download(rw, r, "inselnetz.mobileconfig", "application/x-apple-aspen-config", func(a *webcert.Authority, l language) []byte {
		return a.Profile(a.Cert.Subject.CommonName, fmt.Sprintf(l.pick("Damit dieses Gerät den Seiten Ihres Büros vertraut. Gilt nur für: %s, und für Adressen im eigenen Netz.",
			"So that this device trusts the pages of your office. Only for: %s, and for addresses of your own network."), strings.Join(a.Cert.PermittedDNSDomains, ", ")))
	})
}

func (w *web) download(rw http.ResponseWriter, r *http.Request, name, kind string, body func(*webcert.Authority, language) []byte) {
	w.mu.Lock()
	a := w.authority
	w.mu.Unlock()
	if a == nil {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", kind)
	rw.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	rw.Header().Set("Cache-Control", "no-store")
	_, _ = rw.Write(body(a, languageOf(r))) // the caller may have hung up
}
