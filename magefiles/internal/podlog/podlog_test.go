package podlog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
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

// api answers for pods and their logs as an API server does.
type api struct {
	pods []corev1.Pod
	logs map[string]string // pod/container → what it wrote; a container without one waits to start
}

func (a *api) client(t *testing.T) kubernetes.Interface {
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	require.NoError(t, err)
	return client
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, reason metav1.StatusReason, message string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
			Status: metav1.StatusFailure, Reason: reason, Code: int32(status), Message: message})
	}
	name, isLog := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/todo/pods/"), "/log")
	if !isLog {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: a.pods})
		return
	}
	for _, p := range a.pods {
		if p.Name != name {
			continue
		}
		container := r.URL.Query().Get("container")
		if container == "" && len(p.Spec.Containers) > 1 {
			refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, "a container name must be specified for pod "+name)
			return
		}
		text, there := a.logs[name+"/"+cmp.Or(container, p.Spec.Containers[0].Name)]
		if !there {
			refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest, fmt.Sprintf("container %q in pod %q is waiting to start: PodInitializing", container, name))
			return
		}
		_, _ = io.WriteString(w, text)
		return
	}
	refuse(http.StatusNotFound, metav1.StatusReasonNotFound, fmt.Sprintf("pods %q not found", name))
}

// pod has a container of the service and one beside it, which was put before it, and an init container.
func pod(name string, phase corev1.PodPhase, initState corev1.ContainerState) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "todo", Labels: map[string]string{"app": "todo-backend"}},
		Spec:       corev1.PodSpec{InitContainers: []corev1.Container{{Name: "migrate"}}, Containers: []corev1.Container{{Name: "proxy"}, {Name: "backend"}}},
		Status:     corev1.PodStatus{Phase: phase, InitContainerStatuses: []corev1.ContainerStatus{{Name: "migrate", State: initState}}},
	}
}

var (
	through = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
	atWork  = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	broken  = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}}
)

func query() Query {
	return Query{Namespace: "todo", Selector: "app=todo-backend", Lines: 50, Container: func(*corev1.Pod) string { return "backend" }}
}

func TestReadTakesTheServicesContainer(t *testing.T) {
	a := &api{pods: []corev1.Pod{pod("a", corev1.PodRunning, through), pod("b", corev1.PodRunning, through)},
		logs: map[string]string{"a/proxy": "not asked for\n", "a/backend": "one\ntwo\n", "a/migrate": "old\n", "b/backend": "three\n"}}
	assert.Equal(t, []Line{{"a", "backend", "one"}, {"a", "backend", "two"}, {"b", "backend", "three"}}, read(t, a))
}

func TestReadShowsWhatAPodThatIsNotThatFarIsAt(t *testing.T) {
	a := &api{pods: []corev1.Pod{pod("a", corev1.PodPending, atWork), pod("b", corev1.PodPending, broken), pod("c", corev1.PodPending, corev1.ContainerState{})},
		logs: map[string]string{"a/migrate": "waiting for the database\n", "b/migrate": "no such database\n"}}
	assert.Equal(t, []Line{
		{"a", "migrate", "waiting for the database"},
		{"b", "migrate", "no such database"},
		{"c", "migrate", `(no log yet: container "migrate" in pod "c" is waiting to start: PodInitializing)`},
	}, read(t, a))
}

func TestReadTellsOfAContainerThatHasNotStarted(t *testing.T) {
	a := &api{pods: []corev1.Pod{pod("a", corev1.PodPending, through)}, logs: map[string]string{}}
	assert.Equal(t, []Line{{"a", "backend", `(no log yet: container "backend" in pod "a" is waiting to start: PodInitializing)`}}, read(t, a))
}

func TestReadTakesAPodThatIsMadeOtherwise(t *testing.T) {
	p := pod("a", corev1.PodRunning, through)
	p.Spec.Containers = []corev1.Container{{Name: "server"}}
	a := &api{pods: []corev1.Pod{p}, logs: map[string]string{"a/server": "one\n"}}
	assert.Equal(t, []Line{{"a", "server", "one"}}, read(t, a))
}

func read(t *testing.T, a *api) (got []Line) {
	t.Helper()
	require.NoError(t, Read(t.Context(), a.client(t), query(), func(l Line) { got = append(got, l) }))
	return got
}

func TestFollowGoesFromOneContainerToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waiting := pod("waiting", corev1.PodPending, corev1.ContainerState{})
		working := pod("working", corev1.PodPending, atWork)
		client := fake.NewClientset(&waiting, &working)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		time.AfterFunc(5*time.Second, func() {
			later := pod("working", corev1.PodRunning, through)
			later.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "proxy", State: atWork}, {Name: "backend", State: atWork}}
			_, err := client.CoreV1().Pods("todo").UpdateStatus(ctx, &later, metav1.UpdateOptions{})
			assert.NoError(t, err)
		})
		seen := map[Line]bool{}
		require.NoError(t, Follow(ctx, client, query(), func(l Line) { seen[l] = true }))
		assert.Equal(t, map[Line]bool{{"working", "migrate", "fake logs"}: true, {"working", "backend", "fake logs"}: true}, seen)
	})
}
