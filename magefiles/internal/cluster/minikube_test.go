package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
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
			fmt.Fprint(rw, `{"kind":"PodList","apiVersion":"v1","items":[]}`)
		case "/apis/discovery.k8s.io/v1/endpointslices":
			fmt.Fprint(rw, `{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","items":[]}`)
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

func TestMinikubeIsMadeOnceAndThenFound(t *testing.T) {
	w, m := newMinikube(t)
	state, err := m.State(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Absent, state)
	assert.False(t, m.Made())
	w.calls(t)

	a := minikubeUp(t, m)
	assert.Equal(t, Access{API: kube.API{Kubeconfig: m.Kubeconfig, Context: "x"}, HTTP: "127.0.0.1:8080", HTTPS: "127.0.0.1:8443"}, a)
	assert.Equal(t, making, w.calls(t))
	assert.True(t, m.Made())

	assert.Equal(t, a, minikubeUp(t, m))
	assert.Equal(t, []string{"status --output json"}, w.calls(t))
	used, err := os.ReadFile(filepath.Join(w.state, "kubeconfigs"))
	require.NoError(t, err)
	for line := range strings.Lines(string(used)) {
		assert.Equal(t, m.Kubeconfig, strings.TrimSpace(line), "minikube must not see the user's kubeconfig")
	}
}

func TestMinikubeThatDoesNotServeIsStarted(t *testing.T) {
	for host, want := range map[string]State{"Stopped": Stopped, "Paused": Running, "Removed": Stopped} {
		t.Run(host, func(t *testing.T) {
			w, m := newMinikube(t)
			minikubeUp(t, m)
			w.write(t, "host", host)
			if host == "Removed" {
				require.NoError(t, os.Remove(filepath.Join(w.state, "container")))
			}
			state, err := m.State(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, state)
			w.calls(t)
			minikubeUp(t, m)
			assert.Equal(t, []string{"status --output json", startCall}, w.calls(t), "its addons are kept by minikube")
			assert.Equal(t, host != "Paused", w.asked.Load() > 0, "a node that was started is asked whether it tells of now")
			minikubeUp(t, m)
			assert.Equal(t, []string{"status --output json"}, w.calls(t))
		})
	}
}

func TestMinikubeThatForgotAProfileDoesNotMakeItAnew(t *testing.T) {
	w, m := newMinikube(t)
	minikubeUp(t, m)
	require.NoError(t, os.Remove(filepath.Join(w.state, "host"))) // another MINIKUBE_HOME
	w.calls(t)
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.ErrorContains(t, err, "minikube does not know minikube profile x, whose node is in the Docker engine")
	assert.Contains(t, fault.Remedy(err), "MINIKUBE_HOME")
	assert.Equal(t, []string{"status --output json"}, w.calls(t))
	w.write(t, "host", "Stopped")
	minikubeUp(t, m)
}

func TestMinikubeDoesNotPassOnTheAdviceToDelete(t *testing.T) {
	w, m := newMinikube(t)
	minikubeUp(t, m)
	w.write(t, "host", "Stopped")
	w.write(t, "fail-start", `{"type":"io.k8s.sigs.minikube.error","data":{"advice":"Run: \"minikube delete -p x\", then \"minikube start\"","message":"the reason why"}}`+"\n")
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.ErrorContains(t, err, "the reason why")
	assert.NotContains(t, fault.Remedy(err), "delete")
}

func TestMinikubeProfileOfSomebodyElseIsLeftAlone(t *testing.T) {
	for name, meet := range map[string]func(*testing.T, *minikubeWorld, *Minikube){
		"never made here": func(t *testing.T, w *minikubeWorld, _ *Minikube) { w.write(t, "host", "Running") },
		"made anew by somebody": func(t *testing.T, w *minikubeWorld, m *Minikube) {
			minikubeUp(t, m)
			w.write(t, "container", "another")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, m := newMinikube(t)
			meet(t, w, m)
			w.calls(t)
			_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
			require.ErrorContains(t, err, "did not make")
			assert.Contains(t, fault.Remedy(err), "TODO_CLUSTER_NAME")
			require.Error(t, m.Down(t.Context(), nil))
			require.Error(t, m.Delete(t.Context(), nil))
			_, err = m.Access(t.Context())
			require.Error(t, err)
			for _, call := range w.calls(t) {
				assert.Equal(t, "status --output json", call)
			}
		})
	}
}

