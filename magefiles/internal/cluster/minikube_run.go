package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
	"todo.local/magefiles/internal/words"
)

// startLimit is for a first start, which downloads minikube's node image and Kubernetes.
const startLimit = 20 * time.Minute

// preparing is the step of a start at which the node's containerd is configured and Kubernetes comes next.
const preparing = "Preparing Kubernetes"

// start makes the node, or starts an existing one; minikube itself repairs what an interrupted start left, where it
// can. Meanwhile the node is looked after, and takes images once its containerd does.
func (m *Minikube) start(ctx context.Context, t *ui.Task, node source.Node, fresh bool, takesImages func()) error {
	args, err := m.startArgs(ctx, node, fresh)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.Kubeconfig), 0o755); err != nil {
		return err
	}
	waiting, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	beside.Go(func() { m.keeper().watch(waiting, t, nil) })
	early := sync.OnceFunc(func() {
		beside.Go(func() {
			if m.keeper().awaitContainerd(waiting) == nil {
				takesImages()
			}
		})
	})
	var complaint event
	_, err = m.command(ctx, startLimit, func(line string) {
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			return
		}
		switch e.Type {
		case "io.k8s.sigs.minikube.step":
			t.Line(e.Data.Message)
			if e.Data.Name == preparing {
				early()
			}
		case "io.k8s.sigs.minikube.error":
			complaint = e
		}
	}, args...)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if c, _ := m.container(ctx); c != nil {
		if cause := m.keeper().evidence(ctx, t, nil); cause.What != "" {
			return fault.New(cause.Code, m.Name()+" does not start: "+cause.What, cause.Remedy+"; then run the target again")
		}
	}
	if complaint.Data.Message == "" {
		return m.failed(err, "does not start")
	}
	remedy := words.OneLine(complaint.Data.Advice)
	if remedy == "" || strings.Contains(remedy, "minikube delete") { // minikube is quick to advise that; the database would go too
		remedy = "run the target again"
	}
	return fault.New(fault.CodeCluster, m.Name()+" does not start: "+words.OneLine(complaint.Data.Message), remedy+"; TODO_CLUSTER=kind does without minikube")
}

// installed tells whether there is a minikube: a person's own on PATH, which is used and left alone, or one that this
// project has built.
func (m *Minikube) installed() bool {
	m.path.Lock()
	defer m.path.Unlock()
	if m.program == "" {
		m.program, _ = exec.LookPath("minikube")
	}
	if m.program == "" && m.Built != nil {
		m.program = m.Built()
	}
	return m.program != ""
}

// find gives the path of minikube, which is built where there is none.
func (m *Minikube) find(ctx context.Context, t *ui.Task) (string, error) {
	if m.installed() {
		return m.program, nil
	}
	m.path.Lock()
	defer m.path.Unlock()
	var err error
	m.program, err = m.Build(ctx, t)
	return m.program, err
}

// event is a line of minikube's output in JSON, as far as it is used.
type event struct {
	Type string
	Data struct{ Name, Message, Advice string }
}

// leash runs a command and ends it when its own input does: that is when whoever started it is gone, however that went.
// A minikube that is left to itself would go on with a profile which the next run makes anew.
const leash = `exec 3<&0
"$@" 3<&- &
command=$!
{ cat <&3; kill "$command"; } >/dev/null 2>&1 &
watcher=$!
wait "$command"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"`

// output runs a minikube command on the profile, and gives its standard output without the white space around it.
func (m *Minikube) output(ctx context.Context, limit time.Duration, args ...string) (string, error) {
	return m.command(ctx, limit, nil, args...)
}

func (m *Minikube) command(ctx context.Context, limit time.Duration, line func(string), args ...string) (string, error) {
	program, err := m.find(ctx, nil)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// The docker that was found, which minikube looks up by itself, and its own kubeconfig: minikube would make the
	// profile the current context of the user's.
	env := []string{m.Docker.Path(), "KUBECONFIG=" + m.Kubeconfig, "MINIKUBE_IN_STYLE=false", "MINIKUBE_WANTUPDATENOTIFICATION=false"}
	if home := m.home(); home != "" {
		env = append(env, "MINIKUBE_HOME="+home)
	}
	in, open, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	defer func() { _ = open.Close() }()
	args = append([]string{"-c", leash, "sh", program}, args...)
	res, err := m.Runner.Run(ctx, run.Cmd{Name: "sh", Args: append(args, "--profile", m.Profile), Stdin: in, Line: line, Env: env})
	return strings.TrimSpace(res.Stdout), err
}

// exiting is the line in which minikube names its reason, among boxes and advice.
var exiting = regexp.MustCompile(`(?m)Exiting due to [A-Z0-9_]+: (.+)$`)

// failed is a minikube command's failure, in one line.
func (m *Minikube) failed(err error, what string) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	const remedy = "run the target again; TODO_CLUSTER=kind does without minikube"
	var e *run.Error
	if errors.As(err, &e) {
		if found := exiting.FindStringSubmatch(e.Output); found != nil {
			return fault.New(fault.CodeCluster, m.Name()+" "+what+": "+strings.TrimSpace(found[1]), remedy)
		}
	}
	return fault.Wrap(err, fault.CodeCluster, m.Name()+" "+what, remedy)
}
