//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/kubectl/pkg/util/podutils"

	"todo.local/magefiles/internal/secrets"
)

// given deploys with secrets of a person's own, with a database elsewhere among them, and looks for them in every
// process that runs meanwhile.
func given(t *testing.T, project checkout, alice *user) {
	d := running(t)
	password := "given-" + strings.ToLower(rand.Text())
	values := map[string]string{
		secrets.DatabaseURL: "postgresql://todo:" + password + "@" + otherDatabase(t, d, password) + ":5432/todo",
		secrets.JWTSecret:   "given-" + rand.Text() + rand.Text(),
		secrets.OpenAIKey:   "sk-given-" + rand.Text(),
	}
	theirs := copyOf(t, project)
	var env strings.Builder
	for _, key := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&env, "%s=%s\n", key, values[key])
	}
	require.NoError(t, os.WriteFile(filepath.Join(theirs.dir, ".env"), []byte(env.String()), 0o600))

	var out bytes.Buffer
	cmd := theirs.command(t.Context(), &out, nil, "deploy")
	require.NoError(t, cmd.Start())
	seen := watchProcesses(t, cmd.Process.Pid)
	err := cmd.Wait()
	arguments, environments := seen()
	t.Logf("deploy with secrets of one's own:\n%s", out.String())
	require.NoError(t, err)

	hidden := map[string][]byte{"the password": []byte(password)}
	for key, value := range values {
		hidden[key] = []byte(value)
	}
	ran := strings.Join(slices.Sorted(maps.Keys(arguments)), "\n")
	t.Logf("%d different command lines, %d environments of the target's own processes", len(arguments), len(environments))
	require.Contains(t, ran, "docker", "the watch sees what the target starts")
	require.NotEmpty(t, environments)
	for name, value := range hidden {
		assert.NotContains(t, ran, string(value), "%s in an argument", name)
		assert.NotContains(t, strings.Join(slices.Collect(maps.Keys(environments)), "\n"), string(value), "%s in an environment", name)
		assert.NotContains(t, out.String(), string(value), "%s in the output", name)
	}
	s, err := d.client.CoreV1().Secrets(d.cfg.Namespace).Get(t.Context(), secrets.Name, metav1.GetOptions{})
	require.NoError(t, err)
	for key, value := range values {
		assert.Equal(t, value, string(s.Data[key]), "they are what the application uses")
	}
	noSecretAnywhere(t, theirs, d, hidden)
	d.register(t, "guest@example.com")
	require.Error(t, alice.do(t.Context(), http.MethodGet, "/api/tasks", nil, http.StatusOK, nil), "another database, where she has no account")

	r := project.mage(t, nil, "deploy")
	require.Zero(t, r.code)
	d.login(t, alice)
	assert.Equal(t, []string{"written on the first day"}, alice.titles(t), "the database of the cluster is as it was left")
	s, err = d.client.CoreV1().Secrets(d.cfg.Namespace).Get(t.Context(), secrets.Name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.NotContains(t, s.Data, secrets.OpenAIKey, "a key that is taken away is gone")
}

// otherDatabase runs a PostgreSQL in another namespace, as one that somebody else runs, and gives its host name.
func otherDatabase(t *testing.T, d *deployment, password string) string {
	t.Helper()
	const namespace = "elsewhere"
	ctx := t.Context()
	_, err := d.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = d.client.CoreV1().Namespaces().Delete(context.WithoutCancel(ctx), namespace, metav1.DeleteOptions{})
	})
	spec := d.pods(t)["postgres-0"].Spec
	main := corev1.Container{
		Name: "postgres", Image: spec.Containers[0].Image, ImagePullPolicy: spec.Containers[0].ImagePullPolicy, VolumeMounts: spec.Containers[0].VolumeMounts,
		Env: []corev1.EnvVar{{Name: "POSTGRES_USER", Value: "todo"}, {Name: "POSTGRES_DB", Value: "todo"}, {Name: "POSTGRES_PASSWORD", Value: password},
			{Name: "PGDATA", Value: "/var/lib/postgresql/data/pgdata"}},
		ReadinessProbe: spec.Containers[0].ReadinessProbe,
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "database", Labels: map[string]string{"app": "database"}},
		Spec:       corev1.PodSpec{SecurityContext: spec.SecurityContext, Containers: []corev1.Container{main}},
	}
	for _, m := range main.VolumeMounts {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: m.Name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	}
	_, err = d.client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = d.client.CoreV1().Services(namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "database"},
		Spec:       corev1.ServiceSpec{Selector: pod.Labels, Ports: []corev1.ServicePort{{Port: 5432}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, wait.PollUntilContextTimeout(ctx, time.Second, time.Minute, true, func(ctx context.Context) (bool, error) {
		p, err := d.client.CoreV1().Pods(namespace).Get(ctx, "database", metav1.GetOptions{})
		return err == nil && podutils.IsPodReady(p), err
	}))
	return "database." + namespace + ".svc"
}