func TestMinikubeInterruptedStart(t *testing.T) {
	interrupted := func(t *testing.T) (*minikubeWorld, *Minikube) {
		w, m := newMinikube(t)
		w.write(t, "hang", "")
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for ctx.Err() == nil {
				if _, err := os.Stat(filepath.Join(w.state, "hang")); err != nil {
					cancel()
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
		_, err := m.Up(ctx, nil, source.Node{}, func() {})
		require.ErrorIs(t, err, context.Canceled)
		assert.True(t, m.Made(), "what was begun is this project's to go on with")
		w.calls(t)
		return w, m
	}
	t.Run("the next one goes on", func(t *testing.T) {
		w, m := interrupted(t)
		minikubeUp(t, m)
		assert.Equal(t, making, w.calls(t))
	})
	t.Run("or begins anew, where the node says that it was never completed", func(t *testing.T) {
		w, m := interrupted(t)
		w.incomplete = "incomplete"
		minikubeUp(t, m)
		assert.Equal(t, append([]string{making[0], "delete"}, making[1:]...), w.calls(t))
	})
	t.Run("also where that shows later", func(t *testing.T) {
		w, m := interrupted(t)
		w.docker.OnFunc("docker exec x sh -c", func() func(c run.Cmd) (string, error) {
			asked := 0
			return func(run.Cmd) (string, error) {
				if asked++; asked == 1 {
					return "", errors.New("container is not running")
				}
				return "incomplete", nil
			}
		}())
		w.write(t, "fail-start", "")
		minikubeUp(t, m)
		assert.Equal(t, append([]string{making[0], firstCall, "delete"}, making[1:]...), w.calls(t))
	})
	t.Run("but never one that was completed, or that does not tell", func(t *testing.T) {
		for _, answer := range []string{"complete", "", "what?"} {
			w, m := interrupted(t)
			w.incomplete = answer
			w.write(t, "fail-start", "")
			_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
			require.ErrorContains(t, err, "does not start")
			assert.Regexp(t, "^run the target again.*never completed.*cluster:delete deploy", fault.Remedy(err))
			assert.Equal(t, making[:2], w.calls(t))
			assert.True(t, m.Made())
		}
	})
	t.Run("or deletes it", func(t *testing.T) {
		w, m := interrupted(t)
		require.NoError(t, m.Delete(t.Context(), nil))
		assert.Equal(t, []string{making[0], "delete"}, w.calls(t))
		assert.False(t, m.Made())
	})
}

func TestMinikubeWithoutAnAddonIsNotComplete(t *testing.T) {
	w, m := newMinikube(t)
	w.write(t, "fail-addons", "\nX Exiting due to MK_ADDON_ENABLE: enable failed: run callbacks: no such host\n* \n╭────╮\n│ a box │\n╰────╯\n")
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.EqualError(t, err, "minikube profile x does not get its addon ingress: enable failed: run callbacks: no such host")
	assert.Equal(t, fault.CodeCluster, fault.Code(err))
	w.calls(t)
	minikubeUp(t, m)
	assert.Equal(t, making, w.calls(t))
}

func TestMinikubeThatCannotStartSaysWhy(t *testing.T) {
	w, m := newMinikube(t)
	w.write(t, "fail-start", `{"type":"io.k8s.sigs.minikube.step","data":{"message":"minikube v1.37.0"}}
{"type":"io.k8s.sigs.minikube.error","data":{"advice":"Start minikube with less memory allocated","exitcode":"23","message":"Docker Desktop has only 1977MB memory\nbut you specified 4096MB","name":"RSRC_OVER_ALLOC_MEM"}}
`)
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.EqualError(t, err, "minikube profile x does not start: Docker Desktop has only 1977MB memory but you specified 4096MB")
	assert.Contains(t, fault.Remedy(err), "less memory")
	assert.Equal(t, making[:2], w.calls(t), "a first start that fails is not repeated")
}

func TestMinikubeCommandsThatFailAreOneLineWithARemedy(t *testing.T) {
	for command, call := range map[string]func(context.Context, *Minikube) error{
		"status": func(ctx context.Context, m *Minikube) error { _, err := m.State(ctx); return err },
		"ip":     func(ctx context.Context, m *Minikube) error { _, err := m.Access(ctx); return err },
		"stop":   func(ctx context.Context, m *Minikube) error { return m.Down(ctx, nil) },
		"delete": func(ctx context.Context, m *Minikube) error { return m.Delete(ctx, nil) },
		"update-context": func(ctx context.Context, m *Minikube) error {
			if err := os.Remove(m.Kubeconfig); err != nil {
				return err
			}
			_, err := m.Access(ctx)
			return err
		},
	} {
		t.Run(command, func(t *testing.T) {
			w, m := newMinikube(t)
			minikubeUp(t, m)
			w.unpublished = true
			w.write(t, "fail-"+command, "* advice in a box\nX Exiting due to GUEST_STATUS: the reason why\n* more advice\n")
			err := call(t.Context(), m)
			require.ErrorContains(t, err, "the reason why")
			assert.NotContains(t, err.Error(), "\n")
			assert.Equal(t, fault.CodeCluster, fault.Code(err))
			assert.Contains(t, fault.Remedy(err), "TODO_CLUSTER=kind")
			assert.True(t, m.Made(), "what could not be deleted is still this project's")
		})
	}
}

func TestMinikubeDownAndDeleteTwice(t *testing.T) {
	w, m := newMinikube(t)
	minikubeUp(t, m)
	w.calls(t)
	require.NoError(t, m.Down(t.Context(), nil))
	require.NoError(t, m.Down(t.Context(), nil))
	_, err := m.Access(t.Context())
	require.ErrorContains(t, err, "does not run")
	require.NoError(t, m.Delete(t.Context(), nil))
	require.NoError(t, m.Delete(t.Context(), nil))
	const status = "status --output json"
	assert.Equal(t, []string{status, "stop", status, status, status, "delete", status}, w.calls(t))
	assert.False(t, m.Made())
	assert.NoFileExists(t, m.Kubeconfig)
}

func TestMinikubeRenewsTheKubeconfig(t *testing.T) {
	w, m := newMinikube(t)
	minikubeUp(t, m)
	require.NoError(t, os.RemoveAll(filepath.Dir(m.Kubeconfig))) // a fresh checkout
	w.calls(t)
	_, err := m.Access(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"status --output json", "update-context"}, w.calls(t))
}

func TestMinikubeUsesTheFoundClient(t *testing.T) {
	w, m := newMinikube(t)
	m.Docker.CLI = "/found/docker"
	_, err := m.output(t.Context(), time.Minute, "ip")
	require.NoError(t, err)
	path, err := os.ReadFile(filepath.Join(w.state, "path"))
	require.NoError(t, err)
	assert.Equal(t, "/found:"+os.Getenv("PATH"), string(path))
}

func TestMinikubeThatIsNotInstalledIsBuilt(t *testing.T) {
	w, m := newMinikube(t)
	onPath, err := exec.LookPath("minikube")
	require.NoError(t, err)
	t.Setenv("PATH", "/usr/bin:/bin")
	built := ""
	m.Built = func() string { return built }
	builds := 0
	m.Build = func(context.Context, *ui.Task) (string, error) {
		builds++
		built = onPath
		return built, nil
	}
	state, err := m.State(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Absent, state, "nothing is built for a question")
	require.NoError(t, m.Delete(t.Context(), nil))
	assert.Zero(t, builds)
	minikubeUp(t, m)
	assert.Equal(t, 1, builds)
	assert.Equal(t, making, w.calls(t))

	m.Build = func(context.Context, *ui.Task) (string, error) { return "", errors.New("it does not build") }
	built, m.program = "", ""
	_, err = m.State(t.Context())
	require.EqualError(t, err, "minikube profile x cannot be looked at: it does not build", "a profile that was made is there")
}

// fromSource is a profile's world without a container registry.
func fromSource(t *testing.T) (*minikubeWorld, *Minikube, source.Node) {
	w, m := newMinikube(t)
	m.FromSource = true
	w.docker.OnFunc("docker run --rm --network none --entrypoint cat todo-minikube:1 /usr/bin/kubeadm", func(c run.Cmd) (string, error) {
		_, err := c.Stdout.Write([]byte("kubeadm"))
		return "", err
	})
	w.docker.On("docker exec x sh -c until ctr", "", nil)
	return w, m, source.Node{Image: "todo-minikube:1", Traefik: "t", Minikube: &source.MinikubeParts{Kubernetes: "v1.2.3", Storage: "kind: List"}}
}

func TestMinikubeWithoutARegistryFetchesNothing(t *testing.T) {
	w, m, node := fromSource(t)
	assert.True(t, m.Addons())
	taken := false
	a, err := m.Up(t.Context(), nil, node, func() { taken = true })
	require.NoError(t, err)
	assert.Equal(t, "todo-minikube:1", a.NodeImage)
	assert.True(t, taken, "images are brought while the control plane starts")
	storage := filepath.Join(m.Cache, "minikube", "x-storage.yaml")
	assert.Equal(t, []string{
		"status --output json",
		firstCall + " --force --preload=false --cache-images=false --wait=apiserver,node_ready,system_pods" +
			" --base-image=todo-minikube:1 --kubernetes-version=v1.2.3 --install-addons=false --cni=" + storage + " --apiserver-port=6443",
	}, w.calls(t))
	assert.FileExists(t, storage)
	seeded, err := os.ReadFile(filepath.Join(m.Cache, "minikube", ".minikube", "cache", "linux", runtime.GOARCH, "v1.2.3", "kubeadm"))
	require.NoError(t, err)
	assert.Equal(t, "kubeadm", string(seeded))
	home, err := os.ReadFile(filepath.Join(w.state, "home"))
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(m.Cache, "minikube"), string(home), "not the person's own")

	w.write(t, "host", "Stopped")
	_, err = m.Up(t.Context(), nil, node, func() {})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"status --output json",
		startCall + " --force --preload=false --cache-images=false --wait=apiserver,node_ready,system_pods",
	}, w.calls(t))

	m.FromSource = false // a registry answers by now
	assert.True(t, m.Addons(), "the profile stays what it is")
}

