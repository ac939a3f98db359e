package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

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

const (
	debian   = "ID=debian\n"
	notThere = "Cannot connect to the Docker daemon"
	aptGet   = "apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "
)

// bench is a setup on a machine of files, with commands answered by a fake.
type bench struct {
	*setup
	fake   *run.Fake
	docker string   // path of the client
	lacks  []string // packages that the machine lacks besides Docker's
	out    bytes.Buffer
}

// newBench has one docker client on PATH, which answers unless a test says otherwise, and limits that are high enough.
func newBench(t *testing.T, files map[string]string) *bench {
	t.Helper()
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT"} {
		t.Setenv(name, "")
	}
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	base := map[string]string{"etc/os-release": debian, "proc/sys/fs/inotify/max_user_instances": "512", "proc/sys/fs/inotify/max_user_watches": "524288"}
	for k, v := range files {
		base[k] = v
	}
	b := &bench{fake: &run.Fake{}, docker: program(t, bin+"/docker")}
	b.setup = &setup{
		runner: b.fake, host: machine(t, base), cfg: &config.Config{Root: "../../.."}, root: true, patience: time.Second,
		packages: func(context.Context) []string { return b.lacks },
	}
	b.fake.On(b.docker+" version", versions("20.10.24", "20.10.24"), nil).On(b.docker+" compose version", "5.7.0", nil)
	return b
}

// serve has the engine itself answer too, and not only its client.
func (b *bench) serve(t *testing.T) *run.Fake {
	t.Helper()
	t.Setenv("DOCKER_HOST", dockertest.Listen(t, b.fake, "unix"))
	return b.fake
}

func (b *bench) run(t *testing.T) error {
	return ui.Plain(&b.out).Do("Setup", func(task *ui.Task) error { return b.setup.run(t.Context(), task) })
}

func (b *bench) recorded(t *testing.T) (rec record) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(b.host.Read(recordFile)), &rec))
	return rec
}

func (b *bench) ran(prefix string) bool {
	for _, call := range b.fake.Calls() {
		if strings.HasPrefix(call, prefix) {
			return true
		}
	}
	return false
}

func TestSetupDoesNothingOnAReadyMachine(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, b.run(t))
	assert.Contains(t, b.out.String(), "= Setup: nothing to do")
	assert.False(t, b.ran("apt-get"))
	assert.Empty(t, b.host.Read(recordFile), "nothing was done, so nothing is recorded")
}

func TestSetupInstallsAndStartsTheEngineWithSystemd(t *testing.T) {
	b := newBench(t, map[string]string{"run/systemd/system/x": "", "proc/1/status": "CapBnd:\t" + allCaps})
	started := false
	b.fake.OnFunc(b.docker+" version", func(run.Cmd) (string, error) {
		if !started {
			return notThere, errors.New("exit status 1")
		}
		return versions("20.10.24", "20.10.24"), nil
	})
	b.fake.On("apt-get", "", nil)
	b.fake.OnFunc("systemctl start docker", func(run.Cmd) (string, error) { started = true; return "", nil })

	require.NoError(t, b.run(t))
	assert.True(t, b.ran(aptGet+"install --yes --no-install-recommends docker.io"), b.fake.Calls())
	assert.Equal(t, []string{"docker.io"}, b.recorded(t).Packages, "what was there before is not ours to remove")
	assert.NoFileExists(t, b.host.Path(daemonConfig), "no capability is missing")
}

func TestPackagesAreOnRecordBeforeTheyAreInstalled(t *testing.T) {
	b := newBench(t, nil)
	b.lacks = []string{"debootstrap"}
	b.fake.On("apt-get", "", nil).On("apt-cache", "", nil)
	b.fake.On(aptGet+"install", "E: Unable to locate package debootstrap", errors.New("exit status 100"))

	err := b.run(t)
	require.ErrorContains(t, err, "Unable to locate package debootstrap")
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
	assert.Equal(t, []string{"debootstrap"}, b.recorded(t).Packages)
}

func TestAnInterruptedInstallationIsBroughtToItsEnd(t *testing.T) {
	b := newBench(t, nil)
	b.lacks = []string{"debootstrap"}
	repaired := false
	b.fake.On("apt-get", "", nil)
	b.fake.OnFunc("dpkg --configure -a", func(run.Cmd) (string, error) { repaired = true; return "", nil })
	b.fake.OnFunc(aptGet+"install", func(run.Cmd) (string, error) {
		if !repaired {
			return "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.", errors.New("exit status 100")
		}
		return "", nil
	})
	require.NoError(t, b.run(t))
}

