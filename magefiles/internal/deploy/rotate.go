package deploy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
	"todo.local/magefiles/internal/words"
)

const (
	// secretsChecksum is the chart's annotation of pods: the checksum of the secrets that they began with.
	secretsChecksum  = "checksum/secrets"
	databasePatience = 2 * time.Minute // for the database to start
	passwordPatience = 15 * time.Second
	drainPatience    = time.Minute // for old pods to end their requests
)

// databasePod is the only pod of the database's StatefulSet.
var databasePod = app.Postgres.Name + "-0"

// RotateSecrets deploys with a new signing key of sessions and a new password of the database in the cluster, which
// restarts what uses them. Everybody has to log in again. Interrupted, it is finished by the next deploy.
func RotateSecrets(ctx context.Context, s session.Session) error {
	return s.Exclusively(ctx, func() error {
		c, err := s.OpenCluster(ctx)
		if err != nil {
			return err
		}
		if _, err := secrets.InForce(ctx, c.Client, s.Config.Namespace); err != nil {
			return err
		}
		return deploy(ctx, s, true)
	})
}

// rotateSecrets begins a rotation where one is asked for, and goes on with one that was begun. What holds at every
// moment of it is said in package secrets.
func (i *installation) rotateSecrets(ctx context.Context, t *ui.Task) error {
	if i.rotate {
		if err := secrets.Stage(ctx, t, i.Client, i.Config); err != nil {
			return err
		}
	}
	r, err := secrets.State(ctx, i.Client, i.Config.Namespace)
	if err != nil || !r.Staged {
		return err
	}
	told := r.Verifier != "" && databaseReady(ctx, i.Cluster)
	// Once the database has its new password the old one opens nothing. So this is not interrupted, and tried again for
	// a moment: a database or a Secret that may be new or not is worse than either.
	change := func(ctx context.Context) error {
		if told {
			if err := i.tellPassword(ctx, r.Verifier); err != nil {
				return err
			}
		}
		return secrets.Promote(ctx, i.Client, i.Config.Namespace, told)
	}
	var failed error
	if err := wait.PollUntilContextTimeout(context.WithoutCancel(ctx), time.Second, passwordPatience, true, func(ctx context.Context) (bool, error) {
		failed = change(ctx)
		return failed == nil, nil
	}); err != nil {
		return cmp.Or(failed, err)
	}
	t.Note("the application's secrets are new")
	return nil
}

// finishPassword tells the database, once it runs, the password that it could not be told before, and replaces the pods
// that failed with it meanwhile.
func (i *installation) finishPassword(ctx context.Context, t *ui.Task) error {
	if err := awaitDatabase(ctx, t, i.Cluster); err != nil {
		return err
	}
	r, err := secrets.State(ctx, i.Client, i.Config.Namespace)
	if err != nil || r.Verifier == "" {
		return err
	}
	if err := i.tellPassword(ctx, r.Verifier); err != nil {
		return err
	}
	theirs := metav1.ListOptions{LabelSelector: app.Selector(app.Reading()...)}
	if err := i.Client.CoreV1().Pods(i.Config.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, theirs); err != nil {
		return err
	}
	return secrets.PasswordSet(ctx, i.Client, i.Config.Namespace)
}

// stale gives the pods that began with other secrets than those in force, each with the name of its service, but for
// those of the version that is taken back, which go anyway. After a rotation the database lets them in no more, once
// the connections that they have end, and they refuse the sessions that others give.
func (i *installation) stale(ctx context.Context, takenBack secrets.Outcome) (map[types.UID]string, error) {
	inForce, err := secrets.InForce(ctx, i.Client, i.Config.Namespace)
	if err != nil {
		return nil, err
	}
	pods, err := i.Client.CoreV1().Pods(i.Config.Namespace).List(ctx, metav1.ListOptions{LabelSelector: app.Selector(app.Reading()...)})
	if err != nil {
		return nil, err
	}
	found := map[types.UID]string{}
	for _, p := range pods.Items {
		if began := p.Annotations[secretsChecksum]; began != inForce && began != takenBack.Checksum && !ended(p) {
			found[p.UID] = app.OfLabel(p.Labels["app"])
		}
	}
	return found, nil
}

// awaitDrained waits until no pod that began with other secrets is left: it would refuse the sessions that the new ones
// give.
func awaitDrained(ctx context.Context, t *ui.Task, c session.Cluster, checksum string) error {
	return awaitEnd(ctx, t, c, app.Reading(), "with the old secrets", func(p corev1.Pod) bool { return p.Annotations[secretsChecksum] != checksum })
}

// awaitEnd waits until none of the old pods of services is left. what tells them from the others.
func awaitEnd(ctx context.Context, t *ui.Task, c session.Cluster, of []app.Service, what string, isOld func(corev1.Pod) bool) error {
	var old int
	err := wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, drainPatience, true, func(ctx context.Context) (bool, error) {
		pods, err := c.Client.CoreV1().Pods(c.Config.Namespace).List(ctx, metav1.ListOptions{LabelSelector: app.Selector(of...)})
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

// tellPassword gives the database in the cluster a new password, as a verifier.
func (i *installation) tellPassword(ctx context.Context, verifier string) error {
	var complaint strings.Builder
	err := i.exec(ctx, kube.Process{
		Namespace: i.Config.Namespace, Pod: databasePod, Container: app.Postgres.Name,
		Command: []string{"psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--username", "todo", "--dbname", "todo"},
		Stdin:   strings.NewReader("ALTER ROLE todo PASSWORD '" + verifier + "';\n"), Stdout: &complaint, Stderr: &complaint,
	})
	what := strings.TrimSpace("the database did not take its new password: " + words.OneLine(complaint.String()))
	return fault.Wrap(err, fault.CodeCluster, what, "run: go tool mage deploy")
}

func databaseReady(ctx context.Context, c session.Cluster) bool {
	p, err := c.Client.CoreV1().Pods(c.Config.Namespace).Get(ctx, databasePod, metav1.GetOptions{})
	return err == nil && kube.Serves(p)
}

func awaitDatabase(ctx context.Context, t *ui.Task, c session.Cluster) error {
	t.Status("waiting for the database")
	err := wait.PollUntilContextTimeout(ctx, 500*time.Millisecond, databasePatience, true, func(ctx context.Context) (bool, error) {
		return databaseReady(ctx, c), nil
	})
	if err != nil && ctx.Err() == nil {
		return fault.New(fault.CodeRollout, "the database did not start, so that its new password could not be set", "run: go tool mage logs -service=postgres")
	}
	return err
}
