package podlog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
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

// away is an API that answers once, and gives logs that do not end.
type away struct {
	pods   corev1.PodList
	since  time.Time // when it stopped to answer; zero where it has not
	until  time.Time // when it answers again
	opened int
}

func (a *away) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := func(status int, body io.ReadCloser) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: r}, nil
	}
	if strings.HasSuffix(r.URL.Path, "/log") {
		a.opened++
		reader, writer := io.Pipe()
		context.AfterFunc(r.Context(), func() { _ = writer.CloseWithError(r.Context().Err()) })
		return answer(http.StatusOK, reader)
	}
	now := time.Now()
	if !a.since.IsZero() && now.After(a.since) && now.Before(a.until) {
		return nil, errors.New("connection refused")
	}
	raw, err := json.Marshal(a.pods)
	if err != nil {
		return nil, err
	}
	return answer(http.StatusOK, io.NopCloser(bytes.NewReader(raw)))
}

func TestFollowAndAnAPIThatIsAway(t *testing.T) {
	follow := func(t *testing.T, long time.Duration, a *away) (took time.Duration, err error) {
		ready := pod("backend", corev1.PodRunning, through)
		ready.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "backend", State: atWork}}
		a.pods = corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: []corev1.Pod{ready}}
		start := time.Now()
		a.since, a.until = start.Add(5*time.Second), start.Add(5*time.Second+long)
		time.AfterFunc(10*time.Second, func() {
			later := ready
			later.Name = "later"
			a.pods.Items = append(a.pods.Items, later)
		})
		client, err := kubernetes.NewForConfig(&rest.Config{Host: "http://api.test", Transport: a, QPS: -1})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err = Follow(ctx, client, query(), func(Line) {})
		return time.Since(start), err
	}
	t.Run("for a moment", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := &away{}
			_, err := follow(t, 15*time.Second, a)
			require.NoError(t, err)
			assert.Equal(t, 2, a.opened, "each log is opened once, that of a pod that came meanwhile too")
		})
	})
	t.Run("for good", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := &away{}
			took, err := follow(t, 2*time.Hour, a)
			require.ErrorContains(t, err, "connection refused")
			assert.Less(t, took, 2*time.Minute, "a log that is open does not keep it from telling")
		})
	})
}
