// Package deploy is the way from a checkout to a running application: it puts the stages in order and hands the result of one to the next.
package deploy

import (
	"context"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/doctor"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// App is one run of a target: the settings, and what was found of the machine so far.
type App struct {
	cfg    *config.Config
	ui     *ui.UI
	runner run.Runner
	docker *engine.Docker
	source source.Source
}

// New makes a run with the given settings that shows its progress on out.
func New(cfg *config.Config, out *ui.UI) *App {
	return &App{cfg: cfg, ui: out, runner: run.Exec{}}
}

// open finds the Docker engine and decides where images come from. Everything that works on a cluster or an image begins with it.
func (a *App) open(ctx context.Context) error {
	return a.ui.Do("Machine", func(t *ui.Task) error {
		docker, err := doctor.Require(ctx, a.runner, a.cfg)
		if err != nil {
			return err
		}
		a.docker = docker
		src, why, err := source.Pick(ctx, a.cfg, docker)
		if err != nil {
			return err
		}
		a.source = src
		t.Unchanged("Docker answers; images from %s (%s)", src.Name(), why)
		return nil
	})
}

// images builds the application's images, and gives the names of everything that the cluster has to hold: first the backend's and the
// frontend's, then the database's where the release runs its own.
func (a *App) images(ctx context.Context) (backend, frontend string, bases source.Bases, err error) {
	err = a.ui.Do("Images", func(t *ui.Task) error {
		if err := t.Do("base images", func(t *ui.Task) (err error) {
			bases, err = a.source.Bases(ctx, t)
			return err
		}); err != nil {
			return err
		}
		b := a.builder()
		g, ctx := errgroup.WithContext(ctx)
		build := func(s image.Spec, ref *string) func() error {
			return func() error {
				return t.Do(s.Name, func(t *ui.Task) (err error) {
					*ref, err = b.Build(ctx, t, s)
					return err
				})
			}
		}
		g.Go(build(a.backendImage(bases), &backend))
		g.Go(build(a.frontendImage(bases), &frontend))
		return g.Wait()
	})
	return backend, frontend, bases, err
}

func (a *App) builder() *image.Builder {
	ca, _ := engine.CABundle(a.cfg)
	return &image.Builder{Docker: a.docker, CABundle: ca, LogDir: filepath.Join(a.cfg.State, "logs")}
}

func (a *App) backendImage(b source.Bases) image.Spec {
	return image.Spec{Name: "todo-backend", Dir: filepath.Join(a.cfg.Root, "backend"), Target: "runtime", Args: map[string]string{"PYTHON_IMAGE": b.Python}}
}

func (a *App) frontendImage(b source.Bases) image.Spec {
	return image.Spec{Name: "todo-frontend", Dir: filepath.Join(a.cfg.Root, "frontend"), Target: "runtime", Args: map[string]string{"NODE_IMAGE": b.Node}}
}
