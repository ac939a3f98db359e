// Package scratch is the source of images that needs no container registry. It takes everything from package
// registries: the cluster's programs are built from Go modules, the rest is made of Debian's packages.
package scratch

import (
	"context"
	"errors"
	"runtime"
	"strings"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// Source builds everything on this machine, from package registries.
type Source struct {
	pins   *pins.Pins
	root   string // of the checkout
	store  store
	docker *engine.Docker
	run    run.Runner
	env    []string // for the clients of package registries
}

// New gives the source whose images the engine d gets.
func New(cfg *config.Config, d *engine.Docker) *Source {
	s := &Source{pins: pins.Load(), root: cfg.Root, store: store{cfg.Cache}, docker: d, run: d.Runner}
	if cfg.CABundle != "" {
		s.env = []string{"SSL_CERT_FILE=" + cfg.CABundle, "PIP_CERT=" + cfg.CABundle}
	}
	return s
}

func (s *Source) builder() builder { return builder{run: s.run, store: s.store, env: s.env} }

// touchPrograms marks programs as in use.
func (s *Source) touchPrograms(all ...program) {
	for _, p := range all {
		s.store.touch(programsKind, p.name, p.key())
	}
}

// Name is "source".
func (*Source) Name() string { return config.ImagesSource }

// ready tells what this machine lacks for building, before an hour is spent.
func (s *Source) ready(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return fault.New(fault.CodeEnvironment, "building without a container registry needs Linux", "set TODO_IMAGES=registry")
	}
	if missing := strings.Join(Missing(ctx, s.run), " "); missing != "" {
		return fault.New(fault.CodeEnvironment, "building without a container registry needs packages that are missing: "+missing,
			"run the target setup, or: apt-get install --no-install-recommends "+missing)
	}
	return nil
}

// logged runs a step with its output as the task's status and in a log file, which its error names. Failure is what to
// say where it fails.
func (s *Source) logged(t *ui.Task, name, failure string, step func(line func(string)) error) error {
	log, err := s.store.log(name)
	if err != nil {
		return err
	}
	err = step(func(line string) {
		log.line(line)
		t.Line(line)
	})
	return log.close(buildFault(err, failure, log.remedy()))
}

// buildFault is what a failed step of building reaches the user as. Where the machine is to blame, such as a full disk
// or an engine that went away, it says that instead of what.
func buildFault(err error, what, remedy string) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if known := engine.Explain(err); known != nil {
		return known
	}
	return fault.Wrap(run.Reason(err), fault.CodeBuild, what, remedy)
}

// Needs are the node image and the base images.
func (s *Source) Needs() []string {
	python, node, postgres := s.baseImages()
	return []string{s.nodeImageName().String(), python.String(), node.String(), postgres.String()}
}

// Built tells whether the engine has every image that a deployment needs.
func (s *Source) Built(ctx context.Context) bool {
	found, err := s.docker.Images(ctx, s.Needs()...)
	return err == nil && len(found) == len(s.Needs())
}
