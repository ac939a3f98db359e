package deploy

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/smoke"
	"todo.local/magefiles/internal/ui"
)

// Deploy goes the whole way: machine, cluster beside images, transport, secrets, release, rollout, smoke. Every stage first asks whether its work
// is already done.
func (a *App) Deploy(ctx context.Context) error {
	return a.exclusively(ctx, func() error { return a.deploy(ctx) })
}

func (a *App) deploy(ctx context.Context) error {
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
	access, changed, err := a.install(ctx, provider, access, app)
	if err != nil {
		return err
	}
	a.summary(access, changed, time.Since(start))
	return nil
}

// install releases the delivered images and checks the result. It gives the access with the ingress's address,
// and tells whether anything changed.
func (a *App) install(ctx context.Context, provider cluster.Provider, access cluster.Access, app application) (_ cluster.Access, changed bool, err error) {
	client, err := access.Client()
	if err != nil {
		return access, false, err
	}
	err = a.ui.Do("Application", func(t *ui.Task) error {
		if err := a.tryDatabase(ctx, t, client, app); err != nil {
			return err
		}
		var secret secrets.Outcome
		if err := t.Do("secrets", func(t *ui.Task) (err error) {
			secret, err = secrets.Ensure(ctx, t, client, a.cfg)
			return err
		}); err != nil {
			return err
		}
		if secret.PasswordPending {
			if err := a.tellPassword(ctx, t, access, client, false); err != nil {
				return err
			}
		}
		if err := a.certificate(ctx, t, client); err != nil {
			return err
		}
		engine, err := a.engine(access, a.cfg.Namespace)
		if err != nil {
			return err
		}
		outcome, err := a.release(ctx, t, client, engine, access, app, secret)
		if err != nil {
			return err
		}
		if access, err = a.awaitIngress(ctx, t, client, provider, access); err != nil {
			return err
		}
		changed = t.Changed()
		verified := outcome.Good == outcome.Revision
		if verified && !changed {
			return a.smoke(ctx, t, client, access, smoke.Check)
		}
		var pruned sync.WaitGroup
		pruned.Go(func() { a.prune(ctx, t, provider, access, client) })
		err = a.verify(ctx, t, client, access)
		pruned.Wait()
		switch {
		case err != nil && !verified && ctx.Err() == nil:
			return a.recover(ctx, t, client, engine, outcome, secret, err)
		case err != nil || verified:
			return err
		}
		return engine.Verify(ctx, t, config.ReleaseName, outcome.Revision)
	})
	return access, changed, err
}

// release installs the chart and waits for what it started. Where that cannot come up, the evidence is saved first and the last good release restored after.
func (a *App) release(ctx context.Context, t *ui.Task, client kubernetes.Interface, engine *release.Engine, access cluster.Access, app application, secret secrets.Outcome) (outcome release.Outcome, err error) {
	if err := t.Do("release", func(t *ui.Task) (err error) {
		outcome, err = engine.Apply(ctx, t, release.Spec{Name: config.ReleaseName, ChartDir: a.chart("todo-app"), Values: a.values(app, secret, access)})
		return err
	}); err != nil {
		return outcome, err
	}
	return outcome, t.Do("rollout", func(t *ui.Task) error {
		if secret.PasswordPending {
			if err := a.tellPassword(ctx, t, access, client, true); err != nil {
				return err
			}
		}
		err := rollout.Wait(ctx, t, client, a.cfg.Namespace, config.ReleaseName, a.cfg.Timeout)
		if err == nil {
			return a.awaitDrained(ctx, t, client, secret.Checksum)
		}
		if ctx.Err() != nil {
			return err
		}
		return a.recover(ctx, t, client, engine, outcome, secret, err)
	})
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
