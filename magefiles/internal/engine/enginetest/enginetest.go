// Package enginetest runs a current Docker engine beside the machine's own, for tests: with containerd's image store,
// data, sockets and a network of its own. Nothing of the machine's engine is touched, except that a container of it
// holds that network.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source/scratch"
)

const (
	// folder has the sockets, whose paths must be short.
	folder = "/run/todo-engine"
	// network is the container whose network the engine runs in. It ends by itself, for a test that is killed.
	network     = "todo-engine-network"
	networkLife = "3600"
	// currentMajor is the first version whose new installations keep images in containerd's store.
	currentMajor = 29
	// patience is how long the engine may take to answer, and to end.
	patience = time.Minute
)

// start is the engine's first process, given its folder and a process of the network. In namespaces of its own, no
// mount or process of the engine outlives it. Its process group's id is what a later run ends it by.
const start = `echo $$ >"$1/pid"
exec nsenter --target "$2" --net unshare --pid --fork --kill-child --mount-proc sh -c '
	containerd --config "$1/containerd.toml" &
	exec dockerd --config-file "$1/daemon.json"' sh "$1"`

// Engine is a current Docker engine that runs.
type Engine struct {
	// Env has docker commands and this project's targets use it, inside its network.
	Env []string

	own     *engine.Docker
	network string // a process in its network
	end     context.CancelFunc
	ended   chan struct{}
	err     error // of its process, once ended is closed
	unlock  func()
}

// Unfit tells why this machine runs no second engine; it is empty where it can.
func Unfit(own *engine.Docker, goos string, root bool) string {
	switch {
	case goos != "linux":
		return "it takes Linux"
	case !root:
		return "it takes root"
	case engine.Major(own.EngineVersion) >= currentMajor:
		return "the machine's own, " + own.EngineVersion + ", is a current one"
	}
	for _, program := range []string{"nsenter", "unshare", "iptables"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed"
		}
	}
	return ""
}

// Options are what an engine may have that is not a new installation's.
type Options struct {
	Network string   // of the machine's engine, which it is connected to; the usual one where empty
	Env     []string // of its processes
}

// Start starts the engine. What a run that was killed left of one is removed first. holder is an image of the machine's
// engine that has the program sleep.
func Start(ctx context.Context, cfg *config.Config, own *engine.Docker, programs scratch.CurrentDocker, holder string, o Options) (e *Engine, err error) {
	unlock, err := lock()
	if err != nil {
		return nil, err
	}
	e = &Engine{own: own, unlock: unlock, end: func() {}, ended: make(chan struct{})}
	close(e.ended) // until it has begun
	defer func() {
		if err != nil {
			e.Stop(ctx)
			e = nil
		}
	}()
	if err := e.clear(ctx); err != nil {
		return e, err
	}
	if err := layOut(folder, cfg, programs); err != nil {
		return e, err
	}
	if e.network, err = e.hold(ctx, holder, o.Network); err != nil {
		return e, err
	}
	e.Env = []string{
		"DOCKER_HOST=unix://" + filepath.Join(folder, socket),
		"DOCKER_CONFIG=" + filepath.Join(folder, "config"),
		"PATH=" + filepath.Join(folder, "bin") + ":" + os.Getenv("PATH"),
	}
	if err := e.begin(ctx, filepath.Join(cfg.Cache, "logs", "second-engine.log"), o.Env); err != nil {
		return e, err
	}
	return e, e.removeContainers(ctx)
}

// lock keeps a second run from the one folder. The system gives the lock back when the process ends.
func lock() (unlock func(), err error) {
	held := flock.New(folder + ".lock")
	switch got, err := held.TryLock(); {
	case err != nil:
		return nil, err
	case !got:
		return nil, fault.New(fault.CodeEnvironment, "another run on this machine tests with a second engine", "wait for it or end it")
	}
	return func() { _ = held.Close() }, nil
}

