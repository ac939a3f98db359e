// Package postmortem finds out why a cluster's node does not come up. It gathers what the Docker engine, the node and
// the programs in it have to say, names the cause with what to do about it, and keeps the rest for whoever wants to
// read on.
package postmortem

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	state "github.com/moby/moby/api/types/container"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
)

// questionLimit is how long one question to the engine or the node may take. A node in trouble may not answer at all.
const questionLimit = 10 * time.Second

// noticeLimit is how long the engine may take to notice that a container ended.
const noticeLimit = 3 * time.Second

// Evidence is what was found of a node: the failure, and texts by the names of the files that keep them.
type Evidence struct {
	failure error
	texts   map[source]string
}

// source is one text of the evidence.
type source string

const (
	answer     source = "answer"     // what the command that failed printed: the engine's own, or one in the node such as kubeadm
	container  source = "container"  // what the engine tells of it
	ending     source = "ending"     // how the container ended, where it did
	console    source = "console"    // what the container printed: the node's entrypoint and its init
	kubelet    source = "kubelet"    // its journal
	containerd source = "containerd" // its journal
	pods       source = "pods"       // the ends of the logs of the pods that kubeadm starts
	resources  source = "resources"  // disk, memory and limits, as the node sees them, and the units that run
)

// questions are asked in a running node. Each is a script; what it prints is the text, whether or not it fails.
// Journals and logs outlive a node's stop, so that only what came since $STARTED tells of now.
var questions = map[source]string{
	kubelet:    `journalctl --unit kubelet --since "$STARTED" --no-pager --output cat --lines 400`,
	containerd: `journalctl --unit containerd --since "$STARTED" --no-pager --output cat --lines 400`,
	// Of every container the newest log, as a container that is started again gets another one.
	pods: `cd /var/log/pods && for dir in */*/; do
	log=$(ls -t "$dir" | head -n 1)
	[ -n "$(find "$dir$log" -newermt "$STARTED" 2>/dev/null)" ] && echo "== $dir$log" && tail -n 40 "$dir$log"
done`,
	// The lines that begin with a word and a colon are what the table of causes looks for.
	resources: `systemctl show kubelet containerd --property Id,ActiveState,SubState,NRestarts,Result
df -kP / /var | while read -r device size used free share path; do
	case $free in *[0-9]) [ "$free" -ge 20480 ] || echo "full: $path has $((free / 1024)) of $((size / 1024)) MB free" ;; esac
done
limit=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
case $limit in max|????????????????*|'') limit=0 ;; esac
limit=$((limit / 1048576)) kills=$(dmesg 2>/dev/null | grep -c "oom_memcg=[^,]*$ID,")
if [ "$kills" -gt 0 ]; then echo "killed: $kills processes of the node, for its limit of $limit MB"
elif [ $limit -gt 0 ] && [ $limit -lt 1024 ]; then echo "short: the node's limit is $limit MB"; fi
date -u; free -m; df -h; df -i / /var; sysctl fs.inotify.max_user_instances fs.inotify.max_user_watches; ls -d /sys/fs/cgroup/*/ /sys/fs/cgroup/*/kubelet`,
}

