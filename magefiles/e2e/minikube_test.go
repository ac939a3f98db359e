//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source/scratch"
)

// asMinikube is what chooses a minikube profile.
const asMinikube = "TODO_CLUSTER=minikube"

// TestMinikube goes through the life of a deployment in a real minikube: as root by the scripts, then as a user who is
// not root and has a minikube of his own.
func TestMinikube(t *testing.T) {
	cfg := *settings(t)
	cfg.Cluster, cfg.ClusterName = config.ClusterMinikube, cfg.ClusterName+"-minikube"
	project := here(t)
	for _, left := range [][]string{{"rm", "--force", "--volumes"}, {"volume", "rm"}, {"network", "rm"}} { // by a run that was killed
		_, _ = run.Output(t.Context(), run.Exec{}, docker(t).CLI, append(left, cfg.ClusterName)...)
	}
	if os.Geteuid() != 0 {
		c := copyOf(t, project)
		own, err := config.Load(c.dir)
		require.NoError(t, err)
		own.Cluster, own.ClusterName = cfg.Cluster, cfg.ClusterName
		minikubeLife(t, c, []string{asMinikube, "TODO_CLUSTER_NAME=" + cfg.ClusterName}, own)
		return
	}
	t.Run("as root, by the scripts", func(t *testing.T) { minikubeScripts(t, project, &cfg) })
	t.Run("as a user", func(t *testing.T) {
		c := checkoutOf(t, cfg.ClusterName)
		own, err := config.Load(c.dir)
		require.NoError(t, err)
		own.Cluster, own.ClusterName = config.ClusterMinikube, cfg.ClusterName
		own.Cache = filepath.Join(filepath.Dir(c.dir), "home", ".cache", "todo-deploy")
		built, err := scratch.New(&cfg, docker(t)).MinikubeProgram(t.Context(), nil)
		require.NoError(t, err)
		bin := filepath.Join(filepath.Dir(c.dir), "bin")
		require.NoError(t, os.Mkdir(bin, 0o755))
		copyFile(t, built, filepath.Join(bin, "minikube"))
		for _, path := range []string{bin, filepath.Join(bin, "minikube")} {
			require.NoError(t, os.Chown(path, int(c.as.credential.Uid), int(c.as.credential.Gid)))
		}
		t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH")) // of this test too, which asks where the profile is
		minikubeLife(t, c, []string{asMinikube}, own)
	})
}

// minikubeScripts does with the scripts what they are for. Before that, the creation of the profile is killed midway.
func minikubeScripts(t *testing.T, project checkout, cfg *config.Config) {
	env := []string{asMinikube, "TODO_CLUSTER_NAME=" + cfg.ClusterName}
	remove := func() result { return project.mage(t, env, "cluster:delete") }
	t.Cleanup(func() { remove() })
	require.Zero(t, remove().code)
	require.Zero(t, project.mage(t, env, "setup").code)

	var out bytes.Buffer
	killed := project.command(t.Context(), &out, env, "cluster:up")
	require.NoError(t, killed.Start())
	require.Eventually(t, func() bool { return nodeIs(t, cfg.ClusterName) == "running" }, 3*time.Minute, 100*time.Millisecond, "the node was never made: %s", &out)
	require.NoError(t, syscall.Kill(-killed.Process.Pid, syscall.SIGKILL))
	_ = killed.Wait()

	script := func(name string) string {
		t.Helper()
		var out bytes.Buffer
		cmd := exec.CommandContext(t.Context(), filepath.Join(project.dir, "scripts", name))
		cmd.Stdout, cmd.Stderr, cmd.Env = &out, &out, append(os.Environ(), env[1])
		start := time.Now()
		err := cmd.Run()
		t.Logf("%s (%.1f s)\n%s", name, time.Since(start).Seconds(), &out)
		require.NoError(t, err)
		return out.String()
	}
	made := script("minikube-setup.sh")
	assert.Contains(t, made, "refuses root, and is forced")
	assert.Contains(t, made, "minikube profile "+cfg.ClusterName+" made in")
	assert.Contains(t, script("minikube-setup.sh"), "minikube profile "+cfg.ClusterName+" runs")
	assert.Contains(t, script("deploy-local.sh"), "The application runs", "the profile that was made is what it deploys to")
	deployedWith(t, cfg).register(t, "alice@example.com")
	script("teardown.sh")
	assert.Equal(t, "exited", nodeIs(t, cfg.ClusterName))
	require.Zero(t, remove().code)
	assert.Empty(t, nodeIs(t, cfg.ClusterName))
}

