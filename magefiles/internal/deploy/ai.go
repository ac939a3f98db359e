package deploy

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/ui"
)

// Ask answers a question about the running application in plain language. A change that it asks for is made once the person at the terminal agreed.
func (a *App) Ask(ctx context.Context, question string) error {
	_, client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	hidden, err := a.knownSecrets(ctx, client)
	if err != nil {
		return err
	}
	s := ai.Session{
		UI:          a.ui,
		Application: ai.Application{Namespace: a.cfg.Namespace, Services: services, Scalable: services[:2], MaxPods: maxReplicas},
		Operations:  operations{a, client},
		Secrets:     hidden,
		Confirm:     ai.AtTerminal(a.ui),
	}
	if a.cfg.OpenAIKey != "" {
		s.Endpoint = &ai.Endpoint{URL: cmp.Or(a.cfg.OpenAIBaseURL, ai.DefaultURL), Key: a.cfg.OpenAIKey, Model: cmp.Or(a.cfg.OpenAIModel, ai.DefaultModel)}
	}
	return s.Answer(ctx, question)
}

// knownSecrets are the values that no answer may hold: those of the settings, and those in the cluster. Nothing else of the assistant's reads Secrets.
func (a *App) knownSecrets(ctx context.Context, client kubernetes.Interface) (ai.Secrets, error) {
	known := a.cfg.Secrets()
	found, err := client.CoreV1().Secrets(a.cfg.Namespace).Get(ctx, secrets.Name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fault.Wrap(err, fault.CodeCluster, "it is not known which values are secret and have to be left out of answers", "ask for the right to read Secret "+secrets.Name)
	}
	if err == nil {
		for _, v := range found.Data {
			known = append(known, string(v))
		}
	}
	return ai.KnownSecrets(known...), nil
}

// operations are the targets, as an assistant calls them.
type operations struct {
	app    *App
	client kubernetes.Interface
}

// Read gives what the target of the same name prints, and a diagnosis and the deployments, which no target prints.
func (o operations) Read(ctx context.Context, c ai.Call) (string, error) {
	var out bytes.Buffer
	a := *o.app
	a.ui = ui.Plain(&out)
	err := func() error {
		switch c.Tool {
		case ai.Status:
			return a.Status(ctx)
		case ai.Deployments:
			return a.printDeployments(ctx, o.client)
		case ai.Diagnosis:
			d, err := rollout.Diagnose(ctx, o.client, a.cfg.Namespace, config.ReleaseName)
			a.ui.Printf("%s", d.Text(c.Service))
			return err
		case ai.Events:
			return a.Events(ctx)
		case ai.Logs:
			return a.Logs(ctx, c.Service, false)
		case ai.Usage:
			return a.Top(ctx)
		case ai.History:
			return a.ReleaseHistory(ctx)
		}
		return fmt.Errorf("there is nothing to read as %q", c.Tool)
	}()
	return out.String(), err
}

// Change calls the target.
func (o operations) Change(ctx context.Context, c ai.Call) error {
	switch c.Tool {
	case ai.Scale:
		return o.app.Scale(ctx, c.Service, c.Number)
	case ai.Restart:
		return o.app.Restart(ctx, c.Service)
	case ai.Rollback:
		return o.app.ReleaseRollback(ctx, c.Number)
	}
	return fmt.Errorf("there is no change %q", c.Tool)
}

// printDeployments prints what the Deployments want and have.
func (a *App) printDeployments(ctx context.Context, client kubernetes.Interface) error {
	list, err := client.AppsV1().Deployments(a.cfg.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	rows := []string{"DEPLOYMENT\tWANTED\tREADY\tUP TO DATE\tCPU LIMIT\tMEMORY LIMIT\tIMAGE"}
	for _, d := range list.Items {
		wanted := int32(1)
		if d.Spec.Replicas != nil {
			wanted = *d.Spec.Replicas
		}
		for _, c := range d.Spec.Template.Spec.Containers {
			rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%d\t%s\t%s\t%s", d.Name, wanted, d.Status.ReadyReplicas, d.Status.UpdatedReplicas,
				milli(c.Resources.Limits[corev1.ResourceCPU]), mebi(c.Resources.Limits[corev1.ResourceMemory]), c.Image))
		}
	}
	a.table(rows)
	return nil
}

// kubectlAILimit bounds one answer of kubectl-ai.
const kubectlAILimit = 10 * time.Minute

// KubectlAI hands a question to an installed kubectl-ai, with this project's cluster. Without a terminal of its own that only looks: it ends where
// something would be changed.
func (a *App) KubectlAI(ctx context.Context, question string) error {
	const program = "kubectl-ai"
	if _, err := exec.LookPath(program); err != nil {
		return fault.New(fault.CodeEnvironment, program+" is not installed", "docs/ai-operations.md says how to install it; go tool mage ai needs nothing")
	}
	access, _, err := a.connect(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, kubectlAILimit)
	defer cancel()
	_, err = a.runner.Run(ctx, a.kubectlAI(program, access.Kubeconfig, question))
	return fault.Wrap(err, fault.CodeFailed, program+" gave no answer", "for changes call it yourself, at a terminal: "+program+" --kubeconfig "+relative(a.cfg.Root, access.Kubeconfig))
}

// kubectlAI is the command. The key is in its environment only; without one, kubectl-ai goes by its own configuration.
func (a *App) kubectlAI(program, kubeconfig, question string) run.Cmd {
	c := run.Cmd{
		Name: program,
		Args: []string{"--quiet", "--kubeconfig", kubeconfig, "--trace-path", filepath.Join(a.cfg.State, "kubectl-ai-trace.txt")},
		Line: func(line string) { a.ui.Printf("%s\n", line) },
	}
	if a.cfg.OpenAIKey != "" {
		c.Args = append(c.Args, "--llm-provider", "openai", "--model", cmp.Or(a.cfg.OpenAIModel, ai.DefaultModel))
		c.Env = []string{"OPENAI_API_KEY=" + a.cfg.OpenAIKey, "OPENAI_ENDPOINT=" + cmp.Or(a.cfg.OpenAIBaseURL, ai.DefaultURL)}
	}
	c.Args = append(c.Args, "--", fmt.Sprintf("In namespace %s: %s", a.cfg.Namespace, question))
	return c
}
