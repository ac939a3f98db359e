package secrets

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// pendingPassword is an annotation of the Secret: the database does not know its password yet. It stands from before the password changes to after
// the database has been told, so that an interrupted rotation is seen and finished.
const pendingPassword = "todo.local/password-pending"

// Rotate generates anew what Ensure once generated: the signing key of sessions, unless it is configured, and the password of the database in the
// cluster. What runs keeps the old values until it is restarted; the database until SetPassword is done.
func Rotate(ctx context.Context, t *ui.Task, client kubernetes.Interface, cfg *config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	api := client.CoreV1().Secrets(cfg.Namespace)
	found, err := api.Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return fault.New(fault.CodeInput, "there are no secrets to rotate yet", "run: go tool mage deploy")
	}
	if err != nil {
		return explain(err)
	}
	if err := ours(found); err != nil {
		return err
	}
	if cfg.JWTSecret != "" {
		t.Note("JWT_SECRET is a setting of yours: change it there")
	} else {
		found.Data[JWTSecret] = []byte(generate())
	}
	if cfg.DatabaseURL != "" {
		t.Note("DATABASE_URL is a setting of yours: change the password where the database is, then here")
	} else {
		found.Data[PostgresPassword] = []byte(generate())
		metav1.SetMetaDataAnnotation(&found.ObjectMeta, pendingPassword, "true")
	}
	if _, err := api.Update(ctx, found, metav1.UpdateOptions{FieldManager: manager}); err != nil {
		return explain(err)
	}
	t.Result("generated anew")
	return nil
}

// PasswordPending tells whether the database in the cluster has still to be told its password, and gives that as the verifier which PostgreSQL keeps.
func PasswordPending(ctx context.Context, client kubernetes.Interface, namespace string) (verifier string, pending bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := client.CoreV1().Secrets(namespace).Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, explain(err)
	}
	if found.Annotations[pendingPassword] == "" {
		return "", false, nil
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	verifier, err = scramVerifier(string(found.Data[PostgresPassword]), salt)
	return verifier, true, err
}

// PasswordSet takes note that the database knows its password.
func PasswordSet(ctx context.Context, client kubernetes.Interface, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	api := client.CoreV1().Secrets(namespace)
	found, err := api.Get(ctx, Name, metav1.GetOptions{})
	if err != nil {
		return explain(err)
	}
	delete(found.Annotations, pendingPassword)
	_, err = api.Update(ctx, found, metav1.UpdateOptions{FieldManager: manager})
	if err != nil {
		return explain(err)
	}
	return nil
}

// scramVerifier is what PostgreSQL stores of a password (RFC 5803): whoever sees it in a log can check the password, not use it.
func scramVerifier(password string, salt []byte) (string, error) {
	const rounds = 4096 // PostgreSQL's own
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", err
	}
	key := func(text string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(key("Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, b64(salt), b64(stored[:]), b64(key("Server Key"))), nil
}
