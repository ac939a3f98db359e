package deploy

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// addonNamespace holds what the project adds to a cluster of its own, each as a Helm release.
const addonNamespace = "todo-system"

// clusterUp brings up the cluster, tells when it can take images, and installs what every cluster of this project
// carries: the ingress controller and the metrics server.
func clusterUp(ctx context.Context, s session.Source, provider cluster.Provider, takesImages func()) (access cluster.Access, err error) {
	err = s.UI.Do("Cluster", func(t *ui.Task) error {
		var node source.Node
		if provider.Addons() {
			if err := t.Do("node image", func(t *ui.Task) (err error) {
				node, err = provider.Node(ctx, t, s.Images)
				return err
			}); err != nil {
				return err
			}
		}
		g, gctx := errgroup.WithContext(ctx)
		ready := make(chan struct{})
		canTake := sync.OnceFunc(func() {
			takesImages()
			close(ready)
		})
		g.Go(func() error {
			err := t.Do("node", func(t *ui.Task) (err error) {
				access, err = provider.Up(gctx, t, node, canTake)
				return err
			})
			if err == nil {
				canTake()
			}
			return err
		})
		if node.AddonsApart {
			g.Go(func() error {
				select {
				case <-ready:
				case <-gctx.Done():
					return nil
				}
				return t.Do("transport of the add-ons", func(t *ui.Task) error {
					_, err := provider.Load(gctx, t, []string{node.Traefik, node.MetricsServer})
					return err
				})
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		if !provider.Addons() {
			return nil
		}
		if access.NodeImage != node.Image && (node.Image != "" || node.Traefik == "") {
			// The add-ons' images came with the node, so its own add-ons are the ones that fit.
			t.Note("%s was made from %s; to renew it, with an empty database: go tool mage cluster:delete deploy", provider.Name(), access.NodeImage)
			return nil
		}
		return errors.Join(
			addon(ctx, t, s.Config, access, "ingress", map[string]any{"image": imageValues(node.Traefik)}),
			addon(ctx, t, s.Config, access, "metrics-server", map[string]any{"image": imageValues(node.MetricsServer)}),
		)
	})
	return access, err
}

// addon installs one chart that belongs to the cluster. It does not wait for it: awaitIngress does, when the
// application needs it.
func addon(ctx context.Context, t *ui.Task, cfg *config.Config, access cluster.Access, name string, values map[string]any) error {
	return t.Do(name, func(t *ui.Task) error {
		helm, err := release.New(access.API, addonNamespace)
		if err != nil {
			return err
		}
		_, err = helm.Apply(ctx, t, release.Spec{Name: name, ChartDir: cfg.Chart(name), Values: values, CreateNamespace: true})
		return err
	})
}

// ClusterUp makes or starts the cluster.
func ClusterUp(ctx context.Context, base session.Session) error {
	return base.Exclusively(ctx, func() error {
		s, err := base.OpenSource(ctx)
		if err != nil {
			return err
		}
		provider := s.ChooseProvider(ctx)
		access, err := clusterUp(ctx, s, provider, func() {})
		if err != nil || !provider.Addons() {
			return err
		}
		c, err := s.Connected(provider, access)
		if err != nil {
			return err
		}
		return s.UI.Do("Ingress", func(t *ui.Task) error {
			_, err := awaitIngress(ctx, t, c)
			return err
		})
	})
}

// ClusterDown stops the cluster.
func ClusterDown(ctx context.Context, s session.Session) error {
	return s.Exclusively(ctx, func() error {
		return onCluster(ctx, s, func(t *ui.Task, _ session.Engine, p cluster.Provider) error { return p.Down(ctx, t) })
	})
}

// ClusterDelete removes the cluster, and says first what goes with it.
func ClusterDelete(ctx context.Context, s session.Session) error {
	return s.Exclusively(ctx, func() error {
		return onCluster(ctx, s, func(t *ui.Task, e session.Engine, p cluster.Provider) error {
			state, err := p.State(ctx)
			if err != nil {
				return err
			}
			if state != cluster.Absent && !p.Foreign() {
				for _, v := range volumes(ctx, e, p) {
					t.Note("deleting the data of volume %s", v)
				}
			}
			return p.Delete(ctx, t)
		})
	})
}

// onCluster runs work on the cluster's provider, for targets that need Docker and nothing else of the machine.
func onCluster(ctx context.Context, s session.Session, work func(*ui.Task, session.Engine, cluster.Provider) error) error {
	return s.UI.Do("Cluster", func(t *ui.Task) error {
		e, err := s.OpenEngine(ctx)
		if err != nil {
			return err
		}
		return work(t, e, e.ChooseProvider(ctx))
	})
}
