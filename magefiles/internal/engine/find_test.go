package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// program puts an executable that is never run into a folder.
func program(t *testing.T, path string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, nil, 0o755))
	return path
}

func onPath(t *testing.T, dirs ...string) {
	t.Helper()
	t.Setenv("PATH", strings.Join(dirs, string(os.PathListSeparator)))
}

func versions(client, server string) string {
	return `{"Client":{"Version":"` + client + `","Os":"darwin","Arch":"arm64"},"Server":{"Version":"` + server + `","Os":"linux","Arch":"amd64"}}`
}

func TestFindPassesOverAClientWithoutBuildx(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	plain, debian := program(t, a+"/docker"), program(t, b+"/docker")
	onPath(t, a, b)
	r := (&run.Fake{}).
		On(plain+" version", versions("28.2.2", "20.10.24+dfsg1"), nil).
		On(plain+" buildx version", "", errors.New("exit status 1")).
		On(debian+" version", versions("20.10.24+dfsg1", "20.10.24+dfsg1"), nil)

	d, err := Find(t.Context(), r)
	require.NoError(t, err)
	assert.Equal(t, debian, d.CLI)
	assert.Equal(t, "20.10.24+dfsg1", d.EngineVersion)
	assert.Equal(t, "linux/amd64", d.Platform)
}

func TestFindTakesTheFirstClientThatCanBuild(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	first, second := program(t, a+"/docker"), program(t, b+"/docker")
	onPath(t, a, b)
	r := (&run.Fake{}).
		On(first+" version", versions("28.2.2", "28.2.2"), nil).
		On(first+" buildx version", "github.com/docker/buildx v0.38.2", nil).
		On(second+" version", versions("20.10.24", "28.2.2"), nil)

	d, err := Find(t.Context(), r)
	require.NoError(t, err)
	assert.Equal(t, first, d.CLI)
}

func TestFindTellsReasonsApart(t *testing.T) {
	const socket = "unix:///var/run/docker.sock"
	cases := []struct {
		name, answer string
		err          error
		want         error
	}{
		{"engine stopped", "Cannot connect to the Docker daemon at " + socket + ". Is the docker daemon running?", errors.New("exit status 1"), ErrNotRunning},
		{"engine stopped, client 29", "failed to connect to the docker API at " + socket + "; check if the path is correct", errors.New("exit status 1"), ErrNotRunning},
		{"not in the group", "permission denied while trying to connect to the Docker daemon socket at " + socket, errors.New("exit status 1"), ErrNoPermission},
		{"engine hangs", "", context.DeadlineExceeded, ErrNotRunning},
		{"client without a builder", versions("4.3.1", "20.10.24"), nil, ErrNoBuilder},
	}
	builders := []struct {
		name string
		err  error
		want error
	}{
		{"no buildx plugin", run.Failed(1, "docker: 'buildx' is not a docker command."), ErrNoBuilder},
		{"slow buildx plugin", context.DeadlineExceeded, ErrSlowBuilder},
	}
	for _, c := range builders {
		t.Run(c.name, func(t *testing.T) {
			a, b := t.TempDir(), t.TempDir()
			docker, other := program(t, a+"/docker"), program(t, b+"/docker")
			onPath(t, b, a)
			fake := (&run.Fake{}).On(docker+" version", versions("28.2.2", "28.2.2"), nil).On(docker+" buildx version", "", c.err).
				On(other+" version", versions("4.3.1", "28.2.2"), nil)
			_, err := Find(t.Context(), fake)
			require.ErrorIs(t, err, c.want)
			assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
			assert.NotEmpty(t, fault.Remedy(err))
		})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			docker := program(t, dir+"/docker")
			onPath(t, dir)
			_, err := Find(t.Context(), (&run.Fake{}).On(docker+" version", c.answer, c.err))
			require.ErrorIs(t, err, c.want)
			assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
			assert.NotEmpty(t, fault.Remedy(err))
		})
	}
}

func TestFindWithoutAnyClient(t *testing.T) {
	onPath(t, t.TempDir())
	d, err := Find(t.Context(), &run.Fake{})
	require.ErrorIs(t, err, ErrNoClient)
	assert.Nil(t, d)
}

