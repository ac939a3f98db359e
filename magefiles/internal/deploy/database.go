package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/podlog"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

const (
	databaseCheck      = "database-check"
	migrate            = "migrate" // its container
	databaseCheckLimit = 90 * time.Second
	appUser            = int64(10001) // of the backend's image
)

// tryDatabase lets the image of the new backend migrate a database that the running version does not use yet, from
// inside the cluster. A release to a database that cannot be reached would remove the one that serves.
func tryDatabase(ctx context.Context, t *ui.Task, c session.Cluster, image string) error {
	fresh, err := secrets.NewDatabase(ctx, c.Client, c.Config)
	if err != nil || !fresh {
		return err
	}
	return t.Do("database", func(t *ui.Task) error {
		if err := secrets.EnsureNamespace(ctx, c.Client, c.Config.Namespace); err != nil {
			return err
		}
		clean := func(ctx context.Context) error {
			now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
			err := c.Client.CoreV1().Pods(c.Config.Namespace).Delete(ctx, databaseCheck, now)
			if err := errors.Join(ignoreMissing(err), ignoreMissing(c.Client.CoreV1().Secrets(c.Config.Namespace).Delete(ctx, databaseCheck, now))); err != nil {
				return err
			}
			return wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
				_, err := c.Client.CoreV1().Pods(c.Config.Namespace).Get(ctx, databaseCheck, metav1.GetOptions{})
				return apierrors.IsNotFound(err), ignoreMissing(err)
			})
		}
		if err := clean(ctx); err != nil { // of a run that was killed
			return err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
			defer cancel()
			if err := clean(ctx); err != nil {
				t.Note("pod %s could not be removed: %v", databaseCheck, err)
			}
		}()
		return migrateOnce(ctx, t, c, image)
	})
}

func migrateOnce(ctx context.Context, t *ui.Task, c session.Cluster, image string) error {
	ctx, cancel := context.WithTimeout(ctx, databaseCheckLimit)
	defer cancel()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: databaseCheck}, StringData: map[string]string{secrets.DatabaseURL: c.Config.DatabaseURL}}
	if _, err := c.Client.CoreV1().Secrets(c.Config.Namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return err
	}
	pods := c.Client.CoreV1().Pods(c.Config.Namespace)
	if _, err := pods.Create(ctx, migrationPod(image), metav1.CreateOptions{}); err != nil {
		return err
	}
	t.Status("connecting from inside the cluster")
	var phase corev1.PodPhase
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		p, err := pods.Get(ctx, databaseCheck, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		phase = p.Status.Phase
		return phase == corev1.PodSucceeded || phase == corev1.PodFailed, nil
	})
	if phase == corev1.PodSucceeded {
		t.Result("reached and migrated")
		return nil
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault.New(fault.CodeRollout, "the database of DATABASE_URL cannot be used: "+lastLog(context.WithoutCancel(ctx), c.Client, c.Config.Namespace),
		"correct DATABASE_URL, or leave it empty to have a database in the cluster; nothing was changed")
}

// migrationPod runs the backend's migration once.
func migrationPod(image string) *corev1.Pod {
	yes, no, user := true, false, appUser
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: databaseCheck, Labels: map[string]string{"app": databaseCheck}},
		Spec: corev1.PodSpec{
			RestartPolicy:                corev1.RestartPolicyNever,
			AutomountServiceAccountToken: &no,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: migrate, Image: image, ImagePullPolicy: pullPolicy(image), Command: []string{"python", "-m", "src.migrate", "--wait", "10"},
				Env: []corev1.EnvVar{{Name: secrets.DatabaseURL, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
					LocalObjectReference: corev1.LocalObjectReference{Name: databaseCheck}, Key: secrets.DatabaseURL}}}},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}

// lastLog is the last line that the migration said. It never contains the URL's password: the backend keeps that to
// itself.
func lastLog(ctx context.Context, client kubernetes.Interface, namespace string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: databaseCheck}}
	said, err := podlog.Last(ctx, client, p, migrate, false, 1)
	if err != nil || len(said) == 0 {
		return fmt.Sprintf("it did not answer within %s", databaseCheckLimit)
	}
	return said[len(said)-1]
}

func ignoreMissing(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
