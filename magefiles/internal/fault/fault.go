// Package fault is how a failure reaches a user: one line that says what is wrong, one that says what to do, and an
// exit code that tells the classes of failure apart.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Exit codes of every target. A script can tell from them who has to act.
const (
	CodeFailed      = 1   // anything without a class of its own
	CodeInput       = 2   // a setting, a value or an argument is wrong
	CodeEnvironment = 3   // the machine lacks something: Docker, a port, disk space, a network
	CodeBuild       = 4   // a program or an image did not build
	CodeCluster     = 5   // the cluster could not be made, started or reached
	CodeRollout     = 6   // the release was installed but the application did not come up
	CodeSmoke       = 7   // the application runs but does not answer as it should
	CodeInterrupted = 130 // the user or the system ended the run
)

// Error is a failure with a remedy. What is one line without a full stop at its end; Remedy is what the user can do
// now.
type Error struct {
	What   string
	Remedy string
	Code   int
	Err    error // the cause, where there is one that adds something
}

// New makes an Error of the given class.
func New(code int, what, remedy string) *Error {
	return &Error{What: what, Remedy: remedy, Code: code}
}

// Wrap makes an Error of the given class around its cause. It returns nil where the cause is nil.
func Wrap(err error, code int, what, remedy string) error {
	if err == nil {
		return nil
	}
	return &Error{What: what, Remedy: remedy, Code: code, Err: err}
}

// Error gives what is wrong and the cause, without the remedy.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.What
	}
	return fmt.Sprintf("%s: %v", e.What, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Remedy gives what the user can do about the outermost failure in the chain that says so, or nothing.
func Remedy(err error) string {
	var e *Error
	for errors.As(err, &e) {
		if e.Remedy != "" {
			return e.Remedy
		}
		err = e.Err
	}
	return ""
}

// Code gives the exit code for an error: 0 for none, that of the outermost Error in the chain, 130 for an interrupted
// run.
func Code(err error) int {
	var e *Error
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		return CodeInterrupted
	case errors.As(err, &e) && e.Code != 0:
		return e.Code
	}
	return CodeFailed
}
