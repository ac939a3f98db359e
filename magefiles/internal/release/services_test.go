package release_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/release"
)

// TestAFurtherServiceIsOneEntry looks for all that an entry of the values asks for.
func TestAFurtherServiceIsOneEntry(t *testing.T) {
	all := objects(t, "todo-app", further)
	d := find[*appsv1.Deployment](t, all, "reports")
	assert.Nil(t, d.Spec.Replicas, "an autoscaler sees to it")
	assert.EqualValues(t, 4, find[*autoscalingv2.HorizontalPodAutoscaler](t, all, "reports").Spec.MaxReplicas)
	pod := d.Spec.Template
	assertSelects(t, d.Spec.Selector, pod.Labels)
	assertSelects(t, find[*policyv1.PodDisruptionBudget](t, all, "reports").Spec.Selector, pod.Labels)
	assert.Equal(t, "todo", pod.Labels["team"])
	assert.Equal(t, "todo-reports", pod.Labels["app"])
	assert.Equal(t, "b", pod.Annotations["example.com/a"])
	assert.Contains(t, pod.Annotations, "checksum/secrets")
	assert.Contains(t, pod.Annotations, "checksum/config")
	assert.Equal(t, "todo-reports", pod.Spec.ServiceAccountName)
	assert.Equal(t, map[string]string{"example.com/role": "reports"}, find[*corev1.ServiceAccount](t, all, "todo-reports").Annotations)
	assert.EqualValues(t, 20001, *pod.Spec.SecurityContext.RunAsUser)
	assert.EqualValues(t, 15, *pod.Spec.TerminationGracePeriodSeconds)
	assertRestricted(t, "reports", pod.Spec)

	c := pod.Spec.Containers[0]
	assert.Equal(t, "example.com/todo-reports:1.0", c.Image)
	assert.Nil(t, c.Lifecycle, "a zero of its own is none of the defaults'")
	assert.Equal(t, []string{"DATABASE_URL", "SMTP_PASSWORD", "BACKEND_URL", "TZ"}, names(c.Env))
	assert.Equal(t, "http://backend-svc:8000", c.Env[2].Value)
	assert.Len(t, c.EnvFrom, 2)
	assert.Equal(t, "/ready", c.ReadinessProbe.HTTPGet.Path)
	init := pod.Spec.InitContainers[0]
	assert.Equal(t, []string{"fetch", "templates"}, init.Command)
	assert.Equal(t, []string{"TZ"}, names(init.Env), "a step is given no secret that it does not name")
	for _, c := range append(pod.Spec.InitContainers, c) {
		var mounts []string
		for _, m := range c.VolumeMounts {
			mounts = append(mounts, m.MountPath)
		}
		assert.Equal(t, []string{"/tmp", "/drafts", "/etc/authorities"}, mounts)
	}

	s := find[*corev1.Service](t, all, "reports-svc")
	assert.Equal(t, corev1.ServiceTypeNodePort, s.Spec.Type)
	assert.EqualValues(t, 8080, s.Spec.Ports[0].Port)
	assert.Equal(t, map[string]string{"example.com/a": "b"}, s.Annotations)
	led := map[string]string{}
	for _, p := range find[*networkingv1.Ingress](t, all, "todo-app").Spec.Rules[0].HTTP.Paths {
		led[p.Path] = p.Backend.Service.Name
	}
	assert.Equal(t, map[string]string{"/": "frontend-svc", "/api": "backend-svc", "/reports": "reports-svc"}, led)

	for service, want := range map[string][]string{
		"reports": {"ingress-nginx", "monitoring"}, "backend": {"ingress-nginx", "monitoring", "frontend", "reports", "test"},
		"postgres": {"backend", "reports"}, "worker": nil,
	} {
		assert.ElementsMatch(t, want, sources(t, find[*networkingv1.NetworkPolicy](t, all, service)), service)
	}
	assertSelects(t, &find[*networkingv1.NetworkPolicy](t, all, "reports").Spec.PodSelector, pod.Labels)
}

func names(variables []corev1.EnvVar) (out []string) {
	for _, v := range variables {
		out = append(out, v.Name)
	}
	return out
}

// TestAWorkerListensNowhere has an entry with nothing but an image.
func TestAWorkerListensNowhere(t *testing.T) {
	all := objects(t, "todo-app", `services: {worker: {image: {repository: todo-worker}, replicas: 0}}`+given)
	d := find[*appsv1.Deployment](t, all, "worker")
	assert.Zero(t, *d.Spec.Replicas)
	c := d.Spec.Template.Spec.Containers[0]
	assert.Equal(t, "todo-worker:latest", c.Image)
	assert.Empty(t, c.Ports)
	assert.Nil(t, c.LivenessProbe)
	assert.Empty(t, c.Env)
	assert.NotContains(t, d.Spec.Template.Annotations, "checksum/secrets", "it would restart for what it does not read")
	for _, o := range all {
		if s, ok := o.(*corev1.Service); ok {
			assert.NotEqual(t, "worker-svc", s.Name)
		}
	}
}

