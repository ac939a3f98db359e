package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/moby/moby/api/types/system"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/host"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// bench is a checker of a good machine, whose commands a fake answers.
func bench(t *testing.T) (*checker, *run.Fake) {
	t.Helper()
	fake := &run.Fake{}
	docker := dockertest.New(t, fake)
	docker.ClientVersion, docker.EngineVersion = "28.2.2", "28.2.2"
	return &checker{
		runner: fake,
		cfg:    &config.Config{Cluster: config.ClusterAuto, ClusterName: "todo", Images: config.ImagesAuto, Host: "todo.local", Cache: "/cache"},
		host:   host.Host{Root: t.TempDir()},
		docker: docker,
		info: engine.Info{Info: system.Info{
			OSType: "linux", NCPU: 4, MemTotal: 8 * gib, CgroupVersion: "2", DockerRootDir: "/var/lib/docker", DefaultRuntime: "runc", KernelVersion: "6.18",
		}},
		free:    func(string) (uint64, error) { return 50 * gib, nil },
		missing: func(context.Context) []string { return nil },
		built:   func(context.Context) bool { return true },
	}, fake
}

// dockerd puts a running engine into the checker's machine.
func dockerd(t *testing.T, c *checker, capBnd string) {
	t.Helper()
	for file, content := range map[string]string{
		"run/docker.pid": "42", "proc/42/comm": "dockerd\n", "proc/42/stat": "42 (dockerd) S 1", "proc/42/status": "CapBnd:\t" + capBnd + "\n",
	} {
		path := filepath.Join(c.host.Root, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
}

func listener(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func TestEveryFailureAndWarningHasARemedyExceptWhereDockerHasIt(t *testing.T) {
	c, fake := bench(t)
	fake.On("", "", errors.New("exit status 1")) // no program works
	c.docker, c.dockerErr = nil, fault.New(fault.CodeEnvironment, "Docker cannot be used", "start it")
	c.free = func(string) (uint64, error) { return 0, nil }
	c.registry, c.cfg.Images = "http://127.0.0.1:1/", config.ImagesRegistry
	c.cfg.CABundle = "/no/such/file"
	for _, k := range c.all() {
		r := k.do(t.Context())
		if r.Level != OK && r != unknown() {
			assert.NotEmpty(t, r.Remedy, k.name)
		}
		assert.NotEmpty(t, r.Detail, k.name)
		assert.NotContains(t, r.Detail, "\n", k.name)
	}
}

func TestMachine(t *testing.T) {
	for _, x := range []struct {
		cpus   int
		memory int64
		want   Level
	}{{2, 4 * gib, OK}, {1, 8 * gib, Warning}, {4, 3 * gib, Warning}, {4, gib, Failure}} {
		c, _ := bench(t)
		c.info.NCPU, c.info.MemTotal = x.cpus, x.memory
		assert.Equal(t, x.want, c.checkMachine(t.Context()).Level, "%d cores, %d bytes", x.cpus, x.memory)
	}
}

func TestDisk(t *testing.T) {
	for free, want := range map[uint64]Level{50 * gib: OK, 5 * gib: Warning, gib: Failure} {
		c, _ := bench(t)
		dockerd(t, c, "1ffffffffff")
		c.free = func(path string) (uint64, error) {
			if path == c.info.DockerRootDir {
				return free, nil
			}
			return 50 * gib, nil
		}
		r := c.checkDisk(t.Context())
		assert.Equal(t, want, r.Level, r.Detail)
		assert.Contains(t, r.Detail, "/var/lib/docker")
	}
}

func TestDiskForTheFirstBuildFromSource(t *testing.T) {
	for _, x := range []struct {
		images string
		built  bool
		want   Level
	}{{config.ImagesAuto, false, Warning}, {config.ImagesSource, false, Warning}, {config.ImagesSource, true, OK}, {config.ImagesRegistry, false, OK}} {
		c, _ := bench(t)
		c.cfg.Images = x.images
		c.free = func(string) (uint64, error) { return 12 * gib, nil }
		c.built = func(context.Context) bool { return x.built }
		r := c.checkDisk(t.Context())
		assert.Equal(t, x.want, r.Level, "%v", x)
		if x.want == Warning {
			assert.Contains(t, r.Remedy, "at least 15 GiB")
		}
	}
}

func TestDiskOfAnEngineElsewhereIsNotGuessed(t *testing.T) {
	c, _ := bench(t)
	c.free = func(path string) (uint64, error) {
		require.Equal(t, c.cfg.Cache, path)
		return 50 * gib, nil
	}
	assert.Contains(t, c.checkDisk(t.Context()).Detail, "cannot be seen from here")
}

func TestFreeBytesOfAFolderThatIsNotThereYet(t *testing.T) {
	dir := t.TempDir()
	here, err := freeBytes(dir)
	require.NoError(t, err)
	below, err := freeBytes(filepath.Join(dir, "a", "b"))
	require.NoError(t, err)
	assert.InDelta(t, here, below, gib)
	assert.NotZero(t, here)
}

func TestCapabilities(t *testing.T) {
	for _, x := range []struct {
		caps, runtime string
		want          Level
	}{{"1ffffffffff", "runc", OK}, {"1fffeffffff", "bounded", OK}, {"1fffeffffff", "runc", Failure}} {
		c, _ := bench(t)
		dockerd(t, c, x.caps)
		c.info.DefaultRuntime = x.runtime
		assert.Equal(t, x.want, c.checkCapabilities(t.Context()).Level, "%v", x)
		c.cfg.Cluster = "context:prod"
		assert.Equal(t, OK, c.checkCapabilities(t.Context()).Level, "no node is started here")
	}
}

func TestPort(t *testing.T) {
	const nodePort, inspectNode = 80, "docker container inspect todo-control-plane"
	node := func(port int, running bool) string {
		return fmt.Sprintf(`[{"State":{"Running":%t},"HostConfig":{"PortBindings":{"6443/tcp":[{"HostPort":"40001"}],"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"%d"}]}}}]`, running, port)
	}
	t.Run("published by our own cluster", func(t *testing.T) {
		c, fake := bench(t)
		taken := listener(t)
		fake.On(inspectNode, node(taken, true), nil)
		r := c.checkPort(t.Context(), nodePort, taken, 0)
		assert.Equal(t, Result{Detail: fmt.Sprintf("%d, published by this project's cluster", taken)}, r)
	})
	t.Run("part of our own cluster, which is stopped", func(t *testing.T) {
		c, fake := bench(t)
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		port := l.Addr().(*net.TCPAddr).Port
		fake.On(inspectNode, node(port, false), nil).On("docker ps", "", nil)
		r := c.checkPort(t.Context(), nodePort, 0, 8080)
		assert.Equal(t, Failure, r.Level, "another port would not do")
		assert.Contains(t, r.Detail, fmt.Sprintf("%d is taken by ", port))
		assert.Contains(t, r.Remedy, "cluster:delete")
		require.NoError(t, l.Close())
		assert.Equal(t, OK, c.checkPort(t.Context(), nodePort, 0, 8080).Level)
	})
	t.Run("a cluster elsewhere needs none", func(t *testing.T) {
		c, _ := bench(t)
		c.cfg.Cluster = "context:prod"
		assert.Contains(t, c.checkPort(t.Context(), listener(t), 0, 0).Detail, "not needed")
	})
	t.Run("a minikube profile publishes as a kind node does", func(t *testing.T) {
		c, fake := bench(t)
		c.cfg.Cluster = config.ClusterMinikube
		fake.On("docker container inspect todo",
			`[{"State":{"Running":true},"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"8080"}]}}}]`, nil)
		assert.Equal(t, "8080, published by this project's cluster", c.checkPort(t.Context(), nodePort, 0, 8080).Detail)
	})
	t.Run("a configured port that is taken is no reason to take another", func(t *testing.T) {
		c, fake := bench(t)
		fake.On("docker", "", nil)
		r := c.checkPort(t.Context(), nodePort, listener(t), 8080)
		assert.Equal(t, Failure, r.Level)
		assert.Contains(t, r.Remedy, "TODO_HTTP_PORT")
	})
	t.Run("taken by a container", func(t *testing.T) {
		c, fake := bench(t)
		taken := listener(t)
		fake.On("docker", "", nil).On(fmt.Sprintf("docker ps --filter publish=%d", taken), "somebodys-nginx\n", nil)
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		free := l.Addr().(*net.TCPAddr).Port
		require.NoError(t, l.Close())
		r := c.checkPort(t.Context(), taken, 0, free)
		assert.Equal(t, Warning, r.Level)
		assert.Equal(t, fmt.Sprintf("%d is taken by the container somebodys-nginx, %d is used instead", taken, free), r.Detail)
	})
	t.Run("a rootless engine", func(t *testing.T) {
		c, fake := bench(t)
		fake.On("docker", "", nil)
		c.info.SecurityOptions = []string{"name=rootless"}
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		free := l.Addr().(*net.TCPAddr).Port
		require.NoError(t, l.Close())
		r := c.checkPort(t.Context(), nodePort, 0, free)
		assert.Equal(t, Warning, r.Level)
		assert.Equal(t, fmt.Sprintf("a rootless engine may not use 80, %d is used instead", free), r.Detail)
		assert.Contains(t, r.Remedy, "sysctl -w net.ipv4.ip_unprivileged_port_start=80")
		r = c.checkPort(t.Context(), nodePort, 81, free)
		assert.Equal(t, Warning, r.Level)
		assert.Equal(t, "a rootless engine may not use 81", r.Detail, "it is not exchanged for another")
	})
}

func TestPrograms(t *testing.T) {
	c, fake := bench(t)
	notFound := &exec.Error{Err: exec.ErrNotFound}
	fake.On("minikube", "", notFound).On("kubectl", "Client Version: v1.37.2\nKustomize Version: v5\n", nil).On("helm", "", notFound)
	assert.Equal(t, Result{Detail: "no minikube (not needed), kubectl v1.37.2, no helm (not needed)"}, c.checkClusterPrograms(t.Context()))
	c.cfg.Cluster = config.ClusterMinikube
	assert.Contains(t, c.checkClusterPrograms(t.Context()).Detail, "minikube is this project's own")
	fake.On("minikube", "", errors.New("exit status 1"))
	assert.Equal(t, Failure, c.checkClusterPrograms(t.Context()).Level)

	fake.On("go env", "go1.26.8", nil).On("git", "git version 2.39.5", nil).On("docker compose version", "5.5.1\n", nil)
	assert.Equal(t, "go1.26.8, git 2.39.5, docker compose 5.5.1, kernel 6.18", c.checkPrograms(t.Context()).Detail)
	fake.On("docker compose version", "", errors.New("exit status 1"))
	assert.Equal(t, OK, c.checkPrograms(t.Context()).Level, "deploy does without it")
}

func TestBuildPrograms(t *testing.T) {
	c, _ := bench(t)
	c.missing = func(context.Context) []string { return []string{"gcc"} }
	for images, want := range map[string]Level{config.ImagesAuto: Warning, config.ImagesSource: Failure, config.ImagesRegistry: OK} {
		c.cfg.Images = images
		assert.Equal(t, want, c.checkBuildPrograms(t.Context()).Level, images)
	}

	late, cancel := context.WithCancel(t.Context())
	cancel()
	c.cfg.Images = config.ImagesSource
	assert.Contains(t, c.checkBuildPrograms(late).Detail, "not known")
}

// fakeDocker puts a docker client on PATH that answers like a good engine, with the given info.
func fakeDocker(t *testing.T, info string) *run.Fake {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/docker", nil, 0o755))
	t.Setenv("PATH", dir)
	fake := (&run.Fake{}).
		On(dir+"/docker version", `{"Client":{"Version":"20.10.24"},"Server":{"Version":"20.10.24"}}`, nil).
		On("docker info", info, nil)
	t.Setenv("DOCKER_HOST", dockertest.Listen(t, fake, "unix"))
	t.Setenv("DOCKER_CONTEXT", "")
	return fake
}

func TestRequireGivesTheEngine(t *testing.T) {
	fake := fakeDocker(t, fmt.Sprintf(`{"OSType":"linux","NCPU":2,"MemTotal":%d,"DefaultRuntime":"bounded","DockerRootDir":"/"}`, 8*gib))
	d, err := Require(t.Context(), fake, &config.Config{Cache: t.TempDir(), Images: config.ImagesRegistry}) // room for a first build is not asked for
	require.NoError(t, err)
	assert.Equal(t, "20.10.24", d.EngineVersion)
	assert.Len(t, fake.Calls(), 2, "it is part of every deploy")
}

func TestRequireRefusesWhatCannotWork(t *testing.T) {
	_, err := Require(t.Context(), fakeDocker(t, `{"OSType":"linux","NCPU":2,"MemTotal":1000,"DefaultRuntime":"bounded"}`), &config.Config{Cache: t.TempDir()})
	require.ErrorContains(t, err, "Processor, memory: 2 cores, 0.0 GiB")
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
	assert.NotEmpty(t, fault.Remedy(err))

	t.Setenv("PATH", t.TempDir())
	_, err = Require(t.Context(), &run.Fake{}, &config.Config{})
	require.ErrorIs(t, err, engine.ErrNoClient)
}

// A cluster's ports and folders are those of its engine's machine. What is deployed to a cluster elsewhere can be built
// anywhere.
func TestAnEngineOfAnotherMachineMakesNoCluster(t *testing.T) {
	here, err := os.Hostname()
	require.NoError(t, err)
	for _, x := range []struct {
		name, host, engine, system, cluster string
		refused                             bool
	}{
		{name: "a socket", host: "unix", engine: "anything"},
		{name: "another machine", host: "tcp://192.0.2.1:2376", engine: here, refused: true},
		{name: "another machine, by ssh", host: "ssh://me@build", engine: here, refused: true},
		{name: "this machine's, by TCP", host: "tcp", engine: here},
		{name: "Docker Desktop, which forwards ports", host: "tcp", engine: "docker-desktop", system: "Docker Desktop"},
		{name: "a tunnel", host: "tcp", engine: "build-farm", refused: true},
		{name: "a cluster elsewhere", host: "ssh://me@build", engine: "build-farm", cluster: "context:prod"},
	} {
		t.Run(x.name, func(t *testing.T) {
			fake := fakeDocker(t, fmt.Sprintf(`{"OSType":"linux","NCPU":2,"MemTotal":%d,"DefaultRuntime":"bounded","DockerRootDir":"/","Name":%q,"OperatingSystem":%q}`,
				8*gib, x.engine, x.system))
			if x.host == "unix" || x.host == "tcp" {
				x.host = dockertest.Listen(t, fake, x.host)
			}
			dockertest.DialStdio(t, fake, os.Getenv("PATH")+"/docker")
			t.Setenv("DOCKER_HOST", x.host)
			_, err := Require(t.Context(), fake, &config.Config{Cache: t.TempDir(), Cluster: x.cluster})
			if !x.refused {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, x.host+" (DOCKER_HOST)")
			assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
			assert.Contains(t, fault.Remedy(err), "unset DOCKER_HOST")
			if x.name != "a tunnel" {
				_, err = Find(t.Context(), fake, &config.Config{Cluster: x.cluster})
				require.ErrorContains(t, err, x.host+" (DOCKER_HOST)")
				assert.Empty(t, fake.Calls(), "it may be out of reach, and is not waited for")
			}
		})
	}
}

func TestResultsAreShownAndTheFirstRemedyIsTheErrors(t *testing.T) {
	var out bytes.Buffer
	results := []Result{{Name: "A", Detail: "fine"}, {Name: "Longer", Level: Warning, Detail: "so so", Remedy: "first\nsecond"}, {Name: "B", Level: Failure, Detail: "bad", Remedy: "do this"}}
	show(ui.Plain(&out), results)
	assert.Equal(t, "✓ A       fine\n! Longer  so so\n          → first\n          → second\n✗ B       bad\n          → do this\n", out.String())

	err := failed(results)
	require.EqualError(t, err, "this machine is not ready: B")
	assert.Equal(t, "do this", fault.Remedy(err))
	assert.NoError(t, failed(results[:2]), "warnings do not fail")
}

func TestLimits(t *testing.T) {
	c, _ := bench(t)
	assert.Contains(t, c.checkLimits(t.Context()).Detail, "cannot be seen from here")
	path := filepath.Join(c.host.Root, "proc/sys/fs/inotify/max_user_instances")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	for value, want := range map[string]Level{"128": Warning, "512": OK} {
		require.NoError(t, os.WriteFile(path, []byte(value), 0o644))
		r := c.checkLimits(t.Context())
		assert.Equal(t, want, r.Level)
		assert.Contains(t, r.Detail, "fs.inotify.max_user_instances")
	}
}

func TestCgroups(t *testing.T) {
	c, _ := bench(t)
	assert.Equal(t, "version 2", c.checkCgroups(t.Context()).Detail)
	c.info.CgroupVersion = "1"
	assert.Contains(t, c.checkCgroups(t.Context()).Detail, "version 1")
	c.docker = nil
	assert.Equal(t, unknown(), c.checkCgroups(t.Context()))
}
