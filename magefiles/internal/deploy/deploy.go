package deploy

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/ui"
)

// Deploy goes the whole way: machine, cluster beside images, transport, secrets, release, rollout, smoke. Every stage first asks whether its work
// is already done.
func (a *App) Deploy(ctx context.Context) error {
	return a.exclusively(ctx, func() error { return a.deploy(ctx, false) })
}

func (a *App) deploy(ctx context.Context, rotate bool) error {
	start := time.Now()
	if err := a.open(ctx); err != nil {
		return err
	}

	provider := a.provider(ctx)
	var access cluster.Access
	var app application
	g, gctx := errgroup.WithContext(ctx)
	up, node := make(chan struct{}), make(chan struct{})
	nodeTakesImages := sync.OnceFunc(func() { close(node) })
	g.Go(func() (err error) {
		if access, err = a.clusterUp(gctx, provider, nodeTakesImages); err == nil {
			close(up)
		}
		return err
	})
	g.Go(func() (err error) {
		platform, err := a.platform(gctx, provider)
		if err != nil {
			return err
		}
		app, err = a.images(gctx, platform, func(ctx context.Context, t *ui.Task, ref string) (string, error) {
			t.Status("waiting for the cluster")
			select {
			case <-node:
			case <-ctx.Done():
				return "", ctx.Err()
			}
			names, err := provider.Load(ctx, t, []string{ref})
			if err != nil {
				select { // where the cluster fails too, that is the cause
				case <-up:
				case <-ctx.Done():
					return "", ctx.Err()
				}
			}
			if names == nil {
				return ref, err
			}
			return names[ref], err
		})
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	access, changed, err := a.install(ctx, provider, access, app, rotate)
	if err != nil {
		return err
	}
	a.summary(access, changed, time.Since(start))
	return nil
}

func (a *App) chart(name string) string { return filepath.Join(a.cfg.Root, "charts", name) }

func (a *App) engine(access cluster.Access, namespace string) (*release.Engine, error) {
	return release.New(access.Kubeconfig, access.Context, namespace)
}

func (a *App) summary(access cluster.Access, changed bool, took time.Duration) {
	head := "The application runs"
	if !changed {
		head = "Nothing changed; the application runs"
	}
	a.ui.Printf("\n%s (%.1f s)\n", head, took.Seconds())
	a.printURLs(access)
	a.ui.Printf("Next: go tool mage status · go tool mage teardown · kubectl --kubeconfig %s -n %s get pods\n",
		relative(a.cfg.Root, access.Kubeconfig), a.cfg.Namespace)
}

// relative shortens a path below the checkout, for messages.
func relative(root, path string) string {
	if rel, err := filepath.Rel(root, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
