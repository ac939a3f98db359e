package kube

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestRestartTouchesNothingButTheAnnotation(t *testing.T) {
	backend := func() *appsv1.Deployment {
		two := int32(2)
		return &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: "backend"},
			Spec: appsv1.DeploymentSpec{Replicas: &two, Template: corev1.PodTemplateSpec{
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "backend", Image: "todo-backend:1f"}}}}},
		}
	}
	client := fake.NewClientset(backend())
	_, err := Restart(t.Context(), client, "todo", "backend")
	require.NoError(t, err)
	got, err := client.AppsV1().Deployments("todo").Get(t.Context(), "backend", metav1.GetOptions{})
	require.NoError(t, err)
	assert.NotEmpty(t, got.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"])
	got.Spec.Template.Annotations = nil
	assert.Equal(t, backend().Spec, got.Spec)
	_, err = Restart(t.Context(), client, "todo", "frontend")
	assert.True(t, apierrors.IsNotFound(err))
}
