package cluster

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/util/podutils"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

const (
	// lately is how long ago a node's start may be for what the cluster says to be doubted.
	lately = 5 * time.Minute
	// awakePatience is for the controllers and the kubelet of a node that was started again.
	awakePatience = 2 * time.Minute
)

// awake waits until a cluster whose node was started at the given time no longer tells of the time before. Until then
// pods are called ready that do not run, and Services lead to them: the API server answers before the kubelet has
// looked and before the controllers have.
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

// tellsOfNow tells whether no pod is said to have been running since before the node was started, and Services lead
// only to pods as they are now.
func tellsOfNow(ctx context.Context, client kubernetes.Interface, started time.Time) bool {
	started = started.Truncate(time.Second) // the resolution of pods' times
	pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false
	}
	ready := map[types.UID][]corev1.PodIP{}
	for _, p := range pods.Items {
		for _, c := range p.Status.ContainerStatuses {
			if c.State.Running != nil && c.State.Running.StartedAt.Time.Before(started) {
				return false
			}
		}
		if podutils.IsPodReady(&p) {
			ready[p.UID] = p.Status.PodIPs
		}
	}
	endpoints, err := client.DiscoveryV1().EndpointSlices(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false
	}
	for _, s := range endpoints.Items {
		for _, e := range s.Endpoints {
			if e.TargetRef == nil || e.TargetRef.Kind != "Pod" || e.Conditions.Ready != nil && !*e.Conditions.Ready {
				continue
			}
			current := func(address string) bool { return slices.Contains(ready[e.TargetRef.UID], corev1.PodIP{IP: address}) }
			if !slices.ContainsFunc(e.Addresses, current) {
				return false
			}
		}
	}
	return true
}
