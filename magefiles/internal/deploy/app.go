// Package deploy is the way from a checkout to a running application: it puts the stages in order and hands the result of one to the next.
package deploy

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/doctor"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
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
	return &App{cfg: cfg, ui: out, runner: run.Exec{Hide: cfg.Secrets()}}
}

// open finds the Docker engine and decides where images come from. Everything that works on a cluster or an image begins with it.
func (a *App) open(ctx context.Context) error {
	return a.ui.Do("Machine", func(t *ui.Task) error {
		docker, err := doctor.Require(ctx, a.runner, a.cfg)
		if err != nil {
			return err
		}
		a.docker = docker
		src, why, err := source.Pick(ctx, t, a.cfg, docker, scratch.New(a.cfg, docker))
		if err != nil {
			return err
		}
		a.source = src
		t.Unchanged("Docker answers; images from %s (%s)", src.Name(), why)
		return nil
	})
}

// application is what is installed: references of images.
type application struct {
	backend, frontend string
	bases             source.Bases
}

// pullPolicy is that of the application's containers. A digest stands for an image in a registry. Where an image was brought to the nodes, never
// pulling it makes a missing one fail at once and by its name.
func pullPolicy(ref string) corev1.PullPolicy {
	if strings.Contains(ref, "@") {
		return corev1.PullIfNotPresent
	}
	return corev1.PullNever
}

// deliver brings one image to where the cluster finds it, and gives the name that it has there.
type deliver func(ctx context.Context, t *ui.Task, ref string) (string, error)

// platform is what a cluster's nodes run, or nothing where that is what the engine runs.
func (a *App) platform(ctx context.Context, p cluster.Provider) (string, error) {
	platform, err := p.Platform(ctx)
	if platform == a.docker.Platform {
		platform = ""
	}
	return platform, err
}

// images makes the application's images for a platform, the engine's own where empty, and delivers each as soon as it
// is there, or keeps them in the engine where to is nil.
func (a *App) images(ctx context.Context, platform string, to deliver) (app application, err error) {
	err = a.ui.Do("Images", func(t *ui.Task) error {
		if err := t.Do("base images", func(t *ui.Task) (err error) {
			app.bases, err = a.bases(ctx, t, platform)
			return err
		}); err != nil {
			return err
		}
		b := a.builder()
		g, ctx := errgroup.WithContext(ctx)
		build := func(s image.Spec, ref *string) {
			s.Platform = platform
			g.Go(func() error {
				if err := t.Do(s.Name, func(t *ui.Task) (err error) {
					*ref, err = b.Build(ctx, t, s)
					return err
				}); err != nil {
					return err
				}
				return handOver(ctx, t, to, ref)
			})
		}
		build(a.backendImage(app.bases), &app.backend)
		build(a.frontendImage(app.bases), &app.frontend)
		if a.cfg.DatabaseURL == "" {
			g.Go(func() error { return handOver(ctx, t, to, &app.bases.Postgres) })
		}
		return g.Wait()
	})
	return app, err
}

// bases gives the base images for a platform.
func (a *App) bases(ctx context.Context, t *ui.Task, platform string) (source.Bases, error) {
	b, err := a.source.Bases(ctx, t)
	if err != nil || platform == "" {
		return b, err
	}
	if b.PostgresElsewhere == "" {
		return b, fault.New(fault.CodeEnvironment,
			fmt.Sprintf("the cluster's nodes are %s, and the base images in this Docker engine are for %s alone", platform, a.docker.Platform),
			"set TODO_IMAGES=registry: images from a container registry are there for several platforms")
	}
	b.Postgres = b.PostgresElsewhere
	return b, nil
}

func handOver(ctx context.Context, t *ui.Task, to deliver, ref *string) error {
	if to == nil || strings.Contains(*ref, "@") {
		return nil // a digest names an image in a registry, where the cluster gets it by itself
	}
	return t.Do("transport of "+strings.SplitN(*ref, ":", 2)[0], func(t *ui.Task) error {
		name, err := to(ctx, t, *ref)
		*ref = name
		return err
	})
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