// watchProcesses reads, over and over, the command line of every process of this machine and the environment of those
// below root, until the function that it gives is called, which gives all that was read.
func watchProcesses(t *testing.T, root int) func() (arguments, environments map[string]bool) {
	t.Helper()
	arguments, environments := map[string]bool{}, map[string]bool{}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		below := map[int]bool{root: true} // also after their parents have ended
		for {
			entries, _ := os.ReadDir("/proc")
			for _, e := range entries {
				pid, err := strconv.Atoi(e.Name())
				if err != nil {
					continue
				}
				// A process that ends meanwhile leaves nothing to read.
				if line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")); len(line) > 0 {
					arguments[strings.ReplaceAll(string(line), "\x00", " ")] = true
				}
				if below[pid] || below[parent(e.Name())] {
					below[pid] = true
					if env, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ")); len(env) > 0 {
						environments[string(env)] = true
					}
				}
			}
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() (map[string]bool, map[string]bool) {
		close(stop)
		<-stopped
		return arguments, environments
	}
}

// parent gives the ID of a process's parent, or 0.
func parent(pid string) int {
	stat, _ := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	_, after, _ := strings.Cut(string(stat), ") ") // the name before it may hold anything
	fields := strings.Fields(after)
	if len(fields) < 2 {
		return 0
	}
	id, _ := strconv.Atoi(fields[1])
	return id
}

// noSecretAnywhere looks for the application's secrets where none may be: Helm's records, what the chart renders to,
// the logs of the pods, what the targets wrote into the checkout.
func noSecretAnywhere(t *testing.T, project checkout, d *deployment, secret map[string][]byte) {
	var places bytes.Buffer
	records, err := d.client.CoreV1().Secrets(d.cfg.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	require.NoError(t, err)
	require.NotEmpty(t, records.Items)
	for _, r := range records.Items { // each is JSON, compressed, in base64
		packed, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(r.Data["release"])))
		require.NoError(t, err)
		_, err = places.ReadFrom(packed)
		require.NoError(t, err)
	}
	require.Contains(t, places.String(), "app-secrets", "the records are readable")
	pods, err := d.client.CoreV1().Pods(d.cfg.Namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, p := range pods.Items {
		for _, c := range append(p.Spec.InitContainers, p.Spec.Containers...) {
			log, err := d.client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{Container: c.Name}).DoRaw(t.Context())
			if p.DeletionTimestamp == nil { // the log of one on its way out may be gone
				require.NoError(t, err, p.Name)
			}
			places.Write(log)
		}
	}
	for _, target := range []string{"events", "release:diff", "chart:render"} {
		r := project.mage(t, nil, target)
		require.Zero(t, r.code)
		places.WriteString(r.output)
	}
	require.NoError(t, filepath.WalkDir(filepath.Join(project.dir, ".cache"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, ".png") {
			return err
		}
		raw, err := os.ReadFile(path)
		places.Write(raw)
		return err
	}))
	for key, value := range secret {
		require.NotEmpty(t, value, key)
		assert.False(t, bytes.Contains(places.Bytes(), value), "%s is readable somewhere", key)
		assert.False(t, bytes.Contains(places.Bytes(), []byte(base64.StdEncoding.EncodeToString(value))), "%s is readable somewhere, in base64", key)
	}
}
