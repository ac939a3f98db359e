package deploy

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/doctor"
	"todo.local/magefiles/internal/ui"
)

// Teardown uninstalls the release and stops the cluster. The database's volume and the generated secrets stay, so that the next deploy finds
// the same accounts and tasks.
func (a *App) Teardown(ctx context.Context) error {
	return a.exclusively(ctx, func() error {
		return a.onCluster(ctx, func(t *ui.Task, p cluster.Provider) error {
			if state, err := p.State(ctx); err != nil {
				return err
			} else if state == cluster.Running {
				if err := t.Do("release", func(t *ui.Task) error { return a.uninstall(ctx, t, p) }); err != nil {
					return err
				}
			}
			return t.Do("node", func(t *ui.Task) error { return p.Down(ctx, t) })
		})
	})
}

func (a *App) uninstall(ctx context.Context, t *ui.Task, p cluster.Provider) error {
	access, err := p.Access(ctx)
	if err != nil {
		return err
	}
	engine, err := a.engine(access, a.cfg.Namespace)
	if err != nil {
		return err
	}
	if err := engine.Uninstall(ctx, t, config.ReleaseName); err != nil {
		return err
	}
	for _, v := range a.volumes(ctx, p) {
		if p.Foreign() {
			t.Note("volume %s is kept", v)
			continue
		}
		t.Note("volume %s is kept; go tool mage cluster:delete removes it", v)
	}
	return nil
}

// onCluster runs work on the cluster's provider, for targets that need Docker and nothing else of the machine.
func (a *App) onCluster(ctx context.Context, work func(*ui.Task, cluster.Provider) error) error {
	return a.ui.Do("Cluster", func(t *ui.Task) error {
		docker, err := doctor.Find(ctx, a.runner, a.cfg)
		if err != nil {
			return err
		}
		a.docker = docker
		return work(t, a.provider(ctx))
	})
}

// volumes names the persistent volume claims of a running cluster, in somebody else's those of the release alone, for messages; nothing where it
// cannot be asked.
func (a *App) volumes(ctx context.Context, p cluster.Provider) []string {
	access, err := p.Access(ctx)
	if err != nil {
		return nil
	}
	client, err := access.Client()
	if err != nil {
		return nil
	}
	namespace := metav1.NamespaceAll
	if p.Foreign() {
		namespace = a.cfg.Namespace
	}
	list, err := client.CoreV1().PersistentVolumeClaims(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range list.Items {
		size := c.Status.Capacity.Storage()
		if size == nil {
			size = &resource.Quantity{}
		}
		names = append(names, fmt.Sprintf("%s/%s (%s)", c.Namespace, c.Name, size))
	}
	return names
}
