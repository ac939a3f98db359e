package setup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

const (
	runtimeSource = "scripts/runc-bounded"                   // in the checkout
	runtimeFile   = "usr/local/lib/todo-deploy/runc-bounded" // on the machine, since containers outlive a checkout
	daemonConfig  = "etc/docker/daemon.json"
	daemonLog     = "var/log/todo-deploy-dockerd.log"
)

// startEngine starts the engine where it does not run, and sees to it that it can start privileged containers.
func (s *setup) startEngine(ctx context.Context, t *ui.Task) error {
	d, err := engine.FindClient(ctx, s.runner)
	switch {
	case d != nil:
		return s.checkRuntime(ctx, t, d)
	case !errors.Is(err, engine.ErrNotRunning):
		return err
	}
	if named := engine.FindEndpoint(ctx, s.runner); named.Source != "" {
		return fault.Wrap(err, fault.CodeEnvironment, named.Source+" names an engine that does not answer", "start that engine, or "+named.Leave())
	}
	init := "self"
	start := s.startByHand
	if s.host.Systemd() {
		init, start = "1", s.startService
	}
	if s.host.LacksSysResource(init) {
		if err := s.registerRuntime(); err != nil {
			return err
		}
	}
	pid, err := start(ctx, t)
	if err != nil {
		return err
	}
	d, err = s.await(ctx, t, pid)
	if err != nil {
		return err
	}
	t.Result("started version %s", d.EngineVersion)
	return nil
}

func (s *setup) startService(ctx context.Context, t *ui.Task) (int, error) {
	t.Status("systemctl start docker")
	_, err := run.Output(ctx, s.runner, "systemctl", "start", "docker")
	return 0, fault.Wrap(err, fault.CodeEnvironment, "the Docker engine did not start", "`journalctl --unit docker` shows why")
}

// startByHand starts dockerd in a session of its own, so that it outlives this run and its terminal.
func (s *setup) startByHand(ctx context.Context, t *ui.Task) (int, error) {
	t.Status("starting dockerd")
	program := s.dockerd()
	if program == "" {
		return 0, fault.New(fault.CodeEnvironment, "there is no dockerd on this machine", "install the package docker.io")
	}
	// Left behind by a power cut or a killed container, these would name processes that now are others, and dockerd
	// would trust them.
	s.removeStale("run/docker.pid", "dockerd")
	s.removeStale("run/docker/containerd/containerd.pid", "containerd")

	log := s.host.Path(daemonLog)
	s.record.Files = add(s.record.Files, log)
	if err := writeRecord(s.host, s.record); err != nil {
		return 0, err
	}
	// The shell tells its pid, which exec keeps, and lets go of our pipes.
	const script = `echo $$; log=$1; shift; exec "$@" >>"$log" 2>&1 </dev/null`
	res, err := s.runner.Run(ctx, run.Cmd{Name: "setsid", Args: []string{"--fork", "sh", "-c", script, "sh", log, program}, Dir: "/"})
	if err != nil {
		return 0, fault.Wrap(err, fault.CodeEnvironment, "dockerd did not start", "start it by hand")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(res.Stdout))
	if err != nil {
		return 0, fmt.Errorf("start of dockerd: no process id in %q", res.Stdout)
	}
	s.record.Dockerd = &startedDockerd{PID: pid, Boot: s.bootID(), Log: log}
	return pid, writeRecord(s.host, s.record)
}

func (s *setup) bootID() string { return s.host.Read("proc/sys/kernel/random/boot_id") }

// removeStale removes a pid file unless its process runs the named command.
func (s *setup) removeStale(rel, command string) {
	pid, err := strconv.Atoi(s.host.Read(rel))
	if err != nil || s.host.Command(pid) != command {
		_ = os.Remove(s.host.Path(rel)) // where it cannot be removed, dockerd says so itself
	}
}

