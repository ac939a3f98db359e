package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// A node that does not say, while it runs, that it was never completed may hold a database.
func TestANodeThatDoesNotTellOfItsCreationIsKept(t *testing.T) {
	says := func(output string, err error) func(*world) {
		return func(w *world) { w.fake.On("docker exec x-control-plane", output, err) }
	}
	for name, x := range map[string]struct {
		happens func(*world)
		cause   string
	}{
		"its entrypoint ends after the start": {func(w *world) {
			w.fake.OnFunc("docker start", func(run.Cmd) (string, error) { w.status = "exited"; return "", nil })
			w.fake.On("docker exec x-control-plane", "", run.Failed(1, "Error response from daemon: Container 1234 is not running\n"))
			w.fake.On("docker logs", "INFO: starting\nmount: /sys: permission denied\n", nil)
		}, "its container ended: exit code 0: mount: /sys: permission denied"},
		"its disk is full": {func(w *world) {
			w.fake.On("docker exec x-control-plane", "", run.Failed(1, "sh: 1: cannot create: No space left on device\n"))
		}, "the disk is full"},
		"its disk cannot be read": {says("", run.Failed(2, "ls: reading directory '/var/lib/': Input/output error\n")), "Input/output error"},
		"the engine hiccups":      {says("", run.Failed(1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n")), "its engine does not answer"},
		"exec is refused":         {says("", run.Failed(126, "OCI runtime exec failed: exec failed: unable to start container process: permission denied\n")), "permission denied"},
		"there is no shell":       {says("", run.Failed(127, "OCI runtime exec failed: exec failed: \"sh\": executable file not found in $PATH\n")), "executable file not found"},
		"exec is killed":          {says("", run.Failed(137, "")), "exit status 137"},
		"the client does not run": {says("", run.Failed(-1, "")), "exit status -1"},
		"it says nothing":         {says("", nil), `it answers ""`},
		"it says something else":  {says("OK", nil), `it answers "OK"`},
		"it ends while it is asked": {func(w *world) {
			w.fake.OnFunc(asked, func(run.Cmd) (string, error) { w.status = "exited"; return "incomplete", nil })
		}, "its container ended"},
		"it is started anew while it is asked": {func(w *world) {
			w.fake.OnFunc(asked, func(run.Cmd) (string, error) { w.started++; return "incomplete", nil })
		}, "its node ended while it was asked"},
		"it does not start": {func(w *world) {
			w.fake.On("docker start", "", run.Failed(1, "Error response from daemon: error while mounting volume: no such device\nError: failed to start containers: x-control-plane\n"))
		}, "error while mounting volume: no such device"},
		"its port is taken": {func(w *world) {
			w.fake.On("docker start", "", run.Failed(1, "Error response from daemon: Bind for 127.0.0.1:8080 failed: port is already allocated\nError: failed to start containers: x-control-plane\n"))
		}, "a port of it is taken: .*127.0.0.1:8080"},
	} {
		t.Run(name, func(t *testing.T) {
			w, k := newWorld(t)
			w.status, w.marked, w.complete = "exited", true, false
			require.NoError(t, os.WriteFile(k.Kubeconfig, []byte("of the user's cluster"), 0o600))
			x.happens(w)
			_, err := up(t, k)
			require.Error(t, err)
			assert.Zero(t, w.deleted)
			assert.Zero(t, w.created)
			assert.FileExists(t, k.Kubeconfig)
			assert.NotContains(t, strings.Join(w.fake.Calls(), "\n"), "docker rm")
			assert.Regexp(t, `^kind cluster x does not come up: .*`+x.cause, err.Error())
			assert.NotContains(t, err.Error(), "\n")
			repair, last, _ := strings.Cut(fault.Remedy(err), "Nothing was deleted")
			assert.NotContains(t, repair, "cluster:delete")
			assert.NotEmpty(t, repair)
			assert.Contains(t, last, "cluster:delete")
			kept, err := filepath.Glob(filepath.Join(k.Diagnoses, "*", "cause.txt"))
			require.NoError(t, err)
			assert.Len(t, kept, 1)
		})
	}
}

func TestANodeThatSaysItWasNeverCompletedIsMadeAgain(t *testing.T) {
	for _, status := range []string{"exited", "running", "paused", "created"} {
		t.Run(status, func(t *testing.T) {
			w, k := newWorld(t)
			w.fake.OnFunc("docker unpause", func(run.Cmd) (string, error) { w.status = "running"; return "", nil })
			w.status, w.marked = status, true
			_, err := up(t, k)
			require.NoError(t, err)
			assert.Equal(t, []int{1, 1}, []int{w.deleted, w.created})
		})
	}
}

func TestANodeWithNoHopeIsGivenUpAtOnce(t *testing.T) {
	for name, x := range map[string]struct {
		happens func(*world)
		cause   string
	}{
		"it ends a moment after its start": {func(w *world) {
			w.fake.OnFunc(asked, func(run.Cmd) (string, error) { w.status = "exited"; return "complete", nil })
		}, "its container ended: exit code 0"},
		"its kubelet fails over and over": {func(w *world) {
			w.fake.On("docker exec --env STARTED=@1767225601 --env ID=1234 x-control-plane sh -c journalctl --unit kubelet",
				`E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to load kubelet config file, path: /var/lib/kubelet/config.yaml"`+"\n", nil)
		}, "the kubelet does not start: failed to load kubelet config file, path: /var/lib/kubelet/config.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			w, k := newWorld(t)
			k.pulse = time.Millisecond
			w.status, w.marked, w.complete = "exited", true, true
			w.fake.OnFunc("docker start", func(run.Cmd) (string, error) { w.status = "running"; w.started++; return "", nil })
			x.happens(w)
			_, err := up(t, k)
			require.EqualError(t, err, "kind cluster x does not come up: "+x.cause)
			assert.Zero(t, w.deleted)
			assert.NotContains(t, w.fake.Calls(), "docker restart x-control-plane")
		})
	}
}