func TestMinikubeOfRootIsForcedAndSaysSo(t *testing.T) {
	w, m := newMinikube(t)
	m.Root = true
	var out bytes.Buffer
	require.NoError(t, ui.Plain(&out).Do("node", func(task *ui.Task) error {
		_, err := m.Up(t.Context(), task, source.Node{}, func() {})
		return err
	}))
	assert.Contains(t, out.String(), "refuses root, and is forced")
	assert.Equal(t, firstCall+" --force", w.calls(t)[1])
}

func TestMinikubeNodeThatOnlyTheEngineKnowsIsLeftAlone(t *testing.T) {
	w, m := newMinikube(t)
	w.write(t, "container", "somebody's")
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.ErrorContains(t, err, "a container x exists, and minikube has no such profile")
	assert.Contains(t, fault.Remedy(err), "TODO_CLUSTER_NAME")
	assert.Equal(t, []string{"status --output json"}, w.calls(t), "minikube would remove it")
}

func TestMinikubeOfBeforeItsPortsWerePublished(t *testing.T) {
	w, m := newMinikube(t)
	w.unpublished = true
	a := minikubeUp(t, m)
	assert.Equal(t, "192.168.49.2:80", a.HTTP)
	assert.Equal(t, "192.168.49.2:443", a.HTTPS)
}