// minikubeLife goes through the life of a deployment.
func minikubeLife(t *testing.T, c checkout, env []string, cfg *config.Config) {
	home := userKubeconfig(t)
	remove := func() result { return c.mage(t, env, "cluster:delete") }
	t.Cleanup(func() { remove() })
	require.Zero(t, remove().code)
	r := c.mage(t, env, "setup", "deploy")
	require.Zero(t, r.code)
	require.Contains(t, r.output, "http://todo.localhost")
	d := deployedWith(t, cfg)
	alice := d.register(t, "alice@example.com")
	alice.add(t, "written on the first day")
	life := &short{whole: movedOfBackend(t, r)}

	require.True(t, t.Run("a second deploy changes nothing", func(t *testing.T) {
		r := c.mage(t, env, "deploy")
		require.Zero(t, r.code)
		assert.Contains(t, r.output, "Nothing changed")
	}))
	require.True(t, t.Run("a one-line change moves and rolls out only that", func(t *testing.T) {
		backend, frontend := d.names(t, "todo-backend"), d.names(t, "todo-frontend")
		appendTo(t, c, "backend/src/main.py", "\n# one line more\n")
		failed := watch(t, alice)
		r := c.mage(t, env, "deploy")
		require.Zero(t, r.code)
		assert.Empty(t, failed())
		assert.NotContains(t, d.names(t, "todo-backend"), backend[0])
		assert.Equal(t, frontend, d.names(t, "todo-frontend"))
		assert.LessOrEqual(t, movedOfBackend(t, r)*wholeOverChange, life.whole, "megabytes moved")
	}))
	require.True(t, t.Run("a version that cannot run is explained and taken back", func(t *testing.T) {
		image := d.image(t, "todo-backend")
		path := filepath.Join(c.dir, "backend", "src", "main.py")
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		appendTo(t, c, "backend/src/main.py", "\nraise SystemExit(\"a mistake in this version\")\n")
		failed := watch(t, alice)
		r := c.mage(t, env, "deploy")
		assert.Empty(t, failed())
		assert.Equal(t, fault.CodeRollout, r.code)
		assert.Contains(t, r.output, "a mistake in this version", "the log line that tells the cause")
		assert.Equal(t, image, d.image(t, "todo-backend"))
		require.NoError(t, os.WriteFile(path, good, 0o644))
	}))
	require.True(t, t.Run("back to the version before", func(t *testing.T) {
		image := d.image(t, "todo-backend")
		require.Zero(t, c.mage(t, env, "release:rollback").code)
		assert.NotEqual(t, image, d.image(t, "todo-backend"))
	}))
	require.True(t, t.Run("status and top tell of it", func(t *testing.T) {
		r := c.mage(t, env, "status")
		require.Zero(t, r.code)
		assert.Contains(t, r.output, "minikube profile "+cfg.ClusterName)
		assert.Contains(t, r.output, d.names(t, "todo-backend")[0])
		assert.Zero(t, c.mage(t, env, "top").code, "the metrics server serves")
	}))
	require.True(t, t.Run("teardown keeps the data, twice is fine, and deploy brings it back", func(t *testing.T) {
		require.Zero(t, c.mage(t, env, "teardown").code)
		require.Zero(t, c.mage(t, env, "teardown").code)
		assert.Equal(t, "exited", nodeIs(t, cfg.ClusterName))
		require.Zero(t, c.mage(t, env, "deploy").code)
		d = deployedWith(t, cfg)
		d.login(t, alice)
		assert.Equal(t, []string{"written on the first day"}, alice.titles(t))
	}))
	r = remove()
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "data-postgres-0", "it says what data goes")
	assert.Empty(t, nodeIs(t, cfg.ClusterName))
	assert.NoFileExists(t, cfg.Kubeconfig())
	assert.Equal(t, home, userKubeconfig(t), "the user's own kubeconfig was changed")
	if c.as != nil {
		c.allOwned(t)
	}
}

// nodeIs is the status of a container of the engine, or nothing where there is none.
func nodeIs(t *testing.T, name string) string {
	t.Helper()
	out, err := run.Output(context.WithoutCancel(t.Context()), run.Exec{}, docker(t).CLI, "ps", "--all", "--filter", "name=^"+name+"$", "--format", "{{.State}}")
	require.NoError(t, err)
	return strings.TrimSpace(out)
}
