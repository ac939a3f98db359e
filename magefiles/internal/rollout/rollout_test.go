package rollout

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// cluster is a fake one that holds a state.
func cluster(s state) *fake.Clientset {
	var objects []runtime.Object
	for _, d := range s.deployments {
		objects = append(objects, d)
	}
	for _, r := range s.replicaSets {
		objects = append(objects, r)
	}
	for _, p := range s.pods {
		objects = append(objects, p)
	}
	for _, e := range s.events {
		objects = append(objects, e)
	}
	return fake.NewClientset(objects...)
}

func TestWaitReturnsAtOnceWhereNothingIsToDo(t *testing.T) {
	client := fake.NewClientset(finished("backend"), finished("frontend"))
	var out bytes.Buffer
	require.NoError(t, ui.Plain(&out).Do("rollout", func(task *ui.Task) error {
		return Wait(t.Context(), task, client, "todo", "todo-app", time.Minute)
	}))
	assert.Contains(t, out.String(), "= rollout: backend 2/2, frontend 2/2")
	for _, a := range client.Actions() {
		assert.Equal(t, "list", a.GetVerb(), "no watch is begun")
	}
}

// The tests below that wait do so on the clock of a bubble, which takes no time.

func TestWaitSeesTheRolloutFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		client := cluster(upgrade(func(_ *state, p *corev1.Pod) { run(main(p), false) }))
		time.AfterFunc(3*time.Minute, func() { finish(client) })
		require.NoError(t, Wait(t.Context(), nil, client, "todo", "todo-app", 5*time.Minute))
		assert.Less(t, time.Since(start), 3*time.Minute+tick)
	})
}

// finish lets the rollout of the fake cluster succeed.
func finish(client kubernetes.Interface) {
	_, _ = client.AppsV1().Deployments("todo").UpdateStatus(context.Background(), finished("backend"), metav1.UpdateOptions{})
}

// pulls lets the pod of the fake cluster tell of pulls as the kubelet does: the cause of one that failed, and then that
// it waits for the next.
func pulls(t *testing.T, client kubernetes.Interface, waits []time.Duration, cause func(attempt int) string) <-chan struct{} {
	tell := func(reason, message string) {
		p, err := client.CoreV1().Pods("todo").Get(context.Background(), "backend-new-x", metav1.GetOptions{})
		if assert.NoError(t, err) {
			wait(main(p), reason, message)
			_, err = client.CoreV1().Pods("todo").UpdateStatus(context.Background(), p, metav1.UpdateOptions{})
			assert.NoError(t, err)
		}
	}
	over := make(chan struct{})
	t.Cleanup(func() { <-over })
	go func() {
		defer close(over)
		for i, pause := range waits {
			tell("ErrImagePull", cause(i))
			time.Sleep(time.Second)
			tell("ImagePullBackOff", `Back-off pulling image "todo-backend:new"`)
			time.Sleep(pause)
		}
	}()
	return over
}

func TestWaitOutlastsAFlakyRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := cluster(upgrade(func(_ *state, p *corev1.Pod) { wait(main(p), "ContainerCreating", "") }))
		over := pulls(t, client, []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second}, func(int) string {
			return `Head "https://reg.example/v2/todo-backend/manifests/new": read tcp 10.0.0.7:43720->10.0.0.9:443: read: connection reset by peer`
		})
		go func() {
			<-over
			finish(client)
		}()
		var out bytes.Buffer
		require.NoError(t, ui.Plain(&out).Do("rollout", func(task *ui.Task) error {
			return Wait(t.Context(), task, client, "todo", "todo-app", 5*time.Minute)
		}))
		assert.Contains(t, out.String(), "backend 1/2 (may mend itself: image todo-backend:new cannot be pulled: Head")
		assert.Contains(t, out.String(), "connection reset by peer", "also while the kubelet itself does not tell")
	})
}

func TestWaitEndsWhenTheRegistryComesBackWithoutTheImage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		client := cluster(upgrade(func(_ *state, p *corev1.Pod) { wait(main(p), "ContainerCreating", "") }))
		pulls(t, client, []time.Duration{10 * time.Second, 20 * time.Second, 0}, func(attempt int) string {
			if attempt < 2 {
				return "unexpected status from HEAD request to https://reg.example/v2/todo-backend/manifests/new: 503 Service Unavailable"
			}
			return "reg.example/todo-backend:new: not found"
		})
		err := Wait(t.Context(), nil, client, "todo", "todo-app", time.Hour)
		assert.ErrorContains(t, err, "image todo-backend:new cannot be pulled: reg.example/todo-backend:new: not found")
		assert.Less(t, time.Since(start), 33*time.Second)
	})
}

func TestWaitNamesAtItsTimeoutWhatDidNotMend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := cluster(upgrade(func(_ *state, p *corev1.Pod) { wait(main(p), "ContainerCreating", "") }))
		pulls(t, client, []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second}, func(int) string { return "toomanyrequests: slow down" })
		err := Wait(t.Context(), nil, client, "todo", "todo-app", time.Minute)
		assert.EqualError(t, err, "pod backend-new-x, container backend: image todo-backend:new cannot be pulled: toomanyrequests: slow down (after 1m0s)")
		assert.Contains(t, fault.Remedy(err), "TODO_TIMEOUT")
	})
}

