// From a bare machine to a Todo application on a real Kubernetes cluster: go tool mage setup deploy. Settings are
// listed in README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/deploy"
	"todo.local/magefiles/internal/dev"
	"todo.local/magefiles/internal/devtest"
	"todo.local/magefiles/internal/doctor"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/operate"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/setup"
	"todo.local/magefiles/internal/ui"
)

// Aliases gives targets of a namespace a short name.
var Aliases = map[string]any{
	"test":         Test.All,
	"ai":           Ai.Ask,
	"port-forward": PortForward,
}

// Setup installs and starts what this machine lacks; without root it prints the commands.
func Setup(ctx context.Context) error { return with(ctx, setup.Run) }

// Doctor checks this machine and says how to mend what is missing.
func Doctor(ctx context.Context) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return doctor.Check(ctx, s.Runner, s.Config, s.UI) })
}

// Deploy makes the cluster, builds, installs and checks the application; it repeats only what changed.
func Deploy(ctx context.Context) error { return with(ctx, deploy.Deploy) }

// Dev serves what is saved in the checkout within a second, in the cluster, until Ctrl-C puts the deployed version back
// (-service=backend).
func Dev(ctx context.Context, service *string) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return dev.Run(ctx, s, given(service)) })
}

// Status shows the cluster, the release, its pods and the URLs.
func Status(ctx context.Context) error { return with(ctx, operate.Status) }

// Teardown uninstalls the application and stops the cluster; the database stays.
func Teardown(ctx context.Context) error { return with(ctx, deploy.Teardown) }

// Bench measures the targets against scripts that do the same, and writes docs/bench.md and .svg.
func Bench(ctx context.Context) error { return with(ctx, devtest.Bench) }

// settings are those of all targets of this run: reading them takes the secrets out of the environment.
var settings = sync.OnceValues(func() (*config.Config, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return config.Take(root)
})

// with runs one piece of work with the settings, the progress display and an end to it on Ctrl-C and SIGTERM, and turns
// its error into the line and the exit code that a user sees.
func with(ctx context.Context, work func(context.Context, session.Session) error) error {
	// Mage ends its context on the first Ctrl-C. SIGTERM, which CI systems send, it does not know.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	cfg, err := settings()
	if err != nil {
		return failure{err}
	}
	out := ui.New(os.Stdout)
	err = work(ctx, session.New(cfg, out))
	out.Close()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = fault.Wrap(ctx.Err(), fault.CodeInterrupted, "interrupted", "run the same command again: it goes on where this one stopped")
	}
	return failure{err}
}

// failure is an error as mage prints it and with the exit code that mage takes from it.
type failure struct{ err error }

func (f failure) Error() string {
	text := f.err.Error()
	if errors.Is(f.err, context.Canceled) {
		text = "interrupted"
	}
	if remedy := fault.Remedy(f.err); remedy != "" {
		text += fmt.Sprintf("\n  → %s", remedy)
	}
	return text
}

// ExitStatus is what mage ends with.
func (f failure) ExitStatus() int { return fault.Code(f.err) }
