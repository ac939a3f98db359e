package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// pluginFolder is where clients look for plugins that no package brought.
const pluginFolder = "usr/local/lib/docker/cli-plugins"

// plugin is a part of the docker client that comes apart from it.
type plugin struct {
	name     string   // as a command of docker
	packages []string // that have it, each in some distribution
	pkg      string   // the Go package that it is built from where none of them is offered
	version  string   // of its module
	variable string   // of that module, which tells the version to who asks
	manual   string   // where its installation is described
}

var (
	buildx = plugin{"buildx", []string{"docker-buildx-plugin", "docker-buildx"},
		"github.com/docker/buildx/cmd/buildx", pins.Load().Buildx, "github.com/docker/buildx/version.Version", "https://github.com/docker/buildx#installing"}
	compose = plugin{"compose", []string{"docker-compose-plugin", "docker-compose-v2"},
		"github.com/docker/compose/v5/cmd", pins.Load().Compose, "github.com/docker/compose/v5/internal.Version", "https://docs.docker.com/compose/install/linux/"}
)

// provideBuilder gives the docker client buildx where it needs it.
func (s *setup) provideBuilder(ctx context.Context, t *ui.Task) error {
	d, err := engine.FindClient(ctx, s.runner)
	if err == nil {
		t.Unchanged("docker client %s builds with it", d.ClientVersion)
		return nil
	}
	if !errors.Is(err, engine.ErrNoBuilder) {
		return err
	}
	if err := s.provide(ctx, t, buildx); err != nil {
		return err
	}
	_, err = engine.FindClient(ctx, s.runner)
	return err
}

// provideCompose gives the docker client compose, for compose.yaml.
func (s *setup) provideCompose(ctx context.Context, t *ui.Task) error {
	d, err := engine.FindClient(ctx, s.runner)
	if err != nil {
		return err
	}
	version, err := d.Output(ctx, "compose", "version", "--short")
	switch {
	case err == nil:
		t.Unchanged("version %s", version)
		return nil
	case errors.Is(err, engine.ErrNotRunning) || ctx.Err() != nil: // slow is not missing
		return err
	}
	return s.provide(ctx, t, compose)
}

// provide installs a plugin from a package, or builds it.
func (s *setup) provide(ctx context.Context, t *ui.Task, p plugin) error {
	if err := s.updateLists(ctx, t); err != nil {
		return err
	}
	for _, name := range p.packages {
		if s.offered(ctx, name) {
			return s.install(ctx, t, []string{name})
		}
	}
	if err := s.build(ctx, t, p); err != nil {
		return fault.Wrap(err, fault.CodeBuild, "the docker plugin "+p.name+" did not build", "install it by hand: "+p.manual)
	}
	t.Result("built %s %s", p.pkg, p.version)
	return nil
}

func (s *setup) build(ctx context.Context, t *ui.Task, p plugin) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", p.name+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	t.Status("building %s %s", p.pkg, p.version)
	// In a module of its own: go install refuses a module that excludes versions.
	for _, args := range [][]string{
		{"mod", "init", "plugin"}, {"get", p.pkg + "@" + p.version}, {"build", "-v", "-trimpath", "-ldflags=-s -w -X " + p.variable + "=" + p.version, "-o", "program", p.pkg},
	} {
		if _, err := s.runner.Run(ctx, run.Cmd{Name: goTool, Args: args, Dir: dir, Env: []string{"GOWORK=off", "GOFLAGS=-mod=mod"}, Line: t.Line}); err != nil {
			return err
		}
	}
	program, err := os.ReadFile(filepath.Join(dir, "program"))
	if err != nil {
		return fmt.Errorf("go build left no program: %w", err)
	}
	return s.recorded(path.Join(pluginFolder, "docker-"+p.name), program, 0o755)
}
