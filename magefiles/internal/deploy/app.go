// Package deploy is the way from a checkout to a running application: it puts the stages in order and hands the result
// of one to the next.
package deploy

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// Application is what is installed: references of the services' images, by name.
type Application map[string]string

// inCluster gives the services that run in the cluster. A database elsewhere takes the place of the cluster's own.
func inCluster(cfg *config.Config) []app.Service {
	return slices.DeleteFunc(app.All(), func(s app.Service) bool { return s.Name == app.Postgres.Name && cfg.DatabaseURL != "" })
}

// pullPolicy is that of the application's containers. A digest stands for an image in a registry. Where an image was
// brought to the nodes, never pulling it makes a missing one fail at once and by its name.
func pullPolicy(ref string) corev1.PullPolicy {
	if strings.Contains(ref, "@") {
		return corev1.PullIfNotPresent
	}
	return corev1.PullNever
}

// deliver brings one image to where the cluster finds it, and gives the name that it has there.
type deliver func(ctx context.Context, t *ui.Task, ref string) (string, error)

// loadedBy delivers to a cluster that is up. One that takes images from the engine keeps their names.
func loadedBy(p cluster.Provider) deliver {
	return func(ctx context.Context, t *ui.Task, ref string) (string, error) {
		names, err := p.Load(ctx, t, []string{ref})
		if names == nil {
			return ref, err
		}
		return names[ref], err
	}
}

// platformOf is what a cluster's nodes run, or nothing where that is what the engine runs.
func platformOf(ctx context.Context, s session.Source, p cluster.Provider) (string, error) {
	platform, err := p.Platform(ctx)
	if platform == s.Docker.Platform {
		platform = ""
	}
	return platform, err
}

// images makes the images of services for a platform, the engine's own where empty, and delivers each as soon as it is
// there, or keeps them in the engine where to is nil.
func images(ctx context.Context, s session.Source, of []app.Service, platform string, to deliver) (Application, error) {
	made := Application{}
	err := s.UI.Do("Images", func(t *ui.Task) error {
		var base source.Bases
		if err := t.Do("base images", func(t *ui.Task) (err error) {
			base, err = bases(ctx, t, s, platform)
			return err
		}); err != nil {
			return err
		}
		b := Builder(s.Engine)
		g, ctx := errgroup.WithContext(ctx)
		var mu sync.Mutex
		for _, service := range of {
			g.Go(func() error {
				ref := base.Postgres
				if service.Folder != "" {
					spec := ImageOf(s.Config, service, base)
					spec.Platform = platform
					if err := t.Do(spec.Name, func(t *ui.Task) (err error) {
						ref, err = b.Build(ctx, t, spec)
						return err
					}); err != nil {
						return err
					}
				}
				err := handOver(ctx, t, to, &ref)
				mu.Lock()
				defer mu.Unlock()
				made[service.Name] = ref
				return err
			})
		}
		return g.Wait()
	})
	return made, err
}

// bases gives the base images for a platform.
func bases(ctx context.Context, t *ui.Task, s session.Source, platform string) (source.Bases, error) {
	b, err := s.Images.Bases(ctx, t)
	if err != nil || platform == "" {
		return b, err
	}
	if b.PostgresElsewhere == "" {
		return b, fault.New(fault.CodeEnvironment,
			fmt.Sprintf("the cluster's nodes are %s, and the base images in this Docker engine are for %s alone", platform, s.Docker.Platform),
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

// Builder builds images with the session's engine.
func Builder(s session.Engine) *image.Builder {
	ca, _ := engine.CABundle(s.Config)
	return &image.Builder{Docker: s.Docker, CABundle: ca, LogDir: filepath.Join(s.Config.State, "logs")}
}

// ImageOf is how a service's image is built.
func ImageOf(cfg *config.Config, s app.Service, b source.Bases) image.Spec {
	base := map[app.Base]string{app.Python: b.Python, app.Node: b.Node}[s.Base]
	return image.Spec{Name: s.Label(), Dir: filepath.Join(cfg.Root, s.Folder), Target: s.Target, Args: map[string]string{string(s.Base): base}}
}