// TestAnOwnNoOutweighsADefault: neither false nor 0 stands for something that was not said.
func TestAnOwnNoOutweighsADefault(t *testing.T) {
	all := objects(t, "todo-app", `{serviceDefaults: {autoscaling: {enabled: true}, appConfig: true, drainSeconds: 9},
		frontend: {autoscaling: {enabled: false}, appConfig: false, drainSeconds: 0, replicas: 0}}`)
	frontend, backend := find[*appsv1.Deployment](t, all, "frontend"), find[*appsv1.Deployment](t, all, "backend")
	assert.Zero(t, *frontend.Spec.Replicas)
	assert.Empty(t, frontend.Spec.Template.Spec.Containers[0].EnvFrom)
	assert.Nil(t, frontend.Spec.Template.Spec.Containers[0].Lifecycle)
	assert.Nil(t, backend.Spec.Replicas)
	assert.EqualValues(t, 9, backend.Spec.Template.Spec.Containers[0].Lifecycle.PreStop.Sleep.Seconds)
}

// TestPodsGoWhereTheyAreSent takes what administrators set for every pod, and for the database apart.
func TestPodsGoWhereTheyAreSent(t *testing.T) {
	all := objects(t, "todo-app", further)
	for name, pool := range map[string]string{"backend": "apps", "frontend": "apps", "reports": "apps", "worker": "apps", "postgres": "data"} {
		pod := templates(all)[name]
		assert.Equal(t, map[string]string{"pool": pool}, pod.Spec.NodeSelector, name)
		assert.Equal(t, pool, pod.Spec.Tolerations[0].Key, name)
		assert.Equal(t, pool, pod.Spec.PriorityClassName, name)
		assert.Equal(t, "b", pod.Annotations["example.com/a"], name)
	}
	assert.Equal(t, "apps", find[*corev1.Pod](t, all, "todo-test").Spec.NodeSelector["pool"], "it would find no node")
	set := find[*appsv1.StatefulSet](t, all, "postgres")
	assert.Empty(t, set.Spec.VolumeClaimTemplates)
	claimed := ""
	for _, v := range set.Spec.Template.Spec.Volumes {
		if v.Name == "data" {
			claimed = v.PersistentVolumeClaim.ClaimName
		}
	}
	assert.Equal(t, "todo-data", claimed)
}

// TestNamesAreResolvedWhereTheClusterDoes looks at the way that every policy opens.
func TestNamesAreResolvedWhereTheClusterDoes(t *testing.T) {
	for text, want := range map[string][]networkingv1.NetworkPolicyPeer{
		`{namespace: openshift-dns, port: 5353, addresses: [169.254.20.10/32]}`: {
			*inNamespace("openshift-dns"), {IPBlock: &networkingv1.IPBlock{CIDR: "169.254.20.10/32"}}},
		`{namespace: "", port: 5353}`: nil, // anywhere
	} {
		all := objects(t, "todo-app", `networkPolicy: {enabled: true, dns: `+text+`}`)
		for _, name := range []string{"backend", "frontend", "todo-test"} {
			rule := find[*networkingv1.NetworkPolicy](t, all, name).Spec.Egress[0]
			assert.Equal(t, want, rule.To, name)
			require.Len(t, rule.Ports, 2)
			assert.Equal(t, 5353, rule.Ports[0].Port.IntValue())
		}
	}
}

func inNamespace(name string) *networkingv1.NetworkPolicyPeer {
	return &networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: name}}}
}

// TestAnotherChartTakesThisOneInOrLeavesItOut uses the condition that Helm knows for that.
func TestAnotherChartTakesThisOneInOrLeavesItOut(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte(`{apiVersion: v2, name: umbrella, version: 0.1.0,
		dependencies: [{name: todo-app, version: ">=0.1.0", repository: "file://todo-app", condition: todo-app.enabled}]}`), 0o600))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "charts", "todo-app"), os.DirFS(filepath.Join(charts, "todo-app"))))
	for text, there := range map[string]bool{"": true, "todo-app: {enabled: true}": true, "todo-app: {enabled: false}": false} {
		rendered, err := release.Render("umbrella", "todo", dir, values(t, text))
		require.NoError(t, err, text)
		assert.Equal(t, there, len(parsed(t, rendered)) > 0, text)
	}
}
