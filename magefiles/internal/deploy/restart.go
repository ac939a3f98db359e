package deploy

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/ui"
)

// Restart replaces the pods of a service one after another, and waits for the new ones.
func (a *App) Restart(ctx context.Context, service string) error {
	if err := knownService(service, services[:2]); err != nil {
		return err
	}
	return a.operate(ctx, "Restart", func(ctx context.Context, t *ui.Task, client kubernetes.Interface, _ *release.Held) error {
		if err := a.renew(ctx, client, service); err != nil {
			return err
		}
		if err := a.awaitRollout(ctx, t, client); err != nil {
			return err
		}
		t.Result("%s runs on new pods", service)
		return nil
	})
}

// renew changes the template of a service's pods in nothing but the annotation that kubectl rollout restart sets as well.
func (a *App) renew(ctx context.Context, client kubernetes.Interface, service string) error {
	patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().Format(time.RFC3339Nano))
	_, err := client.AppsV1().Deployments(a.cfg.Namespace).Patch(ctx, service, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if apierrors.IsNotFound(err) {
		return notInstalled()
	}
	return err
}
