package rollout

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
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
	start := time.Now()
	require.NoError(t, ui.Plain(&out).Do("rollout", func(task *ui.Task) error {
		return Wait(t.Context(), task, client, "todo", "todo-app", time.Minute)
	}))
	assert.Less(t, time.Since(start), 100*time.Millisecond)
	assert.Contains(t, out.String(), "= rollout: backend 2/2, frontend 2/2")
	for _, a := range client.Actions() {
		assert.Equal(t, "list", a.GetVerb(), "no watch is begun")
	}
}

func TestWaitSeesTheRolloutFinish(t *testing.T) {
	client := cluster(upgrade(func(_ *state, p *corev1.Pod) { run(main(p), false) }))
	go func() {
		time.Sleep(50 * time.Millisecond)
		_, _ = client.AppsV1().Deployments("todo").UpdateStatus(context.Background(), finished("backend"), metav1.UpdateOptions{})
	}()
	require.NoError(t, Wait(t.Context(), nil, client, "todo", "todo-app", 10*time.Second))
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
	client := cluster(upgrade(func(_ *state, p *corev1.Pod) { run(main(p), false) }))
	err := Wait(t.Context(), nil, client, "todo", "todo-app", 300*time.Millisecond)
	var f *Failure
	require.ErrorAs(t, err, &f)
	assert.Equal(t, Timeout, f.Kind)
	assert.Contains(t, err.Error(), "after 300ms")
	assert.Equal(t, fault.CodeRollout, fault.Code(err))
}

func TestWaitEndsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := cluster(upgrade(func(_ *state, p *corev1.Pod) { run(main(p), false) }))
	time.AfterFunc(50*time.Millisecond, cancel)
	assert.Equal(t, fault.CodeInterrupted, fault.Code(Wait(ctx, nil, client, "todo", "todo-app", time.Minute)))
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
