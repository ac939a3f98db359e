package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestAStartedNodeIsDoubtedUntilItTellsOfNow(t *testing.T) {
	started := time.Now().Add(-time.Minute)
	before, after := started.Add(-time.Hour), started.Add(10*time.Second)
	yes, no := true, false
	for name, c := range map[string]struct {
		since    time.Time
		ready    corev1.ConditionStatus
		endpoint string
		leads    *bool // whether the Service leads to that endpoint
		want     bool
	}{
		"nothing has moved yet":                      {before, corev1.ConditionTrue, "10.0.0.1", &yes, false},
		"a Service leads to where the pod was":       {after, corev1.ConditionTrue, "10.0.0.9", &yes, false},
		"a Service leads to a pod that is not ready": {after, corev1.ConditionFalse, "10.0.0.1", &yes, false},
		"a Service that says nothing leads there":    {after, corev1.ConditionFalse, "10.0.0.1", nil, false},
		"a pod is not ready, and no Service says so": {after, corev1.ConditionFalse, "10.0.0.1", &no, true},
		"all is new": {after, corev1.ConditionTrue, "10.0.0.1", &yes, true},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset(
				&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "todo", UID: "1"}, Status: corev1.PodStatus{
					PodIPs:            []corev1.PodIP{{IP: "10.0.0.1"}},
					Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: c.ready}},
					ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(c.since)}}}},
				}},
				&discovery.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: "todo"}, Endpoints: []discovery.Endpoint{
					{Addresses: []string{"10.0.0.8"}}, // nobody's pod, such as the API server
					{Addresses: []string{c.endpoint}, Conditions: discovery.EndpointConditions{Ready: c.leads}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "p", UID: "1"}},
				}},
			)
			assert.Equal(t, c.want, tellsOfNow(t.Context(), client, started))
		})
	}
	require.NoError(t, Access{}.awake(t.Context(), nil, time.Now().Add(-time.Hour)), "a node that has long run is not asked")
}
