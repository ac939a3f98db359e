//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/release/helmcli"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
)

// plainNamespace is where the chart is installed without the targets, next to the release that they made.
const plainNamespace = "plain"

// chartAlone installs the chart with Helm 4, as people do who do not have the targets, with what it can do switched on:
// autoscalers, network policies, a namespace of its own. Its assistant is a fake model, in a pod, that speaks OpenAI's
// protocol.
func chartAlone(t *testing.T, project checkout) {
	d := running(t)
	model := fakeModel(t, d, project)
	removePlain(t, d, project) // a run that was killed may have left it
	t.Cleanup(func() { removePlain(t, d, project) })
	values := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(values, fmt.Appendf(nil, `
namespace: %[1]s
backend: {image: %[2]s, autoscaling: {enabled: true}, resources: {requests: {cpu: 50m}, limits: {cpu: "2"}}}
frontend: {image: %[3]s, autoscaling: {enabled: true}, resources: {requests: {cpu: 50m}, limits: {cpu: "2"}}}
postgres: {image: %[4]s}
ingress: {host: plain.localhost, extraHosts: []}
networkPolicy: {enabled: true, ingressNamespace: todo-system}
secrets: {openaiApiKey: any}
config: {openaiBaseUrl: "http://model.%[1]s:9000/v1", openaiModel: fake}
`, plainNamespace, imageOf(t, d, "todo-backend"), imageOf(t, d, "todo-frontend"), imageOf(t, d, "todo-postgres")), 0o600))
	helm(t, d, project, "install", "plain", "charts/todo-app", "--namespace", "default", "--values", values, "--wait", "--timeout", "4m")
	startModel(t, d, model)

	namespace, err := d.client.CoreV1().Namespaces().Get(t.Context(), plainNamespace, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "restricted", namespace.Labels["pod-security.kubernetes.io/enforce"])
	out := helm(t, d, project, "test", "plain", "--namespace", "default")
	assert.Contains(t, out, "Succeeded")
	streamed(t, d)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		list, err := d.client.AutoscalingV2().HorizontalPodAutoscalers(plainNamespace).List(t.Context(), metav1.ListOptions{})
		require.NoError(c, err)
		require.Len(c, list.Items, 2)
		for _, hpa := range list.Items {
			assert.NotEmpty(c, hpa.Status.CurrentMetrics, "%s: %v", hpa.Name, active(hpa))
		}
	}, 2*time.Minute, 2*time.Second, "the autoscalers see what the pods use")
}

func active(hpa autoscalingv2.HorizontalPodAutoscaler) string {
	for _, c := range hpa.Status.Conditions {
		if c.Type == autoscalingv2.ScalingActive {
			return c.Message
		}
	}
	return "not looked at yet"
}

// streamed chats with the fake model through the ingress: what it says comes while it still speaks, and what it does is
// done.
func streamed(t *testing.T, d *deployment) {
	u := d.registerAt(t, "plain.localhost", "carol@example.com")
	said := u.chat(t, "fake:slow")
	require.NotEmpty(t, said)
	assert.Greater(t, said[len(said)-1].at.Sub(said[0].at), time.Second, "the parts of a slow answer come one by one")
	var names []string
	for _, e := range u.chat(t, "fake:add Water the plants") {
		names = append(names, e.name)
	}
	assert.Contains(t, names, "done")
	assert.Equal(t, []string{"Water the plants"}, u.titles(t))
}

// event is one server-sent event, and when it came.
type event struct {
	name string
	at   time.Time
}

// chat sends a message and reads the answer's events.
func (u *user) chat(t *testing.T, message string) []event {
	t.Helper()
	res := u.ask(t, message)
	defer func() { _ = res.Body.Close() }()
	var events []event
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if name, found := strings.CutPrefix(lines.Text(), "event: "); found {
			events = append(events, event{name, time.Now()})
		}
	}
	require.NoError(t, lines.Err())
	return events
}

// fakeModel builds the image of the fake model and brings it to the node.
func fakeModel(t *testing.T, d *deployment, project checkout) string {
	t.Helper()
	src, _, err := source.Pick(t.Context(), nil, d.cfg, docker(t), scratch.New(d.cfg, docker(t)))
	require.NoError(t, err)
	bases, err := src.Bases(t.Context(), nil)
	require.NoError(t, err)
	ca, _ := engine.CABundle(d.cfg)
	b := image.Builder{Docker: docker(t), CABundle: ca, LogDir: t.TempDir()}
	ref, err := b.Build(t.Context(), nil, image.Spec{Name: "todo-fake-openai", Dir: filepath.Join(project.dir, "backend"), Target: "fake-openai",
		Args: map[string]string{"PYTHON_IMAGE": bases.Python}})
	require.NoError(t, err)
	_, err = cluster.NewKind(docker(t), d.cfg.ClusterName, d.cfg.Kubeconfig(), d.cfg.Cache, nil, nil).Load(t.Context(), nil, []string{ref})
	require.NoError(t, err)
	return ref
}

// startModel runs the fake model in a pod and waits until it answers.
func startModel(t *testing.T, d *deployment, ref string) {
	t.Helper()
	yes, no, user := true, false, int64(10001)
	labels := map[string]string{"app": "model"}
	pods := d.client.CoreV1().Pods(plainNamespace)
	_, err := pods.Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "model", Labels: labels}, Spec: corev1.PodSpec{
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{Name: "model", Image: ref, ImagePullPolicy: corev1.PullNever,
			SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
				TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(9000)}}}}},
	}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = d.client.CoreV1().Services(plainNamespace).Create(t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "model"},
		Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 9000}}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		p, err := pods.Get(t.Context(), "model", metav1.GetOptions{})
		require.NoError(c, err)
		require.NotEmpty(c, p.Status.ContainerStatuses)
		assert.True(c, p.Status.ContainerStatuses[0].Ready)
	}, time.Minute, 250*time.Millisecond)
}

// imageOf gives an app's image as the chart's values take it.
func imageOf(t *testing.T, d *deployment, app string) string {
	t.Helper()
	repository, tag, found := strings.Cut(d.image(t, app), ":")
	require.True(t, found)
	return fmt.Sprintf("{repository: %s, tag: %q, pullPolicy: Never}", repository, tag)
}

// helm runs Helm 4 on the tests' cluster.
func helm(t *testing.T, d *deployment, project checkout, args ...string) string {
	t.Helper()
	out, err := helm4(t.Context(), d, project, args...)
	require.NoError(t, err, out)
	return out
}

func helm4(ctx context.Context, d *deployment, project checkout, args ...string) (string, error) {
	program, err := helmcli.Program(ctx, project.dir)
	if err != nil {
		return "", err
	}
	return helmcli.Run(ctx, program, project.dir, d.access.Kubeconfig, args...)
}

// removePlain takes away what chartAlone made.
func removePlain(t *testing.T, d *deployment, project checkout) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	defer cancel()
	out, err := helm4(ctx, d, project, "uninstall", "plain", "--namespace", "default", "--ignore-not-found")
	require.NoError(t, err, out)
	_ = d.client.CoreV1().Namespaces().Delete(ctx, plainNamespace, metav1.DeleteOptions{})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := d.client.CoreV1().Namespaces().Get(ctx, plainNamespace, metav1.GetOptions{})
		assert.Error(c, err)
	}, time.Minute, 500*time.Millisecond)
}
