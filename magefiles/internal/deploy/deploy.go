package deploy

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// Deploy goes the whole way: machine, cluster beside images, transport, secrets, release, rollout, smoke. Every stage
// first asks whether its work is already done.
func Deploy(ctx context.Context, s session.Session) error {
	return s.Exclusively(ctx, func() error { return deploy(ctx, s, false) })
}

func deploy(ctx context.Context, base session.Session, rotate bool) error {
	start := time.Now()
	s, err := base.OpenSource(ctx)
	if err != nil {
		return err
	}

	provider := s.ChooseProvider(ctx)
	var access cluster.Access
	var made Application
	g, gctx := errgroup.WithContext(ctx)
	up, node := make(chan struct{}), make(chan struct{})
	load := loadedBy(provider)
	nodeTakesImages := sync.OnceFunc(func() { close(node) })
	g.Go(func() (err error) {
		if access, err = clusterUp(gctx, s, provider, nodeTakesImages); err == nil {
			close(up)
		}
		return err
	})
	g.Go(func() (err error) {
		platform, err := platformOf(gctx, s, provider)
		if err != nil {
			return err
		}
		made, err = images(gctx, s, inCluster(s.Config), platform, func(ctx context.Context, t *ui.Task, ref string) (string, error) {
			t.Status("waiting for the cluster")
			select {
			case <-node:
			case <-ctx.Done():
				return "", ctx.Err()
			}
			name, err := load(ctx, t, ref)
			if err != nil {
				select { // where the cluster fails too, that is the cause
				case <-up:
				case <-ctx.Done():
					return "", ctx.Err()
				}
			}
			return name, err
		})
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	access, changed, err := install(ctx, s, provider, access, made, rotate)
	if err != nil {
		return err
	}
	summary(base, access, changed, time.Since(start))
	return nil
}

func summary(s session.Session, access cluster.Access, changed bool, took time.Duration) {
	head := "The application runs"
	if !changed {
		head = "Nothing changed; the application runs"
	}
	s.UI.Printf("\n%s (%.1f s)\n", head, took.Seconds())
	s.PrintURLs(access)
	s.UI.Printf("Next: go tool mage status · go tool mage teardown · kubectl --kubeconfig %s -n %s get pods\n",
		s.Config.Relative(access.Kubeconfig), s.Config.Namespace)
}
