package kube

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/util/podutils"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/fault"
)

// NewestPod is the pod of a service that was made last of those that are ready and stay, and so of the version that was
// released last.
func NewestPod(ctx context.Context, client kubernetes.Interface, namespace string, service app.Service) (string, error) {
	pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: app.Selector(service)})
	if err != nil {
		return "", err
	}
	serving := slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return !Serves(&p) })
	if len(serving) == 0 {
		return "", fault.New(fault.CodeRollout, "no pod of "+service.Name+" is ready", "run: go tool mage status")
	}
	return slices.MaxFunc(serving, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) }).Name, nil
}

// Serves tells whether a pod is ready and stays.
func Serves(p *corev1.Pod) bool { return p.DeletionTimestamp == nil && podutils.IsPodReady(p) }

// Restart has a Deployment replace its pods: it changes nothing of their template but the annotation that kubectl
// rollout restart sets as well. With metav1.DryRunAll in dry it gives what would come of that, and changes nothing.
func Restart(ctx context.Context, client kubernetes.Interface, namespace, deployment string, dry ...string) (*appsv1.Deployment, error) {
	patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().Format(time.RFC3339Nano))
	return client.AppsV1().Deployments(namespace).Patch(ctx, deployment, types.StrategicMergePatchType, patch, metav1.PatchOptions{DryRun: dry})
}

// Scale sets the number of a Deployment's pods, or with metav1.DryRunAll in dry sees whether the API server would.
func Scale(ctx context.Context, client kubernetes.Interface, namespace, deployment string, replicas int, dry ...string) error {
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	_, err := client.AppsV1().Deployments(namespace).Patch(ctx, deployment, types.MergePatchType, patch, metav1.PatchOptions{DryRun: dry}, "scale")
	return err
}