// Killed between unpacking and configuring, docker.io leaves a dockerd that looks installed.
func TestWhatAKilledSetupLeftHalfInstalledIsFinished(t *testing.T) {
	b := newBench(t, map[string]string{"usr/sbin/dockerd": "", recordFile: `{"packages":["docker.io"]}`})
	configured := false
	b.fake.On("dpkg --audit", "The following packages have been unpacked but not yet configured:\n docker.io\n", nil)
	b.fake.OnFunc("dpkg --configure -a", func(run.Cmd) (string, error) { configured = true; return "", nil })
	require.NoError(t, b.run(t))
	assert.True(t, configured)

	b.fake.On("dpkg --configure -a", "dpkg: error processing package docker.io", errors.New("exit status 1"))
	err := b.run(t)
	require.ErrorContains(t, err, "error processing package docker.io")
	assert.Contains(t, fault.Remedy(err), "dpkg --audit")

	fresh := newBench(t, nil)
	require.NoError(t, fresh.run(t))
	assert.False(t, fresh.ran("dpkg"), "what others left is not ours to touch")
}

func TestADiskThatIsTooFullForPackagesIsNamed(t *testing.T) {
	b := newBench(t, nil)
	b.lacks = []string{"mmdebstrap"}
	b.fake.On("apt-get", "", nil)
	b.fake.On(aptGet+"install", "E: You don't have enough free space in /var/cache/apt/archives/.", errors.New("exit status 100"))
	require.ErrorContains(t, b.run(t), "the disk is full: E: You don't have enough free space")
}

func TestLowLimitsElsewhereComeWithTheirCommand(t *testing.T) {
	const command = "sudo sysctl -w fs.inotify.max_user_instances=512"
	low := map[string]string{"proc/sys/fs/inotify/max_user_instances": "128"}
	b := newBench(t, low)
	b.root = false
	require.NoError(t, b.run(t))
	assert.Contains(t, b.out.String(), command)
	assert.Equal(t, "128", b.host.Read("proc/sys/fs/inotify/max_user_instances"))

	b.fake.On(b.docker+" version", notThere, errors.New("exit status 1"))
	assert.Contains(t, fault.Remedy(b.run(t)), command)
}

func TestSetupGoesOnWithOldPackageLists(t *testing.T) {
	b := newBench(t, nil)
	b.lacks = []string{"debootstrap"}
	b.fake.On("apt-get", "", nil)
	b.fake.On(aptGet+"update", "E: a third party's server is away", errors.New("exit status 100"))
	require.NoError(t, b.run(t))
	assert.Contains(t, b.out.String(), "a third party's server is away; going on")
}

func TestSetupProvidesBuildxFromAPackageWhereThereIsOne(t *testing.T) {
	b := newBench(t, nil)
	plugin := false
	b.fake.On(b.docker+" version", versions("28.2.2", "28.2.2"), nil)
	b.fake.OnFunc(b.docker+" buildx version", func(run.Cmd) (string, error) {
		if !plugin {
			return "", errors.New("exit status 1")
		}
		return "v0.13.1", nil
	})
	b.fake.On("apt-cache policy docker-buildx-plugin", "", nil)
	b.fake.On("apt-cache policy docker-buildx", "docker-buildx:\n  Candidate: 0.13.1\n", nil)
	b.fake.On("apt-cache policy docker-buildx-plugin", "", nil)
	b.fake.OnFunc("apt-get", func(run.Cmd) (string, error) { plugin = true; return "", nil })
	require.NoError(t, b.run(t))
	assert.Equal(t, []string{"docker-buildx"}, b.recorded(t).Packages)
}

func TestSetupBuildsBuildxWhereNoPackageHasIt(t *testing.T) {
	b := newBench(t, nil)
	t.Setenv("PATH", os.Getenv("PATH")+":"+t.TempDir())
	program(t, strings.Split(os.Getenv("PATH"), ":")[1]+"/go")
	const file = pluginFolder + "/docker-buildx"
	b.fake.On(b.docker+" version", versions("28.2.2", "28.2.2"), nil)
	b.fake.OnFunc(b.docker+" buildx version", func(run.Cmd) (string, error) {
		if !host.IsFile(b.host.Path(file)) {
			return "", errors.New("exit status 1")
		}
		return "v0.38.2", nil
	})
	b.fake.On("apt-cache policy", "docker-buildx:\n  Candidate: (none)\n", nil)
	goTool := strings.Split(os.Getenv("PATH"), ":")[1] + "/go"
	b.fake.On(goTool+" mod init", "", nil).On(goTool+" get "+buildx.pkg+"@"+buildx.version, "", nil)
	b.fake.OnFunc(goTool+" build", func(c run.Cmd) (string, error) {
		return "", os.WriteFile(c.Dir+"/program", []byte("program"), 0o755)
	})
	require.NoError(t, b.run(t))
	assert.Equal(t, "program", b.host.Read(file))
	assert.Equal(t, []string{"/" + file}, b.recorded(t).Files)
}

