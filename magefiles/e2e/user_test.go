//go:build e2e

package e2e

import (
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
)

// TestAsAUserOfGroupDocker goes once through the life of a deployment as a user who may use Docker and nothing else,
// with a home folder in which nothing is yet. What root can read or write and others cannot would stop it.
func TestAsAUserOfGroupDocker(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not needed: whoever runs these tests is not root, and the other tests went through all of it")
	}
	name := settings(t).ClusterName + "-user"
	c := checkoutOf(t, name)
	cfg, err := config.Load(c.dir)
	require.NoError(t, err)
	cfg.ClusterName = name

	remove := func() result { return c.mage(t, nil, "cluster:delete") }
	t.Cleanup(func() { remove() })
	require.Zero(t, remove().code)
	r := c.mage(t, nil, "deploy")
	require.Zero(t, r.code)
	require.Contains(t, r.output, "http://todo.localhost")
	d := deployedWith(t, cfg)
	alice := d.register(t, "alice@example.com")
	alice.add(t, "written by a user of group docker")

	r = c.mage(t, nil, "deploy")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "Nothing changed")

	backend, frontend := d.names(t, "todo-backend"), d.names(t, "todo-frontend")
	appendTo(t, c, "backend/src/main.py", "\n# a line of "+name+"\n")
	require.Zero(t, c.mage(t, nil, "deploy").code)
	assert.NotContains(t, d.names(t, "todo-backend"), backend[0])
	assert.Equal(t, frontend, d.names(t, "todo-frontend"))

	r = c.mage(t, nil, "status")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, d.names(t, "todo-backend")[0])

	require.Zero(t, c.mage(t, nil, "teardown").code)
	require.Zero(t, c.mage(t, nil, "deploy").code)
	d = deployedWith(t, cfg)
	d.login(t, alice)
	assert.Equal(t, []string{"written by a user of group docker"}, alice.titles(t))

	require.Zero(t, remove().code)
	assert.NoFileExists(t, cfg.Kubeconfig())
	out, err := docker(t).Output(t.Context(), "ps", "--all", "--quiet", "--filter", "label=io.x-k8s.kind.cluster="+name)
	require.NoError(t, err)
	assert.Empty(t, out)
	c.allOwned(t)
}

// checkoutOf makes a user of the group that may use Docker, with an empty home folder, and gives a checkout of theirs.
// Both go at the end of the test.
func checkoutOf(t *testing.T, name string) checkout {
	t.Helper()
	const comment = "of Todo's end-to-end tests"
	if left, err := osuser.Lookup(name); err == nil {
		require.Equal(t, comment, left.Name, "there is a user %s, and these tests did not make it", name)
		program(t, "userdel", name) // of a run that was killed
	}
	dir, err := os.MkdirTemp("", name+"-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	home := filepath.Join(dir, "home")
	program(t, "useradd", "--comment", comment, "--no-create-home", "--home-dir", home, "--groups", strconv.Itoa(socketGroup(t)), name)
	t.Cleanup(func() { program(t, "userdel", name) })

	someone, err := osuser.Lookup(name)
	require.NoError(t, err)
	uid, err := strconv.ParseUint(someone.Uid, 10, 32)
	require.NoError(t, err)
	gid, err := strconv.ParseUint(someone.Gid, 10, 32)
	require.NoError(t, err)
	c := copyOf(t, here(t))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "todo"), os.DirFS(c.dir)))
	require.NoError(t, os.Mkdir(home, 0o700))
	targets := filepath.Join(dir, "targets") // those of these tests are in a folder of root's
	copyFile(t, targetsBinary, targets)
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(uid), int(gid))
	}))
	return checkout{dir: filepath.Join(dir, "todo"), as: &account{
		targets:    targets,
		credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{uint32(gid), uint32(socketGroup(t))}},
		env: []string{
			"HOME=" + home, "USER=" + name, "LOGNAME=" + name, "TODO_CLUSTER_NAME=" + name,
			"TODO_CACHE=", "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "XDG_RUNTIME_DIR=", "DOCKER_CONFIG=", "KUBECONFIG=",
			"GOPATH=", "GOMODCACHE=", "GOCACHE=", "GOENV=",
		},
	}}
}

// socketGroup is the group that may use the engine.
func socketGroup(t *testing.T) int {
	t.Helper()
	path, local := strings.CutPrefix(engine.FindEndpoint(t.Context(), run.Exec{}).Host, "unix://")
	if path == "" {
		path, local = "/var/run/docker.sock", true
	}
	require.True(t, local, "the engine has no socket that a group could use")
	info, err := os.Stat(path)
	require.NoError(t, err)
	gid := int(info.Sys().(*syscall.Stat_t).Gid)
	require.NotZero(t, gid, "%s belongs to no group but root's: make a group docker, and start the engine again", path)
	return gid
}

// allOwned tells of files among the user's that are somebody else's: the user could not remove them.
func (c checkout) allOwned(t *testing.T) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(filepath.Dir(c.dir), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			assert.Equal(t, c.as.credential.Uid, info.Sys().(*syscall.Stat_t).Uid, path)
		}
		return err
	}))
}

func program(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...).CombinedOutput()
	assert.NoError(t, err, "%s: %s", name, out)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	require.NoError(t, err)
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}
