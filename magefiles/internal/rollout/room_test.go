package rollout

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"
)

func node(name, provider string, ready corev1.ConditionStatus) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.NodeSpec{ProviderID: provider},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}}}
}

func TestWhetherThereWillBeRoomIsSeenFromTheNodes(t *testing.T) {
	for name, k := range map[string]struct {
		nodes []runtime.Object
		want  room
	}{
		"kind": {[]runtime.Object{node("a", "kind://docker/todo/a", corev1.ConditionTrue)}, room{fixed: true}},
		"k3d":  {[]runtime.Object{node("a", "k3s://a", corev1.ConditionTrue)}, room{fixed: true}},
		"machines joined by hand": {[]runtime.Object{
			node("a", "", corev1.ConditionTrue), node("b", "", corev1.ConditionTrue)}, room{fixed: true}},
		"a cloud":              {[]runtime.Object{node("a", "aws:///eu-west-1a/i-1", corev1.ConditionTrue)}, room{}},
		"a node that comes up": {[]runtime.Object{node("a", "kind://docker/todo/a", corev1.ConditionFalse)}, room{coming: true, fixed: true}},
		"one that is lost":     {[]runtime.Object{node("a", "gce://p/z/a", corev1.ConditionUnknown)}, room{coming: true}},
		"none":                 {nil, room{}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, k.want, lookForRoom(t.Context(), fake.NewClientset(k.nodes...)))
		})
	}
	client := fake.NewClientset(node("a", "kind://docker/todo/a", corev1.ConditionTrue))
	client.PrependReactor("list", "nodes", func(clienttest.Action) (bool, runtime.Object, error) { return true, nil, errors.New("forbidden") })
	assert.Equal(t, room{}, lookForRoom(t.Context(), client), "whoever may not look does not know")
}

func TestAPodWithoutANodeIsWaitedForAsLongAsThereMayBeOne(t *testing.T) {
	const never = time.Duration(-1)
	said := func(component, kind, reason, message string) func(*state, *corev1.Pod) {
		return func(s *state, p *corev1.Pod) {
			e := event(p, "", kind, reason, message, 1)
			e.Source.Component = component
			e.LastTimestamp = metav1.NewTime(time.Now().Add(time.Duration(len(s.events)) * time.Second))
			s.events = append(s.events, e)
		}
	}
	triggered := said("cluster-autoscaler", "Normal", "TriggeredScaleUp", "pod triggered scale-up: [{ibm://acc///cluster1/nodegroup1 1->2 (max: 8)}]")
	full := said("cluster-autoscaler", "Normal", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached")
	cloud, kind := room{}, room{fixed: true}
	for name, k := range map[string]struct {
		room   room
		events []func(*state, *corev1.Pod)
		takes  time.Duration
	}{
		"a cluster of this machine":                 {kind, nil, 10 * time.Second},
		"a cloud, before its autoscaler has spoken": {cloud, nil, time.Minute},
		"an autoscaler makes a node":                {cloud, []func(*state, *corev1.Pod){triggered}, never},
		"an autoscaler on this machine does":        {kind, []func(*state, *corev1.Pod){triggered}, never},
		"an autoscaler has none for it":             {cloud, []func(*state, *corev1.Pod){full}, 10 * time.Second},
		"none at first, then one":                   {cloud, []func(*state, *corev1.Pod){full, triggered}, never},
		"one at first, then none":                   {cloud, []func(*state, *corev1.Pod){triggered, full}, 10 * time.Second},
		"a node that could not be made": {cloud, []func(*state, *corev1.Pod){said("cluster-autoscaler", "Normal", "NotTriggerScaleUp",
			"pod didn't trigger scale-up: 1 in backoff after failed scale-up")}, never},
		"Karpenter makes a node": {cloud, []func(*state, *corev1.Pod){
			said("karpenter", "Normal", "Nominated", "Pod should schedule on: nodeclaim/default-f72cc")}, never},
		"Karpenter has none for it": {cloud, []func(*state, *corev1.Pod){
			said("karpenter", "Warning", "FailedScheduling", `Failed to schedule pod, incompatible with nodepool "default"`)}, 10 * time.Second},
		"only the scheduler has spoken": {cloud, []func(*state, *corev1.Pod){
			said("default-scheduler", "Warning", "FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.")}, time.Minute},
		"a node comes up": {room{coming: true, fixed: true}, nil, never},
	} {
		t.Run(name, func(t *testing.T) {
			s := upgrade(func(s *state, p *corev1.Pod) {
				unplaced(p, "0/1 nodes are available: 1 Insufficient cpu.")
				for _, e := range k.events {
					e(s, p)
				}
			})
			s.room = k.room
			f, took := exactly(s, 10*time.Minute)
			if k.takes == never {
				assert.Nil(t, f)
				return
			}
			require.NotNil(t, f)
			assert.Equal(t, Unschedulable, f.Kind)
			assert.Equal(t, k.takes, took)
		})
	}
}

func TestWaitOutlastsAnAutoscaler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := cluster(upgrade(func(_ *state, p *corev1.Pod) { unplaced(p, "0/1 nodes are available: 1 Insufficient cpu.") }))
		nodes := client.CoreV1().Nodes()
		_, err := nodes.Create(t.Context(), node("a", "kind://docker/todo/a", corev1.ConditionTrue), metav1.CreateOptions{})
		require.NoError(t, err)
		time.AfterFunc(8*time.Second, func() {
			_, _ = nodes.Create(t.Context(), node("b", "kind://docker/todo/b", corev1.ConditionFalse), metav1.CreateOptions{})
		})
		time.AfterFunc(3*time.Minute, func() { finish(client) })
		require.NoError(t, Wait(t.Context(), nil, client, "todo", "todo-app", 5*time.Minute))
	})
}
