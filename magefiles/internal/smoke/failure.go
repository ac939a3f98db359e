package smoke

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/words"
)

// Failure is a check that did not get the answer it has to get.
type Failure struct {
	Step     string // register, login, …
	Request  string // method and URL
	Got      string // status and first part of the body
	Expected string

	addr       string
	cause      error
	remedy     string // the usual one where empty
	unrouted   bool   // no answer of the application's own: the ingress may not know its pods yet
	secureHost string // host[:port] of HTTPS that the ingress leads to, where that is the one that was asked for
}

// Error gives the failure as one line.
func (f *Failure) Error() string {
	if f.cause != nil {
		return fmt.Sprintf("smoke test: %s: %s by way of %s: %v", f.Step, f.Request, f.addr, f.cause)
	}
	return fmt.Sprintf("smoke test: %s: %s gave %s, expected %s", f.Step, f.Request, f.Got, f.Expected)
}

// Unwrap gives the cause, where the request got no answer.
func (f *Failure) Unwrap() error { return f.cause }

// As lets the failure be taken for an error with a class and a remedy, unless somebody ended the check.
func (f *Failure) As(target any) bool {
	e, ok := target.(**fault.Error)
	if !ok || errors.Is(f.cause, context.Canceled) {
		return false
	}
	remedy := f.remedy
	if remedy == "" {
		remedy = "look at the pods and their logs: go tool mage status"
	}
	*e = fault.New(fault.CodeSmoke, f.Error(), remedy)
	return true
}

// distrust is what to do about a certificate that does not count.
func distrust(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return "add the authority of the ingress's certificate to a copy of this machine's bundle, which TODO_CA_BUNDLE names, " +
			"or have a certificate of yours presented: TODO_TLS=secret:NAME"
	case errors.As(err, &name):
		return "have the ingress present a certificate for this host (TODO_TLS=secret:NAME), or choose a host that its own is for with TODO_HOST"
	case errors.As(err, &invalid):
		return "renew the certificate that the ingress presents"
	}
	return ""
}

// because replaces what is said of a failure, where more is known of it.
func (f *Failure) because(what, remedy string) *Failure {
	f.cause, f.remedy = errors.New(what), remedy
	return f
}

// redirected is an answer that leads elsewhere.
func (f *Failure) redirected(status string, to *url.URL, host string) *Failure {
	if to.Scheme == "https" && to.Hostname() == host {
		f.secureHost = to.Host
	}
	f.Got, f.Expected = status+" to "+to.String(), "an answer of the application"
	f.remedy = "let the ingress lead to the application at this host, or choose another with TODO_HOST"
	return f
}

func (f *Failure) with(err error) *Failure {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // Request names the URL already
	}
	f.cause, f.remedy = err, distrust(err)
	return f
}

func (f *Failure) unexpected(got, expected string, body []byte) *Failure {
	f.Got, f.Expected = got, expected
	if text := words.OneLine(string(body)); text != "" {
		f.Got += " " + words.Short(text, 200)
	}
	return f
}

// orNil keeps a nil *Failure from becoming an error that is not nil.
func (f *Failure) orNil() error {
	if f == nil {
		return nil
	}
	return f
}
