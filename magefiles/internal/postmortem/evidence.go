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
	"time"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
)

// questionLimit is how long one question to the engine or the node may take. A node in trouble may not answer at all.
const questionLimit = 10 * time.Second

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

// state is what docker inspect tells of a container's life.
type state struct {
	Status    string
	ExitCode  int
	OOMKilled bool
	Error     string
	StartedAt time.Time
}

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
	id, s, raw := inspect(ctx, d, node)
	if raw == nil {
		return e
	}
	e.texts[container] = string(raw)
	if refused(failed) {
		return e // what the container printed is of a life before
	}

	var mu sync.Mutex
	var wg sync.WaitGroup
	ask := func(about source, args ...string) {
		wg.Go(func() {
			var text bytes.Buffer
			ctx, cancel := context.WithTimeout(ctx, questionLimit)
			defer cancel()
			_, _ = d.Run(ctx, run.Cmd{Args: args, Line: func(line string) { text.WriteString(line + "\n") }})
			mu.Lock()
			defer mu.Unlock()
			e.texts[about] = text.String()
		})
	}
	ask(console, "logs", "--tail", "400", node)
	if s.Status == "running" {
		started := fmt.Sprintf("STARTED=@%d", s.StartedAt.Unix())
		for about, script := range questions {
			ask(about, "exec", "--env", started, "--env", "ID="+id, node, "sh", "-c", script)
		}
	}
	wg.Wait()
	e.texts[ending] = s.ending(e.texts[console])
	return e
}

// refused tells whether a command failed that the engine itself answers, and nothing in the node: a start, a pull.
func refused(failed *run.Error) bool {
	if failed == nil {
		return false
	}
	words := append(strings.Fields(failed.Cmd), "", "")
	return words[1] != "exec" && words[1] != "logs"
}

// ending is how a container ended, with what it printed last; nothing where it runs, or never did.
func (s state) ending(console string) string {
	switch {
	case s.Status == "running" || s.Status == "created" && s.Error == "":
		return ""
	case s.OOMKilled:
		return "out of memory: it was killed"
	case s.Error != "":
		return "error: " + s.Error
	}
	return strings.TrimSuffix(fmt.Sprintf("ended: exit code %d: %s", s.ExitCode, run.Telling(console)), ": ")
}

// inspect gives what the engine tells of a container, as it is kept: without its environment, as a proxy's address in
// it may hold a password.
func inspect(ctx context.Context, d *engine.Docker, node string) (id string, s state, kept []byte) {
	ctx, cancel := context.WithTimeout(ctx, questionLimit)
	defer cancel()
	out, err := d.Output(ctx, "container", "inspect", node)
	if err != nil {
		return "", s, nil
	}
	var found []struct {
		ID              string `json:"Id"`
		Created         string
		Image           string
		Path            string
		Args            []string
		State           json.RawMessage
		RestartCount    int
		Mounts          json.RawMessage
		HostConfig      json.RawMessage
		NetworkSettings json.RawMessage
	}
	if json.Unmarshal([]byte(out), &found) != nil || len(found) != 1 || json.Unmarshal(found[0].State, &s) != nil {
		return "", s, nil
	}
	kept, _ = json.MarshalIndent(found[0], "", "  ") // of JSON: cannot fail
	return found[0].ID, s, kept
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
