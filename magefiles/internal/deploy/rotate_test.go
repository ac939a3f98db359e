package deploy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"todo.local/magefiles/internal/config"
)

// A pod that is on its way out still answers, and with the old signing key it refuses new sessions.
func TestPodsWithOldSecretsAreWaitedFor(t *testing.T) {
	pod := func(name, checksum string, phase corev1.PodPhase) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{Phase: phase}, ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "todo",
			Labels: map[string]string{"app": "todo-backend"}, Annotations: map[string]string{secretsChecksum: checksum}}}
	}
	client := fake.NewClientset(pod("new", "2", corev1.PodRunning), pod("old", "1", corev1.PodRunning), pod("evicted", "1", corev1.PodFailed))
	gone := time.AfterFunc(400*time.Millisecond, func() {
		_ = client.CoreV1().Pods("todo").Delete(t.Context(), "old", metav1.DeleteOptions{})
	})
	start := time.Now()
	require.NoError(t, awaitDrained(t.Context(), nil, on(client, config.Config{}), "2"))
	assert.False(t, gone.Stop(), "it did not wait")
	assert.Less(t, time.Since(start), 5*time.Second)
	require.NoError(t, awaitDrained(t.Context(), nil, on(client, config.Config{}), "2"), "only the evicted one is left, which is over")
}