func TestSetupBuildsComposeWhereNoPackageHasIt(t *testing.T) {
	b := newBench(t, nil)
	t.Setenv("PATH", os.Getenv("PATH")+":"+t.TempDir())
	goTool := program(t, strings.Split(os.Getenv("PATH"), ":")[1]+"/go")
	b.fake.On(b.docker+" compose version", "docker: 'compose' is not a docker command.", errors.New("exit status 1"))
	b.fake.On("apt-get", "", nil).On("apt-cache policy", "", nil)
	b.fake.On(goTool, "", nil)
	b.fake.OnFunc(goTool+" build", func(c run.Cmd) (string, error) {
		return "", os.WriteFile(c.Dir+"/program", []byte("program"), 0o755)
	})
	require.NoError(t, b.run(t))
	assert.Equal(t, "program", b.host.Read(pluginFolder+"/docker-compose"))
}

func TestSetupBuildsNothingForAPluginThatIsSlow(t *testing.T) {
	b := newBench(t, nil)
	b.fake.On(b.docker+" compose version", "", engine.ErrNotRunning)
	require.ErrorIs(t, b.run(t), engine.ErrNotRunning)
	b.fake.On(b.docker+" version", versions("28.2.2", "28.2.2"), nil).On(b.docker+" buildx version", "", context.DeadlineExceeded)
	require.ErrorIs(t, b.run(t), engine.ErrSlowBuilder)
	assert.False(t, b.ran("apt-get") || b.ran("apt-cache"))
}

func TestSetupRaisesLimitsAndRemembersTheOldOnes(t *testing.T) {
	b := newBench(t, map[string]string{"proc/sys/fs/inotify/max_user_instances": "128"})
	require.NoError(t, b.run(t))
	assert.Equal(t, "512", b.host.Read("proc/sys/fs/inotify/max_user_instances"))
	assert.Equal(t, "fs.inotify.max_user_instances = 512\nfs.inotify.max_user_watches = 524288", b.host.Read("etc/sysctl.d/60-todo-deploy.conf"))
	assert.Equal(t, map[string]int{"fs.inotify.max_user_instances": 128}, b.recorded(t).Sysctls)
}

func TestACorruptRecordIsNamed(t *testing.T) {
	b := newBench(t, map[string]string{recordFile: "{"})
	err := b.run(t)
	require.ErrorContains(t, err, recordFile+" cannot be read")
	assert.NotEmpty(t, fault.Remedy(err))
}

func TestElsewhereChangesNothingAndGivesTheCommands(t *testing.T) {
	cases := []struct {
		name, release string
		root          bool
		want          []string
	}{
		{"Debian, not root", debian, false, []string{"sudo apt-get update", "--no-install-recommends docker.io"}},
		{"Fedora as root", "ID=fedora\n", true, []string{"sudo dnf install --assumeyes moby-engine docker-buildx", "sudo systemctl enable --now docker"}},
		{"macOS", "", false, []string{"colima start"}},
		{"something else", "ID=nixos\n", true, []string{"with this system's package manager"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, map[string]string{"etc/os-release": c.release})
			b.root = c.root
			b.fake.On(b.docker+" version", notThere, errors.New("exit status 1"))
			err := b.run(t)
			require.ErrorIs(t, err, engine.ErrNotRunning)
			assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
			for _, command := range c.want {
				assert.Contains(t, fault.Remedy(err), command)
			}
			for _, call := range b.fake.Calls() {
				assert.NotRegexp(t, `^(apt-get|systemctl|setsid|dpkg )`, call)
			}
			assert.NoFileExists(t, b.host.Path(recordFile))
		})
	}
}

func TestElsewhereIsContentWhereDockerWorks(t *testing.T) {
	b := newBench(t, nil)
	b.root, b.lacks = false, []string{"debootstrap"}
	require.NoError(t, b.run(t))
	assert.Contains(t, b.out.String(), "sudo apt-get install --no-install-recommends debootstrap", "needed only where no registry answers")
	assert.Contains(t, b.out.String(), "= Setup: Docker works; nothing was changed")
}
