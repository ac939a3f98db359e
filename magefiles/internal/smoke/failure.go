package smoke

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"todo.local/magefiles/internal/fault"
)

// Failure is a check that did not get the answer it has to get.
type Failure struct {
	Step     string // register, login, …
	Request  string // method and URL
	Got      string // status and first part of the body
	Expected string

	addr     string
	cause    error
	unrouted bool // no answer of the application's own: the ingress may not know its pods yet
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
	*e = fault.New(fault.CodeSmoke, f.Error(), "look at the pods and their logs: go tool mage status")
	return true
}

func (f *Failure) with(err error) *Failure {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // Request names the URL already
	}
	f.cause = err
	return f
}

func (f *Failure) unexpected(got, expected string, body []byte) *Failure {
	f.Got, f.Expected = got, expected
	if text := strings.Join(strings.Fields(string(body)), " "); text != "" {
		if r := []rune(text); len(r) > 200 {
			text = string(r[:200]) + "…"
		}
		f.Got += " " + text
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