func TestFindRefusesAnEngineThatIsTooOld(t *testing.T) {
	dir := t.TempDir()
	docker := program(t, dir+"/docker")
	onPath(t, dir)
	_, err := Find(t.Context(), (&run.Fake{}).On(docker+" version", versions("20.10.24", "19.03.8"), nil))
	assert.ErrorContains(t, err, `too old: version "19.03.8"`)
}

func TestFindReportsAnInterruptAsOne(t *testing.T) {
	dir := t.TempDir()
	program(t, dir+"/docker")
	onPath(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Find(ctx, &run.Fake{})
	assert.Equal(t, fault.CodeInterrupted, fault.Code(err))
}

func TestClientsAreListedOnceHoweverManyLinksLeadThere(t *testing.T) {
	dir := t.TempDir()
	file := program(t, dir+"/usr/bin/docker")
	require.NoError(t, os.Symlink("usr/bin", dir+"/bin"))
	require.NoError(t, os.MkdirAll(dir+"/folder/docker", 0o755))
	require.NoError(t, os.MkdirAll(dir+"/data", 0o755))
	require.NoError(t, os.WriteFile(dir+"/data/docker", nil, 0o644))
	path := strings.Join([]string{dir + "/folder", dir + "/data", dir + "/usr/bin", dir + "/bin", "", dir + "/none"}, ":")
	assert.Equal(t, []string{file}, clients(path))
}

// rootlessMessage is what docker run says of a port that a rootless engine may not publish.
const rootlessMessage = "docker: Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint x: " +
	"error while calling RootlessKit PortManager.AddPort(): cannot expose privileged port 80, you can add 'net.ipv4.ip_unprivileged_port_start=80' to " +
	"/etc/sysctl.conf (currently 1024), or set CAP_NET_BIND_SERVICE on rootlesskit binary, or choose a larger port number (>= 1024): " +
	"listen tcp 127.0.0.1:80: bind: permission denied"

func TestExplain(t *testing.T) {
	failed := func(output string) error {
		return &run.Error{Cmd: "docker build .", Code: 1, Output: output, Err: errors.New("exit status 1")}
	}
	for output, want := range map[string]string{
		"docker info: failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix": "its engine does not answer",
		"docker start n: permission denied while trying to connect to the docker API at unix:///var/run/docker.sock":                                            "may not use its engine",
		"ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?":                                              "its engine does not answer",
		"dial unix /var/run/docker.sock: connect: permission denied":                                                                                            "may not use its engine",
		"write /layer.tar: no space left on device":                                                                                                             "the disk is full",
		"driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:80 failed: port is already allocated":                                "a port is taken",
		"Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: address already in use":                                                                 "a port is taken",
		"OCI runtime create failed: container_linux.go: starting container process caused: unable to apply caps: operation not permitted":                       "every capability",
		rootlessMessage: "may not use ports below 1024",
		"Failed to create control group inotify object: Too many open files":                            "inotify limits",
		"E: You don't have enough free space in /var/cache/apt/archives/.":                              "the disk is full",
		"k8s.io/api/core/v1: /usr/local/go/pkg/tool/linux_amd64/compile: signal: killed":                "memory runs out",
		"#12 ERROR: process \"/bin/sh -c npm run build\" did not complete successfully: exit code: 137": "memory runs out",
	} {
		err := Explain(failed(output))
		require.Error(t, err, output)
		assert.Contains(t, err.Error(), want)
		assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
		assert.NotEmpty(t, fault.Remedy(err))
		assert.NotContains(t, err.Error(), "\n")
		assert.NotContains(t, err.Error(), "docker build", "the command says nothing about the cause")
	}
	full := Explain(failed("step 1\nwrite /layer.tar: no space left on device\nERROR: failed to solve"))
	require.EqualError(t, full, "the disk is full: write /layer.tar: no space left on device", "the line that tells is not always the last")

	for _, output := range []string{
		"/docker-entrypoint.sh: Permission denied",       // of a build step
		"OSError: [Errno 98] Address already in use",     // of a test inside a build
		"npm error code EACCES: permission denied, open", // likewise
	} {
		assert.NoError(t, Explain(failed(output)), output)
	}
	assert.NoError(t, Explain(nil))
	assert.NoError(t, Explain(&run.Error{Output: "no space left on device", Err: context.Canceled}), "an interrupt is no full disk")
}
