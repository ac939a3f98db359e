package rollout

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"
)

func TestDiagnosisOfAReleaseThatIsWell(t *testing.T) {
	off := finished("frontend")
	none := int32(0)
	off.Spec.Replicas, off.Status.Replicas, off.Status.UpdatedReplicas, off.Status.AvailableReplicas = &none, 0, 0, 0
	d, err := Diagnose(t.Context(), fake.NewClientset(finished("backend"), off), "todo", "todo-app")
	require.NoError(t, err)
	assert.Equal(t, "backend is well: 2 of 2 pods are ready.\nfrontend is scaled to 0 pods: it is out of service.\nNo container was restarted.\n", d.Text(""))
	assert.Equal(t, "backend is well: 2 of 2 pods are ready.\nNo container was restarted.\n", d.Text("backend"))
}

func TestDiagnosisNamesRestarts(t *testing.T) {
	client := cluster(upgrade(func(s *state, p *corev1.Pod) {
		crashing(main(p), 137, "OOMKilled")
		main(p).RestartCount = 3
		main(p).LastTerminationState.Terminated.FinishedAt = metav1.NewTime(time.Now().Add(-2 * time.Minute))
		s.events = append(s.events, event(p, "backend", "Warning", "BackOff", "Back-off restarting failed container", 3))
	}))
	d, err := Diagnose(t.Context(), client, "todo", "todo-app")
	require.NoError(t, err)
	assert.Equal(t, `backend is not as it should be: 1 of 2 pods are ready and of the present version (CrashLoopBackOff).

pod backend-new-x, container backend: restarted 3 times, last 2m ago, after it ended with exit code 137 (OOMKilled)
  log: fake logs
`, d.Text("backend"))
	assert.NotContains(t, d.Text("frontend"), "backend")
	for _, a := range client.Actions() {
		assert.NotEqual(t, "secrets", a.GetResource().Resource)
		assert.Contains(t, []string{"list", "get"}, a.GetVerb(), "it only looks")
	}
}

func TestDiagnosisNeedsAClusterThatAnswers(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("list", "events", func(clienttest.Action) (bool, runtime.Object, error) { return true, nil, errors.New("gone") })
	_, err := Diagnose(t.Context(), client, "todo", "todo-app")
	assert.ErrorContains(t, err, "gone")
}

func TestTaintsAreNamed(t *testing.T) {
	const untolerated = "0/1 nodes are available: 1 node(s) had untolerated taint(s). preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
	for key, kind := range map[string]Kind{"node.kubernetes.io/disk-pressure": NodePressure, "example.com/gpu": Unschedulable} {
		client := cluster(upgrade(func(_ *state, p *corev1.Pod) { unplaced(p, untolerated) }))
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}, Spec: corev1.NodeSpec{Taints: []corev1.Taint{
			{Key: "example.com/better-not", Effect: corev1.TaintEffectPreferNoSchedule}, {Key: key, Effect: corev1.TaintEffectNoSchedule}}}}
		_, err := client.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{})
		require.NoError(t, err)
		w := &waiter{client: client, namespace: "todo", release: "todo-app"}
		s, err := w.look(t.Context())
		require.NoError(t, err)
		f := &s.problems()[0].Failure
		err = w.evidence(t.Context(), s, f)
		assert.Equal(t, kind, f.Kind)
		assert.EqualError(t, err, "pod backend-new-x: no node takes it: 0/1 nodes are available: 1 node(s) had untolerated taint(s); node n has "+key)
	}
}
