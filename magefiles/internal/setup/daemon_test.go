package setup

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// lacking is a machine whose dockerd runs without CAP_SYS_RESOURCE. Its pid is one that cannot exist, so that no signal
// reaches anyone.
func lacking(extra map[string]string) map[string]string {
	const pid = "2000000000"
	files := process(map[string]string{"run/docker.pid": pid, "proc/sys/kernel/random/boot_id": "this-boot"}, pid, "dockerd", noResource)
	for k, v := range extra {
		files[k] = v
	}
	return files
}

func TestSetupLeavesAnEngineAloneThatItDidNotStart(t *testing.T) {
	for name, rec := range map[string]string{
		"no record":      `{}`,
		"another boot":   `{"dockerd":{"pid":2000000000,"boot":"an-earlier-boot"}}`,
		"another engine": `{"dockerd":{"pid":77,"boot":"this-boot"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, lacking(map[string]string{recordFile: rec}))
			b.serve(t).On("docker info", `{"DefaultRuntime":"runc"}`, nil)
			err := b.run(t)
			require.ErrorContains(t, err, "left alone")
			assert.Contains(t, fault.Remedy(err), `"default-runtime": "bounded"`)
			assert.NoFileExists(t, b.host.Path(daemonConfig))
		})
	}
}

// The engine that setup started takes up the runtime while its containers run on: it is told to read its configuration,
// and not to end.
func TestSetupReloadsAnEngineThatItStarted(t *testing.T) {
	// A process that is run by nohup ignores the signal, and so would its children, unless it takes it itself.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangup) })
	engine := exec.CommandContext(t.Context(), "sleep", "60")
	require.NoError(t, engine.Start())
	t.Cleanup(func() { _ = engine.Process.Kill() }) // it has ended by then, unless the test failed
	ended := make(chan error, 1)
	go func() { ended <- engine.Wait() }()

	pid := strconv.Itoa(engine.Process.Pid)
	b := newBench(t, process(map[string]string{
		"run/docker.pid": pid, "proc/sys/kernel/random/boot_id": "this-boot", recordFile: `{"dockerd":{"pid":` + pid + `,"boot":"this-boot"}}`,
	}, pid, "dockerd", noResource))
	answers := []string{`{"DefaultRuntime":"runc"}`, `{"DefaultRuntime":"runc"}`, `{"DefaultRuntime":"bounded"}`}
	b.serve(t).OnFunc("docker info", func(run.Cmd) (string, error) {
		answer := answers[0]
		answers = answers[min(1, len(answers)-1):]
		return answer, nil
	})
	require.NoError(t, b.run(t))
	assert.Contains(t, b.out.String(), "registered the bounded runtime")
	assert.Contains(t, b.host.Read(daemonConfig), b.host.Path(runtimeFile))
	assert.EqualError(t, <-ended, "signal: hangup")
}

func TestSetupIsContentWithAnEngineThatHasTheBoundedRuntime(t *testing.T) {
	b := newBench(t, lacking(nil))
	b.serve(t).On("docker info", `{"DefaultRuntime":"bounded"}`, nil)
	require.NoError(t, b.run(t))
	assert.Contains(t, b.out.String(), "nothing to do")
}

func TestRegisterRuntime(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, b.registerRuntime())
	require.NoError(t, b.registerRuntime(), "a second time it finds its own configuration")
	assert.Equal(t, []string{"/" + runtimeFile, "/" + daemonConfig}, b.recorded(t).Files)
	info, err := os.Stat(b.host.Path(runtimeFile))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o755), info.Mode())

	foreign := newBench(t, map[string]string{daemonConfig: `{"registry-mirrors":["https://mirror.example.com"]}`})
	require.ErrorContains(t, foreign.registerRuntime(), "lacks the bounded runtime")
	assert.Contains(t, foreign.host.Read(daemonConfig), "mirror.example.com", "the user's file is not rewritten")

	broken := newBench(t, map[string]string{daemonConfig: `{`})
	assert.ErrorContains(t, broken.registerRuntime(), "is no JSON")
}

func TestSetupStartsDockerdByHandWithoutSystemd(t *testing.T) {
	files := process(map[string]string{"usr/sbin/dockerd": "", "run/docker.pid": "7", "proc/self/status": "CapBnd:\t" + noResource}, "99", "dockerd", noResource)
	b := newBench(t, process(files, "7", "bash", allCaps))
	started := false
	b.fake.OnFunc(b.docker+" version", func(run.Cmd) (string, error) {
		if !started {
			return notThere, errors.New("exit status 1")
		}
		return versions("20.10.24", "20.10.24"), nil
	})
	b.fake.OnFunc("setsid --fork", func(run.Cmd) (string, error) {
		assert.NoFileExists(t, b.host.Path("run/docker.pid"), "process 7 is no dockerd")
		assert.FileExists(t, b.host.Path(daemonConfig), "the capability is missing")
		started = true
		return "99\n", nil
	})
	require.NoError(t, b.run(t))
	rec := b.recorded(t)
	assert.Equal(t, 99, rec.Dockerd.PID)
	assert.Contains(t, rec.Files, b.host.Path(daemonLog))
}

func TestADockerdThatEndsAtOnceIsReportedWithItsReason(t *testing.T) {
	b := newBench(t, map[string]string{"usr/bin/dockerd": "", daemonLog: "starting\nfailed to start daemon: no cgroups\n"})
	b.fake.On(b.docker+" version", notThere, errors.New("exit status 1")).On("setsid", "99", nil)
	err := b.run(t)
	require.ErrorContains(t, err, "dockerd ended: failed to start daemon: no cgroups")
	assert.Contains(t, fault.Remedy(err), daemonLog)
}

func TestAnEngineThatDoesNotAnswerInTimeIsReported(t *testing.T) {
	b := newBench(t, process(map[string]string{"usr/bin/dockerd": ""}, "99", "dockerd", allCaps))
	b.patience = 300 * time.Millisecond
	b.fake.On(b.docker+" version", notThere, errors.New("exit status 1")).On("setsid", "99", nil)
	err := b.run(t)
	require.ErrorContains(t, err, "did not answer within")
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
}

func TestSetupStartsNoLocalEngineWhereDockerHostNamesAnother(t *testing.T) {
	b := newBench(t, nil)
	t.Setenv("DOCKER_HOST", "tcp://192.0.2.1:2376")
	b.fake.On("dpkg-query", "debootstrap installed\n", nil)
	b.fake.On(b.docker+" version", notThere, errors.New("exit status 1"))
	require.ErrorContains(t, b.run(t), "DOCKER_HOST")
	assert.False(t, b.ran("setsid") || b.ran("apt-get"))

	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "build-farm")
	b.fake.On(b.docker+" context inspect", "ssh://farm.example.com\n", nil)
	require.ErrorContains(t, b.run(t), "the docker context build-farm names an engine that does not answer")
	assert.False(t, b.ran("setsid") || b.ran("apt-get"))
}
