package operate

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/audit"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/identity"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// Ask answers a question about the running application in plain language. A change that it asks for is made once the
// person at the terminal agreed.
func Ask(ctx context.Context, s session.Session, question string) error {
	return ask(ctx, s, question, ai.AtTerminal(s.UI))
}

// ask answers a question. Where confirm is nil, nobody can agree to a change, and the answer names its command.
func ask(ctx context.Context, s session.Session, question string, confirm func(context.Context, string) (bool, error)) error {
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return err
	}
	hidden, err := knownSecrets(ctx, c)
	if err != nil {
		return err
	}
	ops, err := assistant(ctx, c)
	if err != nil {
		return err
	}
	conversation := ai.Session{
		UI:          s.UI,
		Application: application(s),
		Operations:  ops,
		Audit:       auditLog(s).Add,
		Secrets:     hidden,
		Confirm:     confirm,
	}
	if s.Config.OpenAIKey != "" {
		conversation.Endpoint = &ai.Endpoint{
			URL: cmp.Or(s.Config.OpenAIBaseURL, ai.DefaultURL), Key: s.Config.OpenAIKey, Model: cmp.Or(s.Config.OpenAIModel, ai.DefaultModel),
		}
	}
	return conversation.Answer(ctx, question)
}

// auditLog is where this checkout keeps what assistants did.
func auditLog(s session.Session) audit.Log {
	return audit.Log{Path: filepath.Join(s.Config.State, "audit.jsonl")}
}

// Audit prints what assistants were asked, read, proposed and did, once it is sure that nobody has changed it since.
func Audit(_ context.Context, s session.Session) error {
	all, err := auditLog(s).Verify()
	rows := []string{"TIME\tWHO\tBY\tEVENT\tWHAT"}
	for _, e := range all {
		detail := ai.Printable(strings.Join(strings.Fields(e.Detail), " "))
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s", e.Time.Format(time.DateTime), e.Who, ai.Printable(e.By), e.Event, detail))
	}
	table(s.UI, rows)
	if err != nil {
		return fault.Wrap(err, fault.CodeFailed, "the audit is not as it was written", "compare "+s.Config.Relative(auditLog(s).Path)+" with a copy; what is above that line still holds")
	}
	if len(all) > 0 {
		s.UI.Printf("%d entries, none changed; the last has hash %s\n", len(all), all[len(all)-1].Hash)
	}
	return nil
}

// knownSecrets are the values that no answer may hold: those of the settings, and those in the cluster. Nothing else of
// the assistant's reads Secrets.
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
type operations struct {
	session.Cluster
	lent *rest.Config // of the account ai-view; nil where the cluster has no such
}

// assistant gives the operations. What they show of the cluster they see as ai-view, so that no model's request has
// more rights.
func assistant(ctx context.Context, c session.Cluster) (operations, error) {
	own, err := c.Access.RESTConfig()
	if err != nil {
		return operations{}, err
	}
	lent, err := identity.Token(ctx, c.Client, own, c.Config.Namespace, identity.View)
	if errors.Is(err, identity.ErrNone) {
		return operations{Cluster: c}, nil // the tools read no Secrets by themselves
	}
	return operations{c, lent}, err
}

// Analyze looks at everything with the person's rights, and tells of Secrets nothing but flaws of their shape.
func (o operations) Analyze(ctx context.Context) ([]analysis.Finding, error) {
	return o.Findings(ctx)
}

// Read gives what the target of the same name prints, and a diagnosis and the deployments, which no target prints.
func (o operations) Read(ctx context.Context, c ai.Call) (string, error) {
	var out bytes.Buffer
	seen := o.Cluster
	seen.Session = session.New(o.Config, ui.Plain(&out))
	if o.lent != nil {
		client, err := kubernetes.NewForConfig(o.lent)
		if err != nil {
			return "", err
		}
		seen.Client = client
	}
	err := o.read(ctx, c, seen)
	return out.String(), err
}

func (o operations) read(ctx context.Context, c ai.Call, seen session.Cluster) error {
	switch c.Tool {
	case ai.Status:
		return Status(ctx, seen.Session) // of the release, which Helm keeps in Secrets
	case ai.Deployments:
		return printDeployments(ctx, seen)
	case ai.Diagnosis:
		return o.diagnose(ctx, c.Service, seen)
	case ai.Events:
		return events(ctx, seen)
	case ai.Logs:
		return logs(ctx, seen, c.Service, false)
	case ai.Usage:
		if o.lent == nil {
			return Top(ctx, seen.Session)
		}
		return top(ctx, seen, o.lent)
	case ai.History:
		return History(ctx, seen.Session)
	}
	return fmt.Errorf("there is nothing to read as %q", c.Tool)
}

// diagnose prints how the workloads are, and what the analysis found.
func (o operations) diagnose(ctx context.Context, service string, seen session.Cluster) error {
	d, err := rollout.Diagnose(ctx, seen.Client, seen.Config.Namespace, config.ReleaseName)
	if err != nil {
		return err
	}
	seen.UI.Printf("%s", d.Text(service))
	found, err := o.Analyze(ctx)
	if found = analysis.About(found, service); len(found) > 0 {
		seen.UI.Printf("\n%s", analysis.Text(found))
	}
	return err
}

// printDeployments prints what the Deployments want and have.
func printDeployments(ctx context.Context, s session.Cluster) error {
	list, err := s.Client.AppsV1().Deployments(s.Config.Namespace).List(ctx, metav1.ListOptions{})
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
