//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/ui"
)

// ailment is a workload that cannot come up, and what has to be said of it.
type ailment struct {
	within time.Duration // from when the cause can be seen; 15 s where it is not given
	kind   rollout.Kind
	reason string                                              // a regular expression
	spoil  func(*corev1.PodSpec)                               // what is wrong with the pod
	before func(t *testing.T, d *deployment, namespace string) // what is wrong with the namespace
}

func python(code string) func(*corev1.PodSpec) {
	return func(p *corev1.PodSpec) { p.Containers[0].Command = []string{"python", "-c", code} }
}

var ailments = map[string]ailment{
	// Who listens nowhere may only be away: the kubelet tries three times, within half a minute and what its pace adds.
	"image-pull": {within: time.Minute, kind: rollout.Image, reason: `image 127\.0\.0\.1:9/none:1 cannot be pulled: .*connection refused`,
		spoil: func(p *corev1.PodSpec) { p.Containers[0].Image = "127.0.0.1:9/none:1" }},
	"image-absent": {kind: rollout.Image, reason: `image todo-backend:absent cannot be used`,
		spoil: func(p *corev1.PodSpec) {
			p.Containers[0].Image, p.Containers[0].ImagePullPolicy = "todo-backend:absent", corev1.PullNever
		}},
	"crash": {kind: rollout.Crash, reason: `container main: ends with exit code 3: error: the wrong kind of database`,
		spoil: python(`import sys; print("error: the wrong kind of database"); sys.exit(3)`)},
	"memory": {kind: rollout.Memory, reason: `container main: was killed for using more memory than its limit of 24Mi`,
		spoil: func(p *corev1.PodSpec) {
			python(`x = b"x" * (256 << 20); import time; time.sleep(60)`)(p)
			p.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("24Mi")}
		}},
	"unschedulable": {kind: rollout.Unschedulable, reason: `no node takes it: .*Insufficient cpu.*; it asks for 1k of cpu`,
		spoil: func(p *corev1.PodSpec) {
			p.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1000")}
		}},
	"config": {kind: rollout.Config, reason: `container main: couldn't find key ABSENT in Secret .*/keys`,
		before: func(t *testing.T, d *deployment, namespace string) {
			_, err := d.client.CoreV1().Secrets(namespace).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}}, metav1.CreateOptions{})
			require.NoError(t, err)
		},
		spoil: func(p *corev1.PodSpec) {
			key := corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "keys"}, Key: "ABSENT"}
			p.Containers[0].Env = []corev1.EnvVar{{Name: "X", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &key}}}
		}},
	"probe": {kind: rollout.Probe, reason: `container main: runs but is not ready: Readiness probe failed: HTTP probe failed with statuscode: 404`,
		spoil: func(p *corev1.PodSpec) {
			p.Containers[0].Command = []string{"python", "-m", "http.server", "8000", "--directory", "/tmp"}
			p.Containers[0].ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
				HTTPGet: &corev1.HTTPGetAction{Path: "/absent", Port: intstr.FromInt32(8000)}}}
		}},
	"volume": {kind: rollout.Volume, reason: `volume claim data is pending: .*storageclass.*absent`,
		before: func(t *testing.T, d *deployment, namespace string) {
			class := "absent"
			_, err := d.client.CoreV1().PersistentVolumeClaims(namespace).Create(t.Context(), &corev1.PersistentVolumeClaim{
				ObjectMeta: metav1.ObjectMeta{Name: "data", Labels: map[string]string{"app.kubernetes.io/instance": "sick"}},
				Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: &class, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
					Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}}},
			}, metav1.CreateOptions{})
			require.NoError(t, err)
		},
		spoil: func(p *corev1.PodSpec) {
			p.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
		}},
	"init": {kind: rollout.Init, reason: `container first: ends with exit code 1: error: nothing to begin with`,
		spoil: func(p *corev1.PodSpec) {
			first := p.Containers[0]
			first.ReadinessProbe = nil
			first.Name, first.Command = "first", []string{"python", "-c", `raise SystemExit("error: nothing to begin with")`}
			p.InitContainers = []corev1.Container{first}
		}},
	"quota": {kind: rollout.Quota, reason: `exceeded quota: none, requested: pods=1`,
		before: func(t *testing.T, d *deployment, namespace string) {
			_, err := d.client.CoreV1().ResourceQuotas(namespace).Create(t.Context(), &corev1.ResourceQuota{
				ObjectMeta: metav1.ObjectMeta{Name: "none"},
				Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}},
			}, metav1.CreateOptions{})
			require.NoError(t, err)
		}},
	"webhook": {kind: rollout.Refused, reason: `failed calling webhook "pods\.todo\.local"`, before: refusing},
}

