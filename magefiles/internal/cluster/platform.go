package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
)

// Platform asks the nodes that would take the application's pods what they run, such as linux/arm64. It is empty where
// there are none, as before a cluster grows its first, and where this user may not look at nodes.
func (e *Existing) Platform(ctx context.Context) (string, error) {
	a, err := e.connect(ctx)
	if err != nil {
		return "", err
	}
	client, err := a.Client()
	if err != nil {
		return "", err
	}
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		return "", nil
	}
	if err != nil {
		return "", fault.Wrap(err, fault.CodeCluster, "the nodes of "+e.Name()+" cannot be read", "run the target again")
	}
	nodes := map[string]int{} // by platform
	var platforms []string
	for _, n := range list.Items {
		if !takesPods(n) {
			continue
		}
		p := n.Status.NodeInfo.OperatingSystem + "/" + n.Status.NodeInfo.Architecture
		if nodes[p]++; nodes[p] == 1 {
			platforms = append(platforms, p)
		}
	}
	switch len(platforms) {
	case 0:
		return "", nil
	case 1:
		return platforms[0], nil
	}
	slices.SortStableFunc(platforms, func(x, y string) int { return nodes[y] - nodes[x] })
	system, arch, _ := strings.Cut(platforms[1], "/")
	return "", fault.New(fault.CodeInput,
		fmt.Sprintf("the nodes of %s are %s, and an image is for one of them", e.Name(), strings.Join(platforms, " and ")),
		fmt.Sprintf("keep the application's pods off all but one kind, as with: kubectl --context %s taint nodes -l kubernetes.io/os=%s,kubernetes.io/arch=%s kubernetes.io/arch=%[3]s:NoSchedule",
			e.ContextName, system, arch))
}

// takesPods tells whether pods that tolerate nothing may come to a node, now or once it is well again.
func takesPods(n corev1.Node) bool {
	return !n.Spec.Unschedulable && !slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool {
		passing := strings.HasPrefix(t.Key, "node.kubernetes.io/") || strings.HasPrefix(t.Key, "node.cloudprovider.kubernetes.io/")
		return !passing && (t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute)
	})
}