// Look asks the engine about a container that is a node and, where it runs, the node itself. failure is what brought
// this about; what a failed command printed is evidence too. What cannot be had is missing from the evidence.
func Look(ctx context.Context, d *engine.Docker, node string, failure error) *Evidence {
	e := &Evidence{failure: failure, texts: map[source]string{}}
	var failed *run.Error
	switch {
	case errors.As(failure, &failed) && failed.Output != "":
		e.texts[answer] = failed.Output
	case failure != nil:
		e.texts[answer] = failure.Error()
	}
	c := inspect(ctx, d, node)
	if c == nil {
		return e
	}
	e.texts[container] = kept(c)
	if refused(failure) {
		return e // what the container printed is of a life before
	}

	var mu sync.Mutex
	var wg sync.WaitGroup
	ask := func(about source, question func(ctx context.Context) string) {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, questionLimit)
			defer cancel()
			text := question(ctx)
			mu.Lock()
			defer mu.Unlock()
			e.texts[about] = run.Redact(d.Runner, text)
		})
	}
	read := func() {
		ask(console, func(ctx context.Context) string {
			text, _ := d.Logs(ctx, node, 400)
			return text
		})
	}
	read()
	if c.Runs() {
		var answers atomic.Bool
		env := []string{fmt.Sprintf("STARTED=@%d", c.Started().Unix()), "ID=" + c.ID}
		for about, script := range questions {
			ask(about, func(ctx context.Context) string {
				var text bytes.Buffer
				_, err := d.ExecCommand(ctx, node, engine.Command{Args: []string{"sh", "-c", script}, Env: env, Output: &text})
				if err == nil {
					answers.Store(true)
				}
				return text.String()
			})
		}
		wg.Wait()
		if !answers.Load() {
			c = settle(ctx, d, node, c)
			e.texts[container] = kept(c)
			read()
		}
	}
	wg.Wait()
	e.texts[ending] = endingOf(c.State, e.texts[console])
	return e
}

// settle gives the container as it is once the engine has noticed that it ended. For a moment it is called running
// while no command can be executed in it. One that goes on running is given after a while.
func settle(ctx context.Context, d *engine.Docker, node string, c *engine.Container) *engine.Container {
	ctx, cancel := context.WithTimeout(ctx, noticeLimit)
	defer cancel()
	tick := time.NewTicker(noticeLimit / 30)
	defer tick.Stop()
	for c.Runs() {
		select {
		case <-ctx.Done():
			return c
		case <-tick.C:
		}
		if now := inspect(ctx, d, node); now != nil {
			c = now
		}
	}
	return c
}

// refused tells whether it is the engine itself that failed to do something, and nothing in the node: a start, a pull.
func refused(failure error) bool {
	var failed *run.Error // of kind's library, which starts docker commands
	if errors.As(failure, &failed) {
		words := append(strings.Fields(failed.Cmd), "", "")
		return words[1] != "exec" && words[1] != "logs"
	}
	var by *engine.Refusal
	return errors.As(failure, &by) && !strings.HasPrefix(by.Asked, "exec ")
}

// endingOf is how a container ended, with what it printed last; nothing where it runs, or never did.
func endingOf(s *state.State, console string) string {
	switch {
	case s.Status == state.StateRunning || s.Status == state.StateCreated && s.Error == "":
		return ""
	case s.OOMKilled:
		return "out of memory: it was killed"
	case s.Error != "":
		return "error: " + s.Error
	}
	return strings.TrimSuffix(fmt.Sprintf("ended: exit code %d: %s", s.ExitCode, run.Telling(console)), ": ")
}

// inspect gives what the engine tells of a container; nil where there is none, or the engine does not tell.
func inspect(ctx context.Context, d *engine.Docker, node string) *engine.Container {
	ctx, cancel := context.WithTimeout(ctx, questionLimit)
	defer cancel()
	c, err := d.Container(ctx, node)
	if err != nil {
		return nil
	}
	return c
}

// kept is what is kept of a container: all but its environment, as a proxy's address in it may hold a password.
func kept(c *engine.Container) string {
	open := c.InspectResponse
	open.Config = nil
	text, err := json.MarshalIndent(open, "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}

// Save writes the evidence into a new folder, for this user only: a node's journals may name anything.
func (e *Evidence) Save(dir string, c Cause) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	errs := []error{write(dir, "cause", c.What+"\n→ "+c.Remedy+"\n")}
	for about, text := range e.texts {
		if strings.TrimSpace(text) != "" {
			errs = append(errs, write(dir, string(about), text))
		}
	}
	return errors.Join(errs...)
}

func write(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s.txt", name)), []byte(text), 0o600)
}
