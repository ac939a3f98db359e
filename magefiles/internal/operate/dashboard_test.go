package operate

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	metricsfake "k8s.io/metrics/pkg/client/clientset/versioned/fake"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/dashboard"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/session"
)

var noon = time.Date(2040, 1, 2, 12, 0, 0, 0, time.UTC)

// backendPod is a pod of the backend, made so many minutes after noon.
func backendPod(name, image string, minutes int, ready corev1.ConditionStatus) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: name, Labels: map[string]string{"app": "todo-backend"},
			CreationTimestamp: metav1.NewTime(noon.Add(time.Duration(minutes) * time.Minute))},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "backend", Image: image,
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("64Mi")}}}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}},
			ContainerStatuses: []corev1.ContainerStatus{{RestartCount: 2}}},
	}
}

func TestTheDashboardShowsPodsAndWhatTheyUse(t *testing.T) {
	old := backendPod("backend-a", "registry.example.com:5000/todo-backend:1f", 0, corev1.ConditionTrue)
	now := backendPod("backend-b", "registry.example.com:5000/todo-backend:2f", 1, corev1.ConditionFalse)
	c, _ := open(fake.NewClientset(backendDeployment(), now, old), config.Config{})
	measured := metricsfake.NewSimpleClientset()
	measured.PrependReactor("list", "pods", podMetrics("backend-a", "250m", "16Mi"))
	services, err := watched{Cluster: c, metrics: measured}.Services(t.Context())
	require.NoError(t, err)
	require.Len(t, services, 3)
	assert.Equal(t, dashboard.Service{
		Name: "backend", Version: "2f", Wanted: 2, Ready: 1, Scalable: true, Restarts: 4, Changed: noon.Add(time.Minute),
		CPU: dashboard.Usage{Used: 250, Limit: 2000}, Memory: dashboard.Usage{Used: 16 << 20, Limit: 128 << 20},
		Pods: []dashboard.Pod{
			{Name: "backend-a", Phase: "Running", Ready: true, Restarts: 2, Since: noon},
			{Name: "backend-b", Phase: "Running", Restarts: 2, Since: noon.Add(time.Minute)},
		},
	}, services[0])
	assert.Equal(t, "postgres", services[2].Name)
	assert.False(t, services[2].Scalable)
	assert.NotNil(t, services[2].Pods, "a page reads a list")
}

func TestTheDashboardCallsTargets(t *testing.T) {
	c, _ := open(fake.NewClientset(), config.Config{})
	tested := false
	w := watched{Cluster: c, hidden: ai.KnownSecrets("a-password-of-somebody"), test: func(context.Context, session.Session) error {
		tested = true
		return nil
	}}
	var out bytes.Buffer
	require.NoError(t, w.Do(t.Context(), dashboard.Action{Name: dashboard.Test}, &out))
	assert.True(t, tested)
	for _, wrong := range []dashboard.Action{{Name: dashboard.Scale, Service: "backend", Number: -1}, {Name: dashboard.Restart, Service: "postgres"}, {Name: "delete"}} {
		assert.Equal(t, fault.CodeInput, fault.Code(w.Do(t.Context(), wrong, &out)), wrong)
	}
	assert.Equal(t, "backend", serviceOf("backend-7d4b-x2x7q"))
	assert.Equal(t, "other-0", serviceOf("other-0"))
}

// podMetrics answers with what the container backend of a pod uses.
func podMetrics(pod, cpu, memory string) func(clienttest.Action) (bool, runtime.Object, error) {
	return func(clienttest.Action) (bool, runtime.Object, error) {
		usage := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
		return true, &metricsv1beta1.PodMetricsList{Items: []metricsv1beta1.PodMetrics{{ObjectMeta: metav1.ObjectMeta{Name: pod},
			Containers: []metricsv1beta1.ContainerMetrics{{Name: "backend", Usage: usage}}}}}, nil
	}
}
