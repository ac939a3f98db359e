package secrets

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/ui"
)

// How a rotation goes, and what holds at every moment of it.
//
// DATABASE_URL is what pods begin with, so it names the new password only once the database has that:
//
//  1. Stage keeps the new values beside those in force. Nothing uses them yet.
//  2. The database is told its new password.
//  3. Promote puts the new values in force, in one write.
//
// A run that ends between two steps leaves new values staged, and the next one goes on from step 2: telling the
// database the same password again is harmless. Only between 2 and 3 do the Secret and the database disagree; that is
// one request. From 3 on there is no way back to the old password. A version that fails after it is taken back, the
// secrets are not, and its pods begin anew with them.
//
// A database that does not run cannot be told. Then 3 comes first and leaves the annotation pendingPassword, which
// stands until the database runs, and knows.
const (
	nextJWTSecret        = JWTSecret + "_NEXT"
	nextPostgresPassword = PostgresPassword + "_NEXT"
	pendingPassword      = "todo.local/password-pending"
)

// staged are the keys of values that are not in force yet, by those that they will be the values of.
var staged = map[string]string{JWTSecret: nextJWTSecret, PostgresPassword: nextPostgresPassword}

// Stage generates anew what Ensure once generated: the signing key of sessions, unless it is configured, and the
// password of the database in the cluster. What is staged already stays: the database may have been told of it.
func Stage(ctx context.Context, t *ui.Task, client kubernetes.Interface, cfg *config.Config) error {
	if cfg.JWTSecret != "" {
		t.Note("JWT_SECRET is a setting of yours: change it there")
	}
	if cfg.DatabaseURL != "" {
		t.Note("DATABASE_URL is a setting of yours: change the password where the database is, then here")
	}
	return edit(ctx, client, cfg.Namespace, func(s *corev1.Secret) {
		if cfg.JWTSecret == "" && len(s.Data[nextJWTSecret]) == 0 {
			s.Data[nextJWTSecret] = []byte(generate())
		}
		if cfg.DatabaseURL == "" && len(s.Data[nextPostgresPassword]) == 0 {
			s.Data[nextPostgresPassword] = []byte(generate())
		}
	})
}

// Rotation is how far a rotation has come.
type Rotation struct {
	Staged   bool   // new values are there and not in force
	Verifier string // of the password that the database has to be told, as PostgreSQL keeps it; empty where there is none
}

// State tells how far a rotation has come.
func State(ctx context.Context, client kubernetes.Interface, namespace string) (Rotation, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := client.CoreV1().Secrets(namespace).Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Rotation{}, nil
	}
	if err != nil {
		return Rotation{}, explain(err)
	}
	r := Rotation{Staged: hasStaged(found.Data)}
	password := found.Data[nextPostgresPassword]
	if len(password) == 0 && found.Annotations[pendingPassword] != "" {
		password = found.Data[PostgresPassword]
	}
	if len(password) > 0 {
		salt := make([]byte, 16)
		_, _ = rand.Read(salt) // never fails
		r.Verifier, err = scramVerifier(string(password), salt)
	}
	return r, err
}

// Promote puts what is staged in force. told is whether the database knows its new password.
func Promote(ctx context.Context, client kubernetes.Interface, namespace string, told bool) error {
	return edit(ctx, client, namespace, func(s *corev1.Secret) {
		if password := s.Data[nextPostgresPassword]; len(password) > 0 {
			if string(s.Data[DatabaseURL]) == databaseURL(s.Data[PostgresPassword]) {
				s.Data[DatabaseURL] = []byte(databaseURL(password))
			}
			if told {
				delete(s.Annotations, pendingPassword)
			} else {
				metav1.SetMetaDataAnnotation(&s.ObjectMeta, pendingPassword, "true")
			}
		}
		for key, next := range staged {
			if value := s.Data[next]; len(value) > 0 {
				s.Data[key] = value
			}
			delete(s.Data, next)
		}
	})
}

// PasswordSet takes note that the database knows the password in force.
func PasswordSet(ctx context.Context, client kubernetes.Interface, namespace string) error {
	return edit(ctx, client, namespace, func(s *corev1.Secret) { delete(s.Annotations, pendingPassword) })
}

// edit changes the Secret that is there.
func edit(ctx context.Context, client kubernetes.Interface, namespace string, change func(*corev1.Secret)) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	api := client.CoreV1().Secrets(namespace)
	return contended(Name, func() error {
		found, err := api.Get(ctx, Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return noneYet(namespace)
		}
		if err != nil {
			return err
		}
		if err := ours(found); err != nil {
			return err
		}
		change(found)
		_, err = api.Update(ctx, found, metav1.UpdateOptions{FieldManager: manager})
		return err
	})
}

func hasStaged(data map[string][]byte) bool {
	for next := range maps.Values(staged) {
		if len(data[next]) > 0 {
			return true
		}
	}
	return false
}

// scramVerifier is what PostgreSQL stores of a password (RFC 5803): whoever sees it in a log can check the password,
// not use it.
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
