package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/ui"
)

const (
	// secretsChecksum is the chart's annotation of pods: the checksum of the secrets that they began with.
	secretsChecksum  = "checksum/secrets"
	databasePod      = "postgres-0"
	databasePatience = 2 * time.Minute // for the database to start
	drainPatience    = time.Minute     // for old pods to end their requests
)

// RotateSecrets generates the signing key of sessions and the password of the database in the cluster anew, and deploys, which restarts what uses
// them. Everybody has to log in again. Interrupted, it is finished by the next deploy.
func (a *App) RotateSecrets(ctx context.Context) error {
	return a.exclusively(ctx, func() error {
		_, client, err := a.connect(ctx)
		if err != nil {
			return err
		}
		if err := a.ui.Do("Secrets", func(t *ui.Task) error { return secrets.Rotate(ctx, t, client, a.cfg) }); err != nil {
			return err
		}
		return a.deploy(ctx)
	})
}

// awaitDrained waits until no pod that began with other secrets is left: it would refuse the sessions that the new ones give.
func (a *App) awaitDrained(ctx context.Context, t *ui.Task, client kubernetes.Interface, checksum string) error {
	return a.awaitEnd(ctx, t, client, "app=todo-backend", "with the old secrets", func(p corev1.Pod) bool { return p.Annotations[secretsChecksum] != checksum })
}

// awaitEnd waits until none of the old pods is left. what tells them from the others.
func (a *App) awaitEnd(ctx context.Context, t *ui.Task, client kubernetes.Interface, selector, what string, isOld func(corev1.Pod) bool) error {
	var old int
	err := wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, drainPatience, true, func(ctx context.Context) (bool, error) {
		pods, err := client.CoreV1().Pods(a.cfg.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return false, err
		}
		old = len(slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return !isOld(p) || ended(p) }))
		if old > 0 {
			t.Status("waiting for %d pods %s to end", old, what)
		}
		return old == 0, nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return fault.New(fault.CodeRollout, fmt.Sprintf("%d pods %s do not end", old, what), "see: go tool mage status; then run: go tool mage deploy")
	}
	return err
}

// ended tells that a pod is over and merely still listed, as evicted ones are.
func ended(p corev1.Pod) bool {
	return p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded
}

// tellPassword gives the database in the cluster the password of a rotation, where one is pending. A database that does not run yet is waited for only
// where wait is set; pods that already failed with the new password are then replaced.
func (a *App) tellPassword(ctx context.Context, t *ui.Task, access cluster.Access, client kubernetes.Interface, wait bool) error {
	if a.cfg.DatabaseURL != "" {
		return nil
	}
	verifier, pending, err := secrets.PasswordPending(ctx, client, a.cfg.Namespace)
	if err != nil || !pending {
		return err
	}
	if wait {
		if err := a.awaitDatabase(ctx, t, client); err != nil {
			return err
		}
	} else if !a.databaseReady(ctx, client) {
		return nil
	}
	var complaint strings.Builder
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err = access.Exec(ctx, cluster.Process{
		Namespace: a.cfg.Namespace, Pod: databasePod, Container: "postgres",
		Command: []string{"psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--username", "todo", "--dbname", "todo"},
		Stdin:   strings.NewReader("ALTER ROLE todo PASSWORD '" + verifier + "';\n"), Stdout: &complaint, Stderr: &complaint,
	})
	if err != nil {
		return fault.Wrap(err, fault.CodeCluster, "the database did not take its new password: "+strings.TrimSpace(complaint.String()), "run: go tool mage deploy")
	}
	if wait {
		if err := client.CoreV1().Pods(a.cfg.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=todo-backend"}); err != nil {
			return err
		}
	}
	if err := secrets.PasswordSet(ctx, client, a.cfg.Namespace); err != nil {
		return err
	}
	t.Note("the database has its new password")
	return nil
}

func (a *App) databaseReady(ctx context.Context, client kubernetes.Interface) bool {
	p, err := client.CoreV1().Pods(a.cfg.Namespace).Get(ctx, databasePod, metav1.GetOptions{})
	return err == nil && serves(p)
}

func (a *App) awaitDatabase(ctx context.Context, t *ui.Task, client kubernetes.Interface) error {
	t.Status("waiting for the database")
	err := wait.PollUntilContextTimeout(ctx, 500*time.Millisecond, databasePatience, true, func(ctx context.Context) (bool, error) {
		return a.databaseReady(ctx, client), nil
	})
	if err != nil && ctx.Err() == nil {
		return fault.New(fault.CodeRollout, "the database did not start, so that its new password could not be set", "run: go tool mage logs -service=postgres")
	}
	return err
}