func TestWaitGivesTheEvidence(t *testing.T) {
	client := cluster(upgrade(func(s *state, p *corev1.Pod) {
		crashing(main(p), 2, "Error")
		s.events = append(s.events, event(p, "backend", "Warning", "BackOff", "Back-off restarting failed container", 3))
	}))
	err := Wait(t.Context(), nil, client, "todo", "todo-app", 10*time.Second)
	var f *Failure
	require.ErrorAs(t, err, &f)
	assert.Equal(t, Crash, f.Kind)
	assert.Equal(t, []string{"Warning BackOff: Back-off restarting failed container (3 times)"}, f.Events)
	assert.Equal(t, []string{"fake logs"}, f.Log)
	assert.Equal(t, "pod backend-new-x, container backend: ends with exit code 2: fake logs", err.Error())
	assert.Equal(t, fault.CodeRollout, fault.Code(err))
}

func TestWaitEndsAtItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := cluster(upgrade(func(_ *state, p *corev1.Pod) { run(main(p), false) }))
		err := Wait(t.Context(), nil, client, "todo", "todo-app", 5*time.Minute)
		var f *Failure
		require.ErrorAs(t, err, &f)
		assert.Equal(t, Timeout, f.Kind)
		assert.Contains(t, err.Error(), "after 5m0s")
		assert.Equal(t, fault.CodeRollout, fault.Code(err))
	})
}

func TestWaitEndsWhenInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := cluster(upgrade(func(_ *state, p *corev1.Pod) { run(main(p), false) }))
		time.AfterFunc(time.Minute, cancel)
		assert.Equal(t, fault.CodeInterrupted, fault.Code(Wait(ctx, nil, client, "todo", "todo-app", time.Hour)))
	})
}

func TestWaitWithoutAReleaseOrACluster(t *testing.T) {
	err := Wait(t.Context(), nil, fake.NewClientset(), "todo", "todo-app", time.Minute)
	require.Error(t, err)
	assert.Equal(t, "release todo-app has no workload in namespace todo", err.Error())

	client := fake.NewClientset()
	client.PrependReactor("list", "*", func(clienttest.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("connection refused")
	})
	err = Wait(t.Context(), nil, client, "todo", "todo-app", time.Minute)
	assert.Equal(t, fault.CodeCluster, fault.Code(err))
	assert.Contains(t, err.Error(), "connection refused")
}

func TestCollectSavesTheEvidenceAndNoSecrets(t *testing.T) {
	s := upgrade(func(s *state, p *corev1.Pod) {
		crashing(main(p), 1, "Error")
		p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "LOG_LEVEL", Value: "DEBUG"}, {Name: "DATABASE_URL", Value: "hush"}, {Name: "API_TOKEN", Value: "hush"}}
		p.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "noise"}}
		e := event(p, "backend", "Warning", "BackOff", "restarting", 3)
		e.InvolvedObject.Kind = "Pod"
		s.events = append(s.events, e)
	})
	client := cluster(s)
	require.NoError(t, client.Tracker().Add(&corev1.Secret{ObjectMeta: meta("app-secrets", nil), Data: map[string][]byte{"x": []byte("hush")}}))
	cause := &Failure{Kind: Crash, Object: "pod backend-new-x", Container: "backend", Reason: "ends with exit code 1", Log: []string{"a mistake"}}
	dir := filepath.Join(t.TempDir(), "diagnosis")
	require.NoError(t, Collect(t.Context(), client, "todo", dir, cause))

	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		all[e.Name()] = string(raw)
		assert.NotContains(t, string(raw), "hush", e.Name())
	}
	assert.Equal(t, "pod backend-new-x, container backend: ends with exit code 1\n→ read the log, correct the cause and deploy again\n\n"+
		"last lines of container backend:\n    a mistake\n", all["cause.txt"])
	assert.Contains(t, all["pod-backend-new-x.yaml"], "DEBUG")
	assert.NotContains(t, all["pod-backend-new-x.yaml"], "managedFields")
	assert.Contains(t, all["deployment-backend.yaml"], "observedGeneration: 7")
	assert.Contains(t, all["log-backend-new-x-backend-previous.txt"], "fake logs")
	assert.Contains(t, all["events.txt"], "pod/backend-new-x: restarting (3 times)")
	for _, a := range client.Actions() {
		assert.NotEqual(t, "secrets", a.GetResource().Resource, "Secrets are not read")
	}
}

func TestCollectGoesOnAfterAnError(t *testing.T) {
	client := cluster(upgrade(func(*state, *corev1.Pod) {}))
	client.PrependReactor("list", "deployments", func(clienttest.Action) (bool, runtime.Object, error) { return true, nil, errors.New("no deployments") })
	cause := errors.New("something")
	dir := t.TempDir()
	err := Collect(t.Context(), client, "todo", dir, cause)
	require.ErrorContains(t, err, "no deployments")
	found, _ := filepath.Glob(filepath.Join(dir, "pod-*.yaml"))
	assert.Len(t, found, 3)
	assert.False(t, strings.Contains(err.Error(), "events"))
}
