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
	"time"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// startLimit is for a first start, which downloads minikube's node image and Kubernetes.
const startLimit = 20 * time.Minute

// start makes the node, or starts an existing one; minikube itself repairs what an interrupted start left, where it can.
func (m *Minikube) start(ctx context.Context, t *ui.Task) error {
	if err := os.MkdirAll(filepath.Dir(m.Kubeconfig), 0o755); err != nil {
		return err
	}
	var complaint event
	_, err := m.command(ctx, startLimit, func(line string) {
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			return
		}
		switch e.Type {
		case "io.k8s.sigs.minikube.step":
			t.Line(e.Data.Message)
		case "io.k8s.sigs.minikube.error":
			complaint = e
		}
	}, "start", "--memory=4096", "--cpus=2", "--driver=docker", "--container-runtime=containerd", "--embed-certs", "--interactive=false", "--output=json")
	if err == nil || ctx.Err() != nil {
		return err
	}
	if complaint.Data.Message == "" {
		return m.failed(err, "does not start")
	}
	remedy := oneLine(complaint.Data.Advice)
	if remedy == "" || strings.Contains(remedy, "minikube delete") { // minikube is quick to advise that; the database would go too
		remedy = "run the target again"
	}
	return fault.New(fault.CodeCluster, m.Name()+" does not start: "+oneLine(complaint.Data.Message), remedy+"; TODO_CLUSTER=kind does without minikube")
}

// event is a line of minikube's output in JSON, as far as it is used.
type event struct {
	Type string
	Data struct{ Message, Advice string }
}

// output runs a minikube command on the profile, and gives its standard output without the white space around it.
func (m *Minikube) output(ctx context.Context, limit time.Duration, args ...string) (string, error) {
	return m.command(ctx, limit, nil, args...)
}

func (m *Minikube) command(ctx context.Context, limit time.Duration, line func(string), args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := m.Runner.Run(ctx, run.Cmd{
		Name: "minikube", Args: append(args, "--profile", m.Profile), Line: line,
		// The docker that was found, which minikube looks up by itself, and its own kubeconfig: minikube would make the
		// profile the current context of the user's.
		Env: []string{m.Docker.Path(), "KUBECONFIG=" + m.Kubeconfig, "MINIKUBE_IN_STYLE=false", "MINIKUBE_WANTUPDATENOTIFICATION=false"},
	})
	return strings.TrimSpace(res.Stdout), err
}

// exiting is the line in which minikube names its reason, among boxes and advice.
var exiting = regexp.MustCompile(`(?m)Exiting due to [A-Z0-9_]+: (.+)$`)

// failed is a minikube command's failure, in one line.
func (m *Minikube) failed(err error, what string) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fault.New(fault.CodeEnvironment, "there is no minikube on PATH", "install it (https://minikube.sigs.k8s.io/docs/start), or use TODO_CLUSTER=kind, which needs no program")
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

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
