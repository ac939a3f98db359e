package release_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func TestHelmTestUsesTheImageThatIsDeployed(t *testing.T) {
	all := objects(t, "todo-app", `
imagePullSecrets: [{name: registry-login}]
backend: {image: {repository: example.com/backend, tag: "7", pullPolicy: Always}, service: {port: 9000}}`)
	pod := find[*corev1.Pod](t, all, "todo-test")
	assert.Equal(t, map[string]string{"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"}, pod.Annotations)
	assertRestricted(t, pod.Name, pod.Spec)
	assert.Equal(t, corev1.RestartPolicyNever, pod.Spec.RestartPolicy)
	assert.False(t, *pod.Spec.AutomountServiceAccountToken)
	assert.Equal(t, []corev1.LocalObjectReference{{Name: "registry-login"}}, pod.Spec.ImagePullSecrets)

	c := pod.Spec.Containers[0]
	assert.Equal(t, "example.com/backend:7", c.Image)
	assert.Equal(t, corev1.PullAlways, c.ImagePullPolicy)
	assert.Equal(t, []corev1.EnvVar{{Name: "BACKEND", Value: "http://backend-svc:9000"}}, c.Env)
	assert.Contains(t, c.Args[0], "/api/auth/register")
	assert.NotContains(t, c.Args[0], "$(", "Kubernetes would look for a variable")

	for _, s := range []string{"backend-svc", "frontend-svc"} {
		assert.False(t, labels.SelectorFromSet(find[*corev1.Service](t, all, s).Spec.Selector).Matches(labels.Set(pod.Labels)), "%s sends requests to the test", s)
	}
}

// TestPoliciesLetHelmTestThrough looks at both ends of its way to the backend.
func TestPoliciesLetHelmTestThrough(t *testing.T) {
	all := objects(t, "todo-app", everything)
	test := labels.Set(find[*corev1.Pod](t, all, "todo-test").Labels)
	backend := labels.Set(find[*appsv1.Deployment](t, all, "backend").Spec.Template.Labels)
	out := find[*networkingv1.NetworkPolicy](t, all, "todo-test")
	require.True(t, selects(t, &out.Spec.PodSelector, test))
	assert.Empty(t, out.Spec.Ingress)
	leaves := false
	for _, rule := range out.Spec.Egress {
		for _, peer := range rule.To {
			leaves = leaves || selects(t, peer.PodSelector, backend) && rule.Ports[0].Port.IntValue() == 8000
		}
	}
	assert.True(t, leaves, "it cannot leave")

	in := find[*networkingv1.NetworkPolicy](t, all, "backend")
	require.True(t, selects(t, &in.Spec.PodSelector, backend))
	arrives := false
	for _, peer := range in.Spec.Ingress[0].From {
		arrives = arrives || selects(t, peer.PodSelector, test)
	}
	assert.True(t, arrives, "it cannot arrive")
}
