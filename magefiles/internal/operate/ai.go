package operate

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
	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// Ask answers a question about the running application in plain language. A change that it asks for is made once the person at the terminal agreed.
func Ask(ctx context.Context, s session.Session, question string) error {
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return err
	}
	hidden, err := knownSecrets(ctx, c)
	if err != nil {
		return err
	}
	conversation := ai.Session{
		UI:          s.UI,
		Application: ai.Application{Namespace: s.Config.Namespace, Services: app.Names(app.All()), Scalable: app.Names(app.Scalable()), MaxPods: maxReplicas},
		Operations:  operations{c},
		Secrets:     hidden,
		Confirm:     ai.AtTerminal(s.UI),
	}
	if s.Config.OpenAIKey != "" {
		conversation.Endpoint = &ai.Endpoint{URL: cmp.Or(s.Config.OpenAIBaseURL, ai.DefaultURL), Key: s.Config.OpenAIKey, Model: cmp.Or(s.Config.OpenAIModel, ai.DefaultModel)}
	}
	return conversation.Answer(ctx, question)
}

// knownSecrets are the values that no answer may hold: those of the settings, and those in the cluster. Nothing else of the assistant's reads Secrets.
func knownSecrets(ctx context.Context, s session.Cluster) (ai.Secrets, error) {
	known := s.Config.Secrets()
	found, err := s.Client.CoreV1().Secrets(s.Config.Namespace).Get(ctx, secrets.Name, metav1.GetOptions{})
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
type operations struct{ session.Cluster }

// Read gives what the target of the same name prints, and a diagnosis and the deployments, which no target prints.
func (o operations) Read(ctx context.Context, c ai.Call) (string, error) {
	var out bytes.Buffer
	s := session.New(o.Config, ui.Plain(&out))
	err := func() error {
		switch c.Tool {
		case ai.Status:
			return Status(ctx, s)
		case ai.Deployments:
			return printDeployments(ctx, o.Client, s)
		case ai.Diagnosis:
			d, err := rollout.Diagnose(ctx, o.Client, s.Config.Namespace, config.ReleaseName)
			s.UI.Printf("%s", d.Text(c.Service))
			return err
		case ai.Events:
			return Events(ctx, s)
		case ai.Logs:
			return Logs(ctx, s, c.Service, false)
		case ai.Usage:
			return Top(ctx, s)
		case ai.History:
			return History(ctx, s)
		}
		return fmt.Errorf("there is nothing to read as %q", c.Tool)
	}()
	return out.String(), err
}

// Change calls the target.
func (o operations) Change(ctx context.Context, c ai.Call) error {
	switch c.Tool {
	case ai.Scale:
		return Scale(ctx, o.Session, c.Service, c.Number)
	case ai.Restart:
		return Restart(ctx, o.Session, c.Service)
	case ai.Rollback:
		return Rollback(ctx, o.Session, c.Number)
	}
	return fmt.Errorf("there is no change %q", c.Tool)
}

// printDeployments prints what the Deployments want and have.
func printDeployments(ctx context.Context, client kubernetes.Interface, s session.Session) error {
	list, err := client.AppsV1().Deployments(s.Config.Namespace).List(ctx, metav1.ListOptions{})
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
	table(s.UI, rows)
	return nil
}

// kubectlAILimit bounds one answer of kubectl-ai.
const kubectlAILimit = 10 * time.Minute

// KubectlAI hands a question to an installed kubectl-ai, with this project's cluster. Without a terminal of its own that only looks: it ends where
// something would be changed.
func KubectlAI(ctx context.Context, s session.Session, question string) error {
	const program = "kubectl-ai"
	if _, err := exec.LookPath(program); err != nil {
		return fault.New(fault.CodeEnvironment, program+" is not installed", "docs/ai-operations.md says how to install it; go tool mage ai needs nothing")
	}
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, kubectlAILimit)
	defer cancel()
	_, err = s.Runner.Run(ctx, kubectlAI(s, program, c.Access.Kubeconfig, question))
	return fault.Wrap(err, fault.CodeFailed, program+" gave no answer", "for changes call it yourself, at a terminal: "+program+" --kubeconfig "+s.Config.Relative(c.Access.Kubeconfig))
}

// kubectlAI is the command. The key is in its environment only; without one, kubectl-ai goes by its own configuration.
func kubectlAI(s session.Session, program, kubeconfig, question string) run.Cmd {
	c := run.Cmd{
		Name: program,
		Args: []string{"--quiet", "--kubeconfig", kubeconfig, "--trace-path", filepath.Join(s.Config.State, "kubectl-ai-trace.txt")},
		Line: func(line string) { s.UI.Printf("%s\n", line) },
	}
	if s.Config.OpenAIKey != "" {
		c.Args = append(c.Args, "--llm-provider", "openai", "--model", cmp.Or(s.Config.OpenAIModel, ai.DefaultModel))
		c.Env = []string{"OPENAI_API_KEY=" + s.Config.OpenAIKey, "OPENAI_ENDPOINT=" + cmp.Or(s.Config.OpenAIBaseURL, ai.DefaultURL)}
	}
	c.Args = append(c.Args, "--", fmt.Sprintf("In namespace %s: %s", s.Config.Namespace, question))
	return c
}
