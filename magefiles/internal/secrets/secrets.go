// Package secrets keeps the application's Secret: what the user gave, and what is generated once; and that of its
// certificate, where it has one. Values go from here to the cluster and nowhere else: not into an argument, not into a
// chart's values, not into a log.
package secrets

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	clientv1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// Name is the Secret's name.
const Name = "app-secrets"

// Keys of the Secret. The application gets each as the environment variable of the same name.
const (
	DatabaseURL      = "DATABASE_URL"
	JWTSecret        = "JWT_SECRET"
	OpenAIKey        = "OPENAI_API_KEY"
	SMTPURL          = "SMTP_URL"
	PostgresPassword = "POSTGRES_PASSWORD" // of the database in the cluster
)

const (
	managedBy = "app.kubernetes.io/managed-by"
	manager   = "todo-deploy" // in the managedBy label, and as field manager
	timeout   = 30 * time.Second
	attempts  = 5 // at a change that other runs make at the same time
)

// Outcome is what became of an Ensure.
type Outcome struct {
	Name     string // of the Secret
	Changed  bool   // whether it was made or changed
	Checksum string // differs for different content, and tells nothing about it

	// PasswordPending: the database in the cluster has still to be told its password.
	PasswordPending bool

	before map[string][]byte // what a change replaced; nil where there was nothing
}

// Restore puts back what the Ensure replaced. A rotation is not taken back, as it comes before the Ensure.
func (o Outcome) Restore(ctx context.Context, client kubernetes.Interface, cfg *config.Config) error {
	if !o.Changed || o.before == nil {
		return nil
	}
	return edit(ctx, client, cfg.Namespace, func(s *corev1.Secret) { s.Data = maps.Clone(o.before) })
}

// InForce gives the checksum of what pods that begin now get.
func InForce(ctx context.Context, client kubernetes.Interface, namespace string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := client.CoreV1().Secrets(namespace).Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", noneYet(namespace)
	}
	if err != nil {
		return "", explain(err)
	}
	return checksum(found.Data), nil
}

func noneYet(namespace string) error {
	return fault.New(fault.CodeInput, "there are no secrets in namespace "+namespace+" yet", "run: go tool mage deploy")
}

// Ensure makes the namespace and in it the Secret that the configuration asks for. What is configured is followed, also
// where it is taken away; what has to be there and is not configured is generated once and kept, as a database's volume
// and people's sessions depend on it.
func Ensure(ctx context.Context, t *ui.Task, client kubernetes.Interface, cfg *config.Config) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := EnsureNamespace(ctx, client, cfg.Namespace); err != nil {
		return Outcome{}, err
	}
	var out Outcome
	if err := contended(Name, func() (err error) {
		out, err = write(ctx, client.CoreV1().Secrets(cfg.Namespace), cfg)
		return err
	}); err != nil {
		return Outcome{}, err
	}
	if out.Changed {
		t.Result("%s written", Name)
	} else {
		t.Unchanged("%s", Name)
	}
	return out, nil
}

// contended looks at a Secret and writes it, again from the start where another run was faster in between.
func contended(name string, attempt func() error) error {
	for range attempts {
		err := attempt()
		if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
			continue
		}
		if err != nil {
			return explain(err)
		}
		return nil
	}
	return fault.New(fault.CodeCluster, "Secret "+name+" is being changed by others all the time", "find out what changes it, then run the same command again")
}

// meta is that of a Secret of this project's.
func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{managedBy: manager, "app.kubernetes.io/part-of": "todo-app"}}
}

// ours refuses a Secret that this project did not make.
func ours(s *corev1.Secret) error {
	if s.Labels[managedBy] == manager {
		return nil
	}
	return fault.New(fault.CodeInput, fmt.Sprintf("namespace %s has a Secret %s that was made by other means", s.Namespace, s.Name),
		"keep its values and delete it, or choose another namespace with TODO_NAMESPACE")
}

// Preview tells what Ensure would do, and does nothing. Where something has to be generated, Checksum is of other
// values than Ensure's will be.
func Preview(ctx context.Context, client kubernetes.Interface, cfg *config.Config) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := client.CoreV1().Secrets(cfg.Namespace).Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Outcome{Name: Name, Changed: true, Checksum: checksum(desired(cfg, nil))}, nil
	}
	if err != nil {
		return Outcome{}, explain(err)
	}
	data := desired(cfg, found.Data)
	pending := found.Annotations[pendingPassword] != ""
	return Outcome{
		Name: Name, Checksum: checksum(data), PasswordPending: pending,
		Changed: !same(found.Data, data) || pending || hasStaged(data),
	}, nil
}

