package operate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/Masterminds/semver/v3"
	"k8s.io/client-go/rest"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/identity"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// kubectlAILimit bounds one answer of kubectl-ai. Its token is good for as long.
const kubectlAILimit = 10 * time.Minute

// InstallKubectlAI builds kubectl-ai, and the kubectl that it calls, where the cache lacks them.
func InstallKubectlAI(ctx context.Context, s session.Session) error {
	_, err := kubectlAIPrograms(ctx, s)
	return err
}

// programs are kubectl-ai's and the kubectl's that it calls.
type programs struct{ kubectlAI, kubectl string }

func kubectlAIPrograms(ctx context.Context, s session.Session) (p programs, err error) {
	err = s.UI.Do("kubectl-ai", func(t *ui.Task) error {
		dir, err := scratch.KubectlAI(ctx, t, s.Config, s.Runner)
		if err != nil {
			return err
		}
		p = programs{filepath.Join(dir, "kubectl-ai"), filepath.Join(dir, "kubectl")}
		if own, err := exec.LookPath("kubectl-ai"); err == nil && newer(versionOf(ctx, s, own), versionOf(ctx, s, p.kubectlAI)) {
			p.kubectlAI = own
			t.Note("%s is newer, and used instead", own)
		}
		return nil
	})
	return p, err
}

var versionLine = regexp.MustCompile(`(?m)^version: v?(\S+)$`)

// versionOf is what a kubectl-ai says it is, or nothing.
func versionOf(ctx context.Context, s session.Session, program string) string {
	out, err := run.Output(ctx, s.Runner, program, "version")
	if m := versionLine.FindStringSubmatch(out); err == nil && m != nil {
		return m[1]
	}
	return ""
}

// newer tells whether one version comes after another. What is no version, such as a build of somebody's own, does not.
func newer(one, other string) bool {
	a, err := semver.NewVersion(one)
	if err != nil {
		return false
	}
	b, err := semver.NewVersion(other)
	return err == nil && a.GreaterThan(b)
}

// KubectlAI hands a question to kubectl-ai. What it runs, whatever its model talks it into, has the account ai-view in
// the cluster and reaches no file of the person's. With change it has ai-operate and asks for nothing, provided that
// the question itself is for such a change.
func KubectlAI(ctx context.Context, s session.Session, question string, change bool) error {
	if !run.Confines() {
		return fault.New(fault.CodeEnvironment, "kubectl-ai is only run where it can be kept from your files, which takes Linux 6.7 or newer with Landlock",
			"go tool mage ai needs nothing")
	}
	if s.Config.OpenAIKey == "" {
		return fault.New(fault.CodeInput, "kubectl-ai needs a model", "set OPENAI_API_KEY, and OPENAI_BASE_URL for another endpoint than OpenAI's; go tool mage ai answers without")
	}
	account := identity.View
	if change {
		account = identity.Operate
		if order, err := application(s).Ordered(question); err != nil {
			return err
		} else if order.Tool == ai.Rollback {
			return fault.New(fault.CodeInput, "kubectl-ai cannot roll back: the account ai-operate scales and restarts", `run: go tool mage ai "roll back"`)
		}
	}
	tools, err := kubectlAIPrograms(ctx, s)
	if err != nil {
		return err
	}
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return err
	}
	own, err := c.Access.RESTConfig()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, kubectlAILimit)
	defer cancel()
	lent, err := identity.Token(ctx, c.Client, own, s.Config.Namespace, account)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "todo-kubectl-ai-") // 0700
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if _, err := identity.Kubeconfig(lent, s.Config.Namespace, dir); err != nil {
		return err
	}
	err = untilAnswered(ctx, dir, func(ctx context.Context) error {
		_, err := s.Runner.Run(ctx, kubectlAICommand(s, tools, lent, dir, question, change))
		return err
	})
	return fault.Wrap(err, fault.CodeFailed, "kubectl-ai gave no answer", "ask again, or without it: go tool mage ai")
}

