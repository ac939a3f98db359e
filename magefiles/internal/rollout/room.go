package rollout

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	// roomEvery is how often the nodes are looked at while a pod has none.
	roomEvery = 3 * time.Second
	// roomLimit bounds that look: it only helps to tell how long to wait.
	roomLimit = 2 * time.Second
)

// room is what the nodes tell of whether there will be more of it. The zero room is that of somebody who may not look
// at nodes.
type room struct {
	coming bool // a node is not ready: it comes up, or comes back
	fixed  bool // nothing adds nodes: all are of this machine or of nobody's cloud
}

// lookForRoom looks at the nodes once.
func lookForRoom(ctx context.Context, client kubernetes.Interface) room {
	ctx, cancel := context.WithTimeout(ctx, roomLimit)
	defer cancel()
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil || len(nodes.Items) == 0 {
		return room{}
	}
	return room{
		coming: slices.ContainsFunc(nodes.Items, func(n corev1.Node) bool { return n.DeletionTimestamp == nil && !up(n) }),
		fixed:  !slices.ContainsFunc(nodes.Items, func(n corev1.Node) bool { return !local(n) }),
	}
}

// up tells whether a node takes pods as far as its kubelet is concerned.
func up(n corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// local tells whether a node has no provider that could make another one: those of kind, k3d and minikube, and machines
// that somebody joined by hand.
func local(n corev1.Node) bool {
	provider, _, _ := strings.Cut(n.Spec.ProviderID, "://")
	return slices.Contains([]string{"", "kind", "k3s"}, provider)
}

// roomFor tells what becomes of a pod that no node takes. An autoscaler says what it does for a pod, in an event of it.
func (s state) roomFor(p *corev1.Pod) outlook {
	if s.room.coming {
		return mends
	}
	for _, e := range slices.Backward(s.about(p.UID)) {
		switch {
		case e.Reason == "TriggeredScaleUp", e.Reason == "Nominated": // the cluster autoscaler, Karpenter
			return mends
		case e.Reason == "NotTriggerScaleUp" && strings.Contains(e.Message, "backoff"):
			return mends // a node could not be made, and is tried again
		case e.Reason == "NotTriggerScaleUp", e.Reason == "FailedScheduling" && sender(e) == "karpenter":
			return stuck
		}
	}
	if s.room.fixed {
		return stuck
	}
	return unsure
}

// sender is the program that an event is from. Newer ones fill in another field than older ones.
func sender(e *corev1.Event) string {
	if e.ReportingController != "" {
		return e.ReportingController
	}
	return e.Source.Component
}

// homeless tells whether a pod of the release waits for a node.
func (s state) homeless() bool {
	return slices.ContainsFunc(s.current(), func(p *corev1.Pod) bool { return p.Spec.NodeName == "" })
}