// hold starts the container that has the network, and gives its process.
func (e *Engine) hold(ctx context.Context, image, of string) (string, error) {
	if of == "" {
		of = "bridge"
	}
	if _, err := e.own.Output(ctx, "run", "--detach", "--rm", "--name", network, "--network", of, image, "sleep", networkLife); err != nil {
		return "", err
	}
	c, err := e.own.Container(ctx, network)
	if err != nil || c == nil {
		return "", errors.Join(errors.New("the container "+network+" has ended"), err)
	}
	return strconv.Itoa(c.State.Pid), nil
}

// begin starts the engine's processes and waits until they answer.
func (e *Engine) begin(ctx context.Context, logFile string, env []string) error {
	if err := os.MkdirAll(filepath.Dir(logFile), 0o755); err != nil {
		return err
	}
	log, err := os.Create(logFile)
	if err != nil {
		return err
	}
	lives, end := context.WithCancel(context.WithoutCancel(ctx))
	e.end, e.ended = end, make(chan struct{})
	go func() {
		defer close(e.ended)
		defer func() { _ = log.Close() }()
		_, e.err = e.own.Runner.Run(lives, run.Cmd{
			Name: "sh", Args: []string{"-c", start, "sh", folder, e.network}, Dir: "/",
			Env:    append([]string{"PATH=" + filepath.Join(folder, "sbin") + ":" + os.Getenv("PATH")}, env...),
			Stdout: log, Line: func(line string) { _, _ = fmt.Fprintln(log, line) },
			Grace: patience / 2,
		})
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := e.docker(ctx, "version")
		if err == nil {
			return nil
		}
		select {
		case <-e.ended:
			return fmt.Errorf("the engine ended: %w; its log is %s", e.err, logFile)
		case <-ctx.Done():
			return fmt.Errorf("the engine did not answer: %w; its log is %s", err, logFile)
		case <-tick.C:
		}
	}
}

// docker runs a docker command on this engine.
func (e *Engine) docker(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := e.own.Runner.Run(ctx, run.Cmd{Name: filepath.Join(folder, "bin", "docker"), Args: args, Env: e.Env})
	return strings.TrimSpace(res.Stdout), err
}

// removeContainers removes those that a killed run left, with their volumes.
func (e *Engine) removeContainers(ctx context.Context) error {
	ids, err := e.docker(ctx, "ps", "--all", "--quiet")
	if err == nil && ids != "" {
		_, err = e.docker(ctx, append([]string{"rm", "--force", "--volumes"}, strings.Fields(ids)...)...)
	}
	return err
}

// Inside is a command in the engine's network, where the ports of its containers are, and with its client.
func (e *Engine) Inside(program string, args ...string) run.Cmd {
	return run.Cmd{Name: "nsenter", Args: append([]string{"--target", e.network, "--net", "--", program}, args...), Env: e.Env}
}

// Stop ends the engine with everything that runs in it. Its images stay for the next time.
func (e *Engine) Stop(ctx context.Context) {
	e.end()
	<-e.ended
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	_ = e.clear(ctx) // what is left, the next start clears
	e.unlock()
}

// clear removes what there is of an engine: its processes, its network and its folder.
func (e *Engine) clear(ctx context.Context) error {
	if pid := left(folder, "/proc"); pid != 0 {
		if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	if out, err := e.own.Output(ctx, "rm", "--force", network); err != nil && !strings.Contains(strings.ToLower(out+err.Error()), "no such container") {
		return err
	}
	return os.RemoveAll(folder)
}

// left gives the process group of an engine in a folder, by what is written there; 0 where that process is another one
// now.
func left(folder, proc string) int {
	raw, err := os.ReadFile(filepath.Join(folder, "pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || pid <= 1 {
		return 0
	}
	args, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "cmdline"))
	if err != nil || !strings.Contains(string(args), folder) {
		return 0
	}
	return pid
}
