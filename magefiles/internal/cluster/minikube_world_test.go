package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
)

// script is a minikube of files: $STATE/host is what its node does, $STATE/container the ID of the node's container,
// $STATE/fail-COMMAND what a command prints before it fails, and $STATE/hang makes a start never end. It answers with
// the words and exit codes of the real one.
const script = `#!/bin/sh
printf '%s\n' "$*" >>"$STATE/argv"
printf '%s\n' "$KUBECONFIG" >>"$STATE/kubeconfigs"
printf '%s' "$PATH" >"$STATE/path"
printf '%s' "$MINIKUBE_HOME" >"$STATE/home"
if [ -e "$STATE/fail-$1" ]; then
  cat "$STATE/fail-$1"
  rm "$STATE/fail-$1"
  exit 80
fi
case $1 in
status)
  host=$(cat "$STATE/host" 2>/dev/null)
  case $host in
  "") echo '{"type":"io.k8s.sigs.minikube.step","data":{"message":"Profile \"x\" not found."}}'; exit 85 ;;
  Removed) printf null ;;
  Running) echo '{"Name":"x","Host":"Running","Kubelet":"Running","APIServer":"Running","Kubeconfig":"Configured","Worker":false}' ;;
  Paused) echo '{"Name":"x","Host":"Running","Kubelet":"Stopped","APIServer":"Paused","Kubeconfig":"Configured","Worker":false}'; exit 2 ;;
  *) echo '{"Name":"x","Host":"Stopped","Kubelet":"Stopped","APIServer":"Stopped","Kubeconfig":"Stopped","Worker":false}'; exit 7 ;;
  esac ;;
start)
  echo '{"type":"io.k8s.sigs.minikube.step","data":{"currentstep":"3","message":"Starting \"x\"","name":"Starting Node","totalsteps":"19"}}'
  echo '{"type":"io.k8s.sigs.minikube.step","data":{"currentstep":"11","message":"Preparing Kubernetes","name":"Preparing Kubernetes","totalsteps":"19"}}'
  [ -e "$STATE/host" ] || echo Stopped >"$STATE/host"
  [ -e "$STATE/container" ] || date +%s%N >"$STATE/container"
  if [ -e "$STATE/hang" ]; then rm "$STATE/hang"; sleep 300; fi
  echo Running >"$STATE/host"
  cp "$STATE/kubeconfig" "$KUBECONFIG" ;;
update-context) cp "$STATE/kubeconfig" "$KUBECONFIG" ;;
ip) echo 192.168.49.2 ;;
addons) ;;
stop) echo Stopped >"$STATE/host" ;;
delete) rm -f "$STATE/host" "$STATE/container" ;;
*) exit 64 ;;
esac
`

// minikubeWorld is a machine with the scripted minikube first on PATH, an API server, and a Docker engine that has the
// node's container.
type minikubeWorld struct {
	state  string // folder of the script
	docker *run.Fake
	asked  atomic.Int32 // how often pods were listed
	// unpublished is a node of before its ports were published, incomplete what one answers whose creation was not
	// completed.
	unpublished bool
	incomplete  string
}

func newMinikube(t *testing.T) (*minikubeWorld, *Minikube) {
	t.Helper()
	dir := t.TempDir()
	w := &minikubeWorld{state: filepath.Join(dir, "state"), docker: &run.Fake{}}
	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.Mkdir(w.state, 0o755))
	require.NoError(t, os.Mkdir(bin, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "minikube"), []byte(script), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("STATE", w.state)
	t.Setenv("KUBECONFIG", filepath.Join(dir, "of-the-user"))

	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		switch r.URL.Path { // an empty cluster tells of no time before
		case "/api/v1/pods":
			w.asked.Add(1)
			_, _ = fmt.Fprint(rw, `{"kind":"PodList","apiVersion":"v1","items":[]}`)
		case "/apis/discovery.k8s.io/v1/endpointslices":
			_, _ = fmt.Fprint(rw, `{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","items":[]}`)
		case "/api/v1/persistentvolumes", "/api/v1/persistentvolumes/made-ahead/status":
			rw.Header().Set("Content-Type", r.Header.Get("Content-Type"))
			_, _ = io.Copy(rw, r.Body)
		}
	}))
	t.Cleanup(api.Close)
	w.write(t, "kubeconfig", kubeconfigOf("x", api.URL))
	w.docker.On("docker exec --env", "", nil) // how it does
	w.docker.OnFunc("docker container inspect", func(run.Cmd) (string, error) {
		id, err := os.ReadFile(filepath.Join(w.state, "container"))
		if err != nil {
			return "Error: No such container: x", errors.New("exit status 1")
		}
		bindings := `{"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8443"}]}`
		if w.unpublished {
			bindings = "{}"
		}
		return fmt.Sprintf(`[{"Id": %q, "State": {"Status": "running"}, "HostConfig": {"PortBindings": %s}}]`, strings.TrimSpace(string(id)), bindings), nil
	})
	w.docker.OnFunc("docker exec x sh -c", func(c run.Cmd) (string, error) {
		if strings.Contains(c.String(), "touch ") {
			w.write(t, "completed", "")
			return "", nil
		}
		if _, err := os.Stat(filepath.Join(w.state, "completed")); err == nil {
			return "complete", nil
		}
		return w.incomplete, nil
	})
	return w, &Minikube{
		Runner: run.Exec{}, Docker: dockertest.New(t, w.docker), Profile: "x",
		Kubeconfig: filepath.Join(dir, "checkout", "kubeconfig"), Cache: filepath.Join(dir, "cache"),
		Diagnoses: filepath.Join(dir, "diagnosis"), pulse: time.Hour,
		Ports: func(context.Context) (Ports, error) { return Ports{HTTP: 8080, HTTPS: 8443}, nil },
	}
}

func kubeconfigOf(name, server string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: %[1]s, cluster: {server: %[2]q}}]\n"+
		"contexts: [{name: %[1]s, context: {cluster: %[1]s, user: %[1]s}}]\nusers: [{name: %[1]s, user: {token: of-%[1]s}}]\n", name, server)
}

func (w *minikubeWorld) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(w.state, name), []byte(text), 0o600))
}

// calls gives the commands since the last call of it, without their profile.
func (w *minikubeWorld) calls(t *testing.T) []string {
	t.Helper()
	path := filepath.Join(w.state, "argv")
	raw, _ := os.ReadFile(path)
	_ = os.Remove(path)
	var lines []string
	for line := range strings.Lines(string(raw)) {
		line, found := strings.CutSuffix(strings.TrimSpace(line), " --profile x")
		assert.True(t, found, "every command names its profile: %s", line)
		lines = append(lines, line)
	}
	return lines
}

const (
	startCall = "start --memory=4096 --cpus=2 --driver=docker --container-runtime=containerd --embed-certs --interactive=false --output=json"
	firstCall = startCall + " --ports=127.0.0.1:8080:80,127.0.0.1:8443:443"
)

var making = []string{"status --output json", firstCall, "addons enable ingress", "addons enable metrics-server"}

func minikubeUp(t *testing.T, m *Minikube) Access {
	t.Helper()
	a, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.NoError(t, err)
	return a
}
