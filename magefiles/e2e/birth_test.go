//go:build e2e || worlds

package e2e

import (
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
)

// birth is a way in which a cluster cannot be made, provoked by a docker client that changes what kind asks for.
type birth struct {
	options []string // added to the node's docker run; DIR is a folder with what files makes
	files   func(t *testing.T, dir string)
	before  string // a script that is run right before kubeadm; $docker is the client, $node the node
	cause   string // a regular expression for the line that names it
	code    int
	keeps   []string // of the evidence, besides what every failure has
}

const unreachable = `echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2; exit 1`

// births are those that are over in seconds.
var births = map[string]birth{
	"a port of the machine is taken": {
		options: []string{"--publish", "127.0.0.1:TAKEN:9"}, code: fault.CodeEnvironment,
		cause: `a port is taken: .*(address already in use|port is already allocated)`,
	},
	"the node's entrypoint ends": {
		options: []string{"--volume", "DIR/entrypoint:/usr/local/bin/entrypoint:ro"}, code: fault.CodeCluster,
		files: entrypointOf("#!/bin/sh\necho 'INFO: starting'\necho 'ERROR: the reason why' >&2\nexit 3\n"),
		cause: `its container ended: exit code 3: ERROR: the reason why`, keeps: []string{"console.txt", "container.txt"},
	},
}

func entrypointOf(text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "entrypoint"), []byte(text), 0o755))
	}
}

// TestBirths has clusters fail to be made, each in a way of its own, and looks at what is said of it, how soon, and
// what is left.
func TestBirths(t *testing.T) {
	var table strings.Builder
	for _, name := range slices.Sorted(maps.Keys(births)) {
		t.Run(name, func(t *testing.T) {
			r := births[name].fail(t)
			fmt.Fprintf(&table, "%6.1f s  %s\n", r.took.Seconds(), name)
		})
	}
	t.Logf("time to the cause, from the start of the target:\n%s", table.String())
}

// client writes a docker client in front of the machine's that provokes the failure, and gives the variables with
// which targets use it.
func (b birth) client(t *testing.T, cluster string) []string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	if b.files != nil {
		b.files(t, dir)
	}
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	_, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)
	options := strings.NewReplacer("DIR", dir, "TAKEN", port).Replace(strings.Join(b.options, "' '"))
	if options != "" {
		options = "'" + options + "'"
	}
	script := fmt.Sprintf(`#!/bin/sh
docker=%q dir=%q node=%s-control-plane
if [ -e "$dir/gone" ]; then %s; fi
case "$*" in
run\ *) shift; exec "$docker" run %s "$@" ;;
exec\ *\ kubeadm\ init*) %s ;;
esac
exec "$docker" "$@"
`, docker(t).CLI, dir, cluster, unreachable, options, strings.TrimSuffix("true; "+b.before, "; "))
	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.Mkdir(bin, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755))
	require.NoError(t, exec.CommandContext(t.Context(), "sh", "-n", filepath.Join(bin, "docker")).Run())
	env := []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "TODO_CLUSTER_NAME=" + cluster}
	for _, name := range []string{"TODO_HTTP_PORT", "TODO_HTTPS_PORT"} {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		_, port, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		require.NoError(t, l.Close())
		env = append(env, name+"="+port)
	}
	return env
}

func (b birth) fail(t *testing.T) result {
	cluster := settings(t).ClusterName + "-birth"
	t.Cleanup(func() {
		require.Zero(t, here(t).mage(t, []string{"TODO_CLUSTER_NAME=" + cluster}, "cluster:delete").code)
	})
	r := here(t).mage(t, b.client(t, cluster), "cluster:up")
	assert.Equal(t, b.code, r.code)
	line := regexp.MustCompile(`(?m)^Error: (.*)\n  → (.+)$`).FindStringSubmatch(r.output)
	require.NotNil(t, line, "one line, and one with what to do")
	assert.Regexp(t, `^kind cluster `+cluster+` could not be made: `+b.cause, line[1])
	assert.NotContains(t, line[2], "cluster:delete")

	saved := regexp.MustCompile(`is saved in (\S+)`).FindStringSubmatch(r.output)
	require.NotNil(t, saved)
	for _, name := range append([]string{"cause.txt", "answer.txt"}, b.keeps...) {
		assert.FileExists(t, filepath.Join(saved[1], name))
	}
	if !strings.Contains(b.before, "gone") {
		left, err := docker(t).Output(t.Context(), "ps", "--all", "--quiet", "--filter", "label=io.x-k8s.kind.cluster="+cluster)
		require.NoError(t, err)
		assert.Empty(t, left)
	}
	return r
}