// await waits until the engine answers. pid is its process, or 0 where that is not known.
func (s *setup) await(ctx context.Context, t *ui.Task, pid int) (*engine.Docker, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		d, err := engine.FindClient(ctx, s.runner)
		if d != nil {
			return d, nil
		}
		if pid != 0 && !s.host.Alive(pid) {
			return nil, fault.New(fault.CodeEnvironment, "dockerd ended: "+run.Telling(s.host.Read(daemonLog)), "its log is "+s.host.Path(daemonLog))
		}
		t.Status("waiting for the engine to answer")
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil, ctx.Err()
			}
			return nil, fault.Wrap(err, fault.CodeEnvironment, fmt.Sprintf("the Docker engine did not answer within %s", s.patience),
				"look into "+s.host.Path(daemonLog)+" or `journalctl --unit docker`")
		case <-tick.C:
		}
	}
}

// checkRuntime deals with an engine that runs already. One that setup neither installed nor started is left alone.
func (s *setup) checkRuntime(ctx context.Context, t *ui.Task, d *engine.Docker) error {
	if !s.host.EngineLacksSysResource() {
		t.Unchanged("version %s runs", d.EngineVersion)
		return nil
	}
	info, err := d.Info(ctx)
	if err != nil {
		return err
	}
	if info.DefaultRuntime == engine.BoundedRuntime {
		t.Unchanged("version %s runs, with the bounded runtime", d.EngineVersion)
		return nil
	}
	pid := s.host.EnginePID()
	ours := s.record.Dockerd != nil && s.record.Dockerd.PID == pid && s.record.Dockerd.Boot == s.bootID()
	if !ours && !slices.Contains(s.record.Packages, "docker.io") {
		return fault.New(fault.CodeEnvironment, "the Docker engine lacks CAP_SYS_RESOURCE and cannot start a cluster node; setup did not start it, so it is left alone",
			s.runtimeRemedy())
	}
	if err := s.registerRuntime(); err != nil {
		return err
	}
	// dockerd reads its runtimes anew on this signal; no container is touched.
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		return err
	}
	for range 25 {
		if info, err = d.Info(ctx); err != nil {
			return err
		}
		if info.DefaultRuntime == engine.BoundedRuntime {
			t.Result("registered the bounded runtime")
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return fault.New(fault.CodeEnvironment, "the Docker engine did not take up the bounded runtime", "its log tells why; restart it with the configuration in /"+daemonConfig)
}

// registerRuntime makes the bounded runtime the default in the engine's configuration, which it must read afterwards.
func (s *setup) registerRuntime() error {
	script, err := os.ReadFile(filepath.Join(s.cfg.Root, runtimeSource))
	if err != nil {
		return err
	}
	if there, err := os.ReadFile(s.host.Path(runtimeFile)); err != nil || !bytes.Equal(there, script) {
		if err := s.recorded(runtimeFile, script, 0o755); err != nil {
			return err
		}
	}
	present, err := os.ReadFile(s.host.Path(daemonConfig))
	if errors.Is(err, fs.ErrNotExist) {
		return s.recorded(daemonConfig, s.boundedConfig(), 0o644)
	}
	if err != nil {
		return err
	}
	var c struct {
		Default  string                     `json:"default-runtime"`
		Runtimes map[string]json.RawMessage `json:"runtimes"`
	}
	if err := json.Unmarshal(present, &c); err != nil {
		return fault.Wrap(err, fault.CodeEnvironment, "/"+daemonConfig+" is no JSON", "correct it")
	}
	if _, ok := c.Runtimes[engine.BoundedRuntime]; !ok || c.Default != engine.BoundedRuntime {
		return fault.New(fault.CodeEnvironment, "/"+daemonConfig+" exists, and lacks the bounded runtime that this machine needs", s.runtimeRemedy())
	}
	return nil
}

func (s *setup) boundedConfig() []byte {
	b, _ := json.MarshalIndent(map[string]any{ // of strings only: cannot fail
		"runtimes":        map[string]any{engine.BoundedRuntime: map[string]string{"path": s.host.Path(runtimeFile)}},
		"default-runtime": engine.BoundedRuntime,
	}, "", "  ")
	return append(b, '\n')
}

// runtimeRemedy is what a person does where setup does not touch the engine.
func (s *setup) runtimeRemedy() string {
	return fmt.Sprintf("install -D -m 755 %s %s\nadd this to /%s:\n%sthen let the engine read it: kill -HUP \"$(cat /run/docker.pid)\"",
		filepath.Join(s.cfg.Root, runtimeSource), s.host.Path(runtimeFile), daemonConfig, s.boundedConfig())
}
