package deploy

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// prune removes the application's images that nothing in the cluster can need any more: no pod runs them, and no
// revision that is kept names them, so that every rollback still finds its own. A failure of it takes nothing away from
// a deploy that succeeds.
func prune(ctx context.Context, t *ui.Task, s session.Cluster) {
	if s.Provider.Foreign() {
		return
	}
	keep, err := neededImages(ctx, s)
	var removed []string
	if err == nil {
		removed, err = s.Provider.Prune(ctx, keep)
	}
	switch {
	case err != nil && ctx.Err() == nil:
		t.Note("superseded images could not be removed: %v", err)
	case len(removed) > 0:
		t.Note("removed superseded images, which no kept revision names: %s", strings.Join(removed, ", "))
	}
}

// neededImages are those of all revisions in whatever namespace, and of all pods that have one of the same name.
func neededImages(ctx context.Context, s session.Cluster) ([]string, error) {
	everywhere, err := release.New(s.Access.API, metav1.NamespaceAll)
	if err != nil {
		return nil, err
	}
	needed, err := everywhere.Images(config.ReleaseName)
	if err != nil {
		return nil, err
	}
	pods, err := s.Client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	ours := map[any]bool{}
	for _, ref := range needed {
		ours[imageValues(ref)["repository"]] = true
	}
	for _, p := range pods.Items {
		for _, c := range append(p.Spec.InitContainers, p.Spec.Containers...) {
			if ours[imageValues(c.Image)["repository"]] {
				needed = append(needed, c.Image)
			}
		}
	}
	return needed, nil
}
