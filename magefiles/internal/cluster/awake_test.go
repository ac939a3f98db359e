package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestAStartedNodeIsDoubtedUntilItTellsOfNow(t *testing.T) {
	started := time.Now().Add(-time.Minute)
	before, after := started.Add(-time.Hour), started.Add(10*time.Second)
	for name, c := range map[string]struct {
		renewed, pod time.Time
		want         bool
	}{
		"nothing has moved yet":             {before, before, false},
		"pods run, no controller leads yet": {before, after, false},
		"a pod of before is listed":         {after, before, false},
		"all is new":                        {after, after, true},
	} {
		t.Run(name, func(t *testing.T) {
			renewed := metav1.NewMicroTime(c.renewed)
			client := fake.NewClientset(
				&coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: "kube-controller-manager", Namespace: "kube-system"}, Spec: coordination.LeaseSpec{RenewTime: &renewed}},
				&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "todo"}, Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
					{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(c.pod)}}}}}},
			)
			assert.Equal(t, c.want, tellsOfNow(t.Context(), client, started))
		})
	}
	require.NoError(t, Access{}.awake(t.Context(), nil, time.Now().Add(-time.Hour)), "a node that has long run is not asked")
}
