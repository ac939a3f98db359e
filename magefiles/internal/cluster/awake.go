package cluster

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

const (
	// lately is how long ago a node's start may be for what the cluster says to be doubted.
	lately = 5 * time.Minute
	// awakePatience is for the controllers and the kubelet of a node that was started again.
	awakePatience = 2 * time.Minute
)

// awake waits until a cluster whose node was started at the given time no longer tells of the time before. Until then pods are called ready that do not
// run, and Services lead to them: the API server answers before the kubelet has looked and before the controllers have a leader again.
func (a Access) awake(ctx context.Context, t *ui.Task, started time.Time) error {
	if time.Since(started) > lately {
		return nil
	}
	client, err := a.Client()
	if err != nil {
		return err
	}
	t.Status("waiting for the cluster to take stock")
	err = wait.PollUntilContextTimeout(ctx, 500*time.Millisecond, awakePatience, true, func(ctx context.Context) (bool, error) {
		return tellsOfNow(ctx, client, started), nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return fault.New(fault.CodeCluster, "the cluster's node was started, but its pods were not taken up again within "+awakePatience.String(), "run: go tool mage cluster:down cluster:up")
	}
	return err
}

// tellsOfNow tells whether the controllers work and no pod is said to have been running since before the node was started.
func tellsOfNow(ctx context.Context, client kubernetes.Interface, started time.Time) bool {
	started = started.Truncate(time.Second) // the resolution of pods' times
	leader, err := client.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, "kube-controller-manager", metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) { // without an election there is no Lease
		return false
	}
	if err == nil && (leader.Spec.RenewTime == nil || leader.Spec.RenewTime.Time.Before(started)) {
		return false
	}
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false
	}
	for _, p := range pods.Items {
		for _, c := range p.Status.ContainerStatuses {
			if c.State.Running != nil && c.State.Running.StartedAt.Time.Before(started) {
				return false
			}
		}
	}
	return true
}
