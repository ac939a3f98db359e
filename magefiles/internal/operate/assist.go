package operate

import (
	"context"
	"errors"
	"fmt"

	"github.com/pmezard/go-difflib/difflib"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/deploy"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/release"
)

// Preview has the API server try the change without making it, and gives the difference.
func (o operations) Preview(ctx context.Context, c ai.Call) (string, error) {
	namespace := o.Config.Namespace
	switch c.Tool {
	case ai.Scale:
		before, err := replicas(ctx, o.Client, namespace, c.Service)
		if err != nil {
			return "", err
		}
		if err := kube.Scale(ctx, o.Client, namespace, c.Service, c.Number, metav1.DryRunAll); err != nil {
			return "", refusedChange(err)
		}
		return fmt.Sprintf("--- deployment/%[1]s (now)\n+++ deployment/%[1]s (then)\n spec:\n-  replicas: %[2]d\n+  replicas: %[3]d\n", c.Service, before, c.Number), nil
	case ai.Restart:
		before, err := o.Client.AppsV1().Deployments(namespace).Get(ctx, c.Service, metav1.GetOptions{})
		if err != nil {
			return "", refusedChange(err)
		}
		after, err := kube.Restart(ctx, o.Client, namespace, c.Service, metav1.DryRunAll)
		if err != nil {
			return "", refusedChange(err)
		}
		return templates(c.Service, before.Spec.Template.ObjectMeta, after.Spec.Template.ObjectMeta)
	case ai.Rollback:
		helm, err := release.New(o.Access.API, namespace)
		if err != nil {
			return "", err
		}
		return helm.RollbackDiff(config.ReleaseName, c.Number)
	}
	return "", fmt.Errorf("there is no change %q", c.Tool)
}

func refusedChange(err error) error {
	return fault.Wrap(err, fault.CodeCluster, "the API server would not take this change", "see: go tool mage status")
}

func replicas(ctx context.Context, client kubernetes.Interface, namespace, deployment string) (int, error) {
	scale, err := client.AppsV1().Deployments(namespace).GetScale(ctx, deployment, metav1.GetOptions{})
	if err != nil {
		return 0, refusedChange(err)
	}
	return int(scale.Spec.Replicas), nil
}

// templates is the difference of what a Deployment's pods are labelled with.
func templates(deployment string, before, after metav1.ObjectMeta) (string, error) {
	var sides [2][]string
	for i, m := range []metav1.ObjectMeta{before, after} {
		raw, err := yaml.Marshal(map[string]any{"annotations": m.Annotations, "labels": m.Labels})
		if err != nil {
			return "", err
		}
		sides[i] = difflib.SplitLines(string(raw))
	}
	return difflib.GetUnifiedDiffString(difflib.UnifiedDiff{A: sides[0], B: sides[1], FromFile: "deployment/" + deployment + ", spec.template.metadata (now)",
		ToFile: "deployment/" + deployment + ", spec.template.metadata (then)", Context: 2})
}

// Change makes the change by its target and uses the application then as a user would. Where that fails, what was
// before comes back.
func (o operations) Change(ctx context.Context, c ai.Call) error {
	back := func(context.Context) error { return nil } // a restart leaves nothing to go back to
	var err error
	switch c.Tool {
	case ai.Scale:
		before, failed := replicas(ctx, o.Client, o.Config.Namespace, c.Service)
		if failed != nil {
			return failed
		}
		back = func(ctx context.Context) error { return Scale(ctx, o.Session, c.Service, before) }
		err = Scale(ctx, o.Session, c.Service, c.Number)
	case ai.Restart:
		err = Restart(ctx, o.Session, c.Service)
	case ai.Rollback:
		helm, failed := release.New(o.Access.API, o.Config.Namespace)
		if failed != nil {
			return failed
		}
		history, failed := helm.History(ctx, config.ReleaseName)
		if failed != nil || len(history) == 0 {
			return failed
		}
		before := history[len(history)-1].Revision
		back = func(ctx context.Context) error { return Rollback(ctx, o.Session, before) }
		err = Rollback(ctx, o.Session, c.Number)
	default:
		return fmt.Errorf("there is no change %q", c.Tool)
	}
	if err == nil && (c.Tool != ai.Scale || c.Number > 0) { // taken out of service, it cannot be used
		err = deploy.Smoke(ctx, o.Session)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	o.UI.Printf("After this change the application does not work: %v\n", err)
	if failed := back(ctx); failed != nil {
		return errors.Join(err, fmt.Errorf("and what was before did not come back: %w", failed))
	}
	return fault.Wrap(err, fault.Code(err), "taken back: "+c.String(), "see: go tool mage ai \"what is wrong?\"")
}
