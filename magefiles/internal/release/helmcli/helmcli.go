// Package helmcli is Helm 4, for tests that do what people do who have no targets.
package helmcli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program gives the path of Helm 4, which Go builds where it has not. It is in a module of its own below the checkout's
// root, as its libraries are newer than those of this one.
func Program(ctx context.Context, root string) (string, error) {
	// Without what Go says of its downloads on the other stream.
	out, err := exec.CommandContext(ctx, "go", "-C", filepath.Join(root, "tools", "helm"), "tool", "-n", "helm").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return "", fmt.Errorf("building Helm 4: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Run calls a program in a folder and gives its output, what it says of mistakes last. Without a kubeconfig it finds no
// cluster.
func Run(ctx context.Context, program, dir, kubeconfig string, args ...string) (string, error) {
	if kubeconfig == "" {
		kubeconfig = os.DevNull
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "KUBECONFIG="+kubeconfig)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	return string(out) + stderr.String(), err
}
