package podlog

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestRender(t *testing.T) {
	t.Setenv("TZ", "UTC")
	at := time.Date(2026, 1, 21, 10, 0, 0, 5e6, time.UTC).Local().Format("15:04:05.000")
	for line, want := range map[string]string{
		`{"timestamp":"2026-01-21T10:00:00.005Z","level":"INFO","message":"Request processed","path":"/api/tasks","duration_ms":45}`: at + " INFO     Request processed duration_ms=45 path=/api/tasks",
		`{"message":"odd","note":"two words","empty":"","list":[1,"x"]}`:                                                             `odd empty="" list=[1,"x"] note="two words"`,
		`{"level":"ERROR","message":"failed","exception":"Traceback:\n  File x"}`:                                                    "ERROR    failed\n    Traceback:\n      File x",
		`{"no":"message"}`:        `{"no":"message"}`,
		`{"message":"a"} {"b":1}`: `{"message":"a"} {"b":1}`,
		"plain text":              "plain text",
	} {
		assert.Equal(t, want, Render(line))
	}
}

func pod(name, app string, phase corev1.PodPhase) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "todo", Labels: map[string]string{"app": app}},
		Status:     corev1.PodStatus{Phase: phase},
	}
}

func TestReadTakesTheSelectedPods(t *testing.T) {
	client := fake.NewClientset(pod("a", "todo-backend", corev1.PodRunning), pod("b", "other", corev1.PodRunning))
	var got []Line
	require.NoError(t, Read(t.Context(), client, Query{Namespace: "todo", Selector: "app=todo-backend"}, func(l Line) { got = append(got, l) }))
	assert.Equal(t, []Line{{"a", "fake logs"}}, got)
}

func TestFollowEndsWithItsContext(t *testing.T) {
	client := fake.NewClientset(pod("a", "todo-backend", corev1.PodRunning), pod("waiting", "todo-backend", corev1.PodPending))
	ctx, cancel := context.WithCancel(t.Context())
	var got []Line
	err := Follow(ctx, client, Query{Namespace: "todo", Selector: "app=todo-backend"}, func(l Line) {
		got = append(got, l)
		cancel()
	})
	require.NoError(t, err)
	require.NotEmpty(t, got)
	assert.Equal(t, Line{"a", "fake logs"}, got[0])
}
