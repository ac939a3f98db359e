package deploy

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/kubetest"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// world is a cluster with the application in it: a database that knows one password, pods that keep the secrets which
// they began with, and a release with its revisions. Everything that a run does to it is one step, at which it can
// fail.
type world struct {
	t        *testing.T
	client   *fake.Clientset
	verifier string // as PostgreSQL keeps it
	history  []revision
	broken   bool   // what is released next does not come up
	wrong    bool   // what is released next comes up and does not do its work
	openAI   string // a setting that is a secret

	steps int
	fails map[int]failure // by the number of the step
	names []string        // of the steps
	lost  error           // the release is another's
}

type revision struct {
	checksum        string
	version         string
	broken, wrong   bool
	verified, apart bool
}

// failure is what happens at a step.
type failure struct {
	after bool // whether it takes effect all the same
	kill  bool // whether the run ends there as by SIGKILL
}

var errStep = errors.New("this step failed")

type killed struct{}

const namespace = "todo"

// step does one thing to the world, or fails at it.
func (w *world) step(name string, do func()) error {
	w.steps++
	w.names = append(w.names, name)
	f, fails := w.fails[w.steps]
	if !fails {
		do()
		return nil
	}
	if f.after {
		do()
	}
	if f.kill {
		panic(killed{})
	}
	return errStep
}

// newWorld is one where version 1 was installed and passed its checks.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, fails: map[int]failure{}}
	w.client = kubetest.NewClientset(
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "backend"}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: databasePod}, Status: corev1.PodStatus{
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}},
	)
	require.NoError(t, w.run("1", false))
	w.client.PrependReactor("update", "secrets", func(action clienttest.Action) (handled bool, object runtime.Object, err error) {
		object = action.(clienttest.UpdateAction).GetObject()
		err = w.step("write Secret", func() {
			resource := action.GetResource()
			now, getErr := w.client.Tracker().Get(resource, namespace, secrets.Name)
			require.NoError(t, getErr)
			require.Equal(t, now.(*corev1.Secret).ResourceVersion, object.(*corev1.Secret).ResourceVersion)
			object = object.DeepCopyObject()
			object.(*corev1.Secret).ResourceVersion += "1"
			require.NoError(t, w.client.Tracker().Update(resource, object, namespace))
		})
		return true, object, err
	})
	w.client.PrependReactor("patch", "deployments", func(clienttest.Action) (bool, runtime.Object, error) {
		return true, &appsv1.Deployment{}, w.step("restart pods", func() { w.last().apart = true; w.start() })
	})
	w.steps, w.names = 0, nil
	return w
}

// run deploys a version as one run of a target does, which may be killed.
func (w *world) run(version string, rotate bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			err = errStep
		}
	}()
	c := on(w.client, config.Config{OpenAIKey: w.openAI, State: w.t.TempDir()})
	c.Provider, c.Access = elsewhere{}, cluster.Access{HTTP: "127.0.0.1:80"}
	i := &installation{
		Cluster: c,
		made:    Application{"backend": "todo-backend:" + version, "frontend": "todo-frontend:1"}, rotate: rotate,
		exec: w.exec, comesUp: w.comesUp, works: w.works,
		present: func(context.Context, *ui.Task) error { return nil },
	}
	return i.change(w.t.Context(), nil, w)
}

// elsewhere is a cluster that somebody else runs.
type elsewhere struct{ cluster.Provider }

func (elsewhere) Addons() bool { return false }
func (elsewhere) Node(context.Context, *ui.Task, source.Source) (source.Node, error) {
	return source.Node{}, nil
}
func (elsewhere) Foreign() bool { return true }

// drain is how long a pod takes to end its requests.
const drain = 5 * time.Second

// urlAnnotation is the environment of a pod, as far as it matters here.
const urlAnnotation = "test/url"

// start begins the pods of the newest revision anew, with the Secret as it is now. Those before end once these are
// ready, and have drained.
func (w *world) start() {
	if w.verifier == "" { // the database is made, with the password that there is
		w.verifier = fmt.Sprintf("SCRAM-SHA-256$4096:c2FsdA==$%s:", stored(w.t, w.password(), []byte("salt")))
	}
	pods := corev1.SchemeGroupVersion.WithResource("pods")
	name := fmt.Sprintf("backend-%d-%d", len(w.history), w.steps)
	require.NoError(w.t, w.client.Tracker().Create(pods, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(name), Labels: map[string]string{"app": "todo-backend", "revision": w.key()},
		Annotations: map[string]string{secretsChecksum: w.last().checksum, urlAnnotation: string(w.secret()[secrets.DatabaseURL])},
	}}, namespace))
}

// key is that of a ReplicaSet: the same for revisions with the same pods.
func (w *world) key() string {
	r := w.last()
	return fmt.Sprint(r.version, "-", r.checksum, "-", r.apart)
}

// pods are those of the backend, and those of them that are the newest revision's.
func (w *world) pods() (all, current []corev1.Pod) {
	list, err := w.client.Tracker().List(corev1.SchemeGroupVersion.WithResource("pods"), corev1.SchemeGroupVersion.WithKind("Pod"), namespace)
	require.NoError(w.t, err)
	for _, p := range list.(*corev1.PodList).Items {
		if p.Labels["app"] != "todo-backend" {
			continue
		}
		all = append(all, p)
		if p.Labels["revision"] == w.key() {
			current = append(current, p)
		}
	}
	return all, current
}

func (w *world) comesUp(context.Context, *ui.Task) error {
	err := w.step("rollout", func() {})
	if err != nil {
		return err
	}
	all, current := w.pods()
	if w.last().broken {
		return errors.New("backend does not come up")
	}
	for _, p := range current {
		if !w.opens(p.Annotations[urlAnnotation]) {
			return errors.New("backend: password authentication failed")
		}
	}
	for _, p := range all {
		if p.Labels["revision"] != w.key() {
			time.AfterFunc(drain, func() { // it may be gone already
				_ = w.client.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("pods"), namespace, p.Name)
			})
		}
	}
	return nil
}

func (w *world) works(context.Context, *ui.Task) error {
	if err := w.step("smoke test", func() {}); err != nil {
		return err
	}
	if w.last().wrong {
		return errors.New("POST /api/tasks gave 418")
	}
	return nil
}

// serves checks that whoever serves can reach the database, and so can whoever begins now.
func (w *world) serves() {
	w.t.Helper()
	assert.True(w.t, w.opens(string(w.secret()[secrets.DatabaseURL])), "the URL in the Secret does not open the database")
	all, _ := w.pods()
	require.NotEmpty(w.t, all)
	for _, p := range all {
		assert.True(w.t, w.opens(p.Annotations[urlAnnotation]), "pod %s cannot connect any more", p.Name)
	}
}