func TestMinikubeLoadsIntoItsNode(t *testing.T) {
	_, m := newMinikube(t)
	minikubeUp(t, m)
	node := &run.Fake{}
	m.Docker = dockertest.New(t, node)
	node.On("docker image inspect", dockertest.Inspected(engine.Image{ID: "sha256:a"}), nil)
	node.On("docker exec x ctr --namespace k8s.io content list", "sha256:0\n", nil)
	node.On("docker exec x containerd config dump", "version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'overlayfs'\n", nil)
	node.On("docker save", "", errors.New("the engine went away"))
	_, err := m.Load(t.Context(), nil, []string{"todo-a:1"})
	require.ErrorContains(t, err, "the engine went away", "it begins with asking the node what it lacks, and saves that")
}

func TestMinikubeEndsWithWhoeverStartedIt(t *testing.T) {
	in, open, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", leash, "sh", "sleep", "300")
	cmd.Stdin = in
	require.NoError(t, cmd.Start())
	require.NoError(t, in.Close())
	require.NoError(t, open.Close()) // as the system does for a process that was killed
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	assert.Equal(t, 128+int(syscall.SIGTERM), exit.ExitCode())

	in, open, err = os.Pipe()
	require.NoError(t, err)
	defer in.Close()
	defer open.Close()
	cmd = exec.CommandContext(t.Context(), "sh", "-c", leash, "sh", "sh", "-c", `echo "$1"; exit 7`, "sh", "two words")
	cmd.Stdin = in
	out, err := cmd.Output()
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 7, exit.ExitCode(), "its exit code is the command's")
	assert.Equal(t, "two words\n", string(out))
}
