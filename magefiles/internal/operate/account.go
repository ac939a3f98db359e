package operate

import (
	"context"
	"strings"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/words"
)

// ResetPassword makes a code with which the owner of an account sets a new password, and prints it.
func ResetPassword(ctx context.Context, s session.Session, email string) error {
	if !strings.Contains(email, "@") {
		return fault.New(fault.CodeInput, "whose password is not said", "name the account: go tool mage account:reset -email=ada@example.com")
	}
	c, pod, err := readyPod(ctx, s, app.Backend)
	if err != nil {
		return err
	}
	return resetPassword(ctx, c, pod, email, c.Access.Exec)
}

// resetPassword leaves the address out of the command: the node's list of processes shows it to others.
func resetPassword(ctx context.Context, c session.Cluster, pod, email string, exec func(context.Context, kube.Process) error) error {
	var code, complaint strings.Builder
	err := exec(ctx, kube.Process{
		Namespace: c.Config.Namespace, Pod: pod, Container: app.Backend.Name, Command: []string{"python", "-m", "src.reset"},
		Stdin: strings.NewReader(email + "\n"), Stdout: &code, Stderr: &complaint,
	})
	if err != nil {
		lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
		what := strings.TrimSpace("no code was made: " + words.OneLine(lines[len(lines)-1]))
		return fault.Wrap(err, fault.CodeFailed, what, "check the address, and: go tool mage status")
	}
	c.UI.Printf("%s\n", strings.TrimSpace(code.String()))
	c.UI.Printf("With this code %s sets a new password, once and within an hour. All sessions then end.\n", email)
	return nil
}
