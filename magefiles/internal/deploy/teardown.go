package deploy

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// Teardown uninstalls the release and stops the cluster. The database's volume and the generated secrets stay, so that
// the next deploy finds the same accounts and tasks.
func Teardown(ctx context.Context, s session.Session) error {
	return s.Exclusively(ctx, func() error {
		return onCluster(ctx, s, func(t *ui.Task, e session.Engine, p cluster.Provider) error {
			if state, err := p.State(ctx); err != nil {
				return err
			} else if state == cluster.Running {
				if err := t.Do("release", func(t *ui.Task) error { return uninstall(ctx, t, e, p) }); err != nil {
					return err
				}
			}
			return t.Do("node", func(t *ui.Task) error { return p.Down(ctx, t) })
		})
	})
}

func uninstall(ctx context.Context, t *ui.Task, e session.Engine, p cluster.Provider) error {
	access, err := p.Access(ctx)
	if err != nil {
		return err
	}
	helm, err := release.New(access.API, e.Config.Namespace)
	if err != nil {
		return err
	}
	if err := helm.Uninstall(ctx, t, config.ReleaseName); err != nil {
		return err
	}
	for _, v := range volumes(ctx, e, p) {
		if p.Foreign() {
			t.Note("volume %s is kept", v)
			continue
		}
		t.Note("volume %s is kept; go tool mage cluster:delete removes it", v)
	}
	return nil
}

// volumes names the persistent volume claims of a running cluster, in somebody else's those of the release alone, for
// messages; nothing where it cannot be asked.
func volumes(ctx context.Context, e session.Engine, p cluster.Provider) []string {
	c, err := e.Connect(ctx, p)
	if err != nil {
		return nil
	}
	namespace := metav1.NamespaceAll
	if p.Foreign() {
		namespace = e.Config.Namespace
	}
	list, err := c.Client.CoreV1().PersistentVolumeClaims(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	var names []string
	for _, claim := range list.Items {
		size := claim.Status.Capacity.Storage()
		if size == nil {
			size = &resource.Quantity{}
		}
		names = append(names, fmt.Sprintf("%s/%s (%s)", claim.Namespace, claim.Name, size))
	}
	return names
}
