package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/deploy"
	"todo.local/magefiles/internal/devtest"
	"todo.local/magefiles/internal/operate"
	"todo.local/magefiles/internal/session"
)

// Release groups the targets for the versions of the application.
type Release mg.Namespace

// History lists the revisions of the release.
func (Release) History(ctx context.Context) error { return with(ctx, operate.History) }

// Diff shows what deploy would change in the cluster.
func (Release) Diff(ctx context.Context) error { return with(ctx, deploy.Diff) }

// Rollback goes back to the last other version that passed its checks, or to a revision (-revision=N), and waits until
// it serves.
func (Release) Rollback(ctx context.Context, revision *int) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return operate.Rollback(ctx, s, given(revision)) })
}

// Secrets groups the targets for the application's secrets.
type Secrets mg.Namespace

// Rotate generates the signing key and the database's password anew and deploys; everybody has to log in again.
func (Secrets) Rotate(ctx context.Context) error { return with(ctx, deploy.RotateSecrets) }

// Account groups the targets for people's accounts.
type Account mg.Namespace

// Reset makes a code with which the owner of an account (-email=ADDRESS) sets a new password.
func (Account) Reset(ctx context.Context, email *string) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return operate.ResetPassword(ctx, s, given(email)) })
}

// Logs prints what the application logged last (-follow, -service=NAME).
func Logs(ctx context.Context, service *string, follow *bool) error {
	return with(ctx, func(ctx context.Context, s session.Session) error {
		return operate.Logs(ctx, s, given(service), given(follow))
	})
}

// Dashboard serves a page to watch and operate the running application on, until Ctrl-C (-port=N).
func Dashboard(ctx context.Context, port *int) error {
	return with(ctx, func(ctx context.Context, s session.Session) error {
		return operate.Dashboard(ctx, s, given(port), devtest.Unit, func(url string) { s.UI.Printf("%s\nuntil Ctrl-C\n", url) })
	})
}

// Top shows what the pods use of CPU and memory.
func Top(ctx context.Context) error { return with(ctx, operate.Top) }

// Events lists what happened to the application's objects, the newest last.
func Events(ctx context.Context) error { return with(ctx, operate.Events) }

// PortForward leads a port of this machine to a pod of a service, such as postgres (-port=N), until Ctrl-C.
func PortForward(ctx context.Context, service string, port *int) error {
	return with(ctx, func(ctx context.Context, s session.Session) error {
		return operate.PortForward(ctx, s, service, given(port))
	})
}

// Shell opens a shell in a pod of a service, such as backend, or runs one command there (-command='…').
func Shell(ctx context.Context, service string, command *string) error {
	return with(ctx, func(ctx context.Context, s session.Session) error {
		return operate.Shell(ctx, s, service, given(command))
	})
}

// Scale runs a service, such as backend, on that many pods, until the next deploy.
func Scale(ctx context.Context, service string, pods int) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return operate.Scale(ctx, s, service, pods) })
}

// Restart replaces the pods of a service, such as backend, one after another.
func Restart(ctx context.Context, service string) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return operate.Restart(ctx, s, service) })
}

// given is the value of an optional argument, or its zero value.
func given[T any](value *T) T {
	if value == nil {
		return *new(T)
	}
	return *value
}
