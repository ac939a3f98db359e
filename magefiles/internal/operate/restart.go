package operate

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// maxReplicas keeps a slip of the finger from flooding the cluster.
const maxReplicas = 20

// Scale runs a service on that many pods until the next deploy, and waits for them. With 0 it is taken out of service.
func Scale(ctx context.Context, s session.Session, service string, replicas int) error {
	if _, err := named(service, app.Scalable()); err != nil {
		return err
	}
	if replicas < 0 || replicas > maxReplicas {
		return fault.New(fault.CodeInput, fmt.Sprintf("%d is no number of pods", replicas), fmt.Sprintf("use 0 to %d", maxReplicas))
	}
	return change(ctx, s, "Scale", func(ctx context.Context, t *ui.Task, c session.Cluster, _ *release.Held) error {
		err := kube.Scale(ctx, c.Client, c.Config.Namespace, service, replicas)
		if apierrors.IsNotFound(err) {
			return release.NotInstalled(config.ReleaseName)
		}
		if err != nil {
			return err
		}
		if err := c.AwaitRollout(ctx, t); err != nil {
			return err
		}
		t.Result("%s runs on %d pods; the next deploy goes back to the chart's number", service, replicas)
		return nil
	})
}

// Restart replaces the pods of a service one after another, and waits for the new ones.
func Restart(ctx context.Context, s session.Session, service string) error {
	if _, err := named(service, app.Scalable()); err != nil {
		return err
	}
	return change(ctx, s, "Restart", func(ctx context.Context, t *ui.Task, c session.Cluster, _ *release.Held) error {
		_, err := kube.Restart(ctx, c.Client, c.Config.Namespace, service)
		if apierrors.IsNotFound(err) {
			return release.NotInstalled(config.ReleaseName)
		}
		if err != nil {
			return err
		}
		if err := c.AwaitRollout(ctx, t); err != nil {
			return err
		}
		t.Result("%s runs on new pods", service)
		return nil
	})
}