// evicted takes up to a minute, as the kubelet looks at what is in a volume only so often.
var evicted = ailment{kind: rollout.NodePressure, reason: `Evicted: .*exceeds the limit`,
	spoil: func(p *corev1.PodSpec) {
		most := resource.MustParse("1Mi")
		p.Volumes = []corev1.Volume{{Name: "small", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &most}}}}
		p.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "small", MountPath: "/small"}}
		python(`open("/small/x", "wb").write(b"x" * (8 << 20)); import time; time.sleep(300)`)(p)
	}}

// refusing lets every pod of the namespace be judged by a webhook that nobody answers.
func refusing(t *testing.T, d *deployment, namespace string) {
	none, policy, seconds := admissionv1.SideEffectClassNone, admissionv1.Fail, int32(2)
	hooks := d.client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	_, err := hooks.Create(t.Context(), &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: "pods.todo.local", AdmissionReviewVersions: []string{"v1"}, SideEffects: &none, FailurePolicy: &policy, TimeoutSeconds: &seconds,
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
			ClientConfig:      admissionv1.WebhookClientConfig{Service: &admissionv1.ServiceReference{Namespace: namespace, Name: "nobody"}},
			Rules: []admissionv1.RuleWithOperations{{Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule: admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}}}},
		}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = hooks.Delete(context.WithoutCancel(t.Context()), namespace, metav1.DeleteOptions{}) })
}

// diagnoses provokes every kind of failure at once, each in a namespace of its own.
func diagnoses(t *testing.T) {
	var wg sync.WaitGroup
	for name, a := range ailments {
		wg.Go(func() { t.Run(name, func(t *testing.T) { diagnosed(t, "ailment-"+name, a) }) })
	}
	wg.Wait()
}

// pressed lets the node find its disk too full, which keeps every new pod away. Nothing is evicted: for that it would
// have to last.
func pressed(t *testing.T) {
	d, engine := running(t), docker(t)
	inNode := func(ctx context.Context, script string) {
		_, err := engine.Output(ctx, "exec", d.cfg.ClusterName+"-control-plane", "sh", "-euc", "cd /var/lib/kubelet; "+script+"; systemctl restart kubelet")
		require.NoError(t, err)
	}
	underPressure := func(want bool) {
		require.Eventually(t, func() bool {
			nodes, err := d.client.CoreV1().Nodes().List(context.WithoutCancel(t.Context()), metav1.ListOptions{})
			return err == nil && want == slices.ContainsFunc(nodes.Items[0].Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == corev1.TaintNodeDiskPressure })
		}, time.Minute, 200*time.Millisecond)
	}
	inNode(t.Context(), `cp config.yaml config.before; printf '%s\n' 'evictionSoft: {nodefs.available: "99%"}' 'evictionSoftGracePeriod: {nodefs.available: 1h}' >>config.yaml`)
	defer underPressure(false)
	defer inNode(context.WithoutCancel(t.Context()), "mv config.before config.yaml")
	underPressure(true)
	diagnosed(t, "ailment-pressure", ailment{kind: rollout.NodePressure, reason: `no node takes it: .*disk-pressure`})
}

func diagnosed(t *testing.T, namespace string, a ailment) {
	ctx, d := t.Context(), running(t)
	image := d.image(t, "todo-backend")
	_, err := d.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	require.NoError(t, err)
	defer func() {
		_ = d.client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{})
	}()
	if a.before != nil {
		a.before(t, d, namespace)
	}
	labels := map[string]string{"app": "sick", "app.kubernetes.io/instance": "sick"}
	// Not ready by merely running, as the application's own containers are not.
	late := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"false"}}}, InitialDelaySeconds: 120}
	pod := corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: image, ImagePullPolicy: corev1.PullIfNotPresent, ReadinessProbe: late}}}
	if a.spoil != nil {
		a.spoil(&pod)
	}
	_, err = d.client.AppsV1().Deployments(namespace).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "sick", Labels: labels},
		Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)

	start := time.Now()
	err = ui.Plain(t.Output()).Do(namespace, func(task *ui.Task) error {
		return rollout.Wait(ctx, task, d.client, namespace, "sick", 2*time.Minute)
	})
	t.Logf("after %.1f s: %v", time.Since(start).Seconds(), err)
	var failure *rollout.Failure
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, a.kind, failure.Kind)
	assert.Less(t, time.Since(failure.Since), cmp.Or(a.within, 15*time.Second), "from when the cause could be seen")
	assert.Regexp(t, a.reason, err.Error())
	assert.NotContains(t, err.Error(), "\n")
	assert.NotEmpty(t, fault.Remedy(err))
	assert.Equal(t, fault.CodeRollout, fault.Code(err))
}