const (
	logLook  = 500 * time.Millisecond // between two looks at its log, which it writes out every five seconds
	logGrace = 2 * time.Second        // for it to end by itself
)

// untilAnswered runs kubectl-ai to its end. Once it has answered it may wait for itself for ever (its display learns of
// the end only with a further message): its log tells, and then it is ended.
func untilAnswered(ctx context.Context, dir string, work func(context.Context) error) error {
	running, end := context.WithCancel(ctx)
	defer end()
	var answered atomic.Bool
	go func() {
		for !hasAnswered(filepath.Join(dir, "kubectl-ai.log")) {
			select {
			case <-running.Done():
				return
			case <-time.After(logLook):
			}
		}
		answered.Store(true)
		select {
		case <-running.Done():
		case <-time.After(logGrace):
			end()
		}
	}()
	err := work(running)
	if answered.Load() && ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// hasAnswered tells by its log whether kubectl-ai is done.
func hasAnswered(log string) bool {
	raw, err := os.ReadFile(log)
	return err == nil && bytes.Contains(raw, []byte("RunOnce mode, exiting agent loop"))
}

// application is what can be asked about.
func application(s session.Session) ai.Application {
	return ai.Application{Namespace: s.Config.Namespace, Services: app.Names(app.All()), Scalable: app.Names(app.Scalable()), MaxPods: maxReplicas}
}

// readable is what the programs of a system need.
var readable = []string{
	"/usr", "/bin", "/lib", "/lib64", "/dev/urandom", "/dev/zero",
	"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/ld.so.cache", "/etc/localtime",
	"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/host.conf", "/etc/services",
}

// kubectlAICommand is the command, which has a folder of its own for everything. The key is in its environment only.
func kubectlAICommand(s session.Session, tools programs, lent *rest.Config, dir, question string, change bool) run.Cmd {
	endpoint := cmp.Or(s.Config.OpenAIBaseURL, ai.DefaultURL)
	kubeconfig := filepath.Join(dir, "kubeconfig")
	c := run.Cmd{
		Name: tools.kubectlAI,
		Args: []string{"--quiet", "--kubeconfig", kubeconfig, "--trace-path", filepath.Join(dir, "trace.txt"),
			"--llm-provider", "openai", "--model", cmp.Or(s.Config.OpenAIModel, ai.DefaultModel)},
		Dir:  dir,
		Bare: true,
		Env: []string{
			"PATH=" + filepath.Dir(tools.kubectl) + ":/usr/local/bin:/usr/bin:/bin", "HOME=" + dir, "TMPDIR=" + dir, "KUBECONFIG=" + kubeconfig, "LANG=C.UTF-8",
			"OPENAI_API_KEY=" + s.Config.OpenAIKey, "OPENAI_ENDPOINT=" + endpoint,
		},
		Line: func(line string) { s.UI.Printf("%s\n", ai.Printable(line)) },
		Confine: &run.Confinement{
			Read:  append(slices.Clone(readable), filepath.Dir(tools.kubectl), resolved(tools.kubectlAI)),
			Write: []string{dir},
			Ports: []int{53, portOf(endpoint), portOf(lent.Host)},
		},
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"} {
		if value := os.Getenv(name); value != "" {
			c.Env = append(c.Env, name+"="+value)
			c.Confine.Ports = append(c.Confine.Ports, portOf(value))
		}
	}
	if s.Config.CABundle != "" {
		c.Env = append(c.Env, "SSL_CERT_FILE="+s.Config.CABundle)
		c.Confine.Read = append(c.Confine.Read, s.Config.CABundle)
	}
	if change {
		c.Args = append(c.Args, "--skip-permissions") // it has no terminal to ask at, and no right to do anything else
	}
	c.Args = append(c.Args, "--", fmt.Sprintf("In namespace %s: %s", s.Config.Namespace, question))
	return c
}

// resolved is the file that a path leads to.
func resolved(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	return path
}

// portOf is the port of a URL, or 443 where it names none.
func portOf(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		return 443
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}