// write makes or updates the Secret. Both fail where another run was faster, so that nothing which that one generated
// is lost.
func write(ctx context.Context, api clientv1.SecretInterface, cfg *config.Config) (Outcome, error) {
	found, err := api.Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		data := desired(cfg, nil)
		_, err := api.Create(ctx, &corev1.Secret{ObjectMeta: meta(Name), Data: data}, metav1.CreateOptions{FieldManager: manager})
		return Outcome{Name: Name, Changed: true, Checksum: checksum(data)}, err
	}
	if err != nil {
		return Outcome{}, err
	}
	if err := ours(found); err != nil {
		return Outcome{}, err
	}
	data := desired(cfg, found.Data)
	out := Outcome{Name: Name, Checksum: checksum(data), PasswordPending: found.Annotations[pendingPassword] != ""}
	if same(found.Data, data) {
		return out, nil
	}
	out.Changed, out.before = true, found.Data
	found.Data = data
	_, err = api.Update(ctx, found, metav1.UpdateOptions{FieldManager: manager})
	return out, err
}

func same(a, b map[string][]byte) bool {
	return maps.EqualFunc(a, b, func(x, y []byte) bool { return string(x) == string(y) })
}

// desired is the Secret's content, given what it is now.
func desired(cfg *config.Config, now map[string][]byte) map[string][]byte {
	keep := func(key, given string) string {
		switch {
		case given != "":
			return given
		case len(now[key]) > 0:
			return string(now[key])
		}
		return generate()
	}
	data := map[string][]byte{JWTSecret: []byte(keep(JWTSecret, cfg.JWTSecret))}
	if cfg.DatabaseURL != "" {
		data[DatabaseURL] = []byte(cfg.DatabaseURL)
		// The volume of a database in the cluster still wants its password, should it be used again.
		if p := now[PostgresPassword]; len(p) > 0 {
			data[PostgresPassword] = p
		}
	} else {
		password := keep(PostgresPassword, "")
		data[PostgresPassword] = []byte(password)
		data[DatabaseURL] = []byte(databaseURL([]byte(password)))
	}
	for key, given := range map[string]string{OpenAIKey: cfg.OpenAIKey, SMTPURL: cfg.SMTPURL} {
		if given != "" {
			data[key] = []byte(given)
		}
	}
	for next := range maps.Values(staged) {
		if value := now[next]; len(value) > 0 {
			data[next] = value
		}
	}
	return data
}

// databaseURL leads to the database in the cluster.
func databaseURL(password []byte) string {
	return fmt.Sprintf("postgresql://todo:%s@%s:%d/todo", password, app.Postgres.Host(), app.Postgres.Port)
}

// generate gives 256 random bits as text that needs no quoting in a URL.
func generate() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// checksum is that of what pods get. It is keyed with the signing key: without it, short values could be guessed and
// tried.
func checksum(data map[string][]byte) string {
	h := hmac.New(sha256.New, data[JWTSecret])
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if key == nextJWTSecret || key == nextPostgresPassword {
			continue
		}
		_, _ = fmt.Fprintf(h, "%s %d\n%s\n", key, len(data[key]), data[key])
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// NewDatabase tells whether the configuration names a database elsewhere that the Secret in the cluster does not name
// yet.
func NewDatabase(ctx context.Context, client kubernetes.Interface, cfg *config.Config) (bool, error) {
	if cfg.DatabaseURL == "" {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := client.CoreV1().Secrets(cfg.Namespace).Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, explain(err)
	}
	return string(found.Data[DatabaseURL]) != cfg.DatabaseURL, nil
}

// EnsureNamespace makes the namespace where it is missing, for pods that need no privileges.
func EnsureNamespace(ctx context.Context, client kubernetes.Interface, name string) error {
	_, err := client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return explain(err)
	}
	_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		managedBy:                            manager,
		"pod-security.kubernetes.io/enforce": "restricted",
		"pod-security.kubernetes.io/warn":    "restricted",
	}}}, metav1.CreateOptions{FieldManager: manager})
	if err == nil || apierrors.IsAlreadyExists(err) {
		return nil
	}
	return explain(err)
}

func explain(err error) error {
	var known *fault.Error
	switch {
	case errors.As(err, &known), errors.Is(err, context.Canceled):
		return err
	case apierrors.IsForbidden(err):
		return fault.Wrap(err, fault.CodeCluster, "this user may not keep the application's secrets", "ask for rights on namespaces and secrets, or choose another namespace with TODO_NAMESPACE")
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return fault.New(fault.CodeCluster, "the namespace is still being deleted", "run the same command again in a moment")
	}
	return fault.Wrap(err, fault.CodeCluster, "the cluster does not keep the application's secrets", "run: go tool mage doctor")
}
